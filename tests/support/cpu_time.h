// For tests that something is quick: what other processes do makes no difference to this.
#pragma once

#include <chrono>
#include <ctime>

namespace podium::testing {

// What this process has had of the processors so far.
inline std::chrono::milliseconds CpuTime() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::duration_cast<std::chrono::milliseconds>(
                                                 std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace podium::testing
