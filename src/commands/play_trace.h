// Where the time of a pod's start went, from the request to the status that says Running: what
// `podium play --trace` shows. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::commands {

// Times are CLOCK_MONOTONIC in nanoseconds, the client's and the agent's alike.
struct PodTrace {
  struct Step {
    std::string name;
    std::string subject;  // a container, an image; may be empty
    uint32_t depth = 0;
    int64_t begin = 0;
    int64_t end = 0;
  };

  int64_t asked = 0;        // the client sent its request
  int64_t answered = 0;     // it had the answer
  int64_t seen = 0;         // it saw a status that says that the pod had started
  std::vector<Step> steps;  // the agent's, in the order in which they began
  uint64_t dropped = 0;     // how many more there were
};

// Takes over the steps that began before the pod was seen to have started, from the agent's answer
// (node/pod_trace.h).
Result<void> ReadSteps(std::string_view json, PodTrace* trace);

// A line for each step: when it began since the request, how long it took, and what of that is in
// none of the steps it is made of. Neighbours that took next to nothing share a line.
std::string TraceTable(std::string_view pod, const PodTrace& trace);

// {"askedNanoseconds", "answeredNanoseconds", "seenNanoseconds", "steps", "dropped"}
reflect::JsonValue TraceJson(const PodTrace& trace);

}  // namespace podium::commands
