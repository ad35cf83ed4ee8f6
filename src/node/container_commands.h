// CommandRunner over a runtime: a command's end is told (Session::NotifyEnd), and what it prints is
// read on a poller's thread. Only its beginning, which the runtime waits for, takes a thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "http/poller.h"
#include "node/command_runner.h"
#include "runtime/runtime.h"

namespace podium::node {

class ContainerCommands : public CommandRunner {
 public:
  // Runtime and executor outlive it.
  ContainerCommands(runtime::Runtime& runtime, std::shared_ptr<http::Poller> poller,
                    Executor& executor);
  // Ends those that go on, with kCancelled. The poller has been stopped.
  ~ContainerCommands() override;
  ContainerCommands(const ContainerCommands&) = delete;
  ContainerCommands& operator=(const ContainerCommands&) = delete;

  void RunInContainer(const std::string& container_id, const std::vector<std::string>& command,
                      std::chrono::seconds timeout, Done done) override;

 private:
  struct State;
  class Run;
  const std::shared_ptr<State> state_;
};

}  // namespace podium::node
