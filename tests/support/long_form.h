// The long form of the tests, `scripts/test --long`: ten times the rounds of the short one.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace podium::testing {

inline bool IsLongForm() {
  return std::getenv("PODIUM_TEST_LONG") != nullptr;  // NOLINT(concurrency-mt-unsafe): nothing sets
}

// Rounds of something: `count` in the long form, a tenth of it in the short one, which also ends
// after a few seconds, but not before ten rounds.
//
//   for (Times times(10'000); times.Next();) { … }
class Times {
 public:
  explicit Times(int64_t count) : count_(IsLongForm() ? count : count / 10) {}
  bool Next() {
    const bool late = !IsLongForm() && done_ >= kLeast && Clock::now() > end_;
    if (late || done_ >= count_) return false;
    ++done_;
    return true;
  }
  int64_t done() const { return done_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int64_t kLeast = 10;
  static constexpr std::chrono::seconds kShort{4};

  int64_t count_;
  int64_t done_ = 0;
  Clock::time_point end_ = Clock::now() + kShort;
};

}  // namespace podium::testing
