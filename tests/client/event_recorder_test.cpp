#include "client/event_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "client/fake_server.h"
#include "client/paths.h"
#include "client/virtual_time.h"

namespace podium::client {
namespace {

using namespace std::chrono_literals;
using api::core::v1::Event;
using api::core::v1::ObjectReference;

class EventRecorderTest : public testing::Test {
 public:
  std::vector<std::shared_ptr<const Event>> Events(const std::string& name_space) {
    std::vector<std::shared_ptr<const Event>> events;
    const auto list = server.List(*TargetOf(reflect::TypeOf<Event>(), {name_space, ""}), {});
    for (const SharedObject& each : list->items) events.push_back(each.As<Event>());
    return events;
  }
  static ObjectReference Web() {
    ObjectReference about;
    about.kind = "Service";
    about.apiVersion = "v1";
    about.namespace_ = "a";
    about.name = "web";
    about.uid = "1";
    return about;
  }

  VirtualTime time;
  FakeServer server{time};
  EventRecorder recorder{server, time, "teller"};
};

TEST_F(EventRecorderTest, TheSameAgainCountsUp) {
  ASSERT_TRUE(recorder.Record(Web(), "Warning", "Bad", "it is").ok());
  time.RunFor(60s);
  ASSERT_TRUE(recorder.Record(Web(), "Warning", "Bad", "it is").ok());
  const auto events = Events("a");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(events[0]->metadata.name.starts_with("web."));
  EXPECT_EQ(events[0]->count, 2);
  EXPECT_EQ(events[0]->type, "Warning");
  EXPECT_EQ(events[0]->reason, "Bad");
  EXPECT_EQ(events[0]->message, "it is");
  EXPECT_EQ(events[0]->source.component, "teller");
  EXPECT_EQ(events[0]->involvedObject.uid, "1");
  EXPECT_EQ(events[0]->lastTimestamp.unix_seconds() - events[0]->firstTimestamp.unix_seconds(), 60);
  time.RunFor(1s);
  ASSERT_TRUE(recorder.Record(Web(), "Warning", "Bad", "it is worse").ok());
  EXPECT_EQ(Events("a").size(), 2U);
}

TEST_F(EventRecorderTest, OneThatIsGoneIsMadeAgainWithItsCount) {
  ASSERT_TRUE(recorder.Record(Web(), "Normal", "Fine", "").ok());
  const std::string name = Events("a").at(0)->metadata.name;
  ASSERT_TRUE(server.Delete(*TargetOf(reflect::TypeOf<Event>(), {"a", name}), {}).ok());
  time.RunFor(1s);
  ASSERT_TRUE(recorder.Record(Web(), "Normal", "Fine", "").ok());
  ASSERT_EQ(Events("a").size(), 1U);
  EXPECT_EQ(Events("a")[0]->metadata.name, name);
  EXPECT_EQ(Events("a")[0]->count, 2);
}

TEST_F(EventRecorderTest, WhoTellsWithoutEndIsHeldBack) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(recorder.Record(Web(), "Warning", "Bad", "try " + std::to_string(i)).ok());
    time.RunFor(1s);
  }
  const auto events = Events("a");
  ASSERT_EQ(events.size(), 10U);
  EXPECT_EQ(server.calls("create"), 10);
  EXPECT_EQ(server.calls("patch"), 15);
  EXPECT_EQ(events.back()->message, "(combined from similar events): try 24");
  EXPECT_EQ(events.back()->count, 16);
}

TEST_F(EventRecorderTest, WhatWasNotSaidIsNotCounted) {
  server.SetFault([](std::string_view, const Target&) { return Error(Code::kUnavailable, "no"); });
  EXPECT_FALSE(recorder.Record(Web(), "Normal", "Fine", "").ok());
  server.SetFault({});
  EXPECT_TRUE(recorder.Record(Web(), "Normal", "Fine", "").ok());
  EXPECT_EQ(Events("a").at(0)->count, 1);
}

TEST_F(EventRecorderTest, OfTheClusterInDefault) {
  ObjectReference about = Web();
  about.namespace_.clear();
  ASSERT_TRUE(recorder.Record(about, "Normal", "Fine", "").ok());
  EXPECT_EQ(Events("default").size(), 1U);
}

}  // namespace
}  // namespace podium::client
