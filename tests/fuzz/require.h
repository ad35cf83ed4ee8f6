// What a fuzz target says when something does not hold: the process ends, and libFuzzer keeps the
// input.
#pragma once

#include <cstdlib>

namespace podium::fuzz {

inline void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace podium::fuzz
