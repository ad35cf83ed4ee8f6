// Bodies that are sent by WebSocket.
#include "http/websocket_feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "http/client.h"
#include "http/test_server.h"
#include "http/websocket.h"

namespace podium::http {
namespace {

using namespace std::chrono_literals;

// What a test puts in comes out, piece by piece.
struct Source {
  void Put(std::string piece) {
    BodyWaker waker;
    {
      const std::lock_guard lock(mutex);
      pieces.push_back(std::move(piece));
      waker = wakes;
    }
    waker.Wake();
  }
  void End() {
    ended = true;
    BodyWaker waker;
    {
      const std::lock_guard lock(mutex);
      waker = wakes;
    }
    waker.Wake();
  }
  std::mutex mutex;
  std::vector<std::string> pieces;
  BodyWaker wakes;
  std::atomic<bool> ended = false;
  std::atomic<bool> gone = false;
  std::atomic<bool> endless = false;
  std::atomic<size_t> taken = 0;
};

class SourceBody : public PulledBody {
 public:
  explicit SourceBody(std::shared_ptr<Source> source) : source_(std::move(source)) {}
  ~SourceBody() override { source_->gone = true; }
  SourceBody(const SourceBody&) = delete;
  SourceBody& operator=(const SourceBody&) = delete;
  void Attach(BodyWaker waker) override {
    const std::lock_guard lock(source_->mutex);
    source_->wakes = std::move(waker);
  }
  Result<BodyPiece> Next() override {
    if (source_->endless) {
      piece_.assign(size_t{1} << 16, 'x');
      source_->taken += piece_.size();
      return BodyPiece{piece_, BodyPiece::Then::kMore};
    }
    const bool ended = source_->ended;
    const std::lock_guard lock(source_->mutex);
    if (source_->pieces.empty()) {
      return BodyPiece{{}, ended ? BodyPiece::Then::kEnd : BodyPiece::Then::kWait};
    }
    piece_ = std::move(source_->pieces.front());
    source_->pieces.erase(source_->pieces.begin());
    return BodyPiece{piece_, BodyPiece::Then::kMore};
  }

 private:
  const std::shared_ptr<Source> source_;
  std::string piece_;
};

struct FeedServer {
  explicit FeedServer(FeedOptions wanted)
      : options(wanted), server([this](const auto& exchange) { Handle(*exchange); }) {}
  ~FeedServer() {
    server.Destroy();
    poller->Stop();
  }
  FeedServer(const FeedServer&) = delete;
  FeedServer& operator=(const FeedServer&) = delete;
  void Handle(Exchange& exchange) const {
    auto headers = WebSocketAcceptance(exchange.request().head, "x");
    ASSERT_TRUE(headers.ok());
    EXPECT_TRUE(FeedWebSocket(poller, exchange, *std::move(headers),
                              std::make_unique<SourceBody>(source), options)
                    .ok());
  }
  std::unique_ptr<WebSocket> Connect() {
    client.emplace(*Client::Create());
    auto answer = ConnectWebSocket(*client, {.url = server.Url("/")}, {"x"});
    EXPECT_TRUE(answer.ok() && answer->socket);
    return std::move(answer->socket);
  }
  const FeedOptions options;
  std::shared_ptr<Source> source = std::make_shared<Source>();
  std::shared_ptr<Poller> poller = *Poller::Create();
  std::optional<Client> client;
  TestServer server;
};

TEST(WebSocketFeed, LinesAreMessagesOfText) {
  FeedServer feed({.message = FeedOptions::Message::kLine, .text = true});
  feed.source->Put("one\ntwo\nth");
  auto socket = feed.Connect();
  EXPECT_EQ((*socket->Read())->data, "one\n");
  auto two = *socket->Read();
  EXPECT_EQ(two->data, "two\n");
  EXPECT_TRUE(two->text);
  feed.source->Put("ree\n");
  EXPECT_EQ((*socket->Read())->data, "three\n");
  feed.source->End();
  EXPECT_FALSE((*socket->Read()).has_value());
  EXPECT_EQ(socket->close_status().code, 1000);
  EXPECT_TRUE(Eventually([&] { return feed.source->gone.load(); }));
}

TEST(WebSocketFeed, WhatStandsBehindItsLengthIsAMessage) {
  FeedServer feed({.message = FeedOptions::Message::kLengthPrefixed});
  const std::string event = std::string("\0\0\1\x2c", 4) + std::string(300, 'e');
  feed.source->Put(event.substr(0, 2));
  feed.source->Put(event.substr(2) + event.substr(0, 9));
  auto socket = feed.Connect();
  auto first = *socket->Read();
  EXPECT_EQ(first->data, std::string(300, 'e'));
  EXPECT_FALSE(first->text);
  feed.source->Put(event.substr(9));
  EXPECT_EQ((*socket->Read())->data, std::string(300, 'e'));
}

TEST(WebSocketFeed, Base64) {
  FeedServer feed({.text = true, .base64 = true, .begins_empty = true});
  feed.source->Put("any\n");
  auto socket = feed.Connect();
  EXPECT_EQ((*socket->Read())->data, "");
  EXPECT_EQ((*socket->Read())->data, "YW55Cg==");
}

TEST(WebSocketFeed, ClientMaySayAnythingAndIsAnsweredPings) {
  FeedServer feed({});
  auto peer = feed.server.Connect();
  peer->Send(
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  EXPECT_TRUE(peer->ReadHead().starts_with("HTTP/1.1 101 "));
  // A megabyte of a message, of which nothing is kept, then a ping; masks of zeros.
  peer->Send(std::string("\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0", 14) + std::string(1 << 20, 'x'));
  peer->Send(std::string("\x89\x82\0\0\0\0hi", 8));
  EXPECT_EQ(peer->ReadExactly(4), "\x8a\x02hi");
  // What is not masked is no client's.
  peer->Send(std::string("\x82\x01x", 3));
  EXPECT_EQ(peer->ReadToEnd(), "");
  EXPECT_TRUE(Eventually([&] { return feed.source->gone.load(); }));
}

TEST(WebSocketFeed, ClientGone) {
  FeedServer feed({});
  {
    auto socket = feed.Connect();
    feed.source->Put("x");
    EXPECT_EQ((*socket->Read())->data, "x");
  }
  feed.client.reset();
  EXPECT_TRUE(Eventually([&] { return feed.source->gone.load(); }));
}

TEST(WebSocketFeed, IsMadeNoFasterThanItIsTaken) {
  FeedServer feed({});
  feed.source->endless = true;
  auto socket = feed.Connect();
  size_t before = 0;
  EXPECT_TRUE(Eventually([&] {
    const size_t now = feed.source->taken;
    std::this_thread::sleep_for(200ms);
    return now > 0 && now == std::exchange(before, now);
  }));
  EXPECT_LT(feed.source->taken, size_t{64} << 20);
}

TEST(WebSocketFeed, StopEndsIt) {
  FeedServer feed({});
  auto socket = feed.Connect();
  feed.server->Stop(0ms);
  EXPECT_TRUE(Eventually([&] { return feed.source->gone.load(); }));
}

}  // namespace
}  // namespace podium::http
