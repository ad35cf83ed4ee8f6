#include "node/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api/status.h"
#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class AgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    Open();
  }
  void Open() {
    auto opened = Agent::Open(PartsOf(node_, objects_));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
    node_.time.Settle();
  }
  Result<v1::Pod> Create(const std::string& name, const std::string& spec) {
    v1::Pod pod = PodOf(spec);
    pod.metadata.name = name;
    auto created = agent_->CreatePod(std::move(pod));
    node_.time.Settle();
    return created;
  }

  void UnassignOthers(PodOrigin origin, const Agent::Uids& uids) {
    agent_->UnassignOthers(origin, uids, agent_->UidsOf(origin));
  }
  void Assign(const std::string& name) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.name = pod.metadata.uid = name;
    const auto assigned = agent_->Assign(std::move(pod), PodOrigin::kApi);
    ASSERT_TRUE(assigned.ok()) << assigned.error().message();
    node_.time.Settle();
  }

  FakeNode node_;
  ObjectStore objects_{node_.config};
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, ALogIsRotatedAsSoonAsItHasGrown) {
  // Somewhat later than that, what comes faster waits.
  EXPECT_EQ(node_.runtime.log_bound(),
            static_cast<uint64_t>(node_.config.log_max_bytes) + (uint64_t{4} << 20));
  node_.config.log_max_bytes = 100;
  ASSERT_TRUE(Create("web", "containers: [{name: a}]"));
  const std::string uid = agent_->GetPod("ns", "web")->metadata.uid;
  const std::string folder = PodLogFolder(node_.config, "ns", "web", uid) + "/a";
  std::filesystem::create_directories(folder);
  const auto files = [&] { return std::distance(std::filesystem::directory_iterator(folder), {}); };
  std::ofstream(folder + "/0.log") << std::string(100, 'x');
  const std::string id = node_.runtime.ListContainers({})->front().id;
  node_.runtime.ClearCalls();
  node_.runtime.TellLogGrown(id, 99);
  node_.time.Settle();
  EXPECT_EQ(files(), 1);
  node_.runtime.TellLogGrown(id, 100);
  node_.time.Settle();
  EXPECT_FALSE(std::filesystem::exists(folder + "/0.log"));
  EXPECT_THAT(node_.runtime.calls(), Contains("ReopenContainerLog a"));
  // And again, whatever was put aside within this second.
  for (int i = 2; i <= 9; ++i) {
    std::ofstream(folder + "/0.log") << std::string(100, 'x');
    node_.runtime.TellLogGrown(id, 100);
    node_.time.Settle();
    EXPECT_EQ(files(), std::min(i, node_.config.log_max_files - 1));
  }
}

TEST_F(AgentTest, APodFromItsCreationToItsEnd) {
  std::vector<std::string> changes;
  uint64_t version = 0;
  EXPECT_TRUE(agent_->ListPods("", &version).empty());
  auto watch = agent_->Watch(version, [&](const PodChange& change) {
    const char* type = change.type == ChangeType::kAdded      ? "ADDED "
                       : change.type == ChangeType::kModified ? "MODIFIED "
                                                              : "DELETED ";
    const std::string text = type + change.pod->status.phase;
    if (changes.empty() || changes.back() != text) changes.push_back(text);
  });
  ASSERT_TRUE(watch.ok());
  auto created = Create("web", "containers: [{name: a}]");
  ASSERT_TRUE(created) << created.error().message();
  EXPECT_EQ(created->metadata.uid.size(), 36u);
  EXPECT_EQ(created->spec.nodeName, "node7");
  EXPECT_EQ(agent_->GetPod("ns", "web")->status.phase, "Running");
  EXPECT_EQ(Create("web", "containers: [{name: a}]").error().message(),
            "pods \"web\" already exists");

  auto deleted = agent_->DeletePod("ns", "web", 5);
  ASSERT_TRUE(deleted);
  EXPECT_EQ(deleted->metadata.deletionGracePeriodSeconds, 5);
  node_.time.RunFor(1s);
  EXPECT_EQ(agent_->GetPod("ns", "web").error().message(), "pods \"web\" not found");
  EXPECT_EQ(agent_->DeletePod("ns", "web", 5).error().code(), Code::kNotFound);
  EXPECT_EQ(changes.front(), "ADDED Pending");
  EXPECT_THAT(changes.back(), HasSubstr("DELETED "));
  EXPECT_TRUE(std::filesystem::is_empty(node_.config.run_dir + "/pods"));
}

