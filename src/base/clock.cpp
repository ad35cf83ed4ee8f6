#include "base/clock.h"

#include <poll.h>

#include <algorithm>
#include <ctime>

namespace podium {

int64_t SystemClock::Now() const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return (now.tv_sec * kNanosPerSecond) + now.tv_nsec;
}

bool Clock::Sleep(std::chrono::nanoseconds time, int wake_fd) const {
  using std::chrono::steady_clock;
  const auto until = steady_clock::now() + time;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return true;
    pollfd woken{.fd = wake_fd, .events = POLLIN, .revents = 0};
    // poll's time is an int of milliseconds: a long sleep is slept in pieces.
    if (poll(&woken, 1, static_cast<int>(std::min<int64_t>(left, 1'000'000))) > 0) return false;
  }
}

}  // namespace podium
