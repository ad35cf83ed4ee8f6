#include "cri/event_streams.h"

#include <gtest/gtest.h>

#include "reflect/protobuf.h"

namespace podium::cri {
namespace {

using Then = grpc::MessageSource::Then;

wire::cri::ContainerEventResponse Event(const std::string& id) {
  wire::cri::ContainerEventResponse event;
  event.container_id = id;
  return event;
}

// The id of the next event; "": none waits.
std::string Next(grpc::MessageSource& source) {
  std::string message;
  const auto then = source.Next(&message);
  if (!then.ok()) return "error";
  if (*then != Then::kMessage) return "";
  wire::cri::ContainerEventResponse event;
  EXPECT_TRUE(
      reflect::DecodeProtobuf(message, reflect::TypeOf<wire::cri::ContainerEventResponse>(), &event)
          .ok());
  return event.container_id;
}

TEST(EventStreams, TellsAllWhoHaveAsked) {
  EventStreams streams;
  streams.Tell(Event("before"));
  const auto one = streams.Open();
  int woken = 0;
  one->Attach(http::BodyWaker([&] { ++woken; }));
  streams.Tell(Event("a"));
  const auto two = streams.Open();
  streams.Tell(Event("b"));
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(Next(*one), "a");
  EXPECT_EQ(Next(*one), "b");
  EXPECT_EQ(Next(*one), "");
  EXPECT_EQ(Next(*two), "b");
  EXPECT_EQ(Next(*two), "");
}

TEST(EventStreams, EndsForWhoIsTooSlow) {
  EventStreams streams;
  const auto slow = streams.Open();
  const auto quick = streams.Open();
  for (int i = 0; i < 1000; ++i) {
    streams.Tell(Event(std::to_string(i)));
    EXPECT_EQ(Next(*quick), std::to_string(i));
  }
  EXPECT_EQ(Next(*slow), "0");
  streams.Tell(Event("more"));
  streams.Tell(Event("too many"));
  EXPECT_EQ(Next(*slow), "error");
  EXPECT_EQ(Next(*slow), "error");
  EXPECT_EQ(Next(*quick), "more");
  EXPECT_EQ(Next(*quick), "too many");
}

}  // namespace
}  // namespace podium::cri
