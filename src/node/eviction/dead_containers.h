// What is won back of a disk before any pod goes for it: containers that have ended and that nobody
// starts again (upstream's DeleteAllUnusedContainers in pkg/kubelet/kuberuntime/kuberuntime_gc.go,
// release 1.36). Of pods that go on there is nothing to be won: each round of theirs keeps one
// ended run of each container, which its next start needs.
#pragma once

#include <memory>
#include <vector>

#include "node/pod_spec.h"
#include "runtime/runtime.h"

namespace podium::node {

// Removes all containers of those of the pods that have ended, with what they have written and
// their logs. What was told of them stays. Sandboxes stay until the pods go. How many it were;
// what cannot be removed now is left.
int RemoveDeadContainers(const std::vector<std::shared_ptr<const v1::Pod>>& pods,
                         runtime::Runtime& runtime);

}  // namespace podium::node