TEST_F(AgentTest, ANewAgentGoesOn) {
  ASSERT_TRUE(Create("web", "containers: [{name: a}]"));
  const auto before = agent_->GetPod("ns", "web");
  agent_.reset();
  node_.runtime.ClearCalls();
  Open();
  const auto after = agent_->GetPod("ns", "web");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->metadata.uid, before->metadata.uid);
  EXPECT_EQ(after->status.phase, "Running");
  EXPECT_EQ(after->status.startTime, before->status.startTime);
  for (const std::string& call : node_.runtime.calls()) {
    EXPECT_FALSE(call.starts_with("CreateContainer")) << call;
    EXPECT_FALSE(call.starts_with("StopContainer")) << call;
  }
}

TEST_F(AgentTest, ADeletionGoesOnWithANewAgent) {
  ASSERT_TRUE(
      Create("web", "containers: [{name: a, lifecycle: {preStop: {sleep: {seconds: 3}}}}]"));
  ASSERT_TRUE(agent_->DeletePod("ns", "web", 30));
  agent_.reset();
  Open();
  node_.time.RunFor(10s);
  EXPECT_FALSE(agent_->GetPod("ns", "web"));
  EXPECT_TRUE(node_.runtime.ListPodSandbox({})->empty());
}

TEST_F(AgentTest, WhatBelongsToNobodyGoes) {
  ASSERT_TRUE(Create("web", "containers: [{name: a}]"));
  const std::string uid = agent_->GetPod("ns", "web")->metadata.uid;
  agent_.reset();
  std::filesystem::remove(node_.config.run_dir + "/pods/" + uid + ".json");
  Open();
  EXPECT_TRUE(node_.runtime.ListPodSandbox({})->empty());
  EXPECT_THAT(node_.volumes.torn_down, ElementsAre(uid));
  node_.time.RunFor(200ms);
  EXPECT_FALSE(std::filesystem::exists(node_.config.data_dir + "/pods/" + uid));
}

// After a boot nothing is known of pods but their folders, until those that have pods say so.
TEST_F(AgentTest, FoldersOfPodsThatMayComeStay) {
  const auto folder = [&](const std::string& uid) { return PodFolder(node_.config, uid); };
  agent_.reset();
  for (const char* uid : {"of-the-server", "of-a-file", "nobodys"}) {
    std::filesystem::create_directories(folder(uid) + "/volumes");
  }
  auto parts = PartsOf(node_, objects_);
  parts.origins = {PodOrigin::kApi, PodOrigin::kFile};
  auto opened = Agent::Open(parts);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  agent_ = *std::move(opened);
  node_.time.RunFor(60s);
  EXPECT_TRUE(std::filesystem::exists(folder("nobodys")));
  UnassignOthers(PodOrigin::kApi, {"of-the-server"});
  UnassignOthers(PodOrigin::kApi, {"of-the-server"});
  node_.time.RunFor(60s);
  EXPECT_TRUE(std::filesystem::exists(folder("of-a-file")));
  EXPECT_TRUE(std::filesystem::exists(folder("nobodys")));
  UnassignOthers(PodOrigin::kFile, {"of-a-file"});
  node_.time.RunFor(60s);
  EXPECT_TRUE(std::filesystem::exists(folder("of-the-server") + "/volumes"));
  EXPECT_TRUE(std::filesystem::exists(folder("of-a-file") + "/volumes"));
  EXPECT_FALSE(std::filesystem::exists(folder("nobodys")));
}

// The answer is as old as the question.
TEST_F(AgentTest, APodThatComesWhileItsOriginIsAskedStays) {
  Assign("old");
  const Agent::Uids known = agent_->UidsOf(PodOrigin::kApi);
  EXPECT_THAT(known, ElementsAre("old"));
  Assign("new");
  agent_->UnassignOthers(PodOrigin::kApi, {}, known);
  node_.time.RunFor(60s);
  EXPECT_FALSE(agent_->GetPod("ns", "old"));
  const auto pod = agent_->GetPod("ns", "new");
  ASSERT_TRUE(pod.ok());
  EXPECT_FALSE(pod->metadata.deletionTimestamp);
  EXPECT_EQ(pod->status.phase, "Running");
}

