// What a pod asks for as a whole (upstream's k8s.io/component-helpers/resource, PodRequests and
// PodLimits, release 1.36). Pure. Internal to the folder.
#pragma once

#include "api/quantity.h"
#include "api/types/core_v1.h"
#include "reflect/values.h"

namespace podium::apiserver {

struct PodAmounts {
  reflect::Map<api::Quantity> requests;
  reflect::Map<api::Quantity> limits;
};

// Containers, in the order they run in, and what the pod's own resources say instead of them. With
// overhead: what the runtime takes beside the containers; a limit that there is not, it does not
// make.
PodAmounts AmountsOf(const api::core::v1::PodSpec& spec, bool with_overhead);

}  // namespace podium::apiserver
