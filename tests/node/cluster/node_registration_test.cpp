#include "node/cluster/node_registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "api/status.h"
#include "client/fake_server.h"
#include "client/virtual_time.h"
#include "node/cluster/descriptions.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// Writes of nodes/status change metadata too, as the API server has it.
class NodeServer : public client::FakeServer {
 public:
  using FakeServer::FakeServer;
  Result<client::SharedObject> Patch(const client::Target& target, client::PatchType type,
                                     std::string_view patch,
                                     const api::meta::v1::PatchOptions& options) override {
    patches.emplace_back(patch);
    if (patch.find("\"metadata\"") != patch.npos) {
      client::Target whole = target;
      whole.subresource.clear();
      TRY_VOID(FakeServer::Patch(whole, type, patch, options));
    }
    return FakeServer::Patch(target, type, patch, options);
  }
  std::vector<std::string> patches;
};

class NodeRegistrationTest : public testing::Test {
 public:
  ~NodeRegistrationTest() override { registration.Stop(); }

  client::Target Target() const { return {"", "v1", "nodes", "", "n1"}; }
  std::shared_ptr<const v1::Node> Read() {
    const auto got = server.Get(Target(), {});
    return got.ok() ? got->As<v1::Node>() : nullptr;
  }
  std::vector<std::string> TakeEvents() {
    std::vector<std::string> out;
    for (const auto& each : events.List("")) {
      for (int i = counted[each.metadata.name]; i < each.count; ++i) out.push_back(each.reason);
      counted[each.metadata.name] = each.count;
    }
    return out;
  }
  NodeRegistration::Parts Parts() {
    NodeDescription node = SmallNode();
    node.settings.labels = {{"disk", "ssd"}};
    node.settings.taints.resize(1);
    node.settings.taints[0].key = "mine";
    node.settings.taints[0].effect = "NoSchedule";
    return {.connection = server,
            .clock = time,
            .executor = time,
            .events = events,
            .node = node,
            .health = [this] { return HealthOfRuntime(RuntimeStatus(network)); },
            .on_registered = [this] { ++registered; },
            .on_ready = [this](bool ready) { told.push_back(ready); },
            .on_node = [this](const auto& node) { seen = node; },
            .on_error = [this](const Error& error) { errors.push_back(error.message()); }};
  }
  void Start() {
    registration.Start();
    time.Settle();
  }
  void FailAll() {
    server.SetFault([](std::string_view, const client::Target&) {
      return std::optional(Error(Code::kUnavailable, "connection refused"));
    });
  }

  client::VirtualTime time;
  NodeServer server{time};
  EventRecorder events{time, "n1"};
  std::map<std::string, int> counted;
  bool network = true;
  int registered = 0;
  std::vector<bool> told;
  std::vector<std::string> errors;
  std::shared_ptr<const v1::Node> seen;
  NodeRegistration registration{Parts()};
};

