// Runs a credential plugin. Private to client.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace podium::client {

struct PluginProcess {
  std::string command;  // with a slash: its file; else looked for in PATH
  std::vector<std::string> arguments{};
  // Over that of this process.
  std::vector<std::pair<std::string, std::string>> environment{};
  // Its standard input is this process's; else it has nothing to read.
  bool interactive = false;
};

// What it wrote to standard output, at most 1 MiB, once it has ended. Its standard error is this
// process's. kNotFound: there is no such program; kPermissionDenied; kUnauthenticated: it ended
// with another code than 0, or by a signal.
Result<std::string> RunPlugin(const PluginProcess& process);

}  // namespace podium::client
