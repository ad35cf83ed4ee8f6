#include "node/cluster/cluster_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "client/fake_server.h"
#include "client/paths.h"
#include "client/virtual_time.h"
#include "node/cluster/descriptions.h"
#include "runtime/fake_runtime.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ClusterNodeTest : public testing::Test {
 public:
  ~ClusterNodeTest() override { node.Stop(); }

  std::vector<std::string> Events() {
    std::vector<std::string> out;
    const auto list =
        server.List(*client::TargetOf(reflect::TypeOf<v1::Event>(), {"default", ""}), {});
    for (const auto& each : list->items) out.push_back(each.As<v1::Event>()->reason);
    return out;
  }
  std::shared_ptr<const api::coordination::v1::Lease> Lease() {
    const auto got =
        server.Get({"coordination.k8s.io", "v1", "leases", "kube-node-lease", "n1"}, {});
    return got.ok() ? got->As<api::coordination::v1::Lease>() : nullptr;
  }

  client::VirtualTime time;
  client::FakeServer server{time};
  EventRecorder local{time, "n1"};
  bool network = true;
  std::vector<bool> told;
  ClusterNode node{{.local_events = local,
                    .clock = time,
                    .executor = time,
                    .node = SmallNode(),
                    .health = [this] { return HealthOfRuntime(RuntimeStatus(network)); },
                    .on_ready = [this](bool ready) { told.push_back(ready); }}};
};

TEST_F(ClusterNodeTest, NodeLeaseAndEvents) {
  node.events().RecordNode(EventType::kWarning, "Early", "before there is a server");
  time.RunFor(5s);
  EXPECT_EQ(node.node(), nullptr);
  node.HealthChanged();
  node.Start(server);
  time.Settle();
  ASSERT_NE(node.node(), nullptr);
  EXPECT_THAT(told, ElementsAre(true));
  // The node owns the lease from the first moment on.
  ASSERT_NE(Lease(), nullptr);
  ASSERT_EQ(Lease()->metadata.ownerReferences.size(), 1U);
  EXPECT_EQ(Lease()->metadata.ownerReferences[0].uid, node.node()->metadata.uid);
  EXPECT_THAT(Events(),
              UnorderedElementsAre("Early", "Starting", "NodeHasSufficientMemory",
                                   "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady"));
  network = false;
  node.HealthChanged();
  time.Settle();
  EXPECT_THAT(told, ElementsAre(true, false));
  time.RunFor(10s);
  EXPECT_EQ(Lease()->spec.renewTime->unix_micros() * 1000, time.Now());
}

TEST_F(ClusterNodeTest, NoServerNoHarm) {
  server.SetFault([](std::string_view, const client::Target&) {
    return std::optional(Error(Code::kUnavailable, "connection refused"));
  });
  node.Start(server);
  time.RunFor(60s);
  EXPECT_THAT(told, IsEmpty());
  server.SetFault({});
  time.RunFor(10s);
  EXPECT_THAT(told, ElementsAre(true));
  EXPECT_NE(Lease(), nullptr);
  EXPECT_EQ(Events().size(), 5U);
}

TEST_F(ClusterNodeTest, StopEndsAllOfIt) {
  node.Start(server);
  time.Settle();
  node.Stop();
  const int updates = server.calls("update") + server.calls("patch") + server.calls("create");
  node.HealthChanged();
  node.events().RecordNode(EventType::kNormal, "Late", "after it");
  time.RunFor(600s);
  EXPECT_EQ(server.calls("update") + server.calls("patch") + server.calls("create"), updates);
  EXPECT_EQ(server.watches(), 0U);
  // It is not started again.
  node.Start(server);
  time.RunFor(60s);
  EXPECT_EQ(server.calls("update") + server.calls("patch") + server.calls("create"), updates);
}

TEST_F(ClusterNodeTest, StoppedBeforeItIsStarted) {
  node.Stop();
  node.Start(server);
  time.RunFor(60s);
  EXPECT_EQ(server.calls("create"), 0);
}

TEST(LookAtNode, WhatTheRuntimeSays) {
  runtime::FakeRuntime runtime;
  const NodeHealth health = LookAtNode(runtime, nullptr);
  EXPECT_THAT(health.problems, IsEmpty());
  EXPECT_THAT(health.images, IsEmpty());
}

}  // namespace
}  // namespace podium::node
