#include "api/structural/addresses.h"

#include "base/ascii.h"
#include "reflect/utf8.h"

namespace podium::api {
namespace {

bool IsOneOf(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Reads RFC 5322 as net/mail does.
class MailParser {
 public:
  explicit MailParser(std::string_view text) : rest_(text) {}

  bool Address() {
    if (!reflect::IsUtf8(rest_)) return false;
    if (!SkipSpaceAndComments() || rest_.empty()) return false;
    const std::string_view start = rest_;
    if (Spec()) return SkipSpaceAndComments() && rest_.empty();
    // A name, then the address in angle brackets.
    rest_ = start;
    if (rest_[0] != '<' && !Phrase()) return false;
    if (!SkipSpaceAndComments() || !Take('<') || !Spec()) return false;
    return Take('>') && SkipSpaceAndComments() && rest_.empty();
  }

 private:
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool SkipSpaceAndComments() {
    while (true) {
      while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
      if (rest_.empty() || rest_[0] != '(') return true;
      size_t depth = 0;
      do {
        if (rest_.empty()) return false;
        if (rest_[0] == '\\' && rest_.size() > 1)
          rest_.remove_prefix(1);
        else if (rest_[0] == '(')
          ++depth;
        else if (rest_[0] == ')')
          --depth;
        rest_.remove_prefix(1);
      } while (depth > 0);
    }
  }

  static bool IsAtomText(char c) {
    return IsLetterOrDigit(c) || IsOneOf(c, "!#$%&'*+-/=?^_`{|}~") || (c & 0x80) != 0;
  }

  // With dots between atoms, which must not stand at the ends or together.
  bool Atom(bool dots) {
    const std::string_view start = rest_;
    while (!rest_.empty() && (IsAtomText(rest_[0]) || (dots && rest_[0] == '.'))) {
      rest_.remove_prefix(1);
    }
    const std::string_view atom = start.substr(0, start.size() - rest_.size());
    return !atom.empty() && !(dots && (atom.front() == '.' || atom.back() == '.' ||
                                       atom.find("..") != std::string_view::npos));
  }

  bool QuotedString() {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_[0] != '"') {
      if (rest_[0] == '\\') {
        rest_.remove_prefix(1);
        if (rest_.empty()) return false;
      }
      const char c = rest_[0];
      if (c == '\r' || c == '\n' || c == '\0') return false;
      rest_.remove_prefix(1);
    }
    return Take('"');
  }

  // local@domain
  bool Spec() {
    if (!SkipSpaceAndComments() || rest_.empty()) return false;
    if (rest_[0] == '"') {
      const std::string_view start = rest_;
      if (!QuotedString() || start.size() - rest_.size() == 2) return false;
    } else if (!Atom(true)) {
      return false;
    }
    if (!Take('@')) return false;
    if (!SkipSpaceAndComments() || rest_.empty()) return false;
    if (rest_[0] != '[') return Atom(true);
    const size_t end = rest_.find(']');
    if (end == std::string_view::npos || end < 2) return false;
    for (const char c : rest_.substr(1, end - 1)) {
      if (c <= ' ' || c == 0x7F || c == '[' || c == '\\') return false;
    }
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool Phrase() {
    bool any = false;
    while (true) {
      if (!SkipSpaceAndComments()) return false;
      if (rest_.empty() || rest_[0] == '<') return any;
      // Atoms of a name may hold dots anywhere.
      if (rest_[0] == '"') {
        if (!QuotedString()) return false;
      } else {
        const size_t size = rest_.size();
        while (!rest_.empty() && (IsAtomText(rest_[0]) || rest_[0] == '.')) rest_.remove_prefix(1);
        if (rest_.size() == size) return false;
      }
      any = true;
    }
  }

  std::string_view rest_;
};

}  // namespace

bool IsEmailAddress(std::string_view text) { return MailParser(text).Address(); }

bool IsMacAddress(std::string_view text) {
  if (text.size() < 14) return false;
  const bool dots = text[4] == '.';
  const char separator = dots ? '.' : text[2];
  if (separator != ':' && separator != '-' && !dots) return false;
  const size_t group = dots ? 4 : 2;
  if ((text.size() + 1) % (group + 1) != 0) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool between = i % (group + 1) == group;
    if (between ? text[i] != separator : !IsHex(text[i])) return false;
  }
  const size_t bytes = (text.size() + 1) / (group + 1) * group / 2;
  return bytes == 6 || bytes == 8 || bytes == 20;
}

}  // namespace podium::api
