#include "node/cluster/cluster_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "api/status.h"
#include "client/fake_server.h"
#include "client/paths.h"
#include "client/virtual_time.h"

namespace podium::node {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::SizeIs;

class ClusterEventsTest : public testing::Test {
 public:
  ClusterEventsTest() {
    pod.metadata.namespace_ = "ns";
    pod.metadata.name = "p";
    pod.metadata.uid = "u1";
    pod.metadata.resourceVersion = "7";
    pod.spec.containers.resize(2);
    pod.spec.containers[0].name = "a";
    pod.spec.containers[1].name = "b";
  }
  ~ClusterEventsTest() override { events.Stop(); }

  std::vector<v1::Event> Sent(const std::string& name_space = "ns") {
    std::vector<v1::Event> out;
    const auto list =
        server.List(*client::TargetOf(reflect::TypeOf<v1::Event>(), {name_space, ""}), {});
    for (const auto& each : list->items) out.push_back(*each.As<v1::Event>());
    std::ranges::sort(out, {}, [](const v1::Event& each) { return each.metadata.name; });
    return out;
  }
  std::vector<std::string> Messages() {
    std::vector<std::string> out;
    for (const auto& each : Sent()) out.push_back(each.message);
    return out;
  }
  void Tell(const std::string& message) {
    events.Record(pod, {}, EventType::kNormal, "R" + message, message);
  }
  void TakeServerAway(const Error& error = Error(Code::kUnavailable, "connection refused")) {
    server.SetFault([error](std::string_view verb, const client::Target&) {
      return verb == "list" ? std::optional<Error>() : error;
    });
  }

  client::VirtualTime time;
  client::FakeServer server{time};
  EventRecorder local{time, "n1"};
  ClusterEvents events{{.local = local, .clock = time, .executor = time, .node_name = "n1"}};
  v1::Pod pod;
};

TEST_F(ClusterEventsTest, TellsAsKubeletsDo) {
  events.Start(server);
  events.Record(pod, ContainerRef{.index = 1}, EventType::kWarning, "BackOff", "back-off");
  events.RecordNode(EventType::kNormal, "Starting", "Starting kubelet.");
  time.Settle();
  const auto sent = Sent();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].involvedObject.kind, "Pod");
  EXPECT_EQ(sent[0].involvedObject.apiVersion, "v1");
  EXPECT_EQ(sent[0].involvedObject.uid, "u1");
  EXPECT_EQ(sent[0].involvedObject.resourceVersion, "7");
  EXPECT_EQ(sent[0].involvedObject.fieldPath, "spec.containers{b}");
  EXPECT_EQ(sent[0].type, "Warning");
  EXPECT_EQ(sent[0].reason, "BackOff");
  EXPECT_EQ(sent[0].source.component, "kubelet");
  EXPECT_EQ(sent[0].source.host, "n1");
  EXPECT_EQ(sent[0].reportingComponent, "kubelet");
  EXPECT_EQ(sent[0].reportingInstance, "n1");
  const auto of_node = Sent("default");
  ASSERT_THAT(of_node, SizeIs(1));
  EXPECT_EQ(of_node[0].involvedObject.kind, "Node");
  EXPECT_EQ(of_node[0].involvedObject.uid, "n1");
  EXPECT_EQ(of_node[0].message, "Starting kubelet.");
  EXPECT_THAT(local.List(""), SizeIs(2));
}

TEST_F(ClusterEventsTest, WithAnnotations) {
  events.Start(server);
  events.RecordAnnotated(pod, {{"starved_resource", "memory"}}, EventType::kWarning, "Evicted",
                         "m");
  time.Settle();
  ASSERT_THAT(Sent(), SizeIs(1));
  EXPECT_EQ(Sent()[0].metadata.annotations.at("starved_resource"), "memory");
  EXPECT_EQ(local.List("ns").at(0).metadata.annotations.at("starved_resource"), "memory");
}

TEST_F(ClusterEventsTest, TwoOfTheSameMomentAreTwo) {
  events.Start(server);
  events.Record(pod, {}, EventType::kNormal, "A", "m");
  events.Record(pod, {}, EventType::kNormal, "B", "m");
  time.Settle();
  EXPECT_THAT(Sent(), SizeIs(2));
}

