// Lifecycle hooks: postStart and preStop (upstream's pkg/kubelet/lifecycle, release 1.36).
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "node/event_recorder.h"
#include "node/network_probes.h"
#include "node/pod_spec.h"
#include "runtime/runtime.h"

namespace podium::node {

struct HookInput {
  const v1::Pod& pod;
  const v1::Container& container;
  std::string container_id;
  std::string address;              // of the pod
  std::chrono::seconds timeout{0};  // for exec; 0: none
};

struct HookServices {
  runtime::Runtime& runtime;
  NetworkProbes& network;
  EventSink& events;
};

// Runs an exec or httpGet hook to its end; a tcpSocket, which upstream does not support any more,
// fails. The error's message is upstream's. A hook that sleeps is for the caller to wait for
// (SleepOf): it needs no thread. An httpGet succeeds with any answer; where a server that was asked
// by HTTPS answers in plain HTTP it is asked that way, without the credentials, and an event says
// so.
Result<void> RunHook(const v1::LifecycleHandler& handler, const HookInput& input,
                     const HookServices& services);

// How long a hook only sleeps; 0 when it does something else.
std::chrono::seconds SleepOf(const v1::LifecycleHandler& handler);

}  // namespace podium::node
