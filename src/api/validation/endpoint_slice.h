// Rules for EndpointSlice (upstream's pkg/apis/discovery/validation, release 1.36). The objects
// have their defaults. The older version is checked as what it means in v1.
#pragma once

#include "api/field_errors.h"
#include "api/types/discovery_v1.h"
#include "api/types/discovery_v1beta1.h"

namespace podium::api {

field::ErrorList ValidateEndpointSlice(const discovery::v1::EndpointSlice& slice);
field::ErrorList ValidateEndpointSliceUpdate(const discovery::v1::EndpointSlice& slice,
                                             const discovery::v1::EndpointSlice& old_slice);
field::ErrorList ValidateEndpointSlice(const discovery::v1beta1::EndpointSlice& slice);
field::ErrorList ValidateEndpointSliceUpdate(const discovery::v1beta1::EndpointSlice& slice,
                                             const discovery::v1beta1::EndpointSlice& old_slice);

}  // namespace podium::api
