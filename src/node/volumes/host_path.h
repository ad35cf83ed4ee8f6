// hostPath volumes: a file or folder of the machine, checked to be what the volume says it is.
// Rules and messages as the kubelet's (k8s.io/kubernetes/pkg/volume/hostpath; release 1.36).
#pragma once

#include "api/types/core_v1.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::node {

namespace v1 = api::core::v1;

// The file or folder itself (O_PATH); links are followed, as the path is the administrator's. Types
// that end in OrCreate make what is missing (0755, 0644), and so does no type, as runtimes do. What
// was checked is what is returned: no rename in between matters.
Result<UniqueFd> OpenHostPath(const v1::HostPathVolumeSource& source);

}  // namespace podium::node
