// Requests that hooks and probes make over the network, apart from who makes them, so that tests
// answer them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
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
  // Whether a header of that name is among them, in any case.
  bool Has(std::string_view name) const;
};

// Threads: any. Nothing here waits: `done` is called once, from a thread of the probes' or before
// the call returns, at the latest when the timeout has passed. It must return soon. Messages of
// errors are those that upstream shows, as they are.
class NetworkProbes {
 public:
  template <class T>
  using Done = std::function<void(Result<T>)>;
  // The status, and the beginning of the body.
  struct Reply {
    int status = 0;
    std::string body;
  };

  virtual ~NetworkProbes() = default;
  // Redirects to the same host are followed, ten at the most; any other is the reply.
  // kUnsupported: who was to speak TLS answered in plain HTTP.
  virtual void HttpGet(HttpCall call, Done<Reply> done) = 0;
  virtual void Connect(const std::string& host, uint16_t port, std::chrono::seconds timeout,
                       Done<void> done) = 0;
  // The standard health check of gRPC (grpc.health.v1): its status ("SERVING").
  virtual void GrpcHealth(const std::string& host, uint16_t port, const std::string& service,
                          std::chrono::seconds timeout, Done<std::string> done) = 0;
};

// Waits for the reply.
Result<NetworkProbes::Reply> HttpGetAndWait(NetworkProbes& network, HttpCall call);

// The number of a port by number or by name of the container's, as upstream's ResolveContainerPort
// (pkg/probe/util.go): a name that no port has may still be a number. kInvalidArgument.
Result<uint16_t> ResolvePort(const api::IntOrString& port, const v1::Container& container);

// What an httpGet asks for. `address`: of the pod, where the action names no host. `purpose`, of
// the User-Agent: "probe", "lifecycle".
Result<HttpCall> MakeHttpCall(const v1::HTTPGetAction& action, const v1::Container& container,
                              const std::string& address, std::string_view purpose,
                              std::chrono::seconds timeout);

}  // namespace podium::node
