// Containers that nobody starts again go when the disk is full, and nothing else does.
#include "node/eviction/dead_containers.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "node/agent.h"
#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;

class DeadContainersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    auto opened = Agent::Open(PartsOf(node_, objects_));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
  }
  v1::Pod Start(const std::string& name, const std::string& spec) {
    v1::Pod pod = PodOf(spec);
    pod.metadata.name = name;
    const auto created = agent_->CreatePod(std::move(pod));
    EXPECT_TRUE(created.ok()) << created.error().message();
    node_.time.RunFor(5s);
    return *agent_->GetPod("ns", name);
  }
  std::vector<std::shared_ptr<const v1::Pod>> Pods() {
    uint64_t version = 0;
    return agent_->ListPods("", &version);
  }
  size_t Containers() { return node_.runtime.ListContainers({})->size(); }

  FakeNode node_;
  ObjectStore objects_{node_.config};
  std::unique_ptr<Agent> agent_;
};

TEST_F(DeadContainersTest, OfPodsThatHaveEndedAlone) {
  node_.runtime.Script("a", {.exits_after = 1s});
  const v1::Pod done = Start("done", "restartPolicy: Never, containers: [{name: a}]");
  ASSERT_EQ(done.status.phase, "Succeeded");
  ASSERT_EQ(Start("on", "containers: [{name: b}]").status.phase, "Running");
  // Ended, and to be started again.
  ASSERT_EQ(Start("again", "containers: [{name: a}, {name: b}]").status.phase, "Running");
  const size_t before = Containers();
  EXPECT_EQ(RemoveDeadContainers(Pods(), node_.runtime), 1);
  EXPECT_EQ(Containers(), before - 1);
  EXPECT_EQ(RemoveDeadContainers(Pods(), node_.runtime), 0);
}

TEST_F(DeadContainersTest, WhatWasToldStaysAndThePodCanGo) {
  node_.runtime.Script("a", {.exits_after = 1s});
  const v1::Pod done = Start("done", "restartPolicy: Never, containers: [{name: a}]");
  const std::string log = PodLogFolder(node_.config, "ns", "done", done.metadata.uid) + "/a/0.log";
  std::filesystem::create_directories(std::filesystem::path(log).parent_path());
  std::ofstream(log) << "x";
  ASSERT_EQ(RemoveDeadContainers(Pods(), node_.runtime), 1);
  EXPECT_FALSE(std::filesystem::exists(log));
  node_.time.RunFor(60s);
  const v1::Pod later = *agent_->GetPod("ns", "done");
  EXPECT_EQ(later.status.phase, "Succeeded");
  ASSERT_EQ(later.status.containerStatuses.size(), 1U);
  ASSERT_TRUE(later.status.containerStatuses[0].state.terminated);
  EXPECT_EQ(later.status.containerStatuses[0].state.terminated->reason, "Completed");
  EXPECT_EQ(later.status.containerStatuses[0].containerID,
            done.status.containerStatuses[0].containerID);
  ASSERT_TRUE(agent_->DeletePod("ns", "done", std::nullopt).ok());
  node_.time.RunFor(5s);
  EXPECT_FALSE(agent_->GetPod("ns", "done").ok());
}

}  // namespace
}  // namespace podium::node