TEST_F(AgentTest, PodsAreValidated) {
  auto invalid = Create("Web_1", "containers: [{name: a}]");
  ASSERT_FALSE(invalid);
  EXPECT_EQ(api::StatusOf(invalid.error()).code, 422);
  EXPECT_EQ(api::StatusOf(invalid.error()).reason, "Invalid");
  EXPECT_THAT(invalid.error().message(), HasSubstr("Pod \"Web_1\" is invalid: metadata.name"));
  auto refused = Create("web", "runtimeClassName: gvisor, containers: [{name: a}]");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("spec.runtimeClassName: Forbidden"));
}

TEST_F(AgentTest, AGracePeriodOnlyBecomesShorter) {
  ASSERT_TRUE(Create("web",
                     "terminationGracePeriodSeconds: 100, containers: [{name: a, lifecycle: "
                     "{preStop: {sleep: {seconds: 90}}}}]"));
  const auto deleted = agent_->DeletePod("ns", "web", 60);
  EXPECT_EQ(deleted->metadata.deletionGracePeriodSeconds, 60);
  // The first deletion is a generation of its own; a shorter period is none.
  EXPECT_EQ(deleted->metadata.generation, 2);
  EXPECT_EQ(agent_->DeletePod("ns", "web", 100)->metadata.deletionGracePeriodSeconds, 60);
  EXPECT_EQ(agent_->DeletePod("ns", "web", 50)->metadata.generation, 2);
  EXPECT_EQ(agent_->DeletePod("ns", "web", 0)->metadata.deletionGracePeriodSeconds, 0);
  const auto another = agent_->DeletePod("ns", "web", 0, "another");
  ASSERT_FALSE(another.ok());
  EXPECT_EQ(another.error().code(), Code::kConflict);
  EXPECT_THAT(another.error().message(),
              HasSubstr("the UID in the precondition (another) does not match the UID in record"));
  node_.time.RunFor(1s);
  EXPECT_FALSE(agent_->GetPod("ns", "web"));
}

TEST_F(AgentTest, AConfigMapThatComesLater) {
  ASSERT_TRUE(Create("web", "containers: [{name: a, envFrom: [{configMapRef: {name: c}}]}]"));
  EXPECT_EQ(agent_->GetPod("ns", "web")->status.phase, "Pending");
  v1::ConfigMap map;
  map.metadata.namespace_ = "ns";
  map.metadata.name = "c";
  map.data["k"] = "v";
  ASSERT_TRUE(objects_.Create(map).ok());
  agent_->ObjectsChanged("ns");
  node_.time.Settle();
  EXPECT_EQ(agent_->GetPod("ns", "web")->status.phase, "Running");
  ObjectStore later(node_.config);
  ASSERT_TRUE(later.Load().ok());
  EXPECT_EQ((*later.GetConfigMap("ns", "c"))->data.at("k"), "v");
}

TEST_F(AgentTest, ATraceOfTheStart) {
  auto trace = std::make_shared<Trace>();
  v1::Pod pod = PodOf("containers: [{name: main, image: nginx}]");
  pod.metadata.name = "traced";
  const auto created = agent_->CreatePod(std::move(pod), trace);
  ASSERT_TRUE(created);
  node_.time.Settle();
  EXPECT_EQ(agent_->TraceOf(created->metadata.uid), trace);
  std::vector<std::string> steps;
  for (const TraceStep& step : trace->steps()) {
    steps.push_back(std::string(step.depth, ' ') + step.name + ' ' + step.subject);
  }
  EXPECT_THAT(steps, ::testing::IsSupersetOf({"round ", " observe ", " plan ", " volumes ",
                                              " container main", "  image nginx", " status ",
                                              "  save pod "}));
  EXPECT_EQ(agent_->TraceOf("nobody"), nullptr);
  EXPECT_EQ(agent_->TraceOf(Create("other", "containers: [{name: c, image: nginx}]")->metadata.uid),
            nullptr);
}

TEST_F(AgentTest, AnOldVersionIsGone) {
  EXPECT_EQ(agent_->Watch(0, [](const PodChange&) {}).error().code(), Code::kExpired);
}

}  // namespace
}  // namespace podium::node
