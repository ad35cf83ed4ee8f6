// Containers with CPUs of their own, and the others, with an agent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "node/agent.h"
#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;

class SharedCpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    std::filesystem::create_directories(node_.config.data_dir);
    Open();
  }
  void Open() {
    agent_.reset();
    CpuTopology topology;
    for (int cpu = 0; cpu < 4; ++cpu) topology.push_back({.id = cpu, .core = cpu});
    auto cpus = CpuManager::Open({.topology = std::move(topology),
                                  .reserved_milli = 500,
                                  .state = node_.config.data_dir + "/cpu_manager_state"});
    ASSERT_TRUE(cpus.ok()) << cpus.error().message();
    cpus_ = *std::move(cpus);
    Agent::Parts parts = PartsOf(node_, objects_);
    parts.cpus = cpus_.get();
    auto opened = Agent::Open(parts);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
    node_.time.RunFor(100ms);
  }
  void Assign(const std::string& name, const std::string& cpu) {
    v1::Pod pod = PodOf("containers: [{name: " + name + "}]");
    pod.metadata.name = name;
    pod.metadata.uid = name;
    for (auto* amounts :
         {&pod.spec.containers[0].resources.requests, &pod.spec.containers[0].resources.limits}) {
      (*amounts)["cpu"] = *api::Quantity::Parse(cpu);
      (*amounts)["memory"] = *api::Quantity::Parse("1Mi");
    }
    pod.status.phase = "Pending";
    ASSERT_TRUE(agent_->Assign(std::move(pod), PodOrigin::kApi).ok());
    node_.time.RunFor(100ms);
  }
  // "1-2 0": the CPUs and the quota of the pod's container.
  std::string Of(const std::string& name) {
    const auto pod = agent_->GetPod("ns", name);
    if (!pod.ok() || pod->status.containerStatuses.empty()) return "";
    const std::string& id = pod->status.containerStatuses[0].containerID;
    const auto config = node_.runtime.ConfigOf(id.substr(id.find("//") + 2));
    if (!config.ok()) return config.error().message();
    const auto& has = *config->linux_->resources;
    return has.cpuset_cpus + " " + std::to_string(has.cpu_quota);
  }

  FakeNode node_;
  ObjectStore objects_{node_.config};
  std::unique_ptr<CpuManager> cpus_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(SharedCpusTest, OthersMakeRoom) {
  Assign("half", "500m");
  EXPECT_EQ(Of("half"), "0-3 50000");
  Assign("two", "2");
  // Nobody else is there to be throttled for.
  EXPECT_EQ(Of("two"), "1-2 0");
  EXPECT_EQ(Of("half"), "0,3 50000");
  Assign("late", "1500m");
  EXPECT_EQ(Of("late"), "0,3 150000");
  agent_->Unassign("two");
  node_.time.RunFor(60s);
  EXPECT_EQ(Of("half"), "0-3 50000");
}

TEST_F(SharedCpusTest, ThePodIsNotThrottledEither) {
  Assign("two", "2");
  const auto sandbox = node_.runtime.ListPodSandbox({})->front().id;
  EXPECT_EQ(node_.runtime.SandboxConfigOf(sandbox)->linux_->resources->cpu_quota, 0);
}

TEST_F(SharedCpusTest, WhoeverComesTooLateIsRefused) {
  Assign("two", "2");
  Assign("more", "2");
  const v1::PodStatus status = agent_->GetPod("ns", "more")->status;
  EXPECT_EQ(status.phase + " " + status.reason, "Failed UnexpectedAdmissionError");
  EXPECT_EQ(
      status.message,
      "Pod was rejected: Allocate failed due to not enough cpus available to satisfy request: "
      "requested=2, available=1, which is unexpected");
  EXPECT_THAT(node_.Events(),
              Contains("UnexpectedAdmissionError: Allocate failed due to not enough cpus available "
                       "to satisfy request: requested=2, available=1, which is unexpected"));
}

TEST_F(SharedCpusTest, ANewAgentLeavesThemWhereTheyAre) {
  Assign("half", "500m");
  Assign("two", "2");
  Open();
  EXPECT_EQ(Of("two"), "1-2 0");
  EXPECT_EQ(Of("half"), "0,3 50000");
  Assign("one", "1");
  EXPECT_EQ(Of("one"), "3 0");
  EXPECT_EQ(Of("half"), "0 50000");
}

TEST_F(SharedCpusTest, NoOtherNumberOfThemWhileItRuns) {
  Assign("two", "2");
  v1::Pod pod = *agent_->GetPod("ns", "two");
  ++pod.metadata.generation;
  for (auto* amounts :
       {&pod.spec.containers[0].resources.requests, &pod.spec.containers[0].resources.limits}) {
    (*amounts)["cpu"] = *api::Quantity::Parse("3");
  }
  ASSERT_TRUE(agent_->Assign(pod, PodOrigin::kApi).ok());
  node_.time.RunFor(1s);
  EXPECT_EQ(Of("two"), "1-2 0");
  EXPECT_THAT(node_.Events(),
              Contains(::testing::HasSubstr("ResizeInfeasible: Pod resize Infeasible: ")));
}

}  // namespace
}  // namespace podium::node
