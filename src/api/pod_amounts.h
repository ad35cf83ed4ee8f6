// What a pod asks for as a whole (upstream's k8s.io/component-helpers/resource, PodRequests and
// PodLimits, release 1.36). Pure; any thread.
#pragma once

#include "api/quantity.h"
#include "api/types/core_v1.h"
#include "reflect/values.h"

namespace podium::api {

struct PodAmounts {
  reflect::Map<Quantity> requests;
  reflect::Map<Quantity> limits;
};

// Containers, in the order they run in, and what the pod's own resources say instead of them. With
// overhead: what the runtime takes beside the containers; a limit that there is not, it does not
// make.
PodAmounts AmountsOf(const core::v1::PodSpec& spec, bool with_overhead);

// The same with overhead, of a pod that may be on a node: while a resize is under way a container
// counts with the greatest of what it should have, what the node has granted, and what it has.
PodAmounts ChargedAmountsOf(const core::v1::Pod& pod);

}  // namespace podium::api
