// A pod whose resources change while it runs.
#include "node/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "node/agent.h"
#include "node/fake_services.h"
#include "node/pod_conditions.h"
#include "node/pod_worker.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

v1::ResourceRequirements Amounts(const std::string& cpu, const std::string& memory) {
  v1::ResourceRequirements out;
  for (auto* amounts : {&out.requests, &out.limits}) {
    if (!cpu.empty()) (*amounts)["cpu"] = *api::Quantity::Parse(cpu);
    if (!memory.empty()) (*amounts)["memory"] = *api::Quantity::Parse(memory);
  }
  return out;
}

class ResizeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    node_.runtime.SetEventHandler([this](const wire::cri::ContainerEventResponse&) {
      if (worker_) worker_->Wake();
    });
  }
  ~ResizeTest() override {
    if (worker_) worker_->Stop();
  }
  void Start(const std::string& spec, const v1::ResourceRequirements& amounts) {
    pod_ = PodOf(spec);
    pod_.metadata.generation = 1;
    for (v1::Container& each : pod_.spec.containers) each.resources = amounts;
    Open();
  }
  void Open() {
    worker_ = PodWorker::Create(
        node_.services, pod_,
        {.status = [this](const std::string&,
                          const v1::PodStatus& status) { statuses_.push_back(status); },
         .unmounted = [](const std::string&) {},
         .gone = [](const std::string&) {}});
    node_.time.Settle();
    node_.runtime.ClearCalls();
    statuses_.clear();
  }
  // The agent is killed and started again.
  void Restart() {
    pod_.status = worker_->status();
    worker_->Stop();
    worker_.reset();
    Open();
  }
  void Resize(size_t container, const v1::ResourceRequirements& amounts) {
    pod_.spec.containers[container].resources = amounts;
    ++pod_.metadata.generation;
    worker_->Update(pod_);
    node_.time.Settle();
  }
  const v1::ContainerStatus& Status(const std::string& name = "a") {
    last_ = worker_->status();
    return *FindStatus(last_, name);
  }
  // "a 512 50000 1048576": shares, quota and limit that it has.
  std::string Limits(const std::string& name = "a") {
    const std::string id = Status(name).containerID;
    const auto config = node_.runtime.ConfigOf(id.substr(id.find("//") + 2));
    if (!config.ok()) return config.error().message();
    const auto& has = *config->linux_->resources;
    return std::to_string(has.cpu_shares) + " " + std::to_string(has.cpu_quota) + " " +
           std::to_string(has.memory_limit_in_bytes);
  }
  // "True Error: message @2"; "none".
  static std::string ConditionOf(const v1::PodStatus& status, std::string_view type) {
    const v1::PodCondition* found = FindCondition(status, type);
    if (found == nullptr) return "none";
    return found->status + " " + found->reason + ": " + found->message + " @" +
           std::to_string(found->observedGeneration);
  }
  // The resize's part of what was told, each state once.
  std::vector<std::string> Told(std::string_view type) const {
    std::vector<std::string> out;
    for (const v1::PodStatus& status : statuses_) {
      std::string text = ConditionOf(status, type);
      if (out.empty() || out.back() != text) out.push_back(std::move(text));
    }
    return out;
  }
  std::vector<std::string> ResizeEvents() const {
    std::vector<std::string> out;
    for (const std::string& event : node_.Events()) {
      if (event.starts_with("Resize") || event.starts_with("Killing")) out.push_back(event);
    }
    return out;
  }
  std::vector<std::string> Calls() const {
    std::vector<std::string> out;
    for (const std::string& call : node_.runtime.calls()) {
      if (call.contains("Resources") || call.contains("StartContainer")) out.push_back(call);
    }
    return out;
  }

  FakeNode node_;
  v1::Pod pod_;
  v1::PodStatus last_;
  std::shared_ptr<PodWorker> worker_;
  std::vector<v1::PodStatus> statuses_;
};

