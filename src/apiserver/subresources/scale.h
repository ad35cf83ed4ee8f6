// The scale subresource of what has replicas: Deployment, ReplicaSet, StatefulSet and
// ReplicationController (upstream's ScaleREST of each, release 1.36). Pure.
#pragma once

#include "api/types/autoscaling_v1.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::apiserver {

// `object` is of `type`; kUnsupported for a kind without the subresource. A selector that cannot be
// read is 400.
Result<api::autoscaling::v1::Scale> ScaleOf(const reflect::Type& type, const void* object);

// Writes the replicas that the scale asks for into the object, which is then updated as by a PUT of
// the whole, under the scale's resourceVersion where it has one. Errors are answers, 422 and 409,
// and leave the object as it was.
Result<void> ApplyScale(const api::autoscaling::v1::Scale& scale, const reflect::Type& type,
                        void* object);

}  // namespace podium::apiserver
