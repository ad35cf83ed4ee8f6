// Base64 with the standard alphabet and padding (RFC 4648, section 4), as []byte has in JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace podium::reflect {

// Replaces *out by the decoded bytes. Line breaks are passed over, as upstream's decoder does. On
// bad input returns the offset of the first bad byte, and *out is unspecified.
std::optional<size_t> DecodeBase64(std::string_view text, std::string* out);

// Appends the encoded form.
void AppendBase64(std::string_view bytes, std::string* out);

}  // namespace podium::reflect
