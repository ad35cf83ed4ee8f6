#include "node/eviction/ranking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

using api::Quantity;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr int64_t kMi = 1 << 20;

class RankingTest : public ::testing::Test {
 protected:
  void Add(const std::string& name, const std::string& requests, int32_t priority,
           std::optional<PodUse> use) {
    v1::Pod pod = PodOf("containers: [{name: a, resources: {requests: {" + requests + "}}}]");
    pod.metadata.name = name;
    pod.metadata.uid = name;
    pod.spec.priority = priority;
    pods_.push_back(std::make_shared<const v1::Pod>(std::move(pod)));
    if (use) uses_[name] = *use;
  }
  std::vector<std::string> Ranked(std::string_view resource) {
    RankedPods pods = pods_;
    RankForEviction(resource, uses_, &pods);
    std::vector<std::string> names;
    for (const auto& pod : pods) names.push_back(pod->metadata.name);
    return names;
  }

  RankedPods pods_;
  PodUses uses_;
};

TEST_F(RankingTest, ByMemory) {
  const auto uses = [](int64_t mi) { return PodUse{.memory = mi * kMi}; };
  Add("within-high", "memory: 400Mi", 10, uses(300));
  Add("within-low", "memory: 400Mi", 0, uses(399));
  Add("beyond-much", "memory: 100Mi", 0, uses(300));
  Add("beyond-little", "memory: 100Mi", 0, uses(101));
  Add("beyond-high", "memory: 1Mi", 10, uses(900));
  Add("best-effort", "", 0, uses(250));
  Add("idle", "", 0, uses(0));
  Add("unknown", "memory: 1Gi", 5, std::nullopt);
  EXPECT_THAT(Ranked("memory"),
              ElementsAre("unknown", "best-effort", "beyond-much", "beyond-little", "beyond-high",
                          "idle", "within-low", "within-high"));
}

TEST_F(RankingTest, ByDiskAndInodes) {
  const auto uses = [](int64_t mi, int64_t inodes) {
    return PodUse{.disk = mi * kMi, .inodes = inodes};
  };
  Add("within", "ephemeral-storage: 100Mi", 0, uses(100, 5));
  Add("beyond", "ephemeral-storage: 100Mi", 0, uses(101, 4));
  Add("most", "", 0, uses(90, 3));
  Add("important", "", 1, uses(500, 900));
  EXPECT_THAT(Ranked("ephemeral-storage"), ElementsAre("most", "beyond", "important", "within"));
  pods_.clear();
  uses_.clear();
  Add("few", "", 0, uses(1, 4));
  Add("none", "", 0, uses(9, 0));
  Add("many", "", 0, uses(1, 5));
  EXPECT_THAT(Ranked("inodes"), ElementsAre("many", "few", "none"));
}

TEST_F(RankingTest, ByProcesses) {
  const auto uses = [](int64_t processes) { return PodUse{.processes = processes}; };
  Add("high", "", 10, uses(900));
  Add("low-few", "", 0, uses(1));
  Add("low-many", "", 0, uses(2));
  Add("low-unknown", "", 0, std::nullopt);
  EXPECT_THAT(Ranked("pids"), ElementsAre("low-unknown", "low-many", "low-few", "high"));
}

TEST(EvictionWords, OfMemory) {
  const v1::Pod pod = PodOf(
      "containers: [{name: a, resources: {requests: {memory: 100Mi}}}, {name: b}, {name: c, "
      "resources: {requests: {memory: 1Gi}}}]");
  const PodUse use{.memory = 500 * kMi,
                   .containers = {{.name = "a", .memory = 200 * kMi},
                                  {.name = "b", .memory = 1},
                                  {.name = "c", .memory = 50 * kMi}}};
  const std::vector<EvictionThreshold> met = {
      {.signal = "memory.available", .quantity = Quantity::Must("100Mi")}};
  const Observations seen = {
      {"memory.available",
       {.available = Quantity::FromInt(98304 * 1024, Quantity::Format::kBinarySI),
        .capacity = Quantity::Must("4Gi")}}};
  const EvictionWords words = WordsOfEviction("memory", pod, &use, met, seen);
  EXPECT_EQ(words.message,
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 96Mi. "
            "Container a was using 200Mi, request is 100Mi, has larger consumption of memory. "
            "Container b was using 1, request is 0, has larger consumption of memory. ");
  EXPECT_THAT(words.annotations, UnorderedElementsAre(Pair("offending_containers", "a,b"),
                                                      Pair("offending_containers_usage", "200Mi,1"),
                                                      Pair("starved_resource", "memory")));
  EXPECT_EQ(WordsOfEviction("memory", pod, nullptr, met, seen).message,
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 96Mi. ");
}

TEST(EvictionWords, OfAWholePodsMemory) {
  const v1::Pod pod = PodOf("resources: {requests: {memory: 100Mi}}, containers: [{name: a}]");
  const PodUse use{.memory = 200 * kMi, .containers = {{.name = "a", .memory = 200 * kMi}}};
  EXPECT_EQ(WordsOfEviction("memory", pod, &use, {}, {}).message,
            "The node was low on resource: memory. Pod p was using 200Mi, request is 100Mi, has "
            "larger consumption of memory. Container a was using 200Mi, request is 0, has larger "
            "consumption of memory. ");
}

TEST(EvictionWords, OfDisksInodesAndPids) {
  const v1::Pod pod =
      PodOf("containers: [{name: a, resources: {requests: {ephemeral-storage: 1Mi}}}]");
  const PodUse use{.containers = {{.name = "a", .memory = 9 * kMi, .root = kMi, .logs = kMi}}};
  EXPECT_EQ(WordsOfEviction("ephemeral-storage", pod, &use, {}, {}).message,
            "The node was low on resource: ephemeral-storage. Container a was using 2Mi, request "
            "is 1Mi, has larger consumption of ephemeral-storage. ");
  EXPECT_EQ(WordsOfEviction("inodes", pod, &use, {}, {}).message,
            "The node was low on resource: inodes. ");
  EXPECT_EQ(WordsOfEviction("pids", pod, &use, {}, {}).message,
            "The node was low on resource: pids. ");
}

TEST(EvictionGraceTest, HowLongContainersHave) {
  const v1::Pod pod = PodOf("terminationGracePeriodSeconds: 60, containers: [{name: a}]");
  const EvictionThreshold hard;
  const EvictionThreshold soft{.grace_period = 1};
  EXPECT_EQ(EvictionGrace(hard, pod, 30), 1);
  EXPECT_EQ(EvictionGrace(soft, pod, 30), 30);
  EXPECT_EQ(EvictionGrace(soft, pod, 90), 60);
  EXPECT_EQ(EvictionGrace(soft, pod, -1), 60);
  EXPECT_EQ(EvictionGrace(soft, pod, 0), 1);
}

}  // namespace
}  // namespace podium::node
