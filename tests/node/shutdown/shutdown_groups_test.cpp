#include "node/shutdown/shutdown_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/critical_pods.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

api::Duration Seconds(int64_t seconds) { return api::Duration::FromSeconds(seconds); }

std::string Bad(api::Duration all, api::Duration critical) {
  const auto graces = GracesOf(all, critical);
  return graces.ok() ? "" : graces.error().message();
}

std::shared_ptr<const v1::Pod> Pod(const std::string& name, std::optional<int32_t> priority,
                                   std::optional<int64_t> grace = {}) {
  v1::Pod pod = PodOf("containers: [{name: a}]");
  pod.metadata.name = name;
  pod.metadata.uid = name;
  pod.spec.priority = priority;
  pod.spec.terminationGracePeriodSeconds = grace;
  return std::make_shared<const v1::Pod>(std::move(pod));
}

// "20: a b"
std::vector<std::string> Text(const std::vector<ShutdownGroup>& groups) {
  std::vector<std::string> out;
  for (const ShutdownGroup& group : groups) {
    std::string& text = out.emplace_back(std::to_string(group.seconds) + ":");
    for (const auto& pod : group.pods) text += " " + pod->metadata.name;
  }
  return out;
}

TEST(ShutdownGroupsTest, CriticalPodsHaveAPartOfTheTime) {
  EXPECT_THAT(*GracesOf(Seconds(30), Seconds(10)),
              ElementsAre(ShutdownGrace{0, 20}, ShutdownGrace{kSystemCriticalPriority, 10}));
  EXPECT_THAT(*GracesOf(Seconds(30), Seconds(0)),
              ElementsAre(ShutdownGrace{0, 30}, ShutdownGrace{kSystemCriticalPriority, 0}));
  EXPECT_THAT(*GracesOf(Seconds(5), Seconds(5)),
              ElementsAre(ShutdownGrace{0, 0}, ShutdownGrace{kSystemCriticalPriority, 5}));
  EXPECT_THAT(*GracesOf(Seconds(0), Seconds(0)), IsEmpty());
  EXPECT_EQ(TotalOf(*GracesOf(Seconds(30), Seconds(10))).count(), 30);
}

TEST(ShutdownGroupsTest, PeriodsThatUpstreamRefuses) {
  EXPECT_EQ(Bad(Seconds(1), Seconds(2)),
            "invalid configuration: shutdownGracePeriodCriticalPods {2s} must be <= "
            "shutdownGracePeriod {1s}");
  const auto millisecond = api::Duration::FromNanos(1'000'000);
  EXPECT_EQ(Bad(millisecond, Seconds(0)),
            "invalid configuration: shutdownGracePeriod {1ms} must be either zero or otherwise >= "
            "1 sec");
  EXPECT_EQ(Bad(Seconds(1), millisecond),
            "invalid configuration: shutdownGracePeriodCriticalPods {1ms} must be either zero or "
            "otherwise >= 1 sec");
  EXPECT_EQ(Bad(Seconds(-1), Seconds(-1)),
            "invalid configuration: shutdownGracePeriod {-1s} must be either zero or otherwise >= "
            "1 sec");
}

// The boundaries are upstream's groupByPriority: a priority between two belongs to the lower one.
TEST(ShutdownGroupsTest, PodsAreInTheGroupOfTheirPriority) {
  const ShutdownGraces graces = {{0, 10}, {100, 20}, {kSystemCriticalPriority, 30}};
  const RankedPods pods = {Pod("none", {}),
                           Pod("below", -5),
                           Pod("zero", 0),
                           Pod("under", 99),
                           Pod("at", 100),
                           Pod("over", 101),
                           Pod("above", kSystemCriticalPriority + 1000)};
  EXPECT_THAT(Text(GroupByPriority(graces, pods)),
              ElementsAre("10: none below zero under", "20: at over", "30: above"));
}

TEST(ShutdownGroupsTest, GroupsWithoutPodsAreNotWaitedFor) {
  const ShutdownGraces graces = {{0, 10}, {100, 20}, {200, 30}};
  EXPECT_THAT(Text(GroupByPriority(graces, {Pod("a", 150)})), ElementsAre("20: a"));
  EXPECT_THAT(Text(GroupByPriority(graces, {})), IsEmpty());
  EXPECT_THAT(Text(GroupByPriority({}, {Pod("a", 150)})), IsEmpty());
}

TEST(ShutdownGroupsTest, APodsGraceIsTheShorterOne) {
  const ShutdownGroup group{.seconds = 20, .pods = {}};
  EXPECT_EQ(group.GraceOf(*Pod("a", 0)), 20);
  EXPECT_EQ(group.GraceOf(*Pod("a", 0, 2)), 2);
  EXPECT_EQ(group.GraceOf(*Pod("a", 0, 1000)), 20);
}

}  // namespace
}  // namespace podium::node