TEST_F(ResizeTest, InPlace) {
  Start("containers: [{name: a}]", Amounts("500m", "1Mi"));
  EXPECT_EQ(Limits(), "512 50000 1048576");
  Resize(0, Amounts("1", "2Mi"));
  EXPECT_EQ(Limits(), "1024 100000 2097152");
  EXPECT_EQ(Status().restartCount, 0);
  EXPECT_EQ(Status().resources->limits.at("cpu").String(), "1");
  EXPECT_EQ(Status().allocatedResources.at("memory").String(), "2Mi");
  EXPECT_THAT(Calls(), ElementsAre("UpdatePodSandboxResources p", "UpdateContainerResources a"));
  EXPECT_THAT(Told("PodResizeInProgress"), ElementsAre("True :  @2", "none"));
  // While it is under way, it is told what the container still has.
  EXPECT_EQ(statuses_.front().containerStatuses[0].resources->limits.at("cpu").String(), "500m");
  const std::string told =
      R"({"containers":[{"name":"a","resources":{"limits":{"cpu":"1","memory":"2Mi"},)"
      R"("requests":{"cpu":"1","memory":"2Mi"}}}],"generation":2})";
  EXPECT_THAT(ResizeEvents(), ElementsAre("ResizeStarted: Pod resize started: " + told,
                                          "ResizeCompleted: Pod resize completed: " + told));
  statuses_.clear();
  node_.runtime.ClearCalls();
  node_.time.RunFor(300s);
  EXPECT_THAT(Calls(), IsEmpty());
}

// The pod's own cgroup is never less than what its containers have.
TEST_F(ResizeTest, ThePodShrinksLast) {
  Start("containers: [{name: a}, {name: b}]", Amounts("1", "4Mi"));
  pod_.spec.containers[1].resources = Amounts("1", "5Mi");
  Resize(0, Amounts("1", "1Mi"));
  EXPECT_THAT(Calls(), ElementsAre("UpdatePodSandboxResources p", "UpdateContainerResources a",
                                   "UpdateContainerResources b", "UpdatePodSandboxResources p"));
  EXPECT_EQ(Limits("a"), "1024 100000 1048576");
  EXPECT_EQ(Limits("b"), "1024 100000 5242880");
}

TEST_F(ResizeTest, PoliciesThatAskForARestart) {
  Start(
      "containers: [{name: a, resizePolicy: [{resourceName: memory, restartPolicy: "
      "RestartContainer}]}]",
      Amounts("500m", "1Mi"));
  const std::string before = Status().containerID;
  Resize(0, Amounts("1", "1Mi"));
  EXPECT_EQ(Status().containerID, before);
  EXPECT_EQ(Limits(), "1024 100000 1048576");
  node_.runtime.ClearCalls();
  Resize(0, Amounts("1", "2Mi"));
  node_.time.RunFor(40s);
  EXPECT_NE(Status().containerID, before);
  EXPECT_EQ(Status().restartCount, 1);
  EXPECT_EQ(Limits(), "1024 100000 2097152");
  // The pod has more before its container has.
  EXPECT_THAT(Calls(), ElementsAre("UpdatePodSandboxResources p", "UpdatePodSandboxResources p",
                                   "StartContainer a"));
  EXPECT_THAT(ResizeEvents(), Contains("Killing: Container a resize requires restart"));
  EXPECT_TRUE(ResizeEvents().back().starts_with("ResizeCompleted")) << ResizeEvents().back();
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizeInProgress"), "none");
  // It was asked for: no crash, and nothing to back off from.
  EXPECT_TRUE(Status().state.running.has_value());
}

TEST_F(ResizeTest, MemoryInUseIsNotTakenAway) {
  Start("containers: [{name: a}]", Amounts("500m", "4Mi"));
  node_.runtime.SetMemoryUsage("a", 3 << 20);
  Resize(0, Amounts("500m", "2Mi"));
  const std::string why =
      "cannot decrease memory limits: [attempting to set pod memory limit (2097152) below current "
      "usage (3145728), attempting to set container \"a\" memory limit (2097152) below current "
      "usage (3145728)]";
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizeInProgress"), "True Error: " + why + " @2");
  EXPECT_EQ(Limits(), "512 50000 4194304");
  EXPECT_EQ(Status().resources->limits.at("memory").String(), "4Mi");
  node_.time.RunFor(60s);
  const auto errors = std::ranges::count_if(
      ResizeEvents(), [](const auto& event) { return event.starts_with("ResizeError"); });
  EXPECT_EQ(errors, 1);
  node_.runtime.SetMemoryUsage("a", 1 << 20);
  node_.time.RunFor(15s);
  EXPECT_EQ(Limits(), "512 50000 2097152");
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizeInProgress"), "none");
}

