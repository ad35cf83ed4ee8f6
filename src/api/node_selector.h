// Which nodes a selector means (upstream's k8s.io/component-helpers/scheduling/corev1/nodeaffinity,
// release 1.36).
#pragma once

#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::api {

// Any of its terms, and of a term all that it says; a term that says nothing means no node. Fields
// are metadata.name alone. kInvalidArgument where no term matches and one cannot be read.
Result<bool> MatchNodeSelector(const core::v1::NodeSelector& selector, const core::v1::Node& node);

}  // namespace podium::api