TEST_F(ClusterEventsTest, WhoRecordsBeforeThereIsAServerDoesNotWait) {
  Tell("1");
  time.RunFor(60s);
  Tell("2");
  EXPECT_EQ(server.calls("create"), 0);
  EXPECT_THAT(local.List(""), SizeIs(2));
  events.Start(server);
  time.Settle();
  const auto sent = Sent();
  ASSERT_THAT(sent, SizeIs(2));
  // As of when it happened.
  EXPECT_EQ(sent[1].firstTimestamp.unix_seconds() - sent[0].firstTimestamp.unix_seconds(), 60);
}

TEST_F(ClusterEventsTest, TheServerComesBack) {
  events.Start(server);
  time.Settle();
  TakeServerAway();
  Tell("1");
  Tell("2");
  time.RunFor(25s);
  EXPECT_EQ(server.calls("create"), 3);
  // What is new waits with the others.
  Tell("3");
  time.Settle();
  EXPECT_EQ(server.calls("create"), 3);
  server.SetFault({});
  time.RunFor(10s);
  EXPECT_THAT(Messages(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(events.dropped(), 0U);
  Tell("4");
  time.Settle();
  EXPECT_THAT(Messages(), SizeIs(4));
}

TEST_F(ClusterEventsTest, TwelveTries) {
  events.Start(server);
  TakeServerAway();
  Tell("1");
  time.RunFor(109s);
  EXPECT_EQ(server.calls("create"), 11);
  EXPECT_EQ(events.dropped(), 0U);
  time.RunFor(2s);
  EXPECT_EQ(server.calls("create"), 12);
  EXPECT_EQ(events.dropped(), 1U);
  time.RunFor(60s);
  EXPECT_EQ(server.calls("create"), 12);
  // A try that failed is none that a source has used up.
  server.SetFault({});
  for (int i = 0; i < 24; ++i) Tell(std::to_string(i));
  time.Settle();
  EXPECT_THAT(Messages(), SizeIs(24));
}

TEST_F(ClusterEventsTest, WhatTheServerRefusesIsDropped) {
  events.Start(server);
  TakeServerAway(api::ForbiddenError({"", "events"}, "", "namespace is being terminated"));
  Tell("1");
  time.RunFor(60s);
  EXPECT_EQ(server.calls("create"), 1);
  EXPECT_EQ(events.dropped(), 1U);
  server.SetFault({});
  Tell("2");
  time.Settle();
  EXPECT_THAT(Messages(), ElementsAre("2"));
}

TEST_F(ClusterEventsTest, TheSameAgainCountsUpAfterARetry) {
  events.Start(server);
  events.Record(pod, {}, EventType::kNormal, "R", "m");
  time.Settle();
  TakeServerAway();
  time.RunFor(1s);
  events.Record(pod, {}, EventType::kNormal, "R", "m");
  time.RunFor(15s);
  server.SetFault({});
  time.RunFor(10s);
  ASSERT_THAT(Sent(), SizeIs(1));
  EXPECT_EQ(Sent()[0].count, 2);
  EXPECT_EQ(Sent()[0].lastTimestamp.unix_seconds() - Sent()[0].firstTimestamp.unix_seconds(), 1);
}

TEST_F(ClusterEventsTest, TheQueueIsBounded) {
  for (size_t i = 0; i < ClusterEvents::kMaxQueued + 5; ++i) Tell("m");
  EXPECT_EQ(events.dropped(), 5U);
  EXPECT_EQ(local.List("")[0].count, static_cast<int>(ClusterEvents::kMaxQueued) + 5);
}

TEST_F(ClusterEventsTest, LongMessagesAreCut) {
  events.Start(server);
  Tell(std::string(2000, 'x'));
  time.Settle();
  ASSERT_THAT(Sent(), SizeIs(1));
  EXPECT_EQ(Sent()[0].message.size(), kMaxEventMessage);
}

TEST_F(ClusterEventsTest, NothingIsSentAfterStop) {
  events.Start(server);
  time.Settle();
  TakeServerAway();
  Tell("1");
  time.Settle();
  events.Stop();
  server.SetFault({});
  Tell("2");
  time.RunFor(60s);
  EXPECT_THAT(Messages(), SizeIs(0));
  EXPECT_THAT(local.List(""), SizeIs(2));
}

}  // namespace
}  // namespace podium::node
