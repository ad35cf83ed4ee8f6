// Rules for StatefulSet (upstream's pkg/apis/apps/validation, release 1.36). The objects have their
// defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/apps_v1.h"

namespace podium::api {

// A new object.
field::ErrorList ValidateStatefulSet(const apps::v1::StatefulSet& stateful_set);

// One that replaces `old_set`. Rules that came later than the old object do not hold it up: its
// name is not checked again, nor its template where the old spec has errors.
field::ErrorList ValidateStatefulSetUpdate(const apps::v1::StatefulSet& stateful_set,
                                           const apps::v1::StatefulSet& old_set);

// The same through the status subresource.
field::ErrorList ValidateStatefulSetStatusUpdate(const apps::v1::StatefulSet& stateful_set,
                                                 const apps::v1::StatefulSet& old_set);

}  // namespace podium::api
