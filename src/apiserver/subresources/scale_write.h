// A write to a scale subresource: it goes over a Scale that knows who owns its number, and what it
// leaves goes back into the object (upstream's scaleUpdatedObjectInfo of each kind, release 1.36).
// Pure.
#pragma once

#include <string>

#include "api/time.h"
#include "api/types/autoscaling_v1.h"
#include "apiserver/body.h"
#include "apiserver/catalog.h"
#include "base/result.h"
#include "reflect/apply/field_manager.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::apiserver {

// What stands in a PUT.
ExpectedBody ScaleBody();

// The scale of an object of the request's version, with the managedFields that concern it. A custom
// resource without a number of replicas has the least int32 there: Scaled refuses it.
Result<api::autoscaling::v1::Scale> ScaleToChange(const ServedResource& resource,
                                                  const reflect::AnyObject& live);

// `scale` replaces `before` by a write that is no apply: sets its managedFields.
Result<void> TrackScale(const std::string& manager, api::Time now,
                        const api::autoscaling::v1::Scale& before,
                        api::autoscaling::v1::Scale* scale);

// The outcome of a configuration that is applied to it; errors and conflicts are FieldManager's.
Result<reflect::ApplyOutcome> ApplyToScale(const api::autoscaling::v1::Scale& before,
                                           const reflect::JsonValue& config,
                                           const reflect::WriteOptions& options);

// `live` with the scale's replicas and owners, under its resourceVersion where it has one. Errors
// are answers: 400, 409, 422.
Result<reflect::AnyObject> Scaled(const ServedResource& resource,
                                  const api::autoscaling::v1::Scale& scale,
                                  const reflect::AnyObject& live);

}  // namespace podium::apiserver
