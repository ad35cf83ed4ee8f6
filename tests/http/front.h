// A server of HTTP that passes every request on to another one, which a test plays.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/executor.h"
#include "http/backend.h"
#include "http/peer.h"
#include "http/splice.h"
#include "http/test_server.h"

namespace podium::http {

// A server that passes every request on to `backend`, as the API server does it.
class Front {
 public:
  explicit Front(uint16_t backend, ServerOptions options = {},
                 std::shared_ptr<const TlsServer> tls = nullptr)
      : backend_(backend),
        server_([this](auto exchange) { Handle(exchange); }, With(options), std::move(tls)) {}
  ~Front() {
    server_.Destroy();
    poller->Stop();
  }
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  TestServer& server() { return server_; }
  std::shared_ptr<Poller> poller = *Poller::Create();
  std::atomic<int> spliced = 0;
  static constexpr uint64_t kMaxBody = uint64_t{1} << 30;

 private:
  static ServerOptions With(ServerOptions options) {
    options.treatment = [](const RequestHead& head) {
      const bool streams = head.method == "POST";
      return Treatment{
          .on_loop = true, .long_running = !streams, .stream_body = streams, .max_body = kMaxBody};
    };
    return options;
  }
  void Handle(const std::shared_ptr<Exchange>& exchange) {
    auto cancel = std::make_shared<BackendCancel>();
    exchange->OnCancel([cancel] { cancel->Cancel(); });
    DialBackend(poller, resolver_, {.host = "127.0.0.1", .port = backend_}, std::chrono::seconds(5),
                cancel, [this, exchange, cancel](Result<std::unique_ptr<Transport>> connection) {
                  if (!connection.ok()) {
                    (void)exchange->Respond(502, {}, connection.error().message());
                    return;
                  }
                  AskBackend(poller, *std::move(connection), RequestOf(exchange), cancel,
                             [this, exchange](Result<BackendAnswer> answer) {
                               Answer(*exchange, std::move(answer));
                             });
                });
  }
  BackendRequest RequestOf(const std::shared_ptr<Exchange>& exchange) {
    BackendRequest request{.head = exchange->request().head};
    Headers& headers = request.head.headers;
    if (request.head.method != "POST") return request;
    if (!headers.Find("Content-Length")) headers.Set("Transfer-Encoding", "chunked");
    request.source = RequestBody(exchange, poller);
    return request;
  }
  void Answer(Exchange& exchange, Result<BackendAnswer> answer) {
    if (!answer.ok()) {
      (void)exchange.Respond(502, {}, answer.error().message());
      return;
    }
    if (answer->head.status == 101) {
      auto client = exchange.TakeConnection();
      if (!client.ok()) return;
      const std::string head = *SerializeResponseHead(answer->head);
      ++spliced;
      Splice(poller, {std::move(client->transport), client->rest},
             {std::move(answer->connection), head + answer->rest}, [this] { --spliced; });
      return;
    }
    const int status = answer->head.status;
    const auto size = answer->framing.kind == Framing::Kind::kLength
                          ? std::optional(answer->framing.length)
                          : std::nullopt;
    (void)exchange.RespondFrom(status, {}, BackendBody(poller, *std::move(answer)), size);
  }

  const uint16_t backend_;
  ThreadExecutor resolver_{4};
  TestServer server_;
};

// A backend that does what a test says with a connection.
class Backend : public PeerServer {
 public:
  explicit Backend(std::function<void(Peer& peer)> serve)
      : PeerServer([serve = std::move(serve)](Peer& peer, int) { serve(peer); }) {}
};

// 256 MiB, or what is taken until nothing is for a second.
inline void SendUntilNobodyTakes(Peer& peer, std::atomic<size_t>* sent) {
  timeval second{.tv_sec = 1, .tv_usec = 0};
  setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  const std::string piece(size_t{1} << 16, 'x');
  while (*sent < size_t{256} << 20 && peer.Send(piece)) *sent += piece.size();
}

// It stops at what fills the buffers of two connections.
inline void ExpectBuffersFull(const std::atomic<size_t>& sent) {
  size_t before = 0;
  EXPECT_TRUE(Eventually([&] {
    const size_t now = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    return now > 0 && now == std::exchange(before, now);
  }));
  EXPECT_LT(sent, size_t{64} << 20);
}

}  // namespace podium::http
