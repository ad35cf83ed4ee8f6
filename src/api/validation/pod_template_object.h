// Rules for the kind PodTemplate (upstream's pkg/apis/core/validation, release 1.36). The objects
// have their defaults.
#pragma once

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// A new object.
field::ErrorList ValidatePodTemplate(const core::v1::PodTemplate& object);

// One that replaces `old_object`.
field::ErrorList ValidatePodTemplateUpdate(const core::v1::PodTemplate& object,
                                           const core::v1::PodTemplate& old_object);

}  // namespace podium::api
