#include "node/cluster/pod_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "client/fake_server.h"
#include "node/fake_services.h"
#include "node/object_store.h"
#include "node/pods.h"
#include "node/static_pods.h"

namespace podium::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

class PodSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(node_.config.run_dir);
    Open();
  }
  ~PodSourceTest() override { Close(); }
  void Open() {
    auto opened = Agent::Open(PartsOf(node_, objects_));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    agent_ = *std::move(opened);
    statuses_ = std::make_unique<StatusManager>(StatusManager::Services{
        .connection = server_, .executor = node_.time, .clock = node_.time});
    mirrors_ = std::make_unique<MirrorPods>(MirrorPods::Services{.connection = server_,
                                                                 .executor = node_.time,
                                                                 .clock = node_.time,
                                                                 .statuses = *statuses_,
                                                                 .node_name = node_.config.name});
    ASSERT_TRUE(mirrors_->Follow(*agent_));
    source_ = std::make_unique<PodSource>(PodSource::Services{
        .connection = server_,
        .executor = node_.time,
        .clock = node_.time,
        .agent = *agent_,
        .statuses = *statuses_,
        .mirrors = *mirrors_,
        .on_error = [this](const Error& error) { errors_.push_back(error.message()); }});
    ASSERT_TRUE(statuses_->Follow(*agent_));
    source_->Start();
    node_.time.RunFor(100ms);
  }
  void Close() {
    source_.reset();
    mirrors_.reset();
    statuses_->Stop();
    agent_.reset();
    statuses_.reset();
  }
  static client::Target TargetOf(const std::string& name) {
    return {.group = "", .version = "v1", .resource = "pods", .namespace_ = "ns", .name = name};
  }
  v1::Pod Create(const std::string& name, const std::string& spec) {
    v1::Pod pod = PodOf(spec);
    pod.metadata.name = name;
    pod.metadata.uid.clear();
    pod.spec.nodeName = node_.config.name;
    pod.status = {};
    auto created = server_.Create(TargetOf(""), pod, {});
    EXPECT_TRUE(created.ok()) << created.error().message();
    node_.time.RunFor(100ms);
    return *created->As<v1::Pod>();
  }
  // A pod that has been deleted and has ended, with 3, while the server took no status; it has it
  // still, for a finalizer's sake, and the agent has ended since.
  void EndWithoutTelling(const std::string& name) {
    v1::Pod pod = PodOf("containers: [{name: a}], restartPolicy: Never");
    pod.metadata.name = name;
    pod.metadata.uid.clear();
    pod.metadata.finalizers.emplace_back("example.com/wait");
    pod.spec.nodeName = node_.config.name;
    pod.status = {};
    ASSERT_TRUE(server_.Create(TargetOf(""), pod, {}).ok());
    node_.time.RunFor(100ms);
    server_.SetFault([](std::string_view verb, const client::Target&) -> std::optional<Error> {
      if (verb == "patch") return Error(Code::kUnavailable, "away");
      return std::nullopt;
    });
    ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 3));
    ASSERT_TRUE(server_.Delete(TargetOf(name), {}).ok());
    node_.time.RunFor(5s);
    EXPECT_THAT(Known(), IsEmpty());
    EXPECT_THAT(*node_.runtime.ListContainers({}), IsEmpty());
    Close();
    server_.SetFault(nullptr);
  }
  void ReleaseFinalizer(const std::string& name) {
    v1::Pod pod = *Now(name);
    pod.metadata.finalizers.clear();
    ASSERT_TRUE(server_.Update(TargetOf(name), pod, {}).ok());
    EXPECT_EQ(Now(name).error().code(), Code::kNotFound);
  }
  Result<v1::Pod> Now(const std::string& name) {
    TRY(const auto pod, server_.Get(TargetOf(name), {}));
    return *pod.As<v1::Pod>();
  }
  std::vector<std::shared_ptr<const v1::Pod>> Known() {
    uint64_t version = 0;
    return agent_->ListPods("", &version);
  }

  FakeNode node_;
  client::FakeServer server_{node_.time};
  ObjectStore objects_{node_.config};
  std::vector<std::string> errors_;
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<StatusManager> statuses_;
  std::unique_ptr<MirrorPods> mirrors_;
  std::unique_ptr<PodSource> source_;
};

