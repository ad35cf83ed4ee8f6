#include "node/cluster/status_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "api/status.h"
#include "client/fake_server.h"
#include "node/fake_services.h"
#include "node/metrics/node_metrics.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

v1::PodCondition Condition(const std::string& type, const std::string& status,
                           const std::string& reason = "") {
  v1::PodCondition condition;
  condition.type = type;
  condition.status = status;
  condition.reason = reason;
  return condition;
}

TEST(StatusPatch, HasWhatDiffersOfTheNodesOwn) {
  v1::Pod pod;
  pod.metadata.uid = "u";
  v1::PodStatus& shown = pod.status;
  shown.phase = "Pending";
  shown.message = "old";
  shown.nominatedNodeName = "elsewhere";
  shown.conditions = {Condition("PodScheduled", "True"), Condition("Ready", "False", "X"),
                      Condition("example.com/gate", "True"), Condition("Initialized", "True")};
  v1::PodStatus said = shown;
  EXPECT_EQ(*StatusPatch(pod, said), "");
  // What others write is theirs, whatever was known of it here.
  said.conditions[2].status = "False";
  said.nominatedNodeName = "";
  EXPECT_EQ(*StatusPatch(pod, said), "");
  said.phase = "Running";
  said.message = "";
  said.podIP = "10.0.0.2";
  said.podIPs = {{.ip = "10.0.0.2"}};
  said.conditions[1] = Condition("Ready", "True");
  said.conditions.pop_back();
  const std::string status =
      R"("status":{"phase":"Running","podIP":"10.0.0.2",)"
      R"("podIPs":[{"ip":"10.0.0.2"},{"$patch":"replace"}],"message":null,)"
      R"("$setElementOrder/conditions":[{"type":"example.com/gate"},)"
      R"({"type":"PodScheduled"},{"type":"Ready"}],)"
      R"("conditions":[{"type":"Ready","status":"True","lastProbeTime":null,)"
      R"("lastTransitionTime":null,"reason":null},)"
      R"({"$patch":"delete","type":"Initialized"}]}})";
  EXPECT_EQ(*StatusPatch(pod, said), R"({"metadata":{"uid":"u"},)" + status);
  pod.metadata.resourceVersion = "7";
  EXPECT_EQ(*StatusPatch(pod, said), R"({"metadata":{"uid":"u","resourceVersion":"7"},)" + status);
}

TEST(StatusPatch, APodThatHasEndedStaysSo) {
  v1::Pod pod;
  pod.metadata.uid = "u";
  pod.status.phase = "Failed";
  pod.status.reason = "Lost";
  pod.status.podIP = "10.0.0.2";
  v1::PodStatus said;
  for (const char* phase : {"Pending", "Running", "Succeeded", "Failed"}) {
    said.phase = phase;
    said.podIP = "10.0.0.3";
    EXPECT_EQ(*StatusPatch(pod, said), R"({"metadata":{"uid":"u"},"status":{"podIP":"10.0.0.3"}})");
  }
  // A static pod that ended with the machine begins anew with it.
  pod.metadata.annotations["kubernetes.io/config.mirror"] = "hash";
  said.phase = "Running";
  EXPECT_EQ(*StatusPatch(pod, said),
            R"({"metadata":{"uid":"u"},)"
            R"("status":{"phase":"Running","podIP":"10.0.0.3","reason":null}})");
}

class StatusManagerTest : public ::testing::Test {
 protected:
  static client::Target TargetOf(const std::string& name) {
    return {.group = "", .version = "v1", .resource = "pods", .namespace_ = "ns", .name = name};
  }
  v1::Pod Create(const std::string& name) {
    v1::Pod pod = PodOf("containers: [{name: a}]");
    pod.metadata.name = name;
    // So that a deletion leaves it there.
    pod.metadata.finalizers.emplace_back("example.com/wait");
    pod.metadata.uid.clear();
    pod.status = {};
    client::Target target = TargetOf("");
    auto created = server_.Create(target, pod, {});
    EXPECT_TRUE(created.ok()) << created.error().message();
    return *created->As<v1::Pod>();
  }
  v1::Pod Now(const std::string& name) {
    auto pod = server_.Get(TargetOf(name), {});
    return pod.ok() ? *pod->As<v1::Pod>() : v1::Pod();
  }
  void Tell(const v1::Pod& pod, ChangeType type = ChangeType::kModified) {
    manager_.Say(pod.metadata.uid, std::make_shared<const v1::Pod>(pod),
                 type == ChangeType::kDeleted);
  }
  void Show(const v1::Pod& pod) { manager_.Show(std::make_shared<const v1::Pod>(pod)); }

