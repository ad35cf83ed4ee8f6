// Characters of a pattern, plain and escaped. Private to reflect/regexp.
#pragma once

#include <string_view>

#include "base/result.h"

namespace podium::reflect {

// The part of `whole` in front of its suffix `rest`.
inline std::string_view Before(std::string_view whole, std::string_view rest) {
  return whole.substr(0, whole.size() - rest.size());
}

// The first character of *text, which is not empty, taken off. An error is that of Regexp::Compile.
Result<char32_t> NextRune(std::string_view* text);
Result<void> CheckPatternUtf8(std::string_view text);

// One escaped character (\n, \x41, \.), taken off; *text begins with the backslash. Classes and
// assertions are no characters.
Result<char32_t> TakeEscape(std::string_view* text);

}  // namespace podium::reflect
