// Rules for ReplicaSet, and those it shares with Deployment (upstream's pkg/apis/apps/validation
// and pkg/registry/apps/replicaset, release 1.36). The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/apps_v1.h"
#include "api/validation/pod_options.h"

namespace podium::api {

// A new object.
field::ErrorList ValidateReplicaSet(const apps::v1::ReplicaSet& replica_set);

// One that replaces `old_set`.
field::ErrorList ValidateReplicaSetUpdate(const apps::v1::ReplicaSet& replica_set,
                                          const apps::v1::ReplicaSet& old_set);

// The same through the status subresource.
field::ErrorList ValidateReplicaSetStatusUpdate(const apps::v1::ReplicaSet& replica_set,
                                                const apps::v1::ReplicaSet& old_set);

// The selector and the template of a ReplicaSet, or of a Deployment, which makes ReplicaSets of
// them; `path` is that of their spec.
void CheckReplicaSetTemplate(const reflect::Box<meta::v1::LabelSelector>& selector,
                             const core::v1::PodTemplateSpec& pod_template, const field::Path& path,
                             const PodValidationOptions& options, field::ErrorList* errors);

}  // namespace podium::api