  FakeNode node_;
  client::FakeServer server_{node_.time};
  std::vector<std::string> errors_;
  NodeMetrics metrics_;
  StatusManager manager_{{.connection = server_,
                          .executor = node_.time,
                          .clock = node_.time,
                          .sync_duration = &metrics_.pod_status_sync,
                          .on_error = [this](const std::string&, const Error& error) {
                            errors_.push_back(error.message());
                          }}};
};

TEST_F(StatusManagerTest, TheLastOfManyChangesGoesOut) {
  v1::Pod pod = Create("p");
  Show(pod);
  for (const char* phase : {"Pending", "Running", "Failed"}) {
    pod.status.phase = phase;
    Tell(pod);
  }
  node_.time.Settle();
  EXPECT_EQ(Now("p").status.phase, "Failed");
  EXPECT_EQ(server_.calls("patch"), 1);
  // And once only, though the server shows what it was told.
  Show(Now("p"));
  node_.time.Settle();
  EXPECT_EQ(server_.calls("patch"), 1);
  EXPECT_TRUE(manager_.idle());
}

// kubelet_pod_status_sync_duration_seconds: from the first change that the server does not know.
TEST_F(StatusManagerTest, MeasuresUntilTheServerKnows) {
  const Histogram& sync = metrics_.pod_status_sync;
  const auto count = [&] {
    const auto counts = sync.Counts();
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  };
  const v1::Pod created = Create("p");
  v1::Pod pod = created;
  pod.status.phase = "Pending";
  Tell(pod);
  node_.time.RunFor(3s);
  EXPECT_EQ(count(), 0U) << "the server has not shown it";
  pod.status.phase = "Running";
  Tell(pod);
  node_.time.RunFor(4s);
  Show(created);
  server_.SetFault([](std::string_view verb, const client::Target&) -> std::optional<Error> {
    if (verb == "patch") return Error(Code::kUnavailable, "away");
    return std::nullopt;
  });
  pod.status.message = "more";
  Tell(pod);
  node_.time.Settle();
  EXPECT_EQ(count(), 0U) << "it could not be told";
  server_.SetFault(nullptr);
  node_.time.RunFor(10s);
  ASSERT_EQ(count(), 1U) << "several changes, told once";
  EXPECT_GE(sync.sum(), 7);
  EXPECT_LT(sync.sum(), 17.5);
  const double before = sync.sum();
  Tell(pod);
  node_.time.Settle();
  EXPECT_EQ(count(), 1U) << "nothing new";
  node_.time.RunFor(30s);
  pod.status.message = "less";
  Tell(pod);
  node_.time.Settle();
  EXPECT_EQ(count(), 2U);
  EXPECT_LT(sync.sum() - before, 1) << "the time before the change does not count";
}

TEST_F(StatusManagerTest, WaitsUntilTheServerHasShownThePod) {
  v1::Pod pod = Create("p");
  v1::Pod said = pod;
  said.status.phase = "Running";
  Tell(said);
  node_.time.Settle();
  EXPECT_EQ(server_.calls("patch"), 0);
  Show(pod);
  node_.time.Settle();
  EXPECT_EQ(Now("p").status.phase, "Running");
}

TEST_F(StatusManagerTest, WhatSomebodyWroteOverIsToldAgain) {
  v1::Pod pod = Create("p");
  Show(pod);
  pod.status.phase = "Running";
  Tell(pod);
  node_.time.Settle();
  v1::Pod stored = Now("p");
  const v1::Pod before = stored;
  stored.status.phase = "Pending";
  client::Target target = TargetOf("p");
  target.subresource = "status";
  ASSERT_TRUE(server_.Update(target, stored, {}).ok());
  // What the server showed before is no news.
  Show(pod);
  node_.time.Settle();
  EXPECT_EQ(Now("p").status.phase, "Pending");
  Show(Now("p"));
  node_.time.Settle();
  EXPECT_EQ(Now("p").status.phase, "Running");
}

