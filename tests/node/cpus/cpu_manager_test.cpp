#include "node/cpus/cpu_manager.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace podium::node {
namespace {

v1::Container WithCpu(const std::string& name, const std::string& cpu) {
  v1::Container out;
  out.name = name;
  for (auto* amounts : {&out.resources.requests, &out.resources.limits}) {
    (*amounts)["cpu"] = *api::Quantity::Parse(cpu);
    (*amounts)["memory"] = *api::Quantity::Parse("1Mi");
  }
  return out;
}

v1::Pod PodOf(const std::string& uid, std::vector<v1::Container> containers,
              std::vector<v1::Container> init = {}) {
  v1::Pod pod;
  pod.metadata.uid = uid;
  pod.spec.containers = std::move(containers);
  pod.spec.initContainers = std::move(init);
  return pod;
}

class CpuManagerTest : public ::testing::Test {
 protected:
  CpuManagerTest() {
    std::string form = ::testing::TempDir() + "podium-cpu-manager-XXXXXX";
    folder_ = mkdtemp(form.data());
    for (int cpu = 0; cpu < 4; ++cpu) topology_.push_back({.id = cpu, .core = cpu});
  }
  ~CpuManagerTest() override { std::filesystem::remove_all(folder_); }

  // What is wrong, or nothing.
  std::string Open(int64_t reserved_milli = 500, const CpuSet& reserved = {}) {
    auto opened = CpuManager::Open({.topology = topology_,
                                    .reserved = reserved,
                                    .reserved_milli = reserved_milli,
                                    .state = State()});
    if (!opened.ok()) return opened.error().message();
    manager_ = *std::move(opened);
    manager_->OnChange([this] { ++changes_; });
    return "";
  }
  std::string State() const { return folder_ + "/cpu_manager_state"; }
  std::string Allocate(const v1::Pod& pod) {
    const auto done = manager_->Allocate(pod);
    return done.ok() ? "" : done.error().message();
  }
  // "1-2!" are exclusive.
  std::string Of(const std::string& uid, const std::string& container) const {
    const auto cpus = manager_->CpusOf(uid, container);
    return CpuSetText(cpus.cpus) + (cpus.exclusive ? "!" : "");
  }

  CpuTopology topology_;
  std::string folder_;
  std::unique_ptr<CpuManager> manager_;
  int changes_ = 0;
};

TEST_F(CpuManagerTest, WholeCpusOfGuaranteedPods) {
  ASSERT_EQ(Open(), "");
  EXPECT_EQ(Of("a", "c"), "0-3");
  EXPECT_EQ(Allocate(PodOf("a", {WithCpu("c", "2"), WithCpu("fraction", "500m")})), "");
  EXPECT_EQ(Of("a", "c"), "1-2!");
  // Others keep what is reserved as well.
  EXPECT_EQ(Of("a", "fraction"), "0,3");
  EXPECT_EQ(Of("b", "c"), "0,3");
  EXPECT_TRUE(manager_->HasExclusive("a"));
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(Allocate(PodOf("a", {WithCpu("c", "2")})), "");
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(Allocate(PodOf("b", {WithCpu("c", "2")})),
            "not enough cpus available to satisfy request: requested=2, available=1");
  EXPECT_FALSE(manager_->HasExclusive("b"));
  manager_->Release("a");
  EXPECT_EQ(changes_, 2);
  EXPECT_EQ(Allocate(PodOf("b", {WithCpu("c", "3")})), "");
  EXPECT_EQ(Of("b", "c"), "1-3!");
}

TEST_F(CpuManagerTest, OthersShare) {
  ASSERT_EQ(Open(), "");
  v1::Pod burstable = PodOf("a", {WithCpu("c", "2")});
  burstable.spec.containers[0].resources.limits["cpu"] = *api::Quantity::Parse("3");
  EXPECT_EQ(Allocate(burstable), "");
  EXPECT_EQ(Allocate(PodOf("b", {WithCpu("c", "1500m")})), "");
  EXPECT_EQ(Of("a", "c"), "0-3");
  EXPECT_EQ(Of("b", "c"), "0-3");
  EXPECT_EQ(changes_, 0);
}

TEST_F(CpuManagerTest, InitContainersLeaveTheirs) {
  ASSERT_EQ(Open(), "");
  v1::Container sidecar = WithCpu("sidecar", "1");
  sidecar.restartPolicy = "Always";
  EXPECT_EQ(Allocate(PodOf("a", {WithCpu("c", "2")}, {WithCpu("init", "2"), sidecar})), "");
  EXPECT_EQ(Of("a", "init"), "1-2!");
  EXPECT_EQ(Of("a", "sidecar"), "1!");
  EXPECT_EQ(Of("a", "c"), "2-3!");
  EXPECT_EQ(Of("b", "c"), "0");
}

// One that cannot be had takes nothing of the pod's others.
TEST_F(CpuManagerTest, AllOrNothing) {
  ASSERT_EQ(Open(), "");
  EXPECT_NE(Allocate(PodOf("a", {WithCpu("c", "2"), WithCpu("d", "2")})), "");
  EXPECT_EQ(Of("b", "c"), "0-3");
}

TEST_F(CpuManagerTest, ANewAgentFindsWhatWasGiven) {
  ASSERT_EQ(Open(), "");
  ASSERT_EQ(Allocate(PodOf("a", {WithCpu("c", "1")})), "");
  ASSERT_EQ(Allocate(PodOf("b", {WithCpu("c", "1")})), "");
  ASSERT_EQ(Open(), "");
  EXPECT_EQ(Of("a", "c"), "1!");
  EXPECT_EQ(Of("b", "c"), "2!");
  manager_->ReleaseOthers([](std::string_view uid) { return uid == "b"; });
  ASSERT_EQ(Open(), "");
  EXPECT_EQ(Of("a", "c"), "0-1,3");
  EXPECT_EQ(Of("b", "c"), "2!");
}

TEST_F(CpuManagerTest, WhatCannotBeServed) {
  EXPECT_EQ(Open(0),
            "the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than "
            "zero");
  EXPECT_EQ(Open(0, {7}), "reserved CPUs 7 are not all among those online, 0-3");
  ASSERT_EQ(Open(0, {3}), "");
  ASSERT_EQ(Allocate(PodOf("a", {WithCpu("c", "3")})), "");
  EXPECT_EQ(Of("a", "c"), "0-2!");
  topology_.pop_back();
  EXPECT_EQ(
      Open(),
      "could not restore state from checkpoint: current set of available CPUs \"0-2\" doesn't "
      "match with CPUs in state \"0-3\", please drain this node and delete the CPU manager "
      "checkpoint file \"" +
          State() + "\" before restarting Kubelet");
  std::ofstream(State()) << R"({"policyName":"none"})";
  EXPECT_NE(
      Open().find("configured policy \"static\" differs from state checkpoint policy \"none\""),
      std::string::npos);
  std::ofstream(State()) << "{";
  EXPECT_NE(Open().find("could not restore state from checkpoint"), std::string::npos);
}

TEST_F(CpuManagerTest, WhatCannotBeWrittenIsNotGiven) {
  ASSERT_EQ(Open(), "");
  std::filesystem::remove_all(folder_);
  EXPECT_NE(Allocate(PodOf("a", {WithCpu("c", "1")})), "");
  EXPECT_EQ(Of("a", "c"), "0-3");
}

}  // namespace
}  // namespace podium::node
