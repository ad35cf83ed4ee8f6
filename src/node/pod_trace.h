// The trace of a pod's start as the agent's socket shows it (/node/v1/traces/UID).
#pragma once

#include <string>

#include "base/trace.h"

namespace podium::node {

//   {"steps": [{"name": "RunPodSandbox", "subject": "", "depth": 1,
//               "beginNanoseconds": 7123, "endNanoseconds": 9345}, ...],
//    "dropped": 0}
// in the order in which they began. Times are CLOCK_MONOTONIC; `subject` is left out where it is
// empty; `dropped` counts the steps there was no room for.
std::string TraceJson(const Trace& trace);

}  // namespace podium::node
