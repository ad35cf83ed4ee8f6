// Random numbers of the kernel's, and names made of them that nobody else has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace podium {

uint64_t RandomNumber();
// At least 0 and below 1, for jitter.
double RandomFraction();

// A UUID, in the form of RFC 9562, version 4.
std::string NewUid();

// `prefix` and five characters that make no words, as upstream's SimpleNameGenerator; the prefix is
// cut so that the name is one that may be.
std::string GeneratedName(std::string_view prefix);

}  // namespace podium
