#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "base/ascii.h"
#include "reflect/json_path_node.h"
#include "reflect/number_text.h"
#include "reflect/utf8.h"

namespace podium::reflect {
namespace {

using Node = JsonPathNode;
using NodeKind = JsonPathNode::Kind;

// Any byte of a letter beyond ASCII is taken for one.
bool IsAlphaNumeric(char c) { return c == '_' || IsLetterOrDigit(c) || (c & 0x80) != 0; }
bool IsTerminator(char c) {
  return std::string_view(" \t\r\n.,[]$@{}").find(c) != std::string::npos;
}

// As strconv.Atoi.
std::optional<int64_t> ReadInteger(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc() || stop != text.end()) return std::nullopt;
  return value;
}

// The upstream parser scans its text as one state machine, a function for each kind of token; so
// does this, as its answers to malformed text follow from it.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> Parse() {
    Node root;
    while (at_ < text_.size()) {
      const size_t open = std::min(text_.find('{', at_), text_.size());
      if (open > at_) AddText(std::string(text_.substr(at_, open - at_)), &root);
      at_ = open;
      if (at_ == text_.size()) break;
      ++at_;
      Node& list = root.children.emplace_back();
      if (!ParseAction(&list)) return Error(Code::kInvalidArgument, error_);
    }
    return root;
  }

 private:
  bool Fail(std::string error) {
    error_ = std::move(error);
    return false;
  }
  bool StartsWith(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }
  bool AtEnd() const { return at_ == text_.size(); }

  static Node& Add(NodeKind kind, Node* list) {
    Node& node = list->children.emplace_back();
    node.kind = kind;
    return node;
  }
  static void AddText(std::string text, Node* list) {
    Add(NodeKind::kText, list).literal = JsonValue::String(std::move(text));
  }

  // Behind a brace, up to the one that closes.
  bool ParseAction(Node* list) {
    for (;;) {
      if (StartsWith("}")) {
        ++at_;
        return true;
      }
      if (!ParseToken(list)) return false;
    }
  }

  bool ParseToken(Node* list) {
    if (StartsWith("[?(")) return ParseFilter(list);
    if (StartsWith("..")) return ParseRecursive(list);
    if (AtEnd()) return Fail("unclosed action");
    const char c = text_[at_];
    switch (c) {
      case '\r':
      case '\n':
        return Fail("unclosed action");
      case ' ':
      case '@':
      case '$':
        ++at_;
        return true;
      case '[':
        return ParseArray(list);
      case '"':
      case '\'':
        return ParseQuote(list);
      case '.':
        ++at_;
        ParseField(list);
        return true;
      default:
        if (c == '+' || c == '-' || IsDigit(c)) return ParseNumber(list);
        if (!IsAlphaNumeric(c)) return FailCharacter(c);
        ParseIdentifier(list);
        return true;
    }
  }

  bool FailCharacter(char c) {
    const auto code = static_cast<unsigned>(static_cast<unsigned char>(c));
    std::string shown = fmt::format("U+{:04X}", code);
    if (code >= 0x20 && code < 0x7F) shown += fmt::format(" '{}'", c);
    return Fail("unrecognized character in action: " + shown);
  }

  void ParseIdentifier(Node* list) {
    const size_t start = at_;
    while (!AtEnd() && !IsTerminator(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (word == "true" || word == "false") {
      Add(NodeKind::kLiteral, list).literal = JsonValue::Bool(word == "true");
    } else {
      Add(NodeKind::kIdentifier, list).name = word;
    }
  }

  void ParseField(Node* list) {
    const size_t start = at_;
    while (!AtEnd() && !IsTerminator(text_[at_])) {
      if (text_[at_] == '\\') ++at_;
      if (!AtEnd()) at_ += std::max<size_t>(Utf8Length(text_.substr(at_)), 1);
    }
    std::string name(text_.substr(start, at_ - start));
    if (name == "*") {
      Add(NodeKind::kWildcard, list);
      return;
    }
    std::erase(name, '\\');
    Add(NodeKind::kField, list).name = std::move(name);
  }

  bool ParseRecursive(Node* list) {
    if (!list->children.empty() && list->children.back().kind == NodeKind::kRecursive) {
      return Fail("invalid multiple recursive descent");
    }
    at_ += 2;
    Add(NodeKind::kRecursive, list);
    if (!AtEnd() && IsAlphaNumeric(text_[at_])) ParseField(list);
    return true;
  }

  bool ParseNumber(Node* list) {
    const size_t start = at_;
    if (text_[at_] == '+' || text_[at_] == '-') ++at_;
    while (!AtEnd() && (text_[at_] == '.' || IsDigit(text_[at_]))) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    std::string number;
    if (const auto integer = ReadInteger(word)) {
      number = std::to_string(*integer);
    } else if (const auto floating = ReadFloat(word)) {
      AppendFloatJson(*floating, &number);
      // Stays a fraction, whatever its value.
      if (number.find_first_of(".e") == std::string::npos) number += ".0";
    } else {
      return Fail("cannot parse number " + std::string(word));
    }
    Add(NodeKind::kLiteral, list).literal = JsonValue::Number(std::move(number));
    return true;
  }

  bool ParseQuote(Node* list) {
    const size_t start = at_;
    const char quote = text_[at_++];
    for (;; ++at_) {
      if (AtEnd() || text_[at_] == '\n') return Fail("unterminated quoted string");
      if (text_[at_] == quote && text_[at_ - 1] != '\\') break;
    }
    ++at_;
    const std::string_view quoted = text_.substr(start, at_ - start);
    std::string text;
    if (!UnquoteGoText(quoted, &text)) {
      return Fail("unquote string " + std::string(quoted) + " error invalid syntax");
    }
    AddText(std::move(text), list);
    return true;
  }

  // Parses the inside of an action of its own; *list is what its first braces hold.
  bool ParseInner(const std::string& action, Node* list) {
    Result<Node> parsed = ParseJsonPath('{' + action + '}');
    if (!parsed.ok()) return Fail(parsed.error().message());
    *list = std::move(parsed->children.front());
    return true;
  }

  bool ParseArray(Node* list) {
    const size_t start = at_ + 1;
    const size_t end = text_.find_first_of("]\n", start);
    if (end == std::string_view::npos || text_[end] == '\n') return Fail("unterminated array");
    std::string_view inside = text_.substr(start, end - start);
    at_ = end + 1;
    if (inside == "*") inside = ":";
    if (inside.find(',') != std::string_view::npos) return ParseUnion(inside, list);
    const bool quoted = inside.size() >= 2 && inside.front() == '\'' && inside.back() == '\'';
    if (quoted && inside.substr(1, inside.size() - 2).find('\'') == std::string_view::npos) {
      Node fields;
      if (!ParseInner('.' + std::string(inside.substr(1, inside.size() - 2)), &fields))
        return false;
      std::move(fields.children.begin(), fields.children.end(), std::back_inserter(list->children));
      return true;
    }
    return ParseSlice(inside, list);
  }

  bool ParseUnion(std::string_view inside, Node* list) {
    Node unions;
    unions.kind = NodeKind::kUnion;
    for (size_t at = 0; at <= inside.size();) {
      const size_t comma = std::min(inside.find(',', at), inside.size());
      std::string_view part = inside.substr(at, comma - at);
      part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
      part.remove_suffix(part.size() - (part.find_last_not_of(' ') + 1));
      if (!ParseInner('[' + std::string(part) + ']', &unions.children.emplace_back())) return false;
      at = comma + 1;
    }
    list->children.push_back(std::move(unions));
    return true;
  }

  // [from], [from:to], [from:to:step], where each may be left out.
  bool ParseSlice(std::string_view inside, Node* list) {
    std::array<std::optional<std::string_view>, 3> parts;
    std::string_view rest = inside;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) {
        if (!rest.starts_with(':')) break;
        rest.remove_prefix(1);
      }
      size_t size = rest.starts_with('-') ? 1 : 0;
      while (size < rest.size() && IsDigit(rest[size])) ++size;
      parts[i] = rest.substr(0, size);
      rest.remove_prefix(size);
    }
    if (!rest.empty()) return Fail("invalid array index " + std::string(inside));
    Node node;
    node.kind = NodeKind::kArray;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] && !parts[i]->empty()) {
        const auto value = ReadInteger(*parts[i]);
        if (!value) return Fail("array index " + std::string(*parts[i]) + " is not a number");
        node.bounds[i] = {true, false, *value};
      } else if (i == 1 && !parts[i] && node.bounds[0].value < INT64_MAX) {
        node.bounds[i] = {true, true, node.bounds[0].value + 1};
      }
    }
    list->children.push_back(std::move(node));
    return true;
  }

  bool ParseFilter(Node* list) {
    at_ += 3;
    const size_t start = at_;
    // One quoted text may stand in a filter, and hold parentheses.
    char quote = '\0';
    bool closed = false;
    for (;; ++at_) {
      if (AtEnd() || text_[at_] == '\n') return Fail("unterminated filter");
      const char c = text_[at_];
      if ((c == '"' || c == '\'') && quote == '\0') {
        quote = c;
      } else if (c == quote && quote != '\0' && text_[at_ - 1] != '\\') {
        closed = true;
      } else if (c == ')' && (quote != '\0') == closed) {
        break;
      }
    }
    const std::string_view inside = text_.substr(start, at_ - start);
    ++at_;
    if (!StartsWith("]")) return Fail("unclosed array expect ]");
    ++at_;
    Node filter;
    filter.kind = NodeKind::kFilter;
    filter.children.resize(2);
    constexpr std::string_view kOperators = "!<>=";
    const size_t first = inside.find_first_of(kOperators);
    size_t last = std::min(inside.find_first_not_of(kOperators, std::min(first, inside.size())),
                           inside.size());
    if (last == inside.size() && last > 0) --last;  // something must stand behind the operator
    if (first == 0 || first == std::string_view::npos || last <= first) {
      filter.name = "exists";
      if (!ParseInner(std::string(inside), &filter.children[0])) return false;
    } else {
      filter.name = inside.substr(first, last - first);
      if (!ParseInner(std::string(inside.substr(0, first)), &filter.children[0])) return false;
      if (!ParseInner(std::string(inside.substr(last)), &filter.children[1])) return false;
    }
    list->children.push_back(std::move(filter));
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string error_;
};

