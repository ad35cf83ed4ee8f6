// The status of a pod's containers, from what the runtime says, in upstream's words
// (pkg/kubelet/kubelet_pods.go, release 1.36). Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/observed_pod.h"
#include "node/pod_spec.h"
#include "node/resize.h"

namespace podium::node {

// Before a container's id in its status: "podium://5f2c...".
inline constexpr std::string_view kContainerIdPrefix = "podium://";

// Why a container that should run does not, by its name: the outcome of the last try to start it.
// An entry goes when a try succeeds.
struct WaitingReason {
  std::string reason;  // ErrImagePull, CrashLoopBackOff ...
  std::string message;

  friend bool operator==(const WaitingReason&, const WaitingReason&) = default;
};
// The container runs when this is said of it, until it is killed.
inline constexpr std::string_view kPostStartHookError = "PostStartHookError";
using WaitingReasons = std::map<std::string, WaitingReason, std::less<>>;

// What probes say of running containers, by container id.
struct Readiness {
  virtual ~Readiness() = default;
  // Its startup probe, if it has one, succeeded.
  virtual bool Started(const v1::Container& container, std::string_view container_id) const = 0;
  // Its readiness probe, if it has one, succeeded last.
  virtual bool Ready(const v1::Container& container, std::string_view container_id) const = 0;
};

struct ContainerStatusInput {
  const v1::Pod& pod;
  const ObservedPod& observed;
  const v1::PodStatus& before;  // the status that was told last
  const WaitingReasons& waiting;
  const Readiness& readiness;
  const GivenByName& given;  // what running containers have
};

struct ContainerStatuses {
  reflect::List<v1::ContainerStatus> init;
  reflect::List<v1::ContainerStatus> regular;
  reflect::List<v1::ContainerStatus> ephemeral;
};

// One status for each container of the pod, sorted by name as upstream does; init containers stand
// in the order of the pod.
//
//   never made             waiting: the reason noted, or ContainerCreating; PodInitializing for
//                          containers of a pod with init containers
//   exited, to be started again, and that failed    waiting with the reason, lastState the exit
//   was running, and nothing of it is left          terminated, ContainerStatusUnknown, 137
ContainerStatuses GenerateContainerStatuses(const ContainerStatusInput& input);

// A pod has ended: containers that neither ended nor were left out because the pod never came so
// far are told as lost (ContainerStatusUnknown, 137).
void FinishStatuses(const v1::Pod& pod, ContainerStatuses* statuses);

// Null when there is none of that name.
const v1::ContainerStatus* FindStatus(const reflect::List<v1::ContainerStatus>& statuses,
                                      std::string_view name);
const v1::ContainerStatus* FindStatus(const v1::PodStatus& status, std::string_view name);

// A runtime's time in the API's form; the zero time for 0.
api::Time TimeOf(int64_t nanoseconds);

// Cuts termination messages so that all of a pod together have at most 12 KiB, as upstream.
void LimitMessages(v1::PodStatus* status);

// The restart count of the next instance of a container: one more than that of the last, which the
// runtime or, if it is gone from there, the status knows.
int32_t NextRestartCount(const ObservedPod& observed, const v1::PodStatus& before,
                         std::string_view name);

// "SIGTERM"; empty for the runtime's default.
std::string_view SignalName(cri::Signal signal);
std::optional<cri::Signal> SignalOf(std::string_view name);

}  // namespace podium::node
