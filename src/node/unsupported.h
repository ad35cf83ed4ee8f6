// What a pod may say that this node cannot do: it is refused, never passed over.
#pragma once

#include "api/field_errors.h"
#include "base/result.h"
#include "node/pod_spec.h"

namespace podium::node {

// An error for each field that asks for what is not offered here, but of ephemeral containers.
// Empty: the pod can run.
api::field::ErrorList UnsupportedFields(const v1::Pod& pod);

// The same of one container, whose fields the error names as "volumeDevices": ephemeral ones come
// to a pod that runs, and do not end it.
Result<void> CheckSupported(const v1::Container& container);

}  // namespace podium::node