TEST_F(PodSourceTest, APodThatOthersSayHasEndedEnds) {
  Create("web", "containers: [{name: a}]");
  v1::Pod pod = *Now("web");
  ASSERT_EQ(pod.status.phase, "Running");
  pod.status.phase = "Failed";
  pod.status.reason = "Lost";
  pod.status.message = "the node was thought to be gone";
  client::Target target = TargetOf("web");
  target.subresource = "status";
  ASSERT_TRUE(server_.Update(target, pod, {}).ok());
  node_.time.RunFor(100ms);
  EXPECT_EQ(Now("web")->status.phase, "Failed");
  node_.time.RunFor(60s);
  pod = *Now("web");
  EXPECT_EQ(pod.status.phase, "Failed");
  EXPECT_EQ(pod.status.reason, "Lost");
  EXPECT_EQ(pod.status.message, "the node was thought to be gone");
  EXPECT_TRUE(pod.status.containerStatuses.front().state.terminated);
  EXPECT_EQ(Known().front()->status.phase, "Failed");
  EXPECT_EQ(Known().front()->status.reason, "Lost");
}

TEST_F(PodSourceTest, APodThatIsBoundRunsAndTheServerHearsOfIt) {
  const v1::Pod created = Create("web", "containers: [{name: a}]");
  EXPECT_TRUE(source_->HasSynced());
  const v1::Pod pod = *Now("web");
  EXPECT_EQ(pod.status.phase, "Running");
  EXPECT_EQ(pod.status.containerStatuses.front().name, "a");
  EXPECT_FALSE(pod.status.podIP.empty());
  // As the downward API shows it, and the server does not.
  EXPECT_THAT(pod.metadata.annotations, IsEmpty());
  const v1::Pod here = *agent_->GetPod("ns", "web");
  EXPECT_EQ(here.metadata.uid, created.metadata.uid);
  EXPECT_EQ(here.metadata.annotations.at("kubernetes.io/config.source"), "api");
  EXPECT_TRUE(here.metadata.annotations.contains("kubernetes.io/config.seen"));
}

TEST_F(PodSourceTest, PodsOfOtherNodesAreTheirs) {
  v1::Pod pod = PodOf("containers: [{name: a}]");
  pod.metadata.name = "other";
  pod.spec.nodeName = "node9";
  ASSERT_TRUE(server_.Create(TargetOf(""), pod, {}).ok());
  node_.time.RunFor(1s);
  EXPECT_THAT(Known(), IsEmpty());
}

TEST_F(PodSourceTest, WhatOthersWriteIntoTheStatusCounts) {
  Create("web", "containers: [{name: a}], readinessGates: [{conditionType: example.com/g}]");
  v1::Pod pod = *Now("web");
  const auto ready = [&] {
    for (const auto& condition : Now("web")->status.conditions) {
      if (condition.type == "Ready") return condition.status;
    }
    return std::string();
  };
  EXPECT_EQ(ready(), "False");
  auto& gate = pod.status.conditions.emplace_back();
  gate.type = "example.com/g";
  gate.status = "True";
  client::Target target = TargetOf("web");
  target.subresource = "status";
  ASSERT_TRUE(server_.Update(target, pod, {}).ok());
  node_.time.RunFor(100ms);
  EXPECT_EQ(ready(), "True");
}

TEST_F(PodSourceTest, APodThatTheServerDoesNotHaveAnyMoreEnds) {
  Create("web", "containers: [{name: a}], terminationGracePeriodSeconds: 1");
  ASSERT_TRUE(server_.Delete(TargetOf("web"), {}).ok());
  node_.time.RunFor(5s);
  EXPECT_THAT(Known(), IsEmpty());
  EXPECT_EQ(statuses_->size(), 0U);
  EXPECT_THAT(*node_.runtime.ListContainers({}), IsEmpty());
}

TEST_F(PodSourceTest, ANewPodOfANameThatStillEnds) {
  node_.runtime.Fail("StopContainer", Error(Code::kUnavailable, "busy"), 1, "a");
  const v1::Pod first = Create("web", "containers: [{name: a}], terminationGracePeriodSeconds: 30");
  ASSERT_TRUE(server_.Delete(TargetOf("web"), {}).ok());
  const v1::Pod second = Create("web", "containers: [{name: b}]");
  EXPECT_THAT(Known(), SizeIs(2));
  EXPECT_EQ(agent_->GetPod("ns", "web")->metadata.uid, second.metadata.uid);
  EXPECT_EQ(Now("web")->status.phase, "Running");
  node_.time.RunFor(40s);
  EXPECT_THAT(Known(), SizeIs(1));
  EXPECT_EQ(Now("web")->status.phase, "Running");
  EXPECT_NE(first.metadata.uid, second.metadata.uid);
}

