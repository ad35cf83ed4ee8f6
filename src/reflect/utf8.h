// UTF-8, as far as the codecs need it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace podium::reflect {

// The length of the well-formed sequence at the beginning of `text` (1 to 4), or 0 when it begins
// with a bad byte. `text` is not empty. Surrogates and overlong forms are bad (RFC 3629).
size_t Utf8Length(std::string_view text);

// True when all of `text` is well-formed.
bool IsUtf8(std::string_view text);

// With U+FFFD for each bad byte: what Go's encoding/json makes of a text.
std::string ValidUtf8(std::string_view text);

void AppendUtf8(unsigned code_point, std::string* out);

}  // namespace podium::reflect