TEST_F(ResizeTest, ANewAgentGoesOn) {
  Start("containers: [{name: a}]", Amounts("500m", "1Mi"));
  node_.runtime.Fail("UpdateContainerResources", Error(Code::kInternal, "no"), 1000);
  Resize(0, Amounts("1", "1Mi"));
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizeInProgress"), "True Error: no @2");
  Restart();
  EXPECT_EQ(Status().resources->limits.at("cpu").String(), "500m");
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizeInProgress"), "True Error: no @2");
  node_.runtime.ClearFailures();
  node_.time.RunFor(15s);
  EXPECT_EQ(Limits(), "1024 100000 1048576");
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizeInProgress"), "none");
  const auto started = std::ranges::count_if(
      ResizeEvents(), [](const auto& event) { return event.starts_with("ResizeStarted"); });
  EXPECT_EQ(started, 1);
}

// What does not run yet starts with what it should have.
TEST_F(ResizeTest, WhatDoesNotRunYet) {
  node_.runtime.Script("a", {.exits_after = 1s, .exit_code = 1});
  Start("containers: [{name: a}]", Amounts("500m", "1Mi"));
  node_.time.RunFor(2s);
  Resize(0, Amounts("1", "1Mi"));
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizeInProgress"), "none");
  EXPECT_THAT(Calls(), Not(Contains("UpdateContainerResources a")));
  node_.runtime.Script("a", {});
  node_.time.RunFor(60s);
  EXPECT_EQ(Limits(), "1024 100000 1048576");
}

TEST_F(ResizeTest, WhatIsPendingIsTold) {
  Start("containers: [{name: a}]", Amounts("500m", "1Mi"));
  worker_->SetPendingResize(
      PendingResize{.infeasible = true, .message = "no room", .generation = 4});
  node_.time.Settle();
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizePending"), "True Infeasible: no room @4");
  worker_->SetPendingResize(
      PendingResize{.infeasible = false, .message = "later", .generation = 5});
  node_.time.Settle();
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizePending"), "True Deferred: later @5");
  worker_->SetPendingResize(std::nullopt);
  node_.time.Settle();
  EXPECT_EQ(ConditionOf(worker_->status(), "PodResizePending"), "none");
}

// With an agent, which says who gets how much.
class ResizeAgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    v1::Node node;
    node.status.allocatable = {{"cpu", *api::Quantity::Parse("4")},
                               {"memory", *api::Quantity::Parse("8Mi")},
                               {"pods", *api::Quantity::Parse("10")}};
    api_node_ = std::make_shared<const v1::Node>(std::move(node));
    Open();
  }
  void Open() {
    agent_.reset();
    Agent::Parts parts = PartsOf(node_, objects_);
    parts.node = [this](bool) { return api_node_; };
    auto opened = Agent::Open(parts);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
    node_.time.RunFor(100ms);
  }
  void Assign(const std::string& name, const std::string& cpu, int64_t generation,
              PodOrigin origin = PodOrigin::kApi, int32_t priority = 0) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.name = name;
    pod.metadata.uid = name;
    pod.metadata.generation = generation;
    pod.spec.priority = priority;
    pod.spec.containers[0].resources = Amounts(cpu, "1Mi");
    pod.status.phase = "Pending";
    ASSERT_TRUE(agent_->Assign(std::move(pod), origin).ok());
    node_.time.RunFor(100ms);
  }
  // "2 True Deferred: message @2": what it has, and what it waits for.
  std::string Of(const std::string& name) {
    const v1::PodStatus status = agent_->GetPod("ns", name)->status;
    std::string out = status.containerStatuses.at(0).allocatedResources.at("cpu").String();
    if (const auto* found = FindCondition(status, kResizePending)) {
      out += " " + found->status + " " + found->reason + ": " + found->message + " @" +
             std::to_string(found->observedGeneration);
    }
    return out;
  }
  std::vector<std::string> ResizeEvents() const {
    std::vector<std::string> out;
    for (const std::string& event : node_.Events()) {
      if (event.starts_with("Resize")) out.push_back(event.substr(0, event.find(':')));
    }
    return out;
  }

  FakeNode node_;
  ObjectStore objects_{node_.config};
  std::shared_ptr<const v1::Node> api_node_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(ResizeAgentTest, WhatFitsIsGranted) {
  Assign("a", "1", 1);
  Assign("a", "3", 2);
  EXPECT_EQ(Of("a"), "3");
  EXPECT_THAT(ResizeEvents(), ElementsAre("ResizeStarted", "ResizeCompleted"));
}