TEST_F(PodSourceTest, WhatWasDeletedWhileTheAgentWasDownEnds) {
  Create("web", "containers: [{name: a}], terminationGracePeriodSeconds: 1");
  Create("stays", "containers: [{name: a}]");
  Close();
  ASSERT_TRUE(server_.Delete(TargetOf("web"), {}).ok());
  Open();
  node_.time.RunFor(5s);
  ASSERT_THAT(Known(), SizeIs(1));
  EXPECT_EQ(Known().front()->metadata.name, "stays");
  EXPECT_EQ(Now("stays")->status.containerStatuses.front().restartCount, 0);
}

TEST_F(PodSourceTest, AStatusThatWasNotToldBeforeARestartIsToldAfterwards) {
  Create("web", "containers: [{name: a}], restartPolicy: Never");
  server_.SetFault([](std::string_view verb, const client::Target&) -> std::optional<Error> {
    if (verb == "patch") return Error(Code::kUnavailable, "away");
    return std::nullopt;
  });
  ASSERT_TRUE(node_.runtime.Exit(node_.IdOf("a"), 3));
  node_.time.RunFor(1s);
  EXPECT_EQ(Now("web")->status.phase, "Running");
  Close();
  server_.SetFault(nullptr);
  Open();
  node_.time.RunFor(1s);
  EXPECT_EQ(Now("web")->status.phase, "Failed");
  EXPECT_EQ(Now("web")->status.containerStatuses.front().state.terminated->exitCode, 3);
}

