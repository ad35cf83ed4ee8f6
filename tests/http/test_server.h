// A server on loopback for a test, and raw clients of it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

#include "http/connect.h"
#include "http/peer.h"
#include "http/server.h"

namespace podium::http {

class TestServer {
 public:
  explicit TestServer(Handler handler, ServerOptions options = {},
                      std::shared_ptr<const TlsServer> tls = nullptr, bool plain_http2 = false)
      : secure_(tls != nullptr) {
    auto listener = Listener::Tcp("127.0.0.1", 0);
    EXPECT_TRUE(listener.ok());
    port_ = listener->port();
    std::vector<Endpoint> endpoints;
    endpoints.push_back({*std::move(listener), std::move(tls), plain_http2});
    server_ = *Server::Start(std::move(endpoints), std::move(options), std::move(handler));
  }
  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  std::string Url(const std::string& path) const {
    return (secure_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_) + path;
  }
  // A connection that the test writes to byte by byte.
  std::unique_ptr<Peer> Connect() const { return std::make_unique<Peer>(*ConnectBlocking()); }
  uint16_t port() const { return port_; }
  // Gives it away: with what is in flight, and without an end.
  void Destroy() { server_.reset(); }

 private:
  Result<UniqueFd> ConnectBlocking() const {
    TRY(UniqueFd fd, ConnectTcp("127.0.0.1", port_, {}));
    const int flags = fcntl(fd.get(), F_GETFL);
    fcntl(fd.get(), F_SETFL, flags & ~O_NONBLOCK);
    return fd;
  }
  const bool secure_;
  uint16_t port_ = 0;
  std::unique_ptr<Server> server_;
};

// True once `holds` does, within five seconds.
template <class Condition>
bool Eventually(const Condition& holds) {
  for (int i = 0; i < 500; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace podium::http
