// Rules for the kinds of resource.k8s.io (upstream's pkg/apis/resource/validation, release 1.36).
// The objects have their defaults.
//
// podium has no CEL: of the expressions of selectors only the length is checked. An empty list
// counts as an absent one, and the length of parameters is that of their JSON without white space.
#pragma once

#include "api/field_errors.h"
#include "api/types/resource_v1.h"

namespace podium::api {

// device_claims.cpp
field::ErrorList ValidateDeviceClass(const resource::v1::DeviceClass& device_class);
field::ErrorList ValidateDeviceClassUpdate(const resource::v1::DeviceClass& device_class,
                                           const resource::v1::DeviceClass& old_class);
field::ErrorList ValidateResourceClaim(const resource::v1::ResourceClaim& claim);
field::ErrorList ValidateResourceClaimUpdate(const resource::v1::ResourceClaim& claim,
                                             const resource::v1::ResourceClaim& old_claim);
field::ErrorList ValidateResourceClaimTemplate(
    const resource::v1::ResourceClaimTemplate& claim_template);
field::ErrorList ValidateResourceClaimTemplateUpdate(
    const resource::v1::ResourceClaimTemplate& claim_template,
    const resource::v1::ResourceClaimTemplate& old_template);

// device_allocation.cpp: what was given, by whom and to whom.
field::ErrorList ValidateResourceClaimStatusUpdate(const resource::v1::ResourceClaim& claim,
                                                   const resource::v1::ResourceClaim& old_claim);

// resource_slice.cpp
field::ErrorList ValidateResourceSlice(const resource::v1::ResourceSlice& slice);
field::ErrorList ValidateResourceSliceUpdate(const resource::v1::ResourceSlice& slice,
                                             const resource::v1::ResourceSlice& old_slice);

}  // namespace podium::api
