// The scale subresource of what has replicas: Deployment, ReplicaSet, StatefulSet and
// ReplicationController (upstream's ScaleREST of each, release 1.36). Pure.
#pragma once

#include "api/types/autoscaling_v1.h"
#include "apiserver/catalog.h"
#include "base/result.h"
#include "reflect/type.h"
#include "store/entry.h"

namespace podium::apiserver {

// What a custom resource without a number of replicas is shown as: 500, or, to be changed, one with
// the least int32, which upstream has for it.
enum class MissingReplicas { kError, kLeast };

// Of a resource's object, built-in or custom.
Result<api::autoscaling::v1::Scale> ScaleOf(const ServedResource& resource,
                                            const reflect::AnyObject& object,
                                            MissingReplicas missing = MissingReplicas::kError);
// The same for a stored one.
Result<api::autoscaling::v1::Scale> ScaleOf(const ServedResource& resource,
                                            const store::Entry& entry);

// `object` is of `type`; kUnsupported for a kind without the subresource. A selector that cannot be
// read is 400.
Result<api::autoscaling::v1::Scale> ScaleOf(const reflect::Type& type, const void* object);

// Writes the replicas that the scale asks for into the object, which is then updated as by a PUT of
// the whole, under the scale's resourceVersion where it has one. Errors are answers, 422 and 409,
// and leave the object as it was.
Result<void> ApplyScale(const api::autoscaling::v1::Scale& scale, const reflect::Type& type,
                        void* object);
Result<void> ApplyScale(const api::autoscaling::v1::Scale& scale, const ServedResource& resource,
                        reflect::AnyObject* object);

}  // namespace podium::apiserver
