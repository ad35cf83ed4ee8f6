// Names that nobody else has, by the kernel's random numbers.
#pragma once

#include <string>
#include <string_view>

namespace podium {

// A UUID, in the form of RFC 9562, version 4.
std::string NewUid();

// `prefix` and five characters that make no words, as upstream's SimpleNameGenerator; the prefix is
// cut so that the name is one that may be.
std::string GeneratedName(std::string_view prefix);

}  // namespace podium
