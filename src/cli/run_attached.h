// What kubectl run does with a pod that it attaches to: waits until it runs, joins its streams, and
// ends as its container ends (upstream's k8s.io/kubectl/pkg/cmd/run, release 1.32).
#pragma once

#include <chrono>

#include "base/result.h"
#include "cli/command.h"
#include "cli/selection.h"
#include "cli/server.h"

namespace podium::cli {

struct RunAttachment {
  bool with_stdin = false;
  bool tty = false;
  bool quiet = false;
  // The process keeps its input when this session ends, and its exit is not waited for.
  bool leave_stdin_open = false;
  // Until the pod runs, and once more until it has ended.
  std::chrono::nanoseconds timeout = std::chrono::minutes(1);
};

// Returns when the session is over, and where the pod is not started anew, when it has ended: with
// the exit code of its container. What was printed before it could be attached to comes from its
// log, where it has ended by then or attaching fails. kDeadlineExceeded when the time is over.
Result<Outcome> FollowRun(Server& server, const RunAttachment& run, const Selected& pod);

}  // namespace podium::cli
