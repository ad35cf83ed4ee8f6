// Rules for ResourceQuota and LimitRange (upstream's pkg/apis/core/validation, release 1.36). The
// objects have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

field::ErrorList ValidateResourceQuota(const core::v1::ResourceQuota& quota);
field::ErrorList ValidateResourceQuotaUpdate(const core::v1::ResourceQuota& quota,
                                             const core::v1::ResourceQuota& old_quota);
field::ErrorList ValidateResourceQuotaStatusUpdate(const core::v1::ResourceQuota& quota,
                                                   const core::v1::ResourceQuota& old_quota);

field::ErrorList ValidateLimitRange(const core::v1::LimitRange& range);
field::ErrorList ValidateLimitRangeUpdate(const core::v1::LimitRange& range,
                                          const core::v1::LimitRange& old_range);

}  // namespace podium::api
