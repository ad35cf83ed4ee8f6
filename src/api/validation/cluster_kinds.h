// Rules for small kinds: Lease, PriorityClass, RuntimeClass, ControllerRevision (upstream's
// pkg/apis/coordination, scheduling, node and apps, release 1.36). The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/apps_v1.h"
#include "api/types/coordination_v1.h"
#include "api/types/node_v1.h"
#include "api/types/scheduling_v1.h"

namespace podium::api {

field::ErrorList ValidateLease(const coordination::v1::Lease& lease);
field::ErrorList ValidateLeaseUpdate(const coordination::v1::Lease& lease,
                                     const coordination::v1::Lease& old_lease);
field::ErrorList ValidatePriorityClass(const scheduling::v1::PriorityClass& priority);
field::ErrorList ValidatePriorityClassUpdate(const scheduling::v1::PriorityClass& priority,
                                             const scheduling::v1::PriorityClass& old_priority);
field::ErrorList ValidateRuntimeClass(const node::v1::RuntimeClass& runtime);
field::ErrorList ValidateRuntimeClassUpdate(const node::v1::RuntimeClass& runtime,
                                            const node::v1::RuntimeClass& old_runtime);
field::ErrorList ValidateControllerRevision(const apps::v1::ControllerRevision& revision);
field::ErrorList ValidateControllerRevisionUpdate(const apps::v1::ControllerRevision& revision,
                                                  const apps::v1::ControllerRevision& old_revision);

}  // namespace podium::api
