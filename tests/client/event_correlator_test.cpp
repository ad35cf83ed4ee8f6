#include "client/event_correlator.h"

#include <gtest/gtest.h>

#include <string>

#include "client/virtual_time.h"

namespace podium::client {
namespace {

using namespace std::chrono_literals;
using api::core::v1::Event;

class EventCorrelatorTest : public testing::Test {
 protected:
  Event Of(const std::string& message, const std::string& reason = "Bad",
           const std::string& object = "web") const {
    Event event;
    event.metadata.namespace_ = "a";
    event.metadata.name = EventName(object, time_.Now());
    event.involvedObject.kind = "Pod";
    event.involvedObject.namespace_ = "a";
    event.involvedObject.name = object;
    event.reason = reason;
    event.message = message;
    event.type = "Warning";
    event.count = 1;
    event.firstTimestamp = event.lastTimestamp = api::Time::FromUnix(time_.Now() / kNanosPerSecond);
    event.source.component = "teller";
    return event;
  }
  CorrelatedEvent Tell(const std::string& message, const std::string& reason = "Bad",
                       const std::string& object = "web") {
    CorrelatedEvent told = correlator_.Correlate(Of(message, reason, object));
    if (!told.skip) correlator_.Sent(told, told.event);
    return told;
  }

  VirtualTime time_;
  EventCorrelator correlator_{time_};
};

TEST_F(EventCorrelatorTest, TheSameAgainIsAPatchOfCountTimeAndMessage) {
  const CorrelatedEvent first = Tell("it \"is\"");
  EXPECT_EQ(first.patch, "");
  time_.RunFor(61s);
  const CorrelatedEvent second = Tell("it \"is\"");
  EXPECT_EQ(second.patch,
            R"({"count":2,"lastTimestamp":"2026-03-14T09:27:54Z","message":"it \"is\""})");
  EXPECT_EQ(second.event.metadata.name, first.event.metadata.name);
  EXPECT_EQ(second.event.firstTimestamp, first.event.firstTimestamp);
  EXPECT_EQ(second.event.count, 2);
  EXPECT_EQ(Tell("it \"is\"", "Other").patch, "");
}

TEST_F(EventCorrelatorTest, TheTenthSimilarOneIsCombined) {
  for (int i = 1; i < 10; ++i) {
    EXPECT_EQ(Tell("try " + std::to_string(i)).event.message, "try " + std::to_string(i));
    time_.RunFor(1s);
  }
  const CorrelatedEvent tenth = Tell("try 10");
  EXPECT_EQ(tenth.event.message, "(combined from similar events): try 10");
  EXPECT_EQ(tenth.patch, "");
  EXPECT_EQ(tenth.event.count, 1);
  time_.RunFor(1s);
  const CorrelatedEvent next = Tell("try 11");
  EXPECT_EQ(next.event.message, "(combined from similar events): try 11");
  EXPECT_EQ(next.event.count, 2);
  EXPECT_EQ(next.event.metadata.name, tenth.event.metadata.name);
  EXPECT_NE(next.patch, "");
  // Of another reason, and about another object.
  EXPECT_EQ(Tell("try 12", "Other").event.message, "try 12");
  EXPECT_EQ(Tell("try 12", "Bad", "db").event.message, "try 12");
}

TEST_F(EventCorrelatorTest, SimilarOnesAreForgottenAfterTenMinutesWithoutOne) {
  for (int i = 1; i < 10; ++i) (void)Tell("try " + std::to_string(i));
  time_.RunFor(600s);
  EXPECT_EQ(Tell("at the end").event.message, "(combined from similar events): at the end");
  time_.RunFor(601s);
  EXPECT_EQ(Tell("behind it").event.message, "behind it");
}

TEST_F(EventCorrelatorTest, TheSameMessageIsNotASimilarOne) {
  for (int i = 1; i <= 15; ++i) {
    EXPECT_EQ(Tell("the same").event.message, "the same");
  }
}

TEST_F(EventCorrelatorTest, TwentyFiveAtOnceThenOneInFiveMinutes) {
  for (int i = 1; i <= 25; ++i) EXPECT_FALSE(Tell("same").skip) << i;
  EXPECT_TRUE(Tell("same").skip);
  EXPECT_TRUE(Tell("another", "Reason").skip);
  EXPECT_FALSE(Tell("same", "Bad", "db").skip);
  time_.RunFor(299s);
  EXPECT_TRUE(Tell("same").skip);
  time_.RunFor(1s);
  EXPECT_FALSE(Tell("same").skip);
  EXPECT_TRUE(Tell("same").skip);
  // What was held back counts when it is told again.
  time_.RunFor(300s);
  EXPECT_EQ(Tell("same").event.count, 30);
}

TEST_F(EventCorrelatorTest, WhatFailedDoesNotCount) {
  const CorrelatedEvent failed = correlator_.Correlate(Of("x"));
  correlator_.Failed(failed);
  EXPECT_EQ(Tell("x").event.count, 1);
  correlator_.Failed(correlator_.Correlate(Of("x")));
  EXPECT_EQ(Tell("x").event.count, 2);
}

TEST_F(EventCorrelatorTest, TheOnesHeardOfLastAreRemembered) {
  for (int i = 0; i < 4096; ++i) (void)Tell("x", "Bad", "o" + std::to_string(i));
  EXPECT_EQ(Tell("x", "Bad", "o0").event.count, 2);
  (void)Tell("x", "Bad", "one-more");
  EXPECT_EQ(Tell("x", "Bad", "o0").event.count, 3);
  EXPECT_EQ(Tell("x", "Bad", "o1").event.count, 1);
}

TEST_F(EventCorrelatorTest, NamesAreNamesOfObjects) {
  EXPECT_EQ(EventName("web", 255), "web.ff");
  EXPECT_EQ(EventName(std::string(253, 'a'), 255).size(), 36U);
  EXPECT_EQ(EventName("Not_A_Name", 255).size(), 36U);
}

}  // namespace
}  // namespace podium::client
