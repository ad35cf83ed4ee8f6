// Serves calls of gRPC over HTTP/2: what an http::Server with a plain_http2 endpoint hands over.
//
//   ThreadExecutor executor;
//   grpc::Service service({{"/runtime.v1.RuntimeService/Version", handler}}, executor);
//   http::Server::Start(endpoints, grpc::Service::Options(),
//                       [&](const auto& exchange) { service.Handle(exchange); });
//
// Requests are read without a thread; handlers may wait, and run in the executor. Unknown services
// and methods, compressed messages and messages beyond 16 MiB are refused in grpc-go's words, since
// those are what clients look for. Deadlines (grpc-timeout) are kept here.
//
// Threads: any. The service outlives the server, and its handlers (WaitUntilIdle).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/executor.h"
#include "grpc/call.h"
#include "http/server.h"

namespace podium::grpc {

using Handler = std::function<void(const std::shared_ptr<Call>& call)>;
using Methods = std::map<std::string, Handler, std::less<>>;  // by path

class Service {
 public:
  // The executor outlives the service's calls.
  Service(Methods methods, Executor& executor);

  // Of a server for this service alone.
  static http::ServerOptions Options();

  // On the loop's thread.
  void Handle(const std::shared_ptr<http::Exchange>& exchange);

  // True once no handler is at work, false when this time is over. When the server has stopped.
  bool WaitUntilIdle(std::chrono::milliseconds timeout) const;

 private:
  class Request;
  class Work;
  Error Unknown(std::string_view path) const;

  const std::shared_ptr<const Methods> methods_;
  Executor& executor_;
  const std::shared_ptr<std::atomic<size_t>> buffered_;  // bytes of requests that are on their way
  const std::shared_ptr<Work> work_;
};

}  // namespace podium::grpc
