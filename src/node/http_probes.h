// NetworkProbes over real sockets. gRPC speaks HTTP/2 in clear text (h2c), just as much of it as a
// health check takes (grpc.health.v1.Health/Check; RFC 9113).
#pragma once

#include "http/client.h"
#include "node/network_probes.h"

namespace podium::node {

class HttpProbes : public NetworkProbes {
 public:
  static Result<HttpProbes> Create();

  Result<Reply> HttpGet(const HttpCall& call) override;
  Result<void> Connect(const std::string& host, uint16_t port,
                       std::chrono::seconds timeout) override;
  Result<bool> GrpcHealth(const std::string& host, uint16_t port, const std::string& service,
                          std::chrono::seconds timeout) override;

 private:
  explicit HttpProbes(http::Client client) : client_(std::move(client)) {}
  http::Client client_;
};

}  // namespace podium::node
