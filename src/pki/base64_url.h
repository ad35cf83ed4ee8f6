// Base64 with the alphabet of URLs and no padding (RFC 4648, section 5), as tokens have it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace podium::pki {

std::string EncodeBase64Url(std::string_view bytes);

// Strict: no padding, no white space, and unused bits are zero, so that bytes have one text only.
// Nothing for other text.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace podium::pki
