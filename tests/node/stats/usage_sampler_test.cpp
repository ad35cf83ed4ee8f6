#include "node/stats/usage_sampler.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "node/virtual_time.h"
#include "runtime/fake_runtime.h"

namespace podium::node {
namespace {

using kernel::CgroupDetail;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

class UsageSamplerTest : public ::testing::Test {
 protected:
  void Run(const std::string& pod) {
    wire::cri::PodSandboxConfig sandbox;
    auto& metadata = sandbox.metadata.emplace();
    metadata.name = pod;
    metadata.namespace_ = "ns";
    metadata.uid = pod;
    const auto id = runtime_.RunPodSandbox(sandbox, "");
    ASSERT_TRUE(id.ok()) << id.error().message();
    wire::cri::ContainerConfig config;
    config.metadata.emplace().name = "app";
    config.image.emplace().image = "busybox";
    const auto container = runtime_.CreateContainer(*id, config, {});
    ASSERT_TRUE(container.ok()) << container.error().message();
    ASSERT_TRUE(runtime_.StartContainer(*container).ok());
  }
  // How often the runtime was asked since the last call, and how much.
  std::vector<std::string> Readings() {
    std::vector<std::string> calls = runtime_.calls();
    std::erase_if(calls, [](const std::string& call) { return !call.starts_with("PodsUsage"); });
    runtime_.ClearCalls();
    return calls;
  }

  runtime::FakeRuntime runtime_;
  VirtualTime time_{runtime_};
  UsageSampler sampler_{runtime_, time_};
};

TEST_F(UsageSamplerTest, ReadsOnceASecondAndOnlyWhenAsked) {
  Run("web");
  runtime_.Advance(60s);
  EXPECT_THAT(Readings(), IsEmpty());
  const auto first = sampler_.Take(CgroupDetail::kUse);
  EXPECT_EQ(sampler_.Take(CgroupDetail::kUse), first);
  EXPECT_THAT(Readings(), ElementsAre("PodsUsage use"));
  EXPECT_EQ(sampler_.Take(CgroupDetail::kAll)->detail, CgroupDetail::kAll) << "has more";
  EXPECT_EQ(sampler_.Take(CgroupDetail::kUse)->detail, CgroupDetail::kAll) << "has this, too";
  EXPECT_THAT(Readings(), ElementsAre("PodsUsage all"));
  runtime_.Advance(1s);
  EXPECT_NE(sampler_.Take(CgroupDetail::kUse), first);
  EXPECT_THAT(Readings(), ElementsAre("PodsUsage use"));
  runtime_.Advance(60s);
  EXPECT_THAT(Readings(), IsEmpty());
}

TEST_F(UsageSamplerTest, PodsAreSortedAndGroupsAreThoseThatAreThere) {
  Run("web");
  Run("api");
  kernel::CgroupStats used;
  used.cpu.emplace().usage_ns = 5;
  runtime_.SetCgroup("kubepods", used);
  const auto sample = sampler_.Take(CgroupDetail::kUse);
  ASSERT_EQ(sample->pods.size(), 2u);
  EXPECT_EQ(sample->pods[0].metadata.name, "api");
  EXPECT_EQ(sample->pods[1].metadata.name, "web");
  ASSERT_EQ(sample->groups.size(), 1u);
  EXPECT_EQ(sample->groups.at("kubepods").used.cpu->usage_ns, 5u);
}

// Every reading takes a millisecond, in which a processor is used.
class BusyReader : public runtime::UsageReader {
 public:
  explicit BusyReader(runtime::FakeRuntime& time) : time_(time) {}
  std::vector<runtime::PodUsage> PodsUsage(CgroupDetail) override {
    runtime::PodUsage pod;
    Read(&pod.used, &pod.read_at);
    return {pod};
  }
  Result<runtime::GroupUsage> CgroupUsage(std::string_view path, CgroupDetail) override {
    runtime::GroupUsage group;
    group.cgroup = path;
    Read(&group.used, &group.read_at);
    return group;
  }

 private:
  void Read(kernel::CgroupStats* used, int64_t* read_at) {
    time_.Advance(1ms);
    used->cpu.emplace().usage_ns = used_ += 1'000'000;
    *read_at = VirtualTime(time_).Now();
  }

  runtime::FakeRuntime& time_;
  uint64_t used_ = 0;
};

TEST_F(UsageSamplerTest, NoPartHasUsedMoreThanTheWhole) {
  BusyReader reader(runtime_);
  UsageSampler sampler(reader, time_);
  const auto sample = sampler.Take(CgroupDetail::kUse);
  ASSERT_EQ(sample->pods.size(), 1u);
  const auto cpu = [](const kernel::CgroupStats& used) { return used.cpu->usage_ns; };
  const runtime::GroupUsage& all = sample->groups.at(std::string(kPodsCgroup));
  for (const std::string_view tier : {kBurstableCgroup, kBestEffortCgroup}) {
    const kernel::CgroupStats& used = sample->groups.at(std::string(tier)).used;
    EXPECT_GE(cpu(used), cpu(sample->pods[0].used)) << tier;
    EXPECT_GE(cpu(all.used), cpu(used)) << tier;
  }
  EXPECT_GE(sample->machine.read_at, all.read_at);
}

TEST_F(UsageSamplerTest, RatesAreOfTwoReadingsTenSecondsApart) {
  Run("web");
  const std::string cgroup = "/fake/podweb";
  EXPECT_EQ(sampler_.Take(CgroupDetail::kUse)->NanoCores(cgroup), std::nullopt);
  runtime_.Advance(5s);
  EXPECT_EQ(sampler_.Take(CgroupDetail::kUse)->NanoCores(cgroup), std::nullopt) << "too short";
  runtime_.Advance(5s);
  // A container of the fake runtime uses one processor.
  EXPECT_EQ(sampler_.Take(CgroupDetail::kUse)->NanoCores(cgroup), 1'000'000'000u);
  Run("late");
  runtime_.Advance(5s);
  const auto sample = sampler_.Take(CgroupDetail::kUse);
  EXPECT_EQ(sample->NanoCores(cgroup), 1'000'000'000u);
  EXPECT_EQ(sample->NanoCores("/fake/podlate"), std::nullopt);
  EXPECT_TRUE(sample->NanoCores("/").has_value()) << "the machine's";
  runtime_.Advance(600s);
  EXPECT_EQ(sampler_.Take(CgroupDetail::kUse)->NanoCores(cgroup), std::nullopt)
      << "nobody asked for long: a mean of ten minutes says nothing of now";
  runtime_.Advance(10s);
  EXPECT_EQ(sampler_.Take(CgroupDetail::kUse)->NanoCores(cgroup), 1'000'000'000u);
}

}  // namespace
}  // namespace podium::node