TEST_F(PodSourceTest, AnEndThatWasNotToldBeforeARestartIsToldAfterwards) {
  EndWithoutTelling("web");
  EXPECT_TRUE(Now("web")->status.containerStatuses.front().state.running);
  Open();
  node_.time.RunFor(1s);
  EXPECT_THAT(Known(), IsEmpty());
  const v1::PodStatus status = Now("web")->status;
  EXPECT_EQ(status.phase, "Failed");
  ASSERT_TRUE(status.containerStatuses.front().state.terminated);
  EXPECT_EQ(status.containerStatuses.front().state.terminated->reason, "Error");
  EXPECT_EQ(status.containerStatuses.front().state.terminated->exitCode, 3);
  // It is kept as long as the server has the pod.
  EXPECT_THAT(agent_->FinishedPods(), SizeIs(1));
  ReleaseFinalizer("web");
  node_.time.RunFor(1s);
  EXPECT_THAT(agent_->FinishedPods(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(node_.config.run_dir + "/pods"));
}

TEST_F(PodSourceTest, AnEndThatNobodyAsksForAfterARestartIsForgotten) {
  EndWithoutTelling("web");
  ReleaseFinalizer("web");
  Open();
  node_.time.RunFor(1s);
  EXPECT_THAT(agent_->FinishedPods(), IsEmpty());
  EXPECT_EQ(statuses_->size(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(node_.config.run_dir + "/pods"));
}

TEST_F(PodSourceTest, WhatCannotRunHereFailsAndSaysWhy) {
  Create("win", "containers: [{name: a}], os: {name: windows}");
  const v1::Pod pod = *Now("win");
  EXPECT_EQ(pod.status.phase, "Failed");
  EXPECT_EQ(pod.status.reason, "PodOSNotSupported");
  EXPECT_EQ(pod.status.message,
            "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS");
  EXPECT_THAT(pod.status.containerStatuses, IsEmpty());
  EXPECT_THAT(*node_.runtime.ListContainers({}), IsEmpty());
  EXPECT_THAT(node_.Events(), Contains(HasSubstr("PodOSNotSupported")));
  // After a restart, too.
  Close();
  Open();
  EXPECT_EQ(Now("win")->status.containerStatuses.size(), 0U);
}

TEST_F(PodSourceTest, NamesThatLeadElsewhereAreRefused) {
  v1::Pod pod = PodOf("containers: [{name: a}]");
  pod.metadata.name = "../../x";
  pod.spec.nodeName = node_.config.name;
  ASSERT_TRUE(server_.Create(TargetOf(""), pod, {}).ok());
  node_.time.RunFor(100ms);
  EXPECT_THAT(Known(), IsEmpty());
  EXPECT_THAT(errors_, Contains(HasSubstr("pod \"ns/../../x\": name: ")));
}

TEST_F(PodSourceTest, TheSocketDoesNotChangeWhatIsTheServers) {
  Create("web", "containers: [{name: a}]");
  EXPECT_EQ(agent_->DeletePod("ns", "web", 0).error().code(), Code::kPermissionDenied);
  v1::Pod pod = *agent_->GetPod("ns", "web");
  pod.metadata.labels["a"] = "b";
  EXPECT_EQ(agent_->UpdatePod(pod).error().code(), Code::kPermissionDenied);
}

class MirrorPodsTest : public PodSourceTest {
 protected:
  void UnassignOthers(PodOrigin origin, const Agent::Uids& uids) {
    agent_->UnassignOthers(origin, uids, agent_->UidsOf(origin));
  }
  void SetUp() override {
    PodSourceTest::SetUp();
    v1::Node node;
    node.metadata.name = node_.config.name;
    ASSERT_TRUE(server_.Create({.group = "", .version = "v1", .resource = "nodes"}, node, {}).ok());
  }
  std::string AssignStatic(const std::string& command) {
    const std::string manifest =
        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, labels: {a: b}}, "
        "spec: {terminationGracePeriodSeconds: 1, containers: [{name: a, image: 'busybox:1', "
        "command: [" +
        command + "]}]}}";
    auto pod = StaticPodOf(manifest, "/manifests/web.yaml", node_.config);
    EXPECT_TRUE(pod.ok()) << pod.error().message();
    const std::string uid = pod->metadata.uid;
    EXPECT_TRUE(agent_->Assign(*std::move(pod), PodOrigin::kFile).ok());
    node_.time.RunFor(1s);
    return uid;
  }
  Result<v1::Pod> Mirror() { return Now("web-" + node_.config.name); }
};

TEST_F(MirrorPodsTest, ShowsAStaticPodAtTheServer) {
  const std::string uid = AssignStatic("sleep");
  const v1::Pod mirror = *Mirror();
  EXPECT_NE(mirror.metadata.uid, uid);
  EXPECT_EQ(mirror.status.phase, "Running");
  EXPECT_EQ(mirror.metadata.labels.at("a"), "b");
  EXPECT_EQ(mirror.metadata.annotations.at("kubernetes.io/config.mirror"), uid);
  EXPECT_EQ(mirror.metadata.annotations.at("kubernetes.io/config.hash"), uid);
  EXPECT_EQ(mirror.metadata.annotations.at("kubernetes.io/config.source"), "file");
  ASSERT_THAT(mirror.metadata.ownerReferences, SizeIs(1));
  EXPECT_EQ(mirror.metadata.ownerReferences.front().kind, "Node");
  EXPECT_TRUE(*mirror.metadata.ownerReferences.front().controller);
  // It is no pod of its own.
  EXPECT_THAT(Known(), SizeIs(1));
}

TEST_F(MirrorPodsTest, IsMadeAgainWhenSomebodyDeletesIt) {
  AssignStatic("sleep");
  const std::string before = Mirror()->metadata.uid;
  ASSERT_TRUE(server_.Delete(TargetOf("web-" + node_.config.name), {}).ok());
  node_.time.RunFor(1s);
  EXPECT_NE(Mirror()->metadata.uid, before);
  EXPECT_EQ(statuses_->size(), 1U);
  EXPECT_EQ(Mirror()->status.phase, "Running");
  EXPECT_EQ(Mirror()->status.containerStatuses.front().restartCount, 0);
}

TEST_F(MirrorPodsTest, GoesWithItsPod) {
  AssignStatic("sleep");
  UnassignOthers(PodOrigin::kFile, {});
  node_.time.RunFor(5s);
  EXPECT_EQ(Mirror().error().code(), Code::kNotFound);
  EXPECT_THAT(Known(), IsEmpty());
  EXPECT_EQ(statuses_->size(), 0U);
}

TEST_F(MirrorPodsTest, FollowsANewManifest) {
  const std::string first = AssignStatic("sleep");
  UnassignOthers(PodOrigin::kFile, {});
  node_.time.RunFor(5s);
  const std::string second = AssignStatic("cat");
  EXPECT_NE(first, second);
  EXPECT_EQ(Mirror()->metadata.annotations.at("kubernetes.io/config.mirror"), second);
}

TEST_F(MirrorPodsTest, WhatIsLeftOfAnEarlierAgentGoes) {
  AssignStatic("sleep");
  UnassignOthers(PodOrigin::kFile, {});
  Close();
  // The pod's record is gone, and its mirror is not.
  node_.time.RunFor(5s);
  Open();
  node_.time.RunFor(5s);
  EXPECT_EQ(Mirror().error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace podium::node
