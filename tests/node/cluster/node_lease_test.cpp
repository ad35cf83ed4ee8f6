#include "node/cluster/node_lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/status.h"
#include "api/types/core_v1.h"
#include "client/fake_server.h"
#include "client/virtual_time.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using api::coordination::v1::Lease;

class NodeLeaseTest : public testing::Test {
 public:
  ~NodeLeaseTest() override { lease.Stop(); }

  void MakeNode() {
    api::core::v1::Node node;
    node.metadata.name = "n1";
    ASSERT_TRUE(server.Create({"", "v1", "nodes"}, node, {}).ok());
  }
  client::Target Target() const {
    return {"coordination.k8s.io", "v1", "leases", "kube-node-lease", "n1"};
  }
  std::shared_ptr<const Lease> Read() {
    const auto got = server.Get(Target(), {});
    return got.ok() ? got->As<Lease>() : nullptr;
  }
  int64_t Renewed() { return Read()->spec.renewTime->unix_micros() * 1000; }

  client::VirtualTime time;
  client::FakeServer server{time};
  double random = 0;
  int repeated = 0;
  NodeLease lease{{.connection = server,
                   .clock = time,
                   .executor = time,
                   .node_name = "n1",
                   .random = [this] { return random; },
                   .on_repeated_failure = [this] { ++repeated; }}};
};

TEST_F(NodeLeaseTest, MadeOnceThereIsANodeAndOwnedByIt) {
  lease.Start();
  time.RunFor(30s);
  EXPECT_EQ(Read(), nullptr);
  MakeNode();
  time.RunFor(10s);
  const auto made = Read();
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->spec.holderIdentity, "n1");
  EXPECT_EQ(made->spec.leaseDurationSeconds, 40);
  EXPECT_FALSE(made->spec.acquireTime.has_value());
  ASSERT_EQ(made->metadata.ownerReferences.size(), 1U);
  EXPECT_EQ(made->metadata.ownerReferences[0].kind, "Node");
  EXPECT_EQ(made->metadata.ownerReferences[0].apiVersion, "v1");
  EXPECT_EQ(made->metadata.ownerReferences[0].name, "n1");
  EXPECT_FALSE(made->metadata.ownerReferences[0].uid.empty());
  EXPECT_FALSE(made->metadata.ownerReferences[0].controller.has_value());
}

TEST_F(NodeLeaseTest, RenewedEveryTenSecondsWithoutReadingIt) {
  MakeNode();
  lease.Start();
  time.Settle();
  const int gets = server.calls("get");
  const int64_t start = time.Now();
  time.RunFor(45s);
  EXPECT_EQ(server.calls("update"), 4);
  EXPECT_EQ(server.calls("get"), gets);
  EXPECT_EQ(Renewed(), start + 40 * kNanosPerSecond);
}

TEST_F(NodeLeaseTest, JitterIsFourHundredths) {
  MakeNode();
  random = 1;
  lease.Start();
  time.Settle();
  time.RunFor(10399ms);
  EXPECT_EQ(server.calls("update"), 0);
  time.RunFor(2ms);
  EXPECT_EQ(server.calls("update"), 1);
}

TEST_F(NodeLeaseTest, OneThatIsThereIsRenewedAtOnce) {
  MakeNode();
  Lease old;
  old.metadata.name = "n1";
  old.metadata.namespace_ = "kube-node-lease";
  old.spec.holderIdentity = "n1";
  client::Target all = Target();
  all.name.clear();
  ASSERT_TRUE(server.Create(all, old, {}).ok());
  lease.Start();
  time.Settle();
  EXPECT_EQ(Renewed(), time.Now());
  EXPECT_EQ(Read()->metadata.ownerReferences.size(), 1U);
}

TEST_F(NodeLeaseTest, AConflictReadsItAnew) {
  MakeNode();
  lease.Start();
  time.Settle();
  Lease other = *Read();
  other.metadata.annotations["a"] = "b";
  ASSERT_TRUE(server.Update(Target(), other, {}).ok());
  time.RunFor(10s);
  EXPECT_EQ(Renewed(), time.Now());
  EXPECT_EQ(Read()->metadata.annotations.at("a"), "b");
}

TEST_F(NodeLeaseTest, OneThatIsDeletedIsMadeAgain) {
  MakeNode();
  lease.Start();
  time.Settle();
  ASSERT_TRUE(server.Delete(Target(), {}).ok());
  time.RunFor(10s);
  ASSERT_NE(Read(), nullptr);
  EXPECT_EQ(Renewed(), time.Now());
}

TEST_F(NodeLeaseTest, BacksOffWhileThereIsNoServer) {
  MakeNode();
  lease.Start();
  time.Settle();
  int calls = 0;
  server.SetFault([&](std::string_view verb, const client::Target&) {
    if (verb == "get") ++calls;
    return std::optional(Error(Code::kUnavailable, "connection refused"));
  });
  time.RunFor(10s);
  // Five tries in a row, then one to read it.
  EXPECT_EQ(server.calls("update"), 5);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(repeated, 4);
  // After 0.2, 0.4, 0.8, 1.6, 3.2, 6.4 and then 7 seconds each.
  time.RunFor(12600ms);
  EXPECT_EQ(calls, 7);
  time.RunFor(14s);
  EXPECT_EQ(calls, 9);
  EXPECT_EQ(server.calls("update"), 5);
  server.SetFault({});
  time.RunFor(7s);
  EXPECT_EQ(Renewed(), time.Now());
  time.RunFor(10s);
  EXPECT_EQ(Renewed(), time.Now());
}

TEST_F(NodeLeaseTest, NothingAfterStop) {
  MakeNode();
  lease.Start();
  time.RunFor(10s);
  const int updates = server.calls("update");
  lease.Stop();
  time.RunFor(60s);
  EXPECT_EQ(server.calls("update"), updates);
}

}  // namespace
}  // namespace podium::node
