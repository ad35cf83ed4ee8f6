// Rules for the schemas of a CustomResourceDefinition. Internal to the folder.
#pragma once

#include "api/field_errors.h"
#include "api/types/apiextensions_v1.h"

namespace podium::api {

// What new schemas must be, and stored ones need not become.
struct SchemaRequirements {
  bool valid_types = true;
  bool structural = true;
  bool pruned_defaults = true;
  bool atomic_sets = true;  // elements of sets are atomic
  bool sound_keys = true;   // keys of list maps are always there, and elements are not null
};

// For a definition that replaces another one.
SchemaRequirements RequirementsBeside(
    const apiextensions::v1::CustomResourceDefinitionSpec& old_spec);

bool HasDefaults(const apiextensions::v1::CustomResourceDefinitionSpec& spec);
// Words that begin with x-kubernetes-, but for the type of maps.
bool HasExtensions(const apiextensions::v1::CustomResourceDefinitionSpec& spec);

// One version's schema, or that of all. `has_status`: values have the status subresource.
field::ErrorList ValidateDefinitionSchema(
    const apiextensions::v1::CustomResourceValidation& validation, bool has_status,
    const SchemaRequirements& requirements, const field::Path& path);

}  // namespace podium::api
