// Clock: what time it is, injected so that tests and simulations run on a time of their own.
#pragma once

#include <chrono>
#include <cstdint>

namespace podium {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  // The time of day: nanoseconds since 1970, UTC. May jump. Any thread.
  virtual int64_t Now() const = 0;
  // Blocks for that long, of the machine's time unless the clock is another; or until the
  // descriptor (an eventfd, -1 for none) is readable: false.
  virtual bool Sleep(std::chrono::nanoseconds time, int wake_fd) const;
};

// The machine's.
class SystemClock : public Clock {
 public:
  int64_t Now() const override;
};

}  // namespace podium
