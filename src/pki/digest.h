// SHA-256 (FIPS 180-4).
#pragma once

#include <string>
#include <string_view>

namespace podium::pki {

std::string Sha256(std::string_view bytes);     // 32 bytes
std::string Sha256Hex(std::string_view bytes);  // in lower case

// Whether they are the same, in a time that does not say where they differ: for secrets.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace podium::pki
