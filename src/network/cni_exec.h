// Runs one plugin once.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace podium::network {

struct CniCall {
  std::string program;                                           // a path
  std::vector<std::pair<std::string, std::string>> environment;  // besides this process's own
  std::string input;
  std::chrono::milliseconds timeout{60'000};
};

struct CniOutcome {
  int status = 0;  // exit code, or 128 plus the signal
  std::string output;
  std::string errors;  // standard error, cut to 4 KiB
};

// In the calling thread's namespaces, in a session of its own, with no descriptor of this
// process's. kDeadlineExceeded: it took too long, and is gone with all that it started;
// kResourceExhausted: it printed more than 1 MiB.
Result<CniOutcome> RunCniPlugin(const CniCall& call);

}  // namespace podium::network
