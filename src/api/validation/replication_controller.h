// Rules for ReplicationController (upstream's pkg/apis/core/validation and
// pkg/registry/core/replicationcontroller, release 1.36). The objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// A new object.
field::ErrorList ValidateReplicationController(const core::v1::ReplicationController& controller);

// One that replaces `old_controller`.
field::ErrorList ValidateReplicationControllerUpdate(
    const core::v1::ReplicationController& controller,
    const core::v1::ReplicationController& old_controller);

// The same through the status subresource.
field::ErrorList ValidateReplicationControllerStatusUpdate(
    const core::v1::ReplicationController& controller,
    const core::v1::ReplicationController& old_controller);

}  // namespace podium::api
