// Grace periods: objects and requests may name any number of seconds.
#pragma once

#include <algorithm>
#include <cstdint>

namespace podium::api {

// A hundred years, in seconds: added to any time of today, its nanoseconds can be counted and its
// year can be written.
inline constexpr int64_t kLongestGracePeriod = int64_t{100} * 365 * 24 * 3600;

// The period to reckon with.
constexpr int64_t BoundedGracePeriod(int64_t seconds) {
  return std::clamp<int64_t>(seconds, 0, kLongestGracePeriod);
}

}  // namespace podium::api
