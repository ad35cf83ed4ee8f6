// Port-forward: connections into a pod over a client's streams (upstream's k8s.io/cri-streaming
// pkg/streaming/portforward, release 1.36). Of SPDY, each connection is two streams, `data` and
// `error`, that have a port and say by a requestID that they belong together; of channels, the
// ports are in the request, each has two channels, and in each the port comes first, in two bytes,
// the lower one before the higher.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/gate.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "node/streams/stream_connection.h"

namespace podium::node {

struct PortForward {
  // A stream socket; may wait, and runs in the executor.
  std::function<Result<UniqueFd>(uint16_t port)> connect{};
  std::string pod{};  // as errors name it
  std::string uid{};
  std::vector<uint16_t> ports{};  // of channels, in their order; empty: SPDY
};

// On the connection's poller. The executor outlives the session, which has passed the gate.
void RunPortForward(const std::shared_ptr<StreamConnection>& connection, PortForward forward,
                    Executor& executor, Gate::Pass pass);

}  // namespace podium::node
