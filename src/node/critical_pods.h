// Which pods the node keeps before all others (upstream's pkg/kubelet/types, release 1.36). Pure.
#pragma once

#include <cstdint>

#include "node/pod_spec.h"

namespace podium::node {

// From here on priorities are the system's (scheduling.SystemCriticalPriority).
inline constexpr int32_t kSystemCriticalPriority = 2'000'000'000;

// From a file of the node, or such a pod as the API server shows it.
bool IsStaticPod(const v1::Pod& pod);

// Static, or of a priority that is the system's: it is not evicted, and others go for it.
bool IsCriticalPod(const v1::Pod& pod);

// Whether `victim` may be ended so that `preemptor` can run.
bool IsPreemptable(const v1::Pod& preemptor, const v1::Pod& victim);

}  // namespace podium::node
