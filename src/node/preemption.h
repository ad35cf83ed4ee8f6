// Which pods end so that a critical one finds room (upstream's pkg/kubelet/preemption, release
// 1.36). Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "node/pod_spec.h"

namespace podium::node {

// So much of it is missing: thousandths of a core, bytes, or pieces.
struct MissingResource {
  std::string name;
  int64_t amount = 0;
};

// What the pod asks for of it, in the same units; one of pods.
int64_t RequestOf(const v1::Pod& pod, const std::string& resource);

using PodList = std::vector<std::shared_ptr<const v1::Pod>>;

// Those of the pods that may go for `preemptor`, in the order in which they go. An error, in
// upstream's words: all of them together have not enough.
Result<PodList> PodsToPreempt(const v1::Pod& preemptor, const PodList& pods,
                              const std::vector<MissingResource>& missing);

}  // namespace podium::node
