// Carries out a resize: the step of SyncPod that changes what a pod and its containers have while
// they run (upstream's doPodResizeAction, release 1.36).
#pragma once

#include <cstdint>
#include <optional>

#include "node/observed_pod.h"
#include "node/pod_services.h"
#include "node/resize.h"

namespace podium::node {

// Gives the pod and its running containers what the specification says; those that must be
// restarted for it are left alone. What a container was given is noted in `state`. The pod's cgroup
// grows before its containers and shrinks after them. A limit of memory below what is used is not
// set: the kernel would kill for it. What fails is an event and the error of `state`'s progress,
// and the time to try again is returned.
std::optional<int64_t> ResizePod(PodServices& services, ResizeState& state, const v1::Pod& pod,
                                 const ObservedPod& observed);

}  // namespace podium::node
