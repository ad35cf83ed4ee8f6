// The part of ComputePodActions that looks at init containers. Internal to the planner.
#pragma once

#include "node/pod_actions.h"

namespace podium::node {

// Fills in which init containers to start and to kill, in order, or that the pod has failed
// (kill_pod). True when the pod is initialized: its containers may run.
bool ComputeInitContainerActions(const PlanInput& input, PodActions* actions);

// Whether any regular container was ever made, which says that the init containers were through.
bool AnyRegularContainerCreated(const v1::PodSpec& spec, const ObservedPod& observed);

}  // namespace podium::node
