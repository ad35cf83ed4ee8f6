#include "api/go_json.h"

#include <cstdlib>
#include <limits>
#include <vector>

#include "base/ascii.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

constexpr size_t kMaxDepth = 10'000;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// 'x', as Go's scanner shows one byte: those above ASCII as Latin-1.
std::string QuotedByte(char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  const auto byte = static_cast<unsigned char>(c);
  std::string utf8;
  if (byte < 0x80) {
    utf8 = c;
  } else {
    utf8 = {static_cast<char>(0xC0 | (byte >> 6)), static_cast<char>(0x80 | (byte & 0x3F))};
  }
  const std::string quoted = reflect::GoQuoted(utf8);
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

// Reads one JSON text byte by byte in the order of Go's scanner, so that the same byte is at fault.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Reads it all.
  std::optional<std::string> Scan() {
    if (!Value()) return problem_;
    SkipSpace();
    if (at_ < text_.size()) Fail("after top-level value");
    if (!problem_.empty()) return problem_;
    return std::nullopt;
  }

  // The first number that no float64 holds; after a Scan without problem.
  const std::optional<std::string>& too_large() const { return too_large_; }

 private:
  bool Value() {
    do {
      SkipSpace();
      if (!BeginValue()) return false;
    } while (more_values_);
    return true;
  }

  // One scalar, or the start of a container; then as many ends as follow. Sets more_values_ where
  // another value must come.
  bool BeginValue() {
    more_values_ = false;
    if (at_ == text_.size()) return End();
    const char c = text_[at_];
    if (c == '{' || c == '[') {
      ++at_;
      open_.push_back(c);
      if (open_.size() > kMaxDepth) {
        problem_ = "exceeded max depth";
        return false;
      }
      SkipSpace();
      const char end = c == '{' ? '}' : ']';
      if (at_ < text_.size() && text_[at_] == end) {
        ++at_;
        open_.pop_back();
        return AfterValue();
      }
      more_values_ = true;
      return c == '[' || Key();
    }
    return Scalar(c) && AfterValue();
  }

  bool Scalar(char c) {
    switch (c) {
      case '"':
        return String();
      case 't':
        return Literal("true");
      case 'f':
        return Literal("false");
      case 'n':
        return Literal("null");
      default:
        if (c == '-' || IsDigit(c)) return Number();
        return Fail("looking for beginning of value");
    }
  }

  // A member's name and colon.
  bool Key() {
    SkipSpace();
    if (at_ == text_.size()) return End();
    if (text_[at_] != '"') return Fail("looking for beginning of object key string");
    if (!String()) return false;
    SkipSpace();
    if (at_ == text_.size()) return End();
    if (text_[at_] != ':') return Fail("after object key");
    ++at_;
    return true;
  }

  bool AfterValue() {
    while (!open_.empty()) {
      SkipSpace();
      if (at_ == text_.size()) return End();
      const bool in_object = open_.back() == '{';
      const char c = text_[at_];
      if (c == ',') {
        ++at_;
        more_values_ = true;
        return !in_object || Key();
      }
      if (c != (in_object ? '}' : ']')) {
        return Fail(in_object ? "after object key:value pair" : "after array element");
      }
      ++at_;
      open_.pop_back();
    }
    return true;
  }

  bool String() {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return Fail("in string literal");
      if (c == '\\' && !Escape()) return false;
    }
    return End();
  }

  // Leaves at_ on the last byte.
  bool Escape() {
    ++at_;
    if (Current() != 'u') {
      return std::string_view("bfnrt\\/\"").find(Current()) != std::string_view::npos ||
             Fail("in string escape code");
    }
    for (int i = 0; i < 4; ++i) {
      ++at_;
      if (!IsHex(Current())) return Fail("in \\u hexadecimal character escape");
    }
    return true;
  }

  bool Literal(std::string_view word) {
    for (size_t i = 1; i < word.size(); ++i) {
      ++at_;
      if (Current() != word[i]) {
        return Fail("in literal " + std::string(word) + " (expecting '" + word[i] + "')");
      }
    }
    ++at_;
    return true;
  }

  bool Number() {
    const size_t start = at_;
    if (text_[at_] == '-' && !Digit("in numeric literal")) return false;
    if (text_[at_] == '0') {
      ++at_;
    } else {
      SkipDigits();
    }
    if (Is('.')) {
      if (!Digit("after decimal point in numeric literal")) return false;
      SkipDigits();
    }
    if (Is('e') || Is('E')) {
      if (at_ + 1 < text_.size() && (text_[at_ + 1] == '+' || text_[at_ + 1] == '-')) ++at_;
      if (!Digit("in exponent of numeric literal")) return false;
      SkipDigits();
    }
    const std::string number(text_.substr(start, at_ - start));
    const double value = std::strtod(number.c_str(), nullptr);
    if (!too_large_ && (value == std::numeric_limits<double>::infinity() ||
                        value == -std::numeric_limits<double>::infinity())) {
      too_large_ = number;
    }
    return true;
  }

  // The next byte is a digit.
  bool Digit(std::string_view context) {
    ++at_;
    return IsDigit(Current()) || Fail(context);
  }

  // Within a token, the end of the text is to Go's scanner one more space.
  char Current() const { return at_ < text_.size() ? text_[at_] : ' '; }
  bool Is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  void SkipDigits() {
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  bool Fail(std::string_view context) {
    problem_ = "invalid character " + QuotedByte(Current()) + " ";
    problem_.append(context);
    return false;
  }
  bool End() {
    problem_ = "unexpected end of JSON input";
    return false;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<char> open_;  // containers: '{' or '['
  bool more_values_ = false;
  std::string problem_;
  std::optional<std::string> too_large_;
};

}  // namespace

std::optional<std::string> GoJsonSyntaxProblem(std::string_view text) {
  return Scanner(text).Scan();
}

std::optional<std::string> GoJsonObjectProblem(std::string_view text) {
  Scanner scanner(text);
  if (std::optional<std::string> problem = scanner.Scan()) return problem;
  using Form = reflect::JsonScalar::Form;
  constexpr std::string_view kMap = "map[string]interface {}";
  const char first = text[text.find_first_not_of(" \t\r\n")];
  if (first == '"') return reflect::GoJsonTypeError(Form::kString, kMap);
  if (first == 't' || first == 'f') return reflect::GoJsonTypeError(Form::kTrue, kMap);
  if (first == '[')
    return "json: cannot unmarshal array into Go value of type " + std::string(kMap);
  if (first == '-' || IsDigit(first)) return reflect::GoJsonTypeError(Form::kNumber, kMap);
  if (scanner.too_large()) {
    return "json: cannot unmarshal number " + *scanner.too_large() +
           " into Go value of type float64";
  }
  return std::nullopt;
}

std::string_view GoKindOf(const reflect::JsonValue& value) {
  switch (value.kind()) {
    case reflect::JsonValue::Kind::kBool:
      return "bool";
    case reflect::JsonValue::Kind::kNumber:
      return "number";
    case reflect::JsonValue::Kind::kString:
      return "string";
    case reflect::JsonValue::Kind::kArray:
      return "array";
    case reflect::JsonValue::Kind::kObject:
      return "object";
    case reflect::JsonValue::Kind::kNull:
      break;
  }
  return "null";
}

}  // namespace podium::api
