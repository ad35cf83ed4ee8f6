// Requests that hooks and probes make over the network, apart from who makes them, so that tests
// answer them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "node/pod_spec.h"

namespace podium::node {

struct HttpCall {
  bool tls = false;  // certificates are not looked at, as upstream's probes do
  std::string host;  // an address or a name, as it goes into a URL
  uint16_t port = 0;
  std::string path;  // with its query
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::seconds timeout{1};

  std::string Url() const;
};

// Threads: any. All block for at most the timeout.
class NetworkProbes {
 public:
  virtual ~NetworkProbes() = default;
  // The status and the beginning of the body.
  struct Reply {
    int status = 0;
    std::string body;
  };
  virtual Result<Reply> HttpGet(const HttpCall& call) = 0;
  virtual Result<void> Connect(const std::string& host, uint16_t port,
                               std::chrono::seconds timeout) = 0;
  // The standard health check of gRPC (grpc.health.v1): whether the service is SERVING.
  virtual Result<bool> GrpcHealth(const std::string& host, uint16_t port,
                                  const std::string& service, std::chrono::seconds timeout) = 0;
};

// The number of a port by number or by name of the container's; kInvalidArgument.
Result<uint16_t> ResolvePort(const api::IntOrString& port, const v1::Container& container);

// What an httpGet asks for. `address`: of the pod, where the action names no host.
Result<HttpCall> MakeHttpCall(const v1::HTTPGetAction& action, const v1::Container& container,
                              const std::string& address, std::chrono::seconds timeout);

}  // namespace podium::node
