// One run of a probe (upstream's pkg/kubelet/prober and pkg/probe, release 1.36).
#pragma once

#include <string>

#include "node/network_probes.h"
#include "node/pod_actions.h"
#include "runtime/runtime.h"

namespace podium::node {

struct ProbeOutcome {
  ProbeResult result = ProbeResult::kUnknown;  // unknown: it could not be run
  std::string output;                          // for the event
};

struct ProbeInput {
  const v1::Probe& probe;
  const v1::Container& container;
  std::string container_id;
  std::string address;  // of the pod
};

// Blocks for at most the probe's timeout.
ProbeOutcome RunProbe(const ProbeInput& input, runtime::Runtime& runtime, NetworkProbes& network);

}  // namespace podium::node
