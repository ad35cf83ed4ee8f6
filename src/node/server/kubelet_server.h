// The kubelet's own port, 10250: HTTPS, with a certificate that changes while it runs. There is no
// port without TLS and authorization (upstream's readOnlyPort: 0).
//
//   KubeletAuth auth(connection, clock, node, [&] { return certificates.root_ca(); });
//   KubeletApi api(host, auth, *streams, clock);
//   TRY(auto server, KubeletServer::Start(api, {.certificate = …, .key = …}));
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/server.h"
#include "http/tls_server.h"
#include "node/server/kubelet_api.h"

namespace podium::node {

inline constexpr uint16_t kKubeletPort = 10250;

// Threads: any, but for Stop: once.
class KubeletServer {
 public:
  struct Options {
    std::string address = "0.0.0.0";
    uint16_t port = kKubeletPort;  // 0: any
    std::string certificate{};     // PEM, with the chain behind it
    std::string key{};
    // PEM: by whom the certificates of clients are signed; their names go to clients that have
    // several to choose from.
    std::string client_roots{};
  };
  // The api outlives the server.
  static Result<std::unique_ptr<KubeletServer>> Start(KubeletApi& api, Options options);

  // For connections from now on.
  Result<void> SetCertificate(std::string certificate, std::string key);
  Result<void> SetClientRoots(std::string client_roots);
  uint16_t port() const { return port_; }
  // That are open, without those of the stream service.
  size_t connections() const { return server_->counts().connections; }

  // The streams that it has handed to the stream service end by that one's Stop, which comes before
  // the runtime goes.
  void Stop(std::chrono::milliseconds grace) { server_->Stop(grace); }

 private:
  KubeletServer(std::shared_ptr<http::TlsServer> tls, std::unique_ptr<http::Server> server,
                uint16_t port)
      : tls_(std::move(tls)), server_(std::move(server)), port_(port) {}

  const std::shared_ptr<http::TlsServer> tls_;
  const std::unique_ptr<http::Server> server_;
  const uint16_t port_;
};

}  // namespace podium::node
