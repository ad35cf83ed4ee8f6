// Rules for Deployment (upstream's pkg/apis/apps/validation, release 1.36). The objects have their
// defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/apps_v1.h"

namespace podium::api {

// A new object.
field::ErrorList ValidateDeployment(const apps::v1::Deployment& deployment);

// One that replaces `old_deployment`.
field::ErrorList ValidateDeploymentUpdate(const apps::v1::Deployment& deployment,
                                          const apps::v1::Deployment& old_deployment);

// The same through the status subresource.
field::ErrorList ValidateDeploymentStatusUpdate(const apps::v1::Deployment& deployment,
                                                const apps::v1::Deployment& old_deployment);

}  // namespace podium::api
