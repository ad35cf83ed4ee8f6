#include "image/registry_challenge.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/text.h"

namespace podium::image {
namespace {

// More than any server sends; the header itself is bounded by whoever reads it.
constexpr size_t kMaxChallenges = 16;
constexpr size_t kMaxParameters = 32;

bool IsTokenChar(char c) {
  return IsLetterOrDigit(c) || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c));
}
bool IsToken68Char(char c) {
  return IsLetterOrDigit(c) || (c != '\0' && std::string_view("-._~+/").contains(c));
}
bool IsBlank(char c) { return c == ' ' || c == '\t'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  size_t position() const { return rest_.size(); }
  void SetRest(std::string_view rest) { rest_ = rest; }
  std::string_view rest() const { return rest_; }

  template <class Predicate>
  std::string_view Take(Predicate predicate) {
    const auto end = std::ranges::find_if_not(rest_, predicate);
    const std::string_view taken = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool SkipBlanks() { return !Take(IsBlank).empty(); }
  // Empty members of a list are allowed: ", ,".
  void SkipListSeparators() {
    Take([](char c) { return c == ',' || IsBlank(c); });
  }
  bool Accept(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A quoted string behind its first quote. False when it does not end.
  bool TakeQuoted(std::string* out) {
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\') {
        if (rest_.empty()) return false;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      out->push_back(c);
    }
    return false;
  }

 private:
  std::string_view rest_;
};

// name = value. False, with nothing read, when no parameter stands here: then a scheme may.
bool TakeParameter(Reader* reader, Challenge* challenge) {
  const std::string_view before = reader->rest();
  const std::string name = LowerCase(reader->Take(IsTokenChar));
  reader->SkipBlanks();
  std::string value;
  bool good = !name.empty() && reader->Accept('=');
  if (good) {
    reader->SkipBlanks();
    if (reader->Accept('"')) {
      good = reader->TakeQuoted(&value);
    } else {
      value = reader->Take(IsTokenChar);
      good = !value.empty();
    }
  }
  if (!good) {
    reader->SetRest(before);
    return false;
  }
  // Of two with one name the first holds, also when it is empty.
  const bool known = std::ranges::any_of(
      challenge->parameters, [&](const auto& parameter) { return parameter.first == name; });
  if (!known && challenge->parameters.size() < kMaxParameters) {
    challenge->parameters.emplace_back(name, std::move(value));
  }
  return true;
}

// token68, when it is all that stands before the next comma.
bool TakeToken68(Reader* reader, Challenge* challenge) {
  const std::string_view before = reader->rest();
  if (!reader->Take(IsToken68Char).empty()) reader->Take([](char c) { return c == '='; });
  const std::string_view token = before.substr(0, before.size() - reader->rest().size());
  reader->SkipBlanks();
  if (!token.empty() && (reader->done() || reader->rest().front() == ',')) {
    challenge->token = token;
    return true;
  }
  reader->SetRest(before);
  return false;
}

}  // namespace

std::string_view Challenge::Get(std::string_view name) const {
  const auto found =
      std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<Challenge> ParseChallenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Reader reader(header);
  reader.SkipListSeparators();
  while (!reader.done() && challenges.size() < kMaxChallenges) {
    Challenge challenge;
    challenge.scheme = LowerCase(reader.Take(IsTokenChar));
    if (challenge.scheme.empty()) break;
    const bool separated = reader.SkipBlanks();
    if (!reader.done() && reader.rest().front() != ',' && !separated) break;
    // A parameter first: of "a=b" both forms read the beginning.
    if (TakeParameter(&reader, &challenge)) {
      do {
        reader.SkipListSeparators();
      } while (TakeParameter(&reader, &challenge));
    } else {
      TakeToken68(&reader, &challenge);
    }
    reader.SkipListSeparators();
    challenges.push_back(std::move(challenge));
  }
  return challenges;
}

}  // namespace podium::image
