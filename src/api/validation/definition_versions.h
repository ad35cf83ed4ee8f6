// Rules for the versions of a CustomResourceDefinition. Internal to the folder.
#pragma once

#include <cstddef>

#include "api/field_errors.h"
#include "api/validation/definition_schema.h"
#include "api/validation/definition_view.h"

namespace podium::api {

// One version, but for its name. `path` is spec.versions[index].
field::ErrorList ValidateDefinitionVersion(const DefinitionView& view, size_t index,
                                           const SchemaRequirements& requirements,
                                           const field::Path& path);

// What the versions share: spec.validation, spec.subresources and so on.
field::ErrorList ValidateSharedParts(const DefinitionView& view,
                                     const SchemaRequirements& requirements,
                                     const field::Path& path);

}  // namespace podium::api
