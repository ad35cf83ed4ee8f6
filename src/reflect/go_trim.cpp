#include "reflect/go_trim.h"

#include <algorithm>

#include "reflect/go_text.h"
#include "reflect/utf8.h"

namespace podium::reflect {

std::string_view TrimGoSpace(std::string_view text) {
  const auto is_space = [](std::string_view rune) {
    return Utf8Length(rune) == rune.size() && IsGoSpace(DecodeRune(rune));
  };
  // No white space has more than three bytes.
  constexpr size_t kMaxSize = 3;
  for (size_t size = 1; size <= std::min(text.size(), kMaxSize);) {
    const bool space = is_space(text.substr(0, size));
    if (space) text.remove_prefix(size);
    size = space ? 1 : size + 1;
  }
  for (size_t size = 1; size <= std::min(text.size(), kMaxSize);) {
    const bool space = is_space(text.substr(text.size() - size));
    if (space) text.remove_suffix(size);
    size = space ? 1 : size + 1;
  }
  return text;
}

}  // namespace podium::reflect
