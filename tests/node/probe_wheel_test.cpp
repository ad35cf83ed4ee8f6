#include "node/probe_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "node/virtual_time.h"
#include "runtime/fake_runtime.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

// Counts what an executor is asked for.
class CountingTime : public VirtualTime {
 public:
  using VirtualTime::VirtualTime;
  void Post(Task task) override {
    ++posts;
    VirtualTime::Post(std::move(task));
  }
  TimerId PostAfter(std::chrono::nanoseconds delay, Task task) override {
    ++timers;
    return VirtualTime::PostAfter(delay, std::move(task));
  }
  int posts = 0;
  int timers = 0;
};

class ProbeWheelTest : public ::testing::Test {
 protected:
  ProbeWheel::Place Add(std::chrono::nanoseconds delay, const std::string& name) {
    return wheel_.Add(time_.Now() + delay.count(), [this, name] { ran_.push_back(name); });
  }

  runtime::FakeRuntime runtime_;
  CountingTime time_{runtime_};
  ProbeWheel wheel_{time_, [this] { return time_.Now(); }};
  std::vector<std::string> ran_;
};

TEST_F(ProbeWheelTest, InOrderAndNeverEarly) {
  Add(2s, "b");
  Add(1s, "a");
  Add(1500ms, "between");
  time_.RunFor(999ms);
  EXPECT_THAT(ran_, IsEmpty());
  time_.RunFor(11ms);
  EXPECT_THAT(ran_, ElementsAre("a"));
  time_.RunFor(2s);
  EXPECT_THAT(ran_, ElementsAre("a", "between", "b"));
  EXPECT_EQ(wheel_.size(), 0u);
}

TEST_F(ProbeWheelTest, WhatIsDueRunsAtOnce) {
  EXPECT_EQ(Add(0s, "now").number, 0u);
  Add(-5s, "late");
  time_.Settle();
  EXPECT_THAT(ran_, ElementsAre("now", "late"));
}

TEST_F(ProbeWheelTest, TakenBack) {
  const auto a = Add(1s, "a");
  Add(2s, "b");
  wheel_.Cancel(a);
  wheel_.Cancel(a);
  wheel_.Cancel({});
  time_.RunFor(3s);
  EXPECT_THAT(ran_, ElementsAre("b"));
  wheel_.Cancel(a);
}

TEST_F(ProbeWheelTest, ATaskMayAddAndCancel) {
  ProbeWheel::Place other;
  wheel_.Add(time_.Now() + 1'000'000'000, [&] {
    Add(1s, "next");
    wheel_.Cancel(other);
  });
  other = Add(1500ms, "other");
  time_.RunFor(5s);
  EXPECT_THAT(ran_, ElementsAre("next"));
}

// What ten thousand probes of a period of ten seconds take: a timer for each hundredth of a second.
TEST_F(ProbeWheelTest, TenThousandShareATimer) {
  constexpr int kProbes = 10'000;
  constexpr int64_t kPeriod = 10'000'000'000;
  int runs = 0;
  std::function<void(int64_t)> add = [&](int64_t at) {
    wheel_.Add(at, [&, at] {
      ++runs;
      add(at + kPeriod);
    });
  };
  for (int i = 0; i < kProbes; ++i) add(time_.Now() + 1 + (kPeriod / kProbes * i));
  EXPECT_EQ(wheel_.size(), size_t{kProbes});
  time_.posts = time_.timers = 0;
  time_.RunFor(20s);
  EXPECT_NEAR(runs, 2 * kProbes, 20);
  EXPECT_LE(time_.timers, 2 * 1000 + 10);
  EXPECT_EQ(time_.posts, 0);
  EXPECT_EQ(wheel_.size(), size_t{kProbes});
}

TEST_F(ProbeWheelTest, NothingRunsAfterItsEnd) {
  {
    ProbeWheel wheel(time_, [this] { return time_.Now(); });
    wheel.Add(time_.Now() + 1'000'000, [this] { ran_.push_back("never"); });
  }
  time_.RunFor(1s);
  EXPECT_THAT(ran_, IsEmpty());
}

}  // namespace
}  // namespace podium::node