// The digits of an escape: `count` of them in base `base`.
bool ReadEscapeDigits(std::string_view* text, size_t count, int base, uint32_t* code) {
  if (text->size() < count) return false;
  const std::string_view digits = text->substr(0, count);
  const auto [stop, error] = std::from_chars(digits.begin(), digits.end(), *code, base);
  text->remove_prefix(count);
  return error == std::errc() && stop == digits.end();
}

// Behind a backslash.
bool ReadGoEscape(std::string_view* text, char quote, std::string* out) {
  if (text->empty()) return false;
  const char c = text->front();
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\";
  if (const size_t at = kLetters.find(c); at != std::string_view::npos) {
    *out += kMeant[at];
    text->remove_prefix(1);
    return true;
  }
  if (c == quote) {
    *out += c;
    text->remove_prefix(1);
    return true;
  }
  uint32_t code = 0;
  if (c >= '0' && c <= '7') {
    if (!ReadEscapeDigits(text, 3, 8, &code) || code > 0xFF) return false;
    *out += static_cast<char>(code);
    return true;
  }
  text->remove_prefix(1);
  if (c == 'x') {
    if (!ReadEscapeDigits(text, 2, 16, &code)) return false;
    *out += static_cast<char>(code);
    return true;
  }
  if (c != 'u' && c != 'U') return false;
  if (!ReadEscapeDigits(text, c == 'u' ? 4 : 8, 16, &code)) return false;
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  AppendUtf8(code, out);
  return true;
}

}  // namespace

bool UnquoteGoText(std::string_view quoted, std::string* out) {
  out->clear();
  if (quoted.size() < 2 || quoted.front() != quoted.back()) return false;
  const char quote = quoted.front();
  std::string_view rest = quoted.substr(1, quoted.size() - 2);
  while (!rest.empty()) {
    const char c = rest.front();
    if (c == quote) return false;
    rest.remove_prefix(1);
    if (c != '\\') {
      *out += c;
    } else if (!ReadGoEscape(&rest, quote, out)) {
      return false;
    }
  }
  return true;
}

Result<JsonPathNode> ParseJsonPath(std::string_view text) { return Parser(text).Parse(); }

}  // namespace podium::reflect
