// What a pod may say that this node cannot do: it is refused, never passed over.
#pragma once

#include "api/field_errors.h"
#include "node/pod_spec.h"

namespace podium::node {

// An error for each field that asks for what is not offered here. Empty: the pod can run.
api::field::ErrorList UnsupportedFields(const v1::Pod& pod);

}  // namespace podium::node
