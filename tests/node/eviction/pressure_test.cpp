#include "node/eviction/pressure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::node {
namespace {

using api::Quantity;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMinute = 60 * kSecond;

Observation Of(const char* available, const char* capacity) {
  return {.available = Quantity::Must(available), .capacity = Quantity::Must(capacity)};
}

Observations Memory(const char* available) { return {{"memory.available", Of(available, "4Gi")}}; }

const EvictionThreshold kHard{.signal = "memory.available",
                              .quantity = Quantity::Must("1Gi"),
                              .min_reclaim = EvictionAmount{.quantity = Quantity::Must("500Mi")}};
const EvictionThreshold kSoft{
    .signal = "memory.available", .quantity = Quantity::Must("2Gi"), .grace_period = 2 * kMinute};

std::vector<std::string> Signals(const PressureWatch::Verdict& verdict) {
  std::vector<std::string> out;
  for (const EvictionThreshold& each : verdict.met) {
    out.push_back(each.signal + (each.hard() ? "" : " soft"));
  }
  return out;
}

TEST(Pressure, AHardThresholdIsMetAtOnceAndLeftWithWhatMustBeWonBack) {
  PressureWatch watch({kHard}, 5 * kMinute);
  auto verdict = watch.Look(Memory("1Gi"), 0);  // as much as that is not less
  EXPECT_THAT(verdict.conditions, IsEmpty());
  EXPECT_THAT(verdict.met, IsEmpty());
  verdict = watch.Look(Memory("1000Mi"), 10 * kSecond);
  EXPECT_THAT(verdict.conditions, ElementsAre("MemoryPressure"));
  EXPECT_THAT(Signals(verdict), ElementsAre("memory.available"));
  // More than the threshold, less than is to be reclaimed.
  verdict = watch.Look(Memory("1200Mi"), 20 * kSecond);
  EXPECT_THAT(Signals(verdict), ElementsAre("memory.available"));
  EXPECT_FALSE(watch.IsRelieved(Memory("1200Mi")));
  EXPECT_TRUE(watch.IsRelieved(Memory("1600Mi")));
  verdict = watch.Look(Memory("1600Mi"), 30 * kSecond);
  EXPECT_THAT(verdict.met, IsEmpty());
  EXPECT_THAT(verdict.conditions, ElementsAre("MemoryPressure"));
  // It is over: the same amount is no pressure any more.
  verdict = watch.Look(Memory("1200Mi"), 40 * kSecond);
  EXPECT_THAT(verdict.met, IsEmpty());
  // Seen last at 20 s.
  verdict = watch.Look(Memory("1600Mi"), (5 * kMinute) + (19 * kSecond));
  EXPECT_THAT(verdict.conditions, ElementsAre("MemoryPressure"));
  verdict = watch.Look(Memory("1600Mi"), (5 * kMinute) + (20 * kSecond));
  EXPECT_THAT(verdict.conditions, IsEmpty());
}

TEST(Pressure, HowMuchIsLeftUntilTheNextThreshold) {
  const std::vector<EvictionThreshold> both = {kHard, kSoft};
  using Left = std::map<std::string, int64_t>;
  constexpr int64_t kGi = int64_t{1} << 30;
  EXPECT_EQ(LeftUntilPressure(both, Memory("4Gi")), (Left{{"memory.available", 2 * kGi}}));
  EXPECT_EQ(LeftUntilPressure(both, Memory("2Gi")), (Left{{"memory.available", 0}}))
      << "as much as that is not less";
  // The soft one is met: the hard one is the next.
  EXPECT_EQ(LeftUntilPressure(both, Memory("1536Mi")), (Left{{"memory.available", kGi / 2}}));
  EXPECT_EQ(LeftUntilPressure(both, Memory("500Mi")), Left());
  EXPECT_EQ(LeftUntilPressure(both, {}), Left());
}

TEST(Pressure, ASoftOneMustLast) {
  PressureWatch watch({kSoft}, kMinute);
  auto verdict = watch.Look(Memory("1500Mi"), 0);
  // The condition tells of it at once, so that nothing more is scheduled there.
  EXPECT_THAT(verdict.conditions, ElementsAre("MemoryPressure"));
  EXPECT_THAT(verdict.met, IsEmpty());
  verdict = watch.Look(Memory("1500Mi"), (2 * kMinute) - 1);
  EXPECT_THAT(verdict.met, IsEmpty());
  // Better for a moment: it begins anew.
  verdict = watch.Look(Memory("3Gi"), (2 * kMinute) - 1);
  verdict = watch.Look(Memory("1500Mi"), 2 * kMinute);
  EXPECT_THAT(verdict.met, IsEmpty());
  verdict = watch.Look(Memory("1500Mi"), 4 * kMinute);
  EXPECT_THAT(Signals(verdict), ElementsAre("memory.available soft"));
}

TEST(Pressure, MemoryComesFirst) {
  PressureWatch watch(
      {{.signal = "imagefs.inodesFree", .percentage = 0.05F},
       {.signal = "nodefs.available", .percentage = 0.1F},
       {.signal = "pid.available", .quantity = Quantity::Must("100")},
       {.signal = "allocatableMemory.available", .quantity = Quantity::Must("100Mi")}},
      kMinute);
  Observations seen = {{"nodefs.available", Of("1Gi", "20Gi")},
                       {"imagefs.inodesFree", Of("4", "100")},
                       {"pid.available", Of("99", "1000")},
                       {"allocatableMemory.available", Of("99Mi", "1Gi")}};
  auto verdict = watch.Look(seen, 0);
  EXPECT_THAT(Signals(verdict), ElementsAre("allocatableMemory.available", "imagefs.inodesFree",
                                            "nodefs.available", "pid.available"));
  EXPECT_THAT(verdict.conditions, ElementsAre("DiskPressure", "MemoryPressure", "PIDPressure"));
  // What cannot be seen is no pressure.
  seen.erase("allocatableMemory.available");
  seen["nodefs.available"] = Of("2Gi", "20Gi");
  seen["imagefs.inodesFree"] = Of("5", "100");
  verdict = watch.Look(seen, kMinute);
  EXPECT_THAT(Signals(verdict), ElementsAre("nodefs.available", "pid.available"));
}

TEST(Pressure, WithoutAPeriodAConditionIsTrueWhileItIsSeen) {
  PressureWatch watch({kHard}, 0);
  EXPECT_THAT(watch.Look(Memory("1Mi"), 5).conditions, ElementsAre("MemoryPressure"));
  EXPECT_THAT(watch.Look(Memory("3Gi"), 6).conditions, IsEmpty());
}

}  // namespace
}  // namespace podium::node
