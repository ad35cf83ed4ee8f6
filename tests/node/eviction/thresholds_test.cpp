#include "node/eviction/thresholds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::node {
namespace {

using api::Quantity;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string ErrorOf(const EvictionStatements& statements) {
  const auto parsed = ParseThresholds(statements);
  return parsed.ok() ? "" : parsed.error().message();
}

TEST(Thresholds, AreRead) {
  const auto parsed = ParseThresholds(
      {.hard = {{"memory.available", "150Mi"},
                {"nodefs.available", "10.5%"},
                {"imagefs.available", "0%"},
                {"pid.available", "100%"}},
       .soft = {{"memory.available", "300Mi"}},
       .soft_grace_period = {{"memory.available", "1m30s"}, {"nodefs.available", "1s"}},
       .minimum_reclaim = {{"memory.available", "0"}, {"nodefs.available", "5%"}}});
  ASSERT_TRUE(parsed.ok()) << parsed.error().message();
  const EvictionAmount nothing{.quantity = Quantity::Must("0")};
  EXPECT_THAT(*parsed,
              ElementsAre(EvictionThreshold{.signal = "memory.available",
                                            .quantity = Quantity::Must("150Mi"),
                                            .min_reclaim = nothing},
                          EvictionThreshold{.signal = "nodefs.available",
                                            .percentage = 0.105F,
                                            .min_reclaim = EvictionAmount{.percentage = 0.05F}},
                          EvictionThreshold{.signal = "memory.available",
                                            .quantity = Quantity::Must("300Mi"),
                                            .grace_period = 90'000'000'000,
                                            .min_reclaim = nothing}));
  EXPECT_TRUE((*parsed)[0].hard());
  EXPECT_FALSE((*parsed)[2].hard());
  EXPECT_THAT(*ParseThresholds({}), IsEmpty());
}

TEST(Thresholds, WhatIsWrongWithThem) {
  EXPECT_EQ(ErrorOf({.hard = {{"mem.available", "150Mi"}}}),
            "unsupported eviction signal mem.available");
  EXPECT_EQ(ErrorOf({.hard = {{"memory.available", "-150Mi"}}}),
            "eviction threshold memory.available must be positive: -150Mi");
  EXPECT_EQ(ErrorOf({.hard = {{"memory.available", "0"}}}),
            "eviction threshold memory.available must be positive: 0");
  EXPECT_EQ(ErrorOf({.hard = {{"memory.available", "-15%"}}}),
            "eviction percentage threshold memory.available must be >= 0%: -15%");
  EXPECT_EQ(ErrorOf({.hard = {{"memory.available", "101%"}}}),
            "eviction percentage threshold memory.available must be <= 100%: 101%");
  EXPECT_EQ(ErrorOf({.hard = {{"memory.available", "a%"}}}),
            "strconv.ParseFloat: parsing \"a\": invalid syntax");
  EXPECT_EQ(ErrorOf({.soft = {{"memory.available", "150Mi"}}}),
            "grace period must be specified for the soft eviction threshold memory.available");
  EXPECT_EQ(ErrorOf({.soft = {{"memory.available", "150Mi"}},
                     .soft_grace_period = {{"memory.available", "-30s"}}}),
            "invalid eviction grace period specified: -30s, must be a positive value");
  EXPECT_EQ(ErrorOf({.soft_grace_period = {{"memory.available", "30"}}}),
            "time: missing unit in duration \"30\"");
  EXPECT_EQ(ErrorOf({.minimum_reclaim = {{"memory.available", "-300Mi"}}}),
            "negative eviction minimum reclaim specified for memory.available");
  EXPECT_EQ(ErrorOf({.minimum_reclaim = {{"nodefs.available", "-15%"}}}),
            "eviction percentage minimum reclaim nodefs.available must be positive: -15%");
  EXPECT_EQ(ErrorOf({.minimum_reclaim = {{"x", "1"}}}), "unsupported eviction signal x");
}

TEST(Thresholds, PodsMemoryFollowsTheMachines) {
  EXPECT_THAT(
      EffectiveThresholds(
          {{.signal = "memory.available", .quantity = Quantity::Must("1Gi")},
           {.signal = "containerfs.available", .percentage = 0.5F},
           {.signal = "memory.available", .quantity = Quantity::Must("2Gi"), .grace_period = 1}}),
      ElementsAre(
          EvictionThreshold{.signal = "memory.available", .quantity = Quantity::Must("1Gi")},
          EvictionThreshold{
              .signal = "memory.available", .quantity = Quantity::Must("2Gi"), .grace_period = 1},
          EvictionThreshold{.signal = "allocatableMemory.available",
                            .quantity = Quantity::Must("1Gi")}));
}

TEST(Thresholds, PartsOfWhatThereIs) {
  const EvictionAmount part{.percentage = 0.1F};
  EXPECT_EQ(part.Of(Quantity::Must("10Gi")).String(), "1073741840");
  const EvictionAmount amount{.quantity = Quantity::Must("100Mi")};
  EXPECT_EQ(amount.Of(Quantity::Must("10Gi")).String(), "100Mi");
}

TEST(Thresholds, WhatTheyAreAbout) {
  EXPECT_EQ(ResourceOfSignal("allocatableMemory.available"), "memory");
  EXPECT_EQ(ResourceOfSignal("imagefs.inodesFree"), "inodes");
  EXPECT_EQ(ConditionOfSignal("imagefs.inodesFree"), "DiskPressure");
  EXPECT_EQ(ConditionOfSignal("pid.available"), "PIDPressure");
  EXPECT_EQ(ConditionOfSignal("x"), "");
}

}  // namespace
}  // namespace podium::node
