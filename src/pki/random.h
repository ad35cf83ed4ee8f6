// Bytes that nobody can guess.
#pragma once

#include <cstddef>
#include <string>

namespace podium::pki {

// Aborts when the system has none: nothing may go on with keys that can be guessed.
std::string RandomBytes(size_t count);

// Version 4 of RFC 9562, in lower case with dashes.
std::string RandomUuid();

}  // namespace podium::pki