// What a server has received it may serve late, when who sent it was killed long since.
TEST_F(StatusManagerTest, WhatAKilledAgentSaidIsNotServedAfterItsSuccessor) {
  v1::Pod pod = Create("p");
  Show(pod);
  pod.status.phase = "Pending";
  Tell(pod);
  FakeNode other;
  StatusManager successor{{.connection = server_, .executor = other.time, .clock = other.time}};
  std::vector<std::string> phases;
  bool first = true;
  server_.SetFault([&](std::string_view verb, const client::Target&) -> std::optional<Error> {
    if (verb != "patch" || !std::exchange(first, false)) return std::nullopt;
    successor.Show(std::make_shared<const v1::Pod>(pod));
    pod.status.phase = "Running";
    successor.Say(pod.metadata.uid, std::make_shared<const v1::Pod>(pod), false);
    other.time.Settle();
    phases.push_back(Now("p").status.phase);
    // The one that was killed does not live to hear that it is refused.
    manager_.Withdraw(pod.metadata.uid);
    server_.SetFault([](std::string_view again, const client::Target&) -> std::optional<Error> {
      if (again != "get") return std::nullopt;
      return Error(Code::kCancelled, "killed");
    });
    return std::nullopt;
  });
  node_.time.Settle();
  server_.SetFault(nullptr);
  phases.push_back(Now("p").status.phase);
  EXPECT_THAT(phases, ElementsAre("Running", "Running"));
}

TEST_F(StatusManagerTest, WhatOthersWroteMeanwhileIsNoObstacle) {
  v1::Pod pod = Create("p");
  Show(pod);
  v1::Pod changed = pod;
  changed.metadata.labels["turn"] = "1";
  ASSERT_TRUE(server_.Update(TargetOf("p"), changed, {}).ok());
  pod.status.phase = "Running";
  Tell(pod);
  node_.time.Settle();
  EXPECT_EQ(Now("p").status.phase, "Running");
  EXPECT_EQ(Now("p").metadata.labels.at("turn"), "1");
  EXPECT_EQ(server_.calls("patch"), 2);
  EXPECT_THAT(errors_, IsEmpty());
}

TEST_F(StatusManagerTest, WhoeverAlwaysComesFirstIsWaitedFor) {
  v1::Pod pod = Create("p");
  Show(pod);
  server_.SetFault([](std::string_view verb, const client::Target& target) -> std::optional<Error> {
    if (verb != "patch") return std::nullopt;
    return api::ModifiedError({target.group, target.resource}, target.name);
  });
  pod.status.phase = "Running";
  Tell(pod);
  node_.time.RunFor(60s);
  EXPECT_GT(errors_.size(), 6U);
  EXPECT_LT(errors_.size(), 20U);
  EXPECT_LT(server_.calls("patch"), 100);
  server_.SetFault(nullptr);
  node_.time.RunFor(11s);
  EXPECT_EQ(Now("p").status.phase, "Running");
}

TEST_F(StatusManagerTest, ServersThatAreAwayAreAskedAgain) {
  v1::Pod pod = Create("p");
  Show(pod);
  server_.SetFault([](std::string_view verb, const client::Target&) -> std::optional<Error> {
    if (verb == "patch") return Error(Code::kUnavailable, "away");
    return std::nullopt;
  });
  pod.status.phase = "Running";
  Tell(pod);
  node_.time.RunFor(60s);
  EXPECT_GT(errors_.size(), 6U);
  EXPECT_LT(errors_.size(), 20U);
  server_.SetFault(nullptr);
  node_.time.RunFor(11s);
  EXPECT_EQ(Now("p").status.phase, "Running");
}

TEST_F(StatusManagerTest, RemovesWhatIsDeletedOnceItHasEnded) {
  v1::Pod pod = Create("p");
  Show(pod);
  pod.status.phase = "Running";
  Tell(pod);
  node_.time.Settle();
  ASSERT_TRUE(server_.Delete(TargetOf("p"), {}).ok());
  const v1::Pod deleting = Now("p");
  ASSERT_TRUE(deleting.metadata.deletionTimestamp);
  Show(deleting);
  node_.time.Settle();
  EXPECT_EQ(server_.calls("delete"), 1);
  pod.status.phase = "Succeeded";
  Tell(pod, ChangeType::kDeleted);
  node_.time.Settle();
  EXPECT_EQ(Now("p").status.phase, "Succeeded");
  EXPECT_EQ(server_.calls("delete"), 2);
}

TEST_F(StatusManagerTest, AnotherPodOfThatNameIsLeftAlone) {
  v1::Pod pod = Create("p");
  pod.metadata.uid = "another";
  pod.metadata.deletionTimestamp = api::Time::FromUnix(1);
  Show(pod);
  pod.status.phase = "Failed";
  Tell(pod, ChangeType::kDeleted);
  node_.time.Settle();
  EXPECT_EQ(Now("p").status.phase, "");
  EXPECT_THAT(errors_, IsEmpty());
}

}  // namespace
}  // namespace podium::node
