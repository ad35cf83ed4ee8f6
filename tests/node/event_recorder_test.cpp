#include "node/event_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/fake_services.h"
#include "node/pods.h"

namespace podium::node {
namespace {

using ::testing::ElementsAre;

class EventRecorderTest : public ::testing::Test {
 protected:
  EventRecorder::Observer Observer() {
    return [this](ChangeType type, const v1::Event& event) {
      const char* types[] = {"added", "modified", "deleted"};
      told_.push_back(std::string(types[static_cast<size_t>(type)]) + ' ' + event.reason + ' ' +
                      std::to_string(event.count) + " at " + event.metadata.resourceVersion);
    };
  }
  void Record(const std::string& reason) {
    events_.Record(pod_, ContainerRef{ContainerKind::kRegular, 0}, EventType::kNormal, reason, "m");
  }

  runtime::FakeRuntime runtime_;
  VirtualTime time_{runtime_};
  EventRecorder events_{time_, "node7", 3};
  v1::Pod pod_ = PodOf("containers: [{name: a}]");
  std::vector<std::string> told_;
};

TEST_F(EventRecorderTest, ChangesAreToldFromAVersionOn) {
  Record("One");
  Record("Two");
  uint64_t version = 0;
  EXPECT_EQ(events_.List("ns", &version).size(), 2U);
  EXPECT_EQ(events_.List("other").size(), 0U);
  Record("One");
  Record("Three");
  const auto watch = events_.Watch(version, Observer());
  ASSERT_TRUE(watch.ok());
  EXPECT_THAT(told_, ElementsAre("modified One 2 at 3", "added Three 1 at 4"));
  Record("Three");
  EXPECT_EQ(told_.back(), "modified Three 2 at 5");
  events_.Unwatch(*watch);
  Record("Three");
  EXPECT_EQ(told_.back(), "modified Three 2 at 5");
}

TEST_F(EventRecorderTest, WhatIsPushedOutIsTold) {
  ASSERT_TRUE(events_.Watch(0, Observer()).ok());
  for (const char* reason : {"One", "Two", "Three", "Four"}) Record(reason);
  EXPECT_THAT(told_, ElementsAre("added One 1 at 1", "added Two 1 at 2", "added Three 1 at 3",
                                 "added Four 1 at 4", "deleted One 1 at 5"));
  // Who was there before One went would never hear of it.
  const auto late = events_.Watch(4, Observer());
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), Code::kExpired);
  EXPECT_EQ(late.error().message(), "too old resource version: 4 (5)");
  EXPECT_TRUE(events_.Watch(5, Observer()).ok());
  EXPECT_EQ(events_.Watch(6, Observer()).error().code(), Code::kExpired);
}

TEST_F(EventRecorderTest, TheSameWordsOfTheNodeAndOfAPodAreTwoEvents) {
  events_.RecordNode(EventType::kNormal, "One", "m");
  Record("One");
  const auto events = events_.List("");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].involvedObject.kind, "Node");
  EXPECT_EQ(events[0].involvedObject.uid, "node7");
  EXPECT_EQ(events[0].metadata.namespace_, "default");
  EXPECT_EQ(events[1].involvedObject.fieldPath, "spec.containers{a}");
  EXPECT_NE(events[0].metadata.name, events[1].metadata.name);
}

}  // namespace
}  // namespace podium::node
