#include "base/clock.h"

#include <ctime>

namespace podium {

int64_t SystemClock::Now() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return (now.tv_sec * kNanosPerSecond) + now.tv_nsec;
}

}  // namespace podium
