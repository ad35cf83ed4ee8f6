// Rules for DaemonSet (upstream's pkg/apis/apps/validation and pkg/registry/apps/daemonset, release
// 1.36). The objects have their defaults. Upstream's rules for templateGeneration are not here: the
// server itself counts it in an annotation, and apps/v1 has no such field.
#pragma once

#include "api/field_errors.h"
#include "api/types/apps_v1.h"

namespace podium::api {

// A new object.
field::ErrorList ValidateDaemonSet(const apps::v1::DaemonSet& daemon_set);

// One that replaces `old_set`.
field::ErrorList ValidateDaemonSetUpdate(const apps::v1::DaemonSet& daemon_set,
                                         const apps::v1::DaemonSet& old_set);

// The same through the status subresource.
field::ErrorList ValidateDaemonSetStatusUpdate(const apps::v1::DaemonSet& daemon_set,
                                               const apps::v1::DaemonSet& old_set);

}  // namespace podium::api
