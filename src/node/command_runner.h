// Commands in containers, apart from who runs them, so that tests answer them (upstream's
// kubecontainer.CommandRunner, release 1.36).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace podium::node {

struct CommandOutput {
  int32_t exit_code = 0;
  std::string text;  // the beginning of what it printed: of stdout, then of stderr
};

// Threads: any.
class CommandRunner {
 public:
  using Done = std::function<void(Result<CommandOutput>)>;

  virtual ~CommandRunner() = default;
  // Does not wait: `done` is called once, from another thread or before the call returns, and must
  // return soon. kDeadlineExceeded: the timeout, which is not 0, has passed, and the process is
  // dead; the message is upstream's.
  virtual void RunInContainer(const std::string& container_id,
                              const std::vector<std::string>& command, std::chrono::seconds timeout,
                              Done done) = 0;
};

}  // namespace podium::node