TEST_F(NodeRegistrationTest, ANewNodeIsMade) {
  Start();
  const auto node = Read();
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(node->metadata.labels.at("disk"), "ssd");
  EXPECT_EQ(node->spec.taints.size(), 1U);
  EXPECT_EQ(node->status.conditions.back().reason, "KubeletReady");
  EXPECT_EQ(registered, 1);
  EXPECT_THAT(told, ElementsAre(true));
  EXPECT_THAT(TakeEvents(), ElementsAre("NodeHasSufficientMemory", "NodeHasNoDiskPressure",
                                        "NodeHasSufficientPID", "NodeReady"));
  EXPECT_THAT(server.patches, IsEmpty());
  ASSERT_NE(registration.node(), nullptr);
  EXPECT_EQ(registration.node()->metadata.uid, node->metadata.uid);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(NodeRegistrationTest, BacksOffUntilThereIsAServer) {
  FailAll();
  Start();
  EXPECT_EQ(server.calls("create"), 1);
  // After 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4 and then 7 seconds.
  time.RunFor(12700ms);
  EXPECT_EQ(server.calls("create"), 8);
  time.RunFor(14s);
  EXPECT_EQ(server.calls("create"), 10);
  EXPECT_EQ(registered, 0);
  EXPECT_EQ(registration.node(), nullptr);
  EXPECT_THAT(errors, Contains("connection refused"));
  server.SetFault({});
  time.RunFor(7s);
  EXPECT_EQ(registered, 1);
  EXPECT_THAT(TakeEvents(), ElementsAre("NodeHasSufficientMemory", "NodeHasNoDiskPressure",
                                        "NodeHasSufficientPID", "NodeReady"));
}

TEST_F(NodeRegistrationTest, OneThatIsThereIsReconciled) {
  v1::Node old;
  old.metadata.name = "n1";
  old.metadata.labels = {{"kubernetes.io/hostname", "old"}, {"disk", "hdd"}};
  old.spec.taints.resize(1);
  old.spec.taints[0].key = "theirs";
  old.spec.taints[0].effect = "NoSchedule";
  client::Target all = Target();
  all.name.clear();
  ASSERT_TRUE(server.Create(all, old, {}).ok());
  Start();
  const auto node = Read();
  EXPECT_EQ(node->metadata.labels.at("kubernetes.io/hostname"), "n1");
  EXPECT_EQ(node->metadata.labels.at("beta.kubernetes.io/os"), "linux");
  // Labels and taints of options count for new nodes alone.
  EXPECT_EQ(node->metadata.labels.at("disk"), "hdd");
  ASSERT_EQ(node->spec.taints.size(), 1U);
  EXPECT_EQ(node->spec.taints[0].key, "theirs");
  EXPECT_EQ(node->metadata.annotations.size(), 1U);
  EXPECT_EQ(node->status.nodeInfo.kubeletVersion, "v1.36.0");
  EXPECT_THAT(told, ElementsAre(true));
  EXPECT_EQ(registered, 1);
}

TEST_F(NodeRegistrationTest, HeartbeatEveryFiveMinutes) {
  Start();
  const int gets = server.calls("get");
  const int64_t made = time.Now();
  time.RunFor(299s);
  EXPECT_THAT(server.patches, IsEmpty());
  // Its own watch tells it of the node.
  EXPECT_EQ(server.calls("get"), gets);
  time.RunFor(2s);
  ASSERT_EQ(server.patches.size(), 1U);
  EXPECT_EQ(Read()->status.conditions[0].lastHeartbeatTime.unix_seconds(),
            made / kNanosPerSecond + 300);
  EXPECT_EQ(Read()->status.conditions[0].lastTransitionTime.unix_seconds(), made / kNanosPerSecond);
  time.RunFor(300s);
  EXPECT_EQ(server.patches.size(), 2U);
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(NodeRegistrationTest, ReadyIsToldAtOnce) {
  Start();
  (void)TakeEvents();
  time.RunFor(3s);
  network = false;
  registration.HealthChanged();
  time.Settle();
  EXPECT_EQ(Read()->status.conditions.back().status, "False");
  EXPECT_THAT(told, ElementsAre(true, false));
  EXPECT_THAT(TakeEvents(), ElementsAre("NodeNotReady"));
  network = true;
  registration.HealthChanged();
  time.Settle();
  EXPECT_THAT(told, ElementsAre(true, false, true));
  EXPECT_THAT(TakeEvents(), ElementsAre("NodeReady"));
  EXPECT_EQ(server.patches.size(), 2U);
}

TEST_F(NodeRegistrationTest, WhatNobodySaidIsSeenWithinTenSeconds) {
  Start();
  network = false;
  time.RunFor(10s);
  EXPECT_EQ(Read()->status.conditions.back().status, "False");
}

TEST_F(NodeRegistrationTest, AChangeMovesTheNextHeartbeat) {
  auto parts = Parts();
  parts.random = [] { return 0.75; };
  NodeRegistration jittered(std::move(parts));
  jittered.Start();
  time.Settle();
  network = false;
  jittered.HealthChanged();
  time.Settle();
  ASSERT_EQ(server.patches.size(), 1U);
  // Five minutes and a quarter of that.
  time.RunFor(370s);
  EXPECT_EQ(server.patches.size(), 1U);
  time.RunFor(16s);
  EXPECT_EQ(server.patches.size(), 2U);
  jittered.Stop();
}

TEST_F(NodeRegistrationTest, FiveTriesThenLater) {
  Start();
  int tries = 0;
  server.SetFault([&](std::string_view verb, const client::Target&) {
    if (verb == "patch") ++tries;
    return verb == "patch" ? std::optional(Error(Code::kUnavailable, "no")) : std::nullopt;
  });
  network = false;
  registration.HealthChanged();
  time.Settle();
  EXPECT_EQ(tries, 5);
  EXPECT_THAT(TakeEvents(), testing::Not(Contains("NodeNotReady")));
  EXPECT_THAT(told, ElementsAre(true));
  server.SetFault({});
  time.RunFor(10s);
  EXPECT_THAT(TakeEvents(), ElementsAre("NodeNotReady"));
  EXPECT_THAT(told, ElementsAre(true, false));
}

TEST_F(NodeRegistrationTest, WatchesItsNode) {
  Start();
  v1::Node node = *Read();
  node.metadata.labels["zone"] = "z";
  node.metadata.labels.erase("kubernetes.io/os");
  node.spec.unschedulable = true;
  ASSERT_TRUE(server.Update(Target(), node, {}).ok());
  // Others' nodes are none of its business.
  v1::Node other;
  other.metadata.name = "n2";
  client::Target all = Target();
  all.name.clear();
  ASSERT_TRUE(server.Create(all, other, {}).ok());
  time.Settle();
  EXPECT_EQ(registration.node()->metadata.labels.at("zone"), "z");
  EXPECT_EQ(seen, registration.node());
  (void)TakeEvents();
  time.RunFor(10s);
  EXPECT_EQ(Read()->metadata.labels.at("kubernetes.io/os"), "linux");
  EXPECT_TRUE(Read()->spec.unschedulable);
  EXPECT_THAT(TakeEvents(), ElementsAre("NodeNotSchedulable"));
  node = *Read();
  node.spec.unschedulable = false;
  ASSERT_TRUE(server.Update(Target(), node, {}).ok());
  time.RunFor(10s);
  EXPECT_THAT(TakeEvents(), ElementsAre("NodeSchedulable"));
}

TEST_F(NodeRegistrationTest, ADeletedNodeIsNotMadeAgain) {
  Start();
  ASSERT_TRUE(server.Delete(Target(), {}).ok());
  time.RunFor(30s);
  EXPECT_EQ(Read(), nullptr);
  EXPECT_EQ(registration.node(), nullptr);
  EXPECT_THAT(errors, Contains("nodes \"n1\" not found"));
}

TEST_F(NodeRegistrationTest, NothingAfterStop) {
  Start();
  registration.Stop();
  network = false;
  registration.HealthChanged();
  time.RunFor(600s);
  EXPECT_THAT(server.patches, IsEmpty());
  EXPECT_EQ(server.watches(), 0U);
}

}  // namespace
}  // namespace podium::node
