#include "reflect/regexp/regexp_escape.h"

#include <optional>

#include "base/ascii.h"
#include "reflect/go_text.h"
#include "reflect/regexp/regexp_tree.h"
#include "reflect/utf8.h"

namespace podium::reflect {
namespace {

int HexDigit(char32_t c) { return c < 0x80 ? HexValue(static_cast<char>(c)) : -1; }

// A digit alone would refer back to a group, which there is not.
std::optional<char32_t> TakeOctal(char32_t first, std::string_view* rest) {
  const auto octal = [&] { return !rest->empty() && (*rest)[0] >= '0' && (*rest)[0] <= '7'; };
  if (first != '0' && !octal()) return std::nullopt;
  char32_t value = first - '0';
  for (int i = 1; i < 3 && octal(); ++i) {
    value = value * 8 + static_cast<char32_t>((*rest)[0] - '0');
    rest->remove_prefix(1);
  }
  return value;
}

Result<std::optional<char32_t>> TakeHex(std::string_view* rest) {
  const std::optional<char32_t> none;
  if (rest->empty()) return none;
  TRY(const char32_t first, NextRune(rest));
  if (first != '{') {
    if (rest->empty()) return none;
    TRY(const char32_t second, NextRune(rest));
    if (HexDigit(first) < 0 || HexDigit(second) < 0) return none;
    return std::optional<char32_t>(static_cast<char32_t>(HexDigit(first) * 16) +
                                   static_cast<char32_t>(HexDigit(second)));
  }
  char32_t value = 0;
  for (int digits = 0; !rest->empty(); ++digits) {
    TRY(const char32_t c, NextRune(rest));
    if (c == '}') return digits > 0 ? std::optional<char32_t>(value) : none;
    if (HexDigit(c) < 0) return none;
    value = value * 16 + static_cast<char32_t>(HexDigit(c));
    if (value > kMaxRune) return none;
  }
  return none;
}

}  // namespace

Result<char32_t> NextRune(std::string_view* text) {
  const size_t size = Utf8Length(*text);
  if (size == 0) return RegexpError("invalid UTF-8", *text);
  const char32_t rune = DecodeRune(text->substr(0, size));
  text->remove_prefix(size);
  return rune;
}

Result<void> CheckPatternUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto rune = NextRune(&text);
    if (!rune.ok()) return rune.error();
  }
  return {};
}

Result<char32_t> TakeEscape(std::string_view* text) {
  std::string_view rest = text->substr(1);
  if (rest.empty()) return RegexpError("trailing backslash at end of expression", "");
  TRY(const char32_t c, NextRune(&rest));
  std::optional<char32_t> value;
  switch (c) {
    case 'a':
      value = '\a';
      break;
    case 'f':
      value = '\f';
      break;
    case 'n':
      value = '\n';
      break;
    case 'r':
      value = '\r';
      break;
    case 't':
      value = '\t';
      break;
    case 'v':
      value = '\v';
      break;
    case 'x': {
      TRY(value, TakeHex(&rest));
      break;
    }
    default:
      if (c >= '0' && c <= '7') {
        value = TakeOctal(c, &rest);
      } else if (c < 0x80 && !IsLetterOrDigit(static_cast<char>(c))) {
        value = c;
      }
  }
  if (!value) return RegexpError("invalid escape sequence", Before(*text, rest));
  *text = rest;
  return *value;
}

}  // namespace podium::reflect
