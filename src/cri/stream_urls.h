// The URLs that Exec, Attach and PortForward answer with, and the HTTP server behind them
// (upstream's k8s.io/cri-streaming pkg/streaming, release 1.36). A URL has a token that nobody can
// guess, counts once, and for a minute; a thousand can be out at a time. Private to this room.
//
// Threads: any.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <variant>

#include "base/executor.h"
#include "base/result.h"
#include "http/listener.h"
#include "http/server.h"
#include "node/streams/stream_service.h"
#include "runtime/runtime.h"
#include "wire/types/cri.h"

namespace podium::cri {

class StreamUrls {
 public:
  static Result<std::unique_ptr<StreamUrls>> Create(runtime::Runtime& runtime, Executor& executor);
  ~StreamUrls();
  StreamUrls(const StreamUrls&) = delete;
  StreamUrls& operator=(const StreamUrls&) = delete;

  Result<void> Serve(http::Listener listener, const std::string& host);
  // Every session ends.
  void Stop();

  // kResourceExhausted when too many are out; kUnavailable before Serve.
  Result<std::string> For(wire::cri::ExecRequest request);
  Result<std::string> For(wire::cri::AttachRequest request);
  Result<std::string> For(wire::cri::PortForwardRequest request);

 private:
  using Request =
      std::variant<wire::cri::ExecRequest, wire::cri::AttachRequest, wire::cri::PortForwardRequest>;
  struct Given {
    std::string path;
    Request request;
    std::chrono::steady_clock::time_point until;
  };
  StreamUrls(runtime::Runtime& runtime, std::unique_ptr<node::StreamService> service)
      : runtime_(runtime), service_(std::move(service)) {}

  Result<std::string> Give(const std::string& kind, Request request);
  std::unique_ptr<Request> Take(const std::string& path);
  void Handle(http::Exchange& exchange);
  void Begin(http::Exchange& exchange, wire::cri::ExecRequest request);
  void Begin(http::Exchange& exchange, wire::cri::AttachRequest request);
  void Begin(http::Exchange& exchange, const wire::cri::PortForwardRequest& request);

  runtime::Runtime& runtime_;
  const std::unique_ptr<node::StreamService> service_;
  std::mutex mutex_;
  std::string base_;        // under mutex_
  std::list<Given> given_;  // under mutex_; the oldest first
  std::unique_ptr<http::Server> server_;
};

}  // namespace podium::cri
