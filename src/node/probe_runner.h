// One run of a probe (upstream's pkg/kubelet/prober and pkg/probe, release 1.36).
#pragma once

#include <functional>
#include <string>

#include "node/command_runner.h"
#include "node/network_probes.h"
#include "node/pod_actions.h"

namespace podium::node {

struct ProbeOutcome {
  ProbeResult result = ProbeResult::kUnknown;  // unknown: it could not be run
  std::string output{};                        // for the event
  bool warning = false;                        // a success with something to say
};

struct ProbeInput {
  const v1::Probe& probe;
  const v1::Container& container;
  std::string container_id;
  std::string address;  // of the pod
};

// Does not wait: `done` is called once, at the latest when the probe's timeout has passed, from
// another thread or before the call returns; it must return soon.
void RunProbe(const ProbeInput& input, CommandRunner& commands, NetworkProbes& network,
              std::function<void(ProbeOutcome)> done);

}  // namespace podium::node
