// References to fields and resources of the pod itself, as environment variables and downward API
// volumes hold them (upstream's pkg/apis/core/validation, release 1.36).
#pragma once

#include <initializer_list>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/core_v1.h"

namespace podium::api {

// `fields` are the paths allowed here, in byte order, beside metadata.annotations['k'] and
// metadata.labels['k'], which are allowed everywhere.
field::ErrorList ValidateObjectFieldSelector(const core::v1::ObjectFieldSelector& selector,
                                             std::initializer_list<std::string_view> fields,
                                             const field::Path& path);

enum class ResourceFieldUse {
  kEnv,     // the container is the variable's own
  kVolume,  // the container must be named
};

field::ErrorList ValidateResourceFieldSelector(const core::v1::ResourceFieldSelector& selector,
                                               const field::Path& path, ResourceFieldUse use);

}  // namespace podium::api
