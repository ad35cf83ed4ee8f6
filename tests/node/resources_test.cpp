#include "node/resources.h"

#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

constexpr int64_t kGi = int64_t{1} << 30;

NodeConfig Config() {
  NodeConfig config{.name = "n"};
  config.memory_bytes = 8 * kGi;
  return config;
}

wire::cri::LinuxContainerResources Of(const std::string& resources) {
  const v1::Pod pod = PodOf("containers: [{name: a, resources: {" + resources + "}}]");
  return ContainerResources(pod, pod.spec.containers[0], Config());
}

TEST(ResourcesTest, Shares) {
  EXPECT_EQ(SharesOf(0), 2);
  EXPECT_EQ(SharesOf(1), 2);
  EXPECT_EQ(SharesOf(2), 2);
  EXPECT_EQ(SharesOf(100), 102);
  EXPECT_EQ(SharesOf(1000), 1024);
  EXPECT_EQ(SharesOf(1'000'000), 262'144);
  EXPECT_EQ(QuotaOf(0), 0);
  EXPECT_EQ(QuotaOf(1), 1000);
  EXPECT_EQ(QuotaOf(10), 1000);
  EXPECT_EQ(QuotaOf(1500), 150'000);
}

TEST(ResourcesTest, Containers) {
  EXPECT_EQ(Of("").cpu_shares, 2);
  EXPECT_EQ(Of("").cpu_quota, 0);
  EXPECT_EQ(Of("").cpu_period, 100'000);
  EXPECT_EQ(Of("").memory_limit_in_bytes, 0);
  EXPECT_EQ(Of("requests: {cpu: 500m}, limits: {cpu: 2, memory: 1Gi}").cpu_shares, 512);
  EXPECT_EQ(Of("requests: {cpu: 500m}, limits: {cpu: 2, memory: 1Gi}").cpu_quota, 200'000);
  EXPECT_EQ(Of("limits: {cpu: 2}").cpu_shares, 2048);
  EXPECT_EQ(Of("limits: {memory: 1Gi}").memory_limit_in_bytes, kGi);
  EXPECT_EQ(Of("limits: {memory: 1Gi}").memory_swap_limit_in_bytes, kGi);
}

TEST(ResourcesTest, ThePodsLimitsBoundContainersWithoutOwn) {
  const v1::Pod pod = PodOf(
      "resources: {limits: {cpu: 2, memory: 1Gi}}, containers: [{name: a}, {name: b, resources: "
      "{limits: {cpu: 1, memory: 100Mi}}}]");
  const auto a = ContainerResources(pod, pod.spec.containers[0], Config());
  EXPECT_EQ(a.memory_limit_in_bytes, kGi);
  EXPECT_EQ(a.cpu_quota, 200'000);
  const auto b = ContainerResources(pod, pod.spec.containers[1], Config());
  EXPECT_EQ(b.memory_limit_in_bytes, 100 << 20);
  EXPECT_EQ(b.cpu_quota, 100'000);
  EXPECT_EQ(PodResources(pod, Config()).memory_limit_in_bytes, kGi);
}

TEST(ResourcesTest, HugePages) {
  NodeConfig config = Config();
  config.huge_page_sizes = {2 << 20, kGi};
  const v1::Pod pod = PodOf(
      "containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi, hugepages-2Mi: 4Mi}}}]");
  const auto limits = ContainerResources(pod, pod.spec.containers[0], config).hugepage_limits;
  ASSERT_EQ(limits.size(), 2u);
  EXPECT_EQ(limits[0].page_size, "2MB");
  EXPECT_EQ(limits[0].limit, 4u << 20);
  EXPECT_EQ(limits[1].page_size, "1GB");
  EXPECT_EQ(limits[1].limit, 0u);
  EXPECT_EQ(HugePageName(64 << 10), "64KB");
}

// The numbers are those of upstream's calcSwapForBurstablePods.
TEST(ResourcesTest, Swap) {
  NodeConfig config = Config();
  config.memory_bytes = 80 * kGi;
  config.swap_bytes = 4 * kGi;
  const auto swap_of = [&](const std::string& pod, size_t index = 0) {
    const v1::Pod read = PodOf(pod);
    const auto out = ContainerResources(read, read.spec.containers[index], config);
    const auto found = out.unified.find("memory.swap.max");
    return found == out.unified.end()
               ? "unset, both " + std::to_string(out.memory_swap_limit_in_bytes)
               : found->second;
  };
  const std::string burstable = "containers: [{name: a, resources: {requests: {memory: 1Gi}}}]";
  const std::string limited =
      "containers: [{name: a, resources: {requests: {memory: 1Gi}, limits: "
      "{memory: 2Gi}}}]";
  const std::string best_effort = "containers: [{name: a}]";
  // Where it is not counted apart, memory and swap together are bounded, if memory is.
  config.limited_swap = true;
  EXPECT_EQ(swap_of(limited), "unset, both " + std::to_string(2 * kGi));
  config.limited_swap = false;
  config.counts_swap = true;
  for (const std::string& pod : {burstable, limited, best_effort}) EXPECT_EQ(swap_of(pod), "0");
  config.limited_swap = true;
  EXPECT_EQ(swap_of(burstable), "53687091");
  EXPECT_EQ(swap_of(limited), "53687091");
  EXPECT_EQ(swap_of(best_effort), "0");
  EXPECT_EQ(swap_of("containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]"), "0");
  // Of a Burstable pod: who asks for all that it may have, and who asks for nothing.
  const std::string mixed =
      "containers: [{name: a, resources: {requests: {memory: 1Gi}}}, {name: b, "
      "resources: {limits: {memory: 1Gi}}}, {name: c}]";
  EXPECT_EQ(swap_of(mixed), "53687091");
  EXPECT_EQ(swap_of(mixed, 1), "0");
  EXPECT_EQ(swap_of(mixed, 2), "0");
  EXPECT_EQ(swap_of("priority: 2000000000, " + burstable), "0");
  config.memory_bytes = kGi / 2;
  EXPECT_EQ(swap_of(burstable), "0");
}

TEST(ResourcesTest, ProcessesOfAPod) {
  NodeConfig config = Config();
  const v1::Pod pod = PodOf("containers: [{name: a}]");
  EXPECT_TRUE(PodResources(pod, config).unified.empty());
  config.pod_pids_limit = 1000;
  EXPECT_EQ(PodResources(pod, config).unified.at("pids.max"), "1000");
}

TEST(ResourcesTest, OomScores) {
  const auto score = [](const std::string& spec, size_t index = 0, bool init = false) {
    const v1::Pod pod = PodOf(spec);
    return OomScoreAdj(pod, init ? pod.spec.initContainers[index] : pod.spec.containers[index],
                       8 * kGi);
  };
  EXPECT_EQ(score("containers: [{name: a}]"), 1000);
  EXPECT_EQ(score("containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]"), -997);
  EXPECT_EQ(score("containers: [{name: a, resources: {requests: {memory: 4Gi}}}]"), 500);
  EXPECT_EQ(score("containers: [{name: a, resources: {requests: {memory: 1Mi}}}]"), 999);
  EXPECT_EQ(score("containers: [{name: a, resources: {requests: {memory: 8Gi}}}]"), 3);
  EXPECT_EQ(score("containers: [{name: a}, {name: b, resources: {requests: {memory: 4Gi}}}]"), 999);
  EXPECT_EQ(score("priorityClassName: system-node-critical, priority: 2000001000, containers: "
                  "[{name: a}]"),
            -997);
  EXPECT_EQ(score("priorityClassName: system-node-critical, containers: [{name: a}]"), 1000);
  // A sidecar stays at least as long as the container that asked for least.
  const std::string sidecar =
      "initContainers: [{name: s, restartPolicy: Always, resources: {requests: {memory: 1Gi}}}], "
      "containers: [{name: a, resources: {requests: {memory: 2Gi}}}, {name: b, resources: "
      "{requests: {memory: 4Gi}}}]";
  EXPECT_EQ(score(sidecar, 0, true), 750);
  EXPECT_EQ(score(sidecar), 750);
  // What the pod asks for beyond its containers is theirs alike.
  const std::string whole =
      "resources: {requests: {memory: 4Gi}}, containers: [{name: a, resources: {requests: "
      "{memory: 1Gi}}}, {name: b, resources: {requests: {memory: 1Gi}}}]";
  EXPECT_EQ(score(whole), 750);
}

TEST(ResourcesTest, Pods) {
  const auto of = [](const std::string& spec) { return PodResources(PodOf(spec), Config()); };
  // Guaranteed: the sum of all.
  const std::string guaranteed =
      "containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi}}}, {name: b, resources: "
      "{limits: {cpu: 500m, memory: 1Gi}}}]";
  EXPECT_EQ(of(guaranteed).cpu_shares, 1536);
  EXPECT_EQ(of(guaranteed).cpu_quota, 150'000);
  EXPECT_EQ(of(guaranteed).memory_limit_in_bytes, 2 * kGi);
  // Burstable: bounded where every container is.
  const std::string half =
      "containers: [{name: a, resources: {requests: {cpu: 100m}, limits: {cpu: 1, memory: 1Gi}}}, "
      "{name: b, resources: {limits: {cpu: 1}}}]";
  EXPECT_EQ(of(half).cpu_shares, 1126);
  EXPECT_EQ(of(half).cpu_quota, 200'000);
  EXPECT_EQ(of(half).memory_limit_in_bytes, 0);
  EXPECT_EQ(of("containers: [{name: a}]").cpu_shares, 2);
  EXPECT_EQ(of("containers: [{name: a}]").cpu_quota, 0);
  // The largest init container counts where it needs more than all others.
  const std::string init =
      "initContainers: [{name: i, resources: {limits: {cpu: 4, memory: 4Gi}}}], containers: "
      "[{name: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]";
  EXPECT_EQ(of(init).cpu_quota, 400'000);
  EXPECT_EQ(of(init).memory_limit_in_bytes, 4 * kGi);
  const std::string overhead =
      "overhead: {cpu: 1, memory: 1Gi}, containers: [{name: a, resources: {limits: {cpu: 1, "
      "memory: 1Gi}}}]";
  EXPECT_EQ(of(overhead).memory_limit_in_bytes, 2 * kGi);
  EXPECT_EQ(of(overhead).cpu_quota, 200'000);
  EXPECT_EQ(OverheadResources(PodOf(overhead)).memory_limit_in_bytes, kGi);
  EXPECT_EQ(OverheadResources(PodOf(overhead)).cpu_shares, 1024);
}

TEST(ResourcesTest, WhereAPodsCgroupIs) {
  EXPECT_EQ(PodCgroup(PodOf("containers: [{name: a}]")), "/kubepods/besteffort/podu");
  EXPECT_EQ(PodCgroup(PodOf("containers: [{name: a, resources: {requests: {cpu: 1}}}]")),
            "/kubepods/burstable/podu");
  EXPECT_EQ(PodCgroup(PodOf("containers: [{name: a, resources: {limits: {cpu: 1, memory: 1Gi}}}]")),
            "/kubepods/podu");
}

}  // namespace
}  // namespace podium::node
