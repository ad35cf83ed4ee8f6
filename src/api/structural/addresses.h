// Addresses as Go's standard library reads them, for the formats of schemas.
#pragma once

#include <string_view>

namespace podium::api {

// net/mail.ParseAddress: one address of RFC 5322, with or without a name in front of it.
bool IsEmailAddress(std::string_view text);

// net.ParseMAC: 6, 8 or 20 bytes, as 00:00:5e:00:53:01, 00-00-5e-00-53-01 or 0000.5e00.5301.
bool IsMacAddress(std::string_view text);

}  // namespace podium::api
