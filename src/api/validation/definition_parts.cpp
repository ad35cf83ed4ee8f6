#include "api/validation/definition_parts.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "api/structural/custom_resource.h"
#include "api/validation/common.h"
#include "api/validation/definition_schema.h"
#include "api/validation/definition_view.h"

namespace podium::api {

using apiextensions::v1::CustomResourceDefinitionSpec;
using apiextensions::v1::JSONSchemaProps;
using field::ErrorList;
using field::Path;
using reflect::Structural;

bool IsSchemaType(std::string_view type) {
  return IsOneOf(type, {"array", "boolean", "integer", "number", "object", "string"});
}

const JSONSchemaProps* ItemsOf(const JSONSchemaProps& schema) {
  return schema.items ? schema.items->schema.get() : nullptr;
}

bool IsListType(const JSONSchemaProps& schema, std::string_view type) {
  return schema.xKubernetesListType == type;
}

bool HasDefault(const JSONSchemaProps& schema) {
  return schema.default_ && !schema.default_->is_null();
}

std::string_view NonAtomicWord(const JSONSchemaProps& items) {
  if (items.type == "array" && items.xKubernetesListType.value_or("atomic") != "atomic") {
    return "x-kubernetes-list-type";
  }
  if (items.type == "object" && items.xKubernetesMapType != "atomic") {
    return "x-kubernetes-map-type";
  }
  return {};
}

bool HasNonAtomicSet(const JSONSchemaProps& schema) {
  return IsListType(schema, "set") && ItemsOf(schema) && !NonAtomicWord(*ItemsOf(schema)).empty();
}

ErrorList CheckListElements(const JSONSchemaProps& schema, const Path& path) {
  ErrorList errors;
  const JSONSchemaProps* element = ItemsOf(schema);
  if (!element || (!IsListType(schema, "set") && !IsListType(schema, "map"))) return errors;
  const Path items = path.Child("items");
  if (element->nullable) {
    errors.Add(field::Forbidden(
        items.Child("nullable"),
        "cannot be nullable when x-kubernetes-list-type is " + *schema.xKubernetesListType));
  }
  if (IsListType(schema, "set")) return errors;
  const Path properties = items.Child("properties");
  const std::set<std::string_view> required(element->required.begin(), element->required.end());
  for (const std::string& key : schema.xKubernetesListMapKeys) {
    const auto property = element->properties.find(key);
    if (property == element->properties.end()) continue;
    const Path at = properties.Key(key);
    if (!required.contains(key) && !HasDefault(property->second)) {
      errors.Add(field::Required(at.Child("default"),
                                 "this property is in x-kubernetes-list-map-keys, so it must have "
                                 "a default or be a required property"));
    }
    if (property->second.nullable) {
      errors.Add(field::Forbidden(
          at.Child("nullable"),
          "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"));
    }
  }
  return errors;
}

Result<std::unique_ptr<Structural>> StructuralOf(const JSONSchemaProps& schema) {
  TRY(const reflect::JsonValue json, SchemaJson(schema));
  return reflect::ParseStructural(json);
}

namespace {

using Predicate = bool (*)(const JSONSchemaProps& schema);

// Whether it holds of a schema or of any below it.
bool Any(const JSONSchemaProps& schema, Predicate predicate) {
  const auto any_of = [&](const reflect::List<JSONSchemaProps>& schemas) {
    return std::ranges::any_of(schemas, [&](const auto& each) { return Any(each, predicate); });
  };
  const auto any_in = [&](const reflect::Map<JSONSchemaProps>& schemas) {
    return std::ranges::any_of(schemas,
                               [&](const auto& each) { return Any(each.second, predicate); });
  };
  const auto any = [&](const auto& box) { return box && Any(*box, predicate); };
  return predicate(schema) ||
         (schema.items && (any(schema.items->schema) || any_of(schema.items->jsonSchemas))) ||
         any_of(schema.allOf) || any_of(schema.anyOf) || any_of(schema.oneOf) || any(schema.not_) ||
         any_in(schema.properties) ||
         (schema.additionalProperties && any(schema.additionalProperties->schema)) ||
         any_in(schema.patternProperties) ||
         (schema.additionalItems && any(schema.additionalItems->schema)) ||
         any_in(schema.definitions) ||
         std::ranges::any_of(schema.dependencies,
                             [&](const auto& each) { return any(each.second.schema); });
}

template <class Holds>
bool AnySchema(const CustomResourceDefinitionSpec& spec, Holds holds) {
  return std::ranges::any_of(spec.versions, [&](const auto& version) {
    return version.schema && version.schema->openAPIV3Schema &&
           holds(*version.schema->openAPIV3Schema);
  });
}

bool AnyInside(const CustomResourceDefinitionSpec& spec, Predicate predicate) {
  return AnySchema(spec, [&](const JSONSchemaProps& schema) { return Any(schema, predicate); });
}

bool IsStructural(const JSONSchemaProps& schema) {
  const auto structural = StructuralOf(schema);
  return structural.ok() && ValidateStructural(**structural, Path()).empty();
}

// Whether two trees of one shape have the same defaults.
bool HaveSameDefaults(const Structural& a, const Structural& b) {
  if (a.default_value != b.default_value) return false;
  if (a.items && !HaveSameDefaults(*a.items, *b.items)) return false;
  if (a.additional_properties &&
      !HaveSameDefaults(*a.additional_properties, *b.additional_properties)) {
    return false;
  }
  return std::ranges::equal(a.properties, b.properties, [](const auto& one, const auto& other) {
    return HaveSameDefaults(one.second, other.second);
  });
}

// Only of schemas that are structural.
bool HasUnprunedDefaults(const JSONSchemaProps& schema) {
  if (!Any(schema, HasDefault)) return false;
  const auto structural = StructuralOf(schema);
  const auto pruned = StructuralOf(schema);
  if (!structural.ok() || !pruned.ok()) return false;
  if (!ValidateStructural(**structural, Path()).empty()) return false;
  reflect::PruneDefaults(pruned->get());
  return !HaveSameDefaults(**structural, **pruned);
}

}  // namespace

SchemaRequirements RequirementsBeside(const CustomResourceDefinitionSpec& old_spec) {
  const auto keeps_sound = [](const JSONSchemaProps& schema) {
    return !CheckListElements(schema, Path()).empty();
  };
  return {
      .valid_types = !AnyInside(old_spec,
                                [](const JSONSchemaProps& schema) {
                                  return !schema.type.empty() && !IsSchemaType(schema.type);
                                }),
      .structural =
          !AnySchema(old_spec, [](const JSONSchemaProps& schema) { return !IsStructural(schema); }),
      .pruned_defaults = !AnySchema(old_spec, HasUnprunedDefaults),
      .atomic_sets = !AnyInside(old_spec, HasNonAtomicSet),
      .sound_keys = !AnyInside(old_spec, keeps_sound),
  };
}

bool HasDefaults(const CustomResourceDefinitionSpec& spec) { return AnyInside(spec, HasDefault); }

bool HasExtensions(const CustomResourceDefinitionSpec& spec) {
  return AnyInside(spec, [](const JSONSchemaProps& schema) {
    return schema.xKubernetesEmbeddedResource || schema.xKubernetesPreserveUnknownFields ||
           schema.xKubernetesIntOrString || !schema.xKubernetesListMapKeys.empty() ||
           schema.xKubernetesListType || !schema.xKubernetesValidations.empty();
  });
}

}  // namespace podium::api
