// In-place resize: cpu and memory of containers that run are changed without a restart, unless
// their resizePolicy asks for one (upstream's pkg/kubelet/allocation and kuberuntime, release
// 1.36). Pure.
//
//   desired     what the API says
//   allocated   what the node has granted: the specification that a pod's worker has
//   actuated    what a container was given last: the runtime's limits, shown in its status
// Whether desired becomes allocated is the agent's to say; here is what lies behind that.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "node/observed_pod.h"
#include "node/pod_spec.h"

namespace podium::node {

inline constexpr std::string_view kResizePending = "PodResizePending";
inline constexpr std::string_view kResizeInProgress = "PodResizeInProgress";

// A resize that has been granted and is not done yet.
struct ResizeProgress {
  int64_t generation = 0;  // of the pod that asked for it
  std::string error{};     // why it does not get on
};

// One that the node has not granted.
struct PendingResize {
  bool infeasible = false;  // never on this node; otherwise as soon as there is room
  std::string message;
  int64_t generation = 0;
  int64_t since = 0;  // nanoseconds since 1970

  friend bool operator==(const PendingResize&, const PendingResize&) = default;
};

// What containers were given since this process began, by name; before that the status knows.
struct GivenResources {
  std::string container_id;
  v1::ResourceRequirements resources;
};
using GivenByName = std::map<std::string, GivenResources, std::less<>>;

struct ResizeState {
  std::optional<PendingResize> pending;
  std::optional<ResizeProgress> progress;
  GivenByName given;
};

// cpu and memory, by value.
bool SameAmounts(const v1::ResourceRequirements& a, const v1::ResourceRequirements& b);
// Of all containers that may be resized, and of the pod itself.
bool SameAmounts(const v1::PodSpec& a, const v1::PodSpec& b);
// Makes cpu and memory of `to` those of `from`, which has the same containers.
void CopyAmounts(const v1::PodSpec& from, v1::PodSpec* to);

// What a running container of the pod (a regular one or a sidecar) has.
v1::ResourceRequirements ActuatedOf(const v1::Pod& pod, const v1::Container& container,
                                    const ObservedContainer& state, const GivenByName& given);
// The specification with what its running containers have.
v1::PodSpec ActuatedSpec(const v1::Pod& pod, const ObservedPod& observed, const GivenByName& given);

// Whether the container must be restarted to get what it should have.
bool ResizeNeedsRestart(const v1::Container& container, const v1::ResourceRequirements& actuated);

// Why it is killed, as the event tells it.
std::string ResizeKillMessage(const v1::Container& container);

// "Pod resize started: {...}", as events tell it. `error`: empty for none.
std::string ResizeMessage(std::string_view what, const v1::PodSpec& spec, int64_t generation,
                          std::string_view error);

}  // namespace podium::node
