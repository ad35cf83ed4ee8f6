// The phase and the conditions of a pod, from the statuses of its containers (upstream's
// pkg/kubelet/kubelet_pods.go getPhase and pkg/kubelet/status/generate.go, release 1.36). Pure.
#pragma once

#include <string>

#include "node/container_status.h"
#include "node/observed_pod.h"
#include "node/resize.h"

namespace podium::node {

struct PhaseInput {
  const v1::PodSpec& spec;
  const ContainerStatuses& statuses;
  // A regular container of the present sandbox has run: the pod is initialized, whatever its
  // sidecars do.
  bool started = false;
  // The pod ends: no container will be started again.
  bool terminal = false;
  // A container's exit restarts all of them.
  bool restarting_all = false;
};

// Pending, Running, Succeeded or Failed.
std::string ComputePhase(const PhaseInput& input);

struct ConditionsInput {
  const v1::Pod& pod;
  const ObservedPod& observed;
  const v1::PodStatus& before;
  const ContainerStatuses& statuses;
  const std::string& phase;
  const ResizeState& resize;
  api::Time now;
};

// The kubelet's conditions, behind those that others wrote (readiness gates, DisruptionTarget). A
// condition whose status stays keeps its lastTransitionTime.
reflect::List<v1::PodCondition> GenerateConditions(const ConditionsInput& input);

// Whether the kubelet writes conditions of this type, and others do not.
bool IsKubeletCondition(std::string_view type);
// Whether the node wrote it: DisruptionTarget is the node's when the node is what ended the pod.
bool IsKubeletCondition(std::string_view type, std::string_view reason);

inline constexpr std::string_view kDisruptionTarget = "DisruptionTarget";
inline constexpr std::string_view kTerminationByKubelet = "TerminationByKubelet";

// Null when there is none of that type.
const v1::PodCondition* FindCondition(const v1::PodStatus& status, std::string_view type);

}  // namespace podium::node
