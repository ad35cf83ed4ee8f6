// Which run of a container a request for a log means (upstream's validateContainerLogStatus in
// pkg/kubelet/kubelet_pods.go, release 1.36).
#pragma once

#include <string>

#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::node {

namespace v1 = api::core::v1;

// Its id, as statuses have it: of the run that runs, or else of the one that ended last; with
// `previous`, of the one before. 400 when there is none.
Result<std::string> LoggedContainer(const v1::Pod& pod, const std::string& name, bool previous);

}  // namespace podium::node
