// Rules for ConfigMap (upstream's pkg/apis/core/validation, release 1.36).
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// A new ConfigMap.
field::ErrorList ValidateConfigMap(const core::v1::ConfigMap& config_map);

// One that replaces `old_map`.
field::ErrorList ValidateConfigMapUpdate(const core::v1::ConfigMap& config_map,
                                         const core::v1::ConfigMap& old_map);

}  // namespace podium::api