TEST_F(ResizeAgentTest, WhatDoesNotFitYetWaits) {
  Assign("a", "1", 1);
  Assign("b", "2", 1);
  Assign("a", "3", 2);
  const std::string waits =
      "1 True Deferred: Node didn't have enough resource: cpu, requested: 3000, used: 2000, "
      "capacity: 4000 @2";
  EXPECT_EQ(Of("a"), waits);
  EXPECT_THAT(node_.Events(),
              Contains("ResizeDeferred: Pod resize Deferred: {\"containers\":[{\"name\":\"a\","
                       "\"resources\":{\"limits\":{\"cpu\":\"3\",\"memory\":\"1Mi\"},"
                       "\"requests\":{\"cpu\":\"3\",\"memory\":\"1Mi\"}}}],\"generation\":2,"
                       "\"error\":\"Node didn't have enough resource: cpu, requested: 3000, used: "
                       "2000, capacity: 4000\"}"));
  // A new agent does not take the wish for the grant.
  Open();
  EXPECT_EQ(Of("a"), waits);
  // Nor do others have to do without what was not granted.
  Assign("c", "1", 1);
  EXPECT_EQ(Of("c"), "1");
  agent_->Unassign("b");
  node_.time.RunFor(60s);
  EXPECT_EQ(Of("a"), "3");
  Open();
  EXPECT_EQ(Of("a"), "3");
}

TEST_F(ResizeAgentTest, WhatNeverFits) {
  Assign("a", "1", 1);
  Assign("a", "5", 2);
  EXPECT_EQ(Of("a"),
            "1 True Infeasible: Node didn't have enough capacity: cpu, requested: 5000, capacity: "
            "4000 @2");
  EXPECT_THAT(ResizeEvents(), ElementsAre("ResizeInfeasible"));
  // Whoever takes the wish back waits for nothing.
  Assign("a", "1", 3);
  EXPECT_EQ(Of("a"), "1");
}

TEST_F(ResizeAgentTest, ContainersThatMaySwapAreNotResizedInPlace) {
  node_.config.counts_swap = node_.config.limited_swap = true;
  node_.config.swap_bytes = node_.config.memory_bytes;
  const auto assign = [&](const std::string& name, const std::string& policy,
                          const std::string& request, int64_t generation) {
    v1::Pod pod =
        PodOf("containers: [{name: a, " + policy +
              "resources: {requests: {cpu: 1, memory: " + request + "}, limits: {memory: 4Mi}}}]");
    pod.metadata.name = pod.metadata.uid = name;
    pod.metadata.generation = generation;
    pod.status.phase = "Pending";
    ASSERT_TRUE(agent_->Assign(std::move(pod), PodOrigin::kApi).ok());
    node_.time.RunFor(1s);
  };
  assign("plain", "", "1Mi", 1);
  assign("plain", "", "2Mi", 2);
  EXPECT_EQ(Of("plain"),
            "1 True Infeasible: In-place resize of containers with swap is not supported. @2");
  const std::string restarts =
      "resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}], ";
  assign("restarts", restarts, "1Mi", 1);
  assign("restarts", restarts, "2Mi", 2);
  EXPECT_EQ(Of("restarts"), "1");
}

TEST_F(ResizeAgentTest, TheMoreImportantFirst) {
  Assign("low", "1", 1);
  Assign("high", "1", 1, PodOrigin::kApi, 100);
  Assign("old", "2", 1);
  Assign("low", "2", 2);
  Assign("high", "3", 2, PodOrigin::kApi, 100);
  agent_->Unassign("old");
  node_.time.RunFor(60s);
  EXPECT_EQ(Of("high"), "3");
  EXPECT_EQ(Of("low"),
            "1 True Deferred: Node didn't have enough resource: cpu, requested: 2000, used: 3000, "
            "capacity: 4000 @2");
  // One that gives back makes room for others at once.
  Assign("high", "1", 3, PodOrigin::kApi, 100);
  EXPECT_EQ(Of("low"), "2");
}

}  // namespace
}  // namespace podium::node
