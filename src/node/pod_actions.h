// ComputePodActions: what is to be done for a pod, from what it asks for and what is there. Pure:
// no clock, no effects; SyncPod (sync_pod.h) carries it out.
//
// The rules are upstream's of release 1.36 (pkg/kubelet/kuberuntime: computePodActions,
// computeInitContainerActions, doBackOff), with the back-off decided here instead of on the way:
//
//   sandbox gone, dead, of another network mode, or without an address
//                        kill all, make a new one, start again with the first init container;
//                        policy Never: only while nothing but init containers has run, and none
//                        has failed (upstream: while no container was made, and the pod stays
//                        Pending otherwise, kubernetes/kubernetes#118321)
//   no init container    all containers at once
//   init containers      the last one with a state tells how far the pod is; one by one, each
//                        sidecar (restartPolicy Always) only until it has started; a sidecar that
//                        exits later is started again, an init container never
//   containers           started when their rules, their policy or the pod's says so
//   nothing to keep, nothing to start
//                        kill the pod: its sandbox is not needed any more
//
// Example: containers [a b], policy OnFailure, a exited 0, b exited 1 at 12:00:00, started and
// failed twice before, now 12:00:05:
//   containers_to_start {}, in_back_off {b until 12:00:20}, wait_until 12:00:20
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/back_off.h"
#include "node/observed_pod.h"
#include "node/pod_spec.h"
#include "node/resize.h"

namespace podium::node {

enum class ProbeResult : uint8_t { kUnknown, kSuccess, kFailure };

// What probes found, by container id; nothing for one that has not been probed.
struct ProbeResults {
  virtual ~ProbeResults() = default;
  virtual std::optional<ProbeResult> Startup(std::string_view container_id) const = 0;
  virtual std::optional<ProbeResult> Liveness(std::string_view container_id) const = 0;
};

enum class KillReason : uint8_t { kNone, kUnknownState, kStartupProbe, kLivenessProbe, kResize };

struct ContainerToKill {
  std::string id;
  ContainerRef container;
  std::string message;  // of the event
  KillReason reason = KillReason::kNone;
};

// One that is removed so that all containers of the pod start anew (RestartAllContainers).
struct ContainerToReset {
  std::string id;
  bool kill = false;  // it runs
};

// One that would be started if it had not failed so shortly ago.
struct ContainerInBackOff {
  ContainerRef container;
  int64_t delay = 0;  // nanoseconds
  int64_t until = 0;
};

struct PodActions {
  bool kill_pod = false;  // all containers and sandboxes
  bool create_sandbox = false;
  // It may not run again, and its sandbox went before each of its containers had begun: it has to
  // be ended, since these never will. (Upstream leaves such a pod Pending.)
  bool is_over = false;
  std::string sandbox_id;  // the present one; with create_sandbox, the one it takes the place of
  uint32_t attempt = 0;    // of the sandbox
  // Indexes, in the order of starting. None of these is in its back-off.
  std::vector<size_t> init_containers_to_start;
  std::vector<size_t> containers_to_start;
  std::vector<size_t> ephemeral_containers_to_start;
  std::vector<ContainerToKill> containers_to_kill;
  // When it is not empty, nothing else is to be done. Those whose exit asked for it stand last, so
  // that the reason is there until the others are gone.
  std::vector<ContainerToReset> containers_to_reset;
  std::vector<ContainerInBackOff> in_back_off;
  // Containers that run, and the pod, get what they should have (resize.h).
  bool resize = false;
  // When to plan again though nothing happens: nanoseconds since 1970.
  std::optional<int64_t> wait_until;

  // Nothing to be done now.
  bool Empty() const;
};

// Containers that are killed so as to be started again, by name, and when they ended the time
// before that, if they did. Whether they have to wait was decided by that end: a kill of ours is
// none.
using DueContainers = std::map<std::string, std::optional<int64_t>, std::less<>>;

struct PlanInput {
  const v1::Pod& pod;
  const ObservedPod& observed;
  const ProbeResults& probes;
  const BackOff& back_off;
  int64_t now = 0;
  // Containers whose restart was decided before they were killed for it: their end is no crash. By
  // name; null for none.
  const DueContainers* due = nullptr;
  // The pod's condition AllContainersRestarting: a restart of all is under way.
  bool restarting_all = false;
  // A resize is under way; what containers were given. Null: none is.
  const GivenByName* given = nullptr;
};

PodActions ComputePodActions(const PlanInput& input);

// Whether the pod needs a new sandbox.
bool PodSandboxChanged(const v1::Pod& pod, const ObservedPod& observed);

// The key of a container's back-off; another definition is another key.
std::string BackOffKey(const v1::Pod& pod, const v1::Container& container);

// Whether a container that does not run is to be started, apart from back-off: false once the pod
// is being deleted.
bool ShouldBeRestarted(const v1::Pod& pod, const v1::Container& container,
                       const ObservedContainer* newest);

// Whether some container's exit, now or noted in the status before, restarts them all.
bool ShouldRestartAllContainers(const v1::Pod& pod, const ObservedPod& observed,
                                const v1::PodStatus& status);

// When the pod's activeDeadlineSeconds run out; nothing when it has none or has not started.
std::optional<int64_t> ActiveDeadline(const v1::Pod& pod, const std::optional<api::Time>& started);

}  // namespace podium::node
