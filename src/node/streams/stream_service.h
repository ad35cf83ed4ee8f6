// Serves exec, attach and port-forward to whoever asks for them over HTTP, by any of the protocols
// that kubelets and API servers take (release 1.36): the one place for it, at the agent's socket
// and at the kubelet's port. All connections run on one thread; what may wait runs in the executor.
//
//   SPDY/3.1    X-Stream-Protocol-Version: v4, v3, v2.channel.k8s.io and channel.k8s.io;
//               portforward.k8s.io
//   WebSocket   v5, v4 and v4.base64.channel.k8s.io; of exec also channel.k8s.io,
//               base64.channel.k8s.io and none; SPDY/3.1+portforward.k8s.io
//
// Refusals are upstream's, as plain text.
//
// Threads: any.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/gate.h"
#include "base/result.h"
#include "http/poller.h"
#include "http/server.h"
#include "node/streams/port_forward.h"
#include "node/streams/remote_command.h"
#include "node/streams/stream_connection.h"

namespace podium::node {

class StreamService {
 public:
  // The executor outlives the service.
  static Result<std::unique_ptr<StreamService>> Create(Executor& executor, StreamTimes times = {});
  // As Stop.
  ~StreamService();
  StreamService(const StreamService&) = delete;
  StreamService& operator=(const StreamService&) = delete;

  // Whether the client asks for another protocol on its connection at all.
  static bool IsUpgrade(const http::RequestHead& head);
  // Whether a port-forward has its ports in the request: those of a WebSocket that is no tunnel.
  static bool HasPortsInQuery(const http::RequestHead& head);

  // Answers, and serves the streams from then on. `command.protocol` is what is agreed on.
  void Serve(http::Exchange& exchange, RemoteCommand command);
  // `forward.ports` counts for the clients that HasPortsInQuery.
  void Serve(http::Exchange& exchange, PortForward forward);

  // Ends every session, and waits until nothing is left of them: what their commands use, the
  // runtime, may go then. What is asked from then on is refused.
  void Stop();

 private:
  StreamService(std::shared_ptr<http::Poller> poller, Executor& executor, StreamTimes times)
      : poller_(std::move(poller)), executor_(executor), times_(times) {}

  struct Upgraded {
    std::shared_ptr<StreamConnection> connection{};  // null: the client is answered, or gone
    Gate::Pass pass{};
  };
  Upgraded Upgrade(http::Exchange& exchange, http::Headers headers,
                   std::unique_ptr<StreamCarrier> carrier);

  const std::shared_ptr<http::Poller> poller_;
  Executor& executor_;
  const StreamTimes times_;
  const Gate gate_;
  std::mutex mutex_;
  // Under the mutex.
  bool stopped_ = false;
  std::vector<std::weak_ptr<StreamConnection>> connections_;
};

}  // namespace podium::node
