// Rules for Endpoints (upstream's pkg/apis/core/validation, release 1.36). The objects have their
// defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

field::ErrorList ValidateEndpoints(const core::v1::Endpoints& endpoints);
field::ErrorList ValidateEndpointsUpdate(const core::v1::Endpoints& endpoints,
                                         const core::v1::Endpoints& old_endpoints);

}  // namespace podium::api
