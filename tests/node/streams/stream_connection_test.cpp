#include "node/streams/stream_connection.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "http/test_server.h"

namespace podium::node {
namespace {

using http::Eventually;
using http::Progress;

// A client that has so much to say at once.
class Client : public http::Transport {
 public:
  void Say(size_t bytes) {
    left_ = bytes;
    eventfd_write(fd_.get(), 1);
  }
  Result<Progress> TryRead(std::span<char> buffer) override {
    if (left_ == 0) {
      eventfd_t value = 0;
      eventfd_read(fd_.get(), &value);
      return Progress{.wait = POLLIN};
    }
    const size_t now = std::min(left_, buffer.size());
    left_ -= now;
    std::ranges::fill(buffer.first(now), 'x');
    return Progress{.bytes = now};
  }
  Result<Progress> TryWrite(std::string_view bytes) override {
    return Progress{.bytes = bytes.size()};
  }
  Result<Progress> TryCloseWrite() override { return Progress{}; }
  int fd() const override { return fd_.get(); }

 private:
  const UniqueFd fd_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  size_t left_ = 0;
};

// All that comes is of one stream.
class OneStream : public StreamCarrier {
 public:
  Result<void> Receive(std::string_view bytes, StreamListener& listener) override {
    listener.OnData(0, bytes);
    return {};
  }
  void Accept(StreamId) override {}
  void Send(StreamId, std::string_view) override {}
  void End(StreamId) override {}
  void Reset(StreamId) override {}
  void RefuseStreams() override {}
  void Close() override {}
  bool HasStreams() const override { return true; }
  std::string& output() override { return output_; }

 private:
  std::string output_;
};

struct Handler : StreamHandler {
  void OnOpen(StreamId, const http::Headers&) override {}
  void OnData(StreamId, std::string_view bytes) override { taken += bytes.size(); }
  void OnEnd(StreamId) override {}
  void OnReset(StreamId) override {}
  void OnGoAway() override {}
  void OnHangUp() override {}
  bool WantsInput() override { return true; }
  void OnRoom() override {}
  std::optional<http::Clock::time_point> Deadline() override { return std::nullopt; }
  void OnDeadline() override {}
  void OnClosed() override { closed = true; }

  std::atomic<size_t> taken = 0;
  std::atomic<bool> closed = false;
};

// What is done beside an event of the client may take all of a turn: the event that is still to
// come finds that the connection waits for nothing, and must not take that for its end.
TEST(StreamConnectionTest, AnEventOfBeforeIsNoEnd) {
  auto poller = *http::Poller::Create();
  auto transport = std::make_unique<Client>();
  Client* client = transport.get();
  auto handler = std::make_shared<Handler>();
  const auto connection = std::make_shared<StreamConnection>(
      poller, http::Exchange::Taken{.transport = std::move(transport), .rest = ""}, "",
      std::make_unique<OneStream>(), StreamTimes());
  connection->Begin(handler, [] {});
  constexpr size_t kMuch = size_t{4} << 20;
  poller->Post([&] {
    client->Say(kMuch);
    connection->Turn();
  });
  EXPECT_TRUE(Eventually([&] { return handler->taken == kMuch || handler->closed; }));
  EXPECT_EQ(handler->taken, kMuch);
  EXPECT_FALSE(handler->closed);
  poller->Post([connection] { connection->Close(); });
  EXPECT_TRUE(Eventually([&] { return handler->closed.load(); }));
  poller->Stop();
}

}  // namespace
}  // namespace podium::node
