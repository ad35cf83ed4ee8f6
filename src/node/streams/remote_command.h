// Exec and attach: a process's streams and a client's (upstream's k8s.io/cri-streaming
// pkg/streaming/remotecommand, release 1.36). The process is started when the client's streams are
// there. At its end, when all that it printed is on its way, the client is told how it ended and
// has time to take it: a connection that is closed before loses what lies in its buffers.
//
// The client's going ends the session, and with it a process that was started for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.h"
#include "base/gate.h"
#include "base/result.h"
#include "node/streams/local_end.h"
#include "node/streams/stream_connection.h"
#include "runtime/runtime.h"

namespace podium::node {

struct RemoteStreams {
  bool stdin_ = false;
  bool stdout_ = false;
  bool stderr_ = false;
  bool tty = false;
};

// What the versions of the protocol differ in.
struct RemoteProtocol {
  bool channels = false;  // numbers, and not streams that the client opens
  bool json_status =
      false;            // from version 4 on: a metav1.Status at the end; before: an error's words
  bool resize = false;  // from version 3 on
};

struct RemoteCommand {
  RemoteStreams streams{};
  RemoteProtocol protocol{};
  // Begins what the streams are for; may wait, and runs in the executor.
  std::function<Result<std::unique_ptr<runtime::Session>>()> start{};
  std::string action{};    // of an error: "executing command in container"
  bool tells_code = true;  // an attachment ends well, however its process did
};

// On the connection's poller. The executor outlives the session, which has passed the gate.
void RunRemoteCommand(const std::shared_ptr<StreamConnection>& connection, RemoteCommand command,
                      Executor& executor, Gate::Pass pass);

// What is told at the end, on the error stream: "" for nothing.
std::string RemoteStatus(const Result<int32_t>& code, const std::string& action, bool json);

}  // namespace podium::node
