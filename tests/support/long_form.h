// The long form of the tests, `scripts/test --long`: ten times the rounds of the short one.
#pragma once

#include <cstdlib>

namespace podium::testing {

inline bool IsLongForm() {
  return std::getenv("PODIUM_TEST_LONG") != nullptr;  // NOLINT(concurrency-mt-unsafe): nothing sets
}

}  // namespace podium::testing
