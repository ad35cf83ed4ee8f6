// A clock that stands still until a test moves it.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace podium::apiserver {

struct TestClock : Clock {
  int64_t seconds = 1'795'000'000;  // 2026-11-18T11:06:40Z
  int64_t Now() const override { return seconds * kNanosPerSecond; }
};

}  // namespace podium::apiserver
