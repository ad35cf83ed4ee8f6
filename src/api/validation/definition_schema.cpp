#include "api/validation/definition_schema.h"

#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "api/structural/custom_resource.h"
#include "api/structural/schema_path.h"
#include "api/validation/common.h"
#include "api/validation/definition_parts.h"
#include "api/validation/definition_view.h"
#include "reflect/go_trim.h"
#include "reflect/schema/structural.h"

namespace podium::api {

using apiextensions::v1::CustomResourceValidation;
using apiextensions::v1::JSONSchemaProps;
using apiextensions::v1::ValidationRule;
using field::ErrorList;
using field::Path;
using reflect::JsonValue;
using reflect::Structural;

namespace {

bool HasNewline(std::string_view text) { return text.find_first_of("\n\r") != text.npos; }

// What holds of a schema because of where it stands.
struct Place {
  // Why it may have no default; nothing where it may.
  std::optional<std::string> no_default;
  // It is about a part of an object's header.
  bool in_header = false;
  bool is_root = false;
};

class Checker {
 public:
  Checker(const SchemaRequirements& requirements, ErrorList* errors)
      : requirements_(requirements), errors_(*errors) {}

  void Schema(const JSONSchemaProps& schema, const Place& place, const Path& path) {
    Words(schema, place, path);
    if (schema.uniqueItems) {
      errors_.Add(field::Forbidden(
          path.Child("uniqueItems"),
          "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
    }
    Below(schema, place, path);
    if (schema.xKubernetesPreserveUnknownFields == false) {
      errors_.Add(field::Invalid(path.Child("x-kubernetes-preserve-unknown-fields"), false,
                                 "must be true or undefined"));
    }
    Types(schema, path);
    if (IsListType(schema, "map")) MapList(schema, path);
    if (requirements_.sound_keys) errors_.Append(CheckListElements(schema, path));
    const Path rules = path.Child("x-kubernetes-validations");
    std::optional<Result<std::unique_ptr<Structural>>> structural;
    for (size_t i = 0; i < schema.xKubernetesValidations.size(); ++i) {
      const ValidationRule& rule = schema.xKubernetesValidations[i];
      const Path at = rules.Index(i);
      Rule(rule, at);
      if (rule.fieldPath.empty()) continue;
      // Read once for all rules: they stand in it themselves.
      if (!structural) structural = StructuralOf(schema);
      FieldPath(structural->ok() ? structural->value().get() : nullptr, rule.fieldPath,
                at.Child("fieldPath"));
    }
  }

 private:
  void Words(const JSONSchemaProps& schema, const Place& place, const Path& path) {
    if (requirements_.valid_types && !schema.type.empty() && !IsSchemaType(schema.type)) {
      errors_.Add(
          field::NotSupported(path.Child("type"), schema.type,
                              {"array", "boolean", "integer", "number", "object", "string"}));
    }
    const struct {
      bool used;
      std::string_view word;
      std::string problem;
    } words[] = {
        {HasDefault(schema) && place.no_default, "default",
         "must not be set " + place.no_default.value_or("")},
        {!schema.id.empty(), "id", "id is not supported"},
        {schema.additionalItems.has_value(), "additionalItems", "additionalItems is not supported"},
        {!schema.patternProperties.empty(), "patternProperties",
         "patternProperties is not supported"},
        {!schema.definitions.empty(), "definitions", "definitions is not supported"},
        {!schema.dependencies.empty(), "dependencies", "dependencies is not supported"},
        {schema.ref.has_value(), "$ref", "$ref is not supported"},
        {schema.type == "null", "type",
         "type cannot be set to null, use nullable as an alternative"},
        {schema.items && !schema.items->jsonSchemas.empty(), "items",
         "items must be a schema object and not an array"},
        {place.in_header && schema.xKubernetesEmbeddedResource, "x-kubernetes-embedded-resource",
         "must not be used inside of resource meta"},
    };
    for (const auto& [used, word, problem] : words) {
      if (used) errors_.Add(field::Forbidden(path.Child(word), problem));
    }
  }

  // All schemas below, in upstream's order.
  void Below(const JSONSchemaProps& schema, const Place& place, const Path& path) {
    Place inside = place;
    inside.is_root = false;
    if (schema.additionalProperties) AdditionalProperties(schema, inside, path);
    Properties(schema, place, path);
    if (schema.not_) Schema(*schema.not_, inside, path.Child("not"));
    List(schema.allOf, inside, path.Child("allOf"));
    List(schema.oneOf, inside, path.Child("oneOf"));
    List(schema.anyOf, inside, path.Child("anyOf"));
    const Path definitions = path.Child("definitions");
    for (const auto& [name, definition] : schema.definitions) {
      Schema(definition, inside, definitions.Key(name));
    }
    if (schema.items) {
      const Path items = path.Child("items");
      if (schema.items->schema) Schema(*schema.items->schema, inside, items);
      List(schema.items->jsonSchemas, inside, items);
    }
    const Path dependencies = path.Child("dependencies");
    for (const auto& [name, dependency] : schema.dependencies) {
      if (dependency.schema) Schema(*dependency.schema, inside, dependencies.Key(name));
    }
  }

  void List(const reflect::List<JSONSchemaProps>& schemas, const Place& place, const Path& path) {
    for (size_t i = 0; i < schemas.size(); ++i) Schema(schemas[i], place, path.Index(i));
  }

  void AdditionalProperties(const JSONSchemaProps& schema, Place inside, const Path& path) {
    const auto& additional = *schema.additionalProperties;
    const Path at = path.Child("additionalProperties");
    if (!schema.properties.empty() && (!additional.allows || additional.schema)) {
      errors_.Add(field::Forbidden(at, "additionalProperties and properties are mutual exclusive"));
    }
    if (!additional.schema) return;
    // What becomes of such a default depends on the object's metadata.
    if (inside.in_header)
      inside.no_default = "inside additionalProperties applying to object metadata";
    Schema(*additional.schema, inside, at);
  }

  void Properties(const JSONSchemaProps& schema, const Place& place, const Path& path) {
    const Path properties = path.Child("properties");
    for (const auto& [name, property] : schema.properties) {
      Place inside = place;
      inside.is_root = false;
      if ((place.is_root || schema.xKubernetesEmbeddedResource) &&
          IsOneOf(name, {"apiVersion", "kind", "metadata"})) {
        inside.in_header = true;
        if (place.is_root) inside.no_default = "in top-level " + name;
      }
      Schema(property, inside, properties.Key(name));
    }
  }

  // The words that say how lists and maps are merged.
  void Types(const JSONSchemaProps& schema, const Path& path) {
    const auto& map_type = schema.xKubernetesMapType;
    const auto& list_type = schema.xKubernetesListType;
    const Path list_path = path.Child("x-kubernetes-list-type");
    if (map_type) {
      RequireType(schema, "object", "must be object if x-kubernetes-map-type is specified", path);
      if (!IsOneOf(*map_type, {"atomic", "granular"})) {
        errors_.Add(field::NotSupported(path.Child("x-kubernetes-map-type"), *map_type,
                                        {"atomic", "granular"}));
      }
    }
    if (list_type && schema.type != "array") {
      RequireType(schema, "array", "must be array if x-kubernetes-list-type is specified", path);
    } else if (requirements_.atomic_sets && HasNonAtomicSet(schema)) {
      // Upstream shows the list type in either case.
      errors_.Add(field::Invalid(path.Child("items").Child(NonAtomicWord(*ItemsOf(schema))),
                                 ItemsOf(schema)->xKubernetesListType,
                                 "must be atomic as item of a list with "
                                 "x-kubernetes-list-type=set"));
    }
    if (list_type && !IsOneOf(*list_type, {"atomic", "set", "map"})) {
      errors_.Add(field::NotSupported(list_path, *list_type, {"atomic", "set", "map"}));
    }
    if (schema.xKubernetesListMapKeys.empty() || list_type == "map") return;
    constexpr std::string_view kMustBeMap =
        "must be map if x-kubernetes-list-map-keys is non-empty";
    errors_.Add(list_type ? field::Invalid(list_path, *list_type, kMustBeMap)
                          : field::Required(list_path, kMustBeMap));
  }

  void RequireType(const JSONSchemaProps& schema, std::string_view type, std::string_view problem,
                   const Path& path) {
    if (schema.type == type) return;
    const Path at = path.Child("type");
    errors_.Add(schema.type.empty() ? field::Required(at, problem)
                                    : field::Invalid(at, schema.type, problem));
  }

  void MapList(const JSONSchemaProps& schema, const Path& path) {
    const reflect::List<std::string>& keys = schema.xKubernetesListMapKeys;
    const Path keys_path = path.Child("x-kubernetes-list-map-keys");
    const Path items = path.Child("items");
    if (keys.empty()) {
      errors_.Add(field::Required(keys_path, "must not be empty if x-kubernetes-list-type is map"));
    }
    if (!schema.items) {
      errors_.Add(field::Required(items, "must have a schema if x-kubernetes-list-type is map"));
      return;
    }
    const JSONSchemaProps* element = ItemsOf(schema);
    if (!element) {
      const auto json = SchemaJson(schema);
      const JsonValue* value = json.ok() ? json->Find("items") : nullptr;
      const bool is_list = value && value->is_array();
      errors_.Add(field::Invalid(
          items, UnversionedItems(is_list ? *value : JsonValue::Of(JsonValue::Array{})),
          "must only have a single schema if x-kubernetes-list-type is map"));
      return;
    }
    if (element->type != "object") {
      errors_.Add(field::Invalid(items.Child("type"), element->type,
                                 "must be object if parent array's x-kubernetes-list-type is map"));
      return;
    }
    std::set<std::string_view> seen;
    const field::BadValue shown = keys;
    for (const std::string& key : keys) {
      if (errors_.full()) return;
      const auto property = element->properties.find(key);
      if (property == element->properties.end()) {
        errors_.Add(
            field::Invalid(keys_path, shown, "entries must all be names of item properties"));
      } else if (IsOneOf(property->second.type, {"array", "object"})) {
        // Upstream shows the type of the element.
        errors_.Add(field::Invalid(
            items.Child("properties").Key(key).Child("type"), element->type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map"));
      }
      if (!seen.insert(key).second) {
        errors_.Add(field::Invalid(keys_path, shown, "must not contain duplicate entries"));
      }
    }
  }

  // All that can be said of a rule without reading its expressions.
  void Rule(const ValidationRule& rule, const Path& path) {
    const std::string_view message = reflect::TrimGoSpace(rule.message);
    const Path message_path = path.Child("message");
    if (reflect::TrimGoSpace(rule.rule).empty()) {
      errors_.Add(field::Required(path.Child("rule"), "rule is not specified"));
    } else if (!rule.message.empty() && message.empty()) {
      errors_.Add(
          field::Invalid(message_path, rule.message, "message must be non-empty if specified"));
    } else if (HasNewline(message)) {
      errors_.Add(
          field::Invalid(message_path, rule.message, "message must not contain line breaks"));
    } else if (HasNewline(reflect::TrimGoSpace(rule.rule)) && message.empty()) {
      errors_.Add(
          field::Required(message_path, "message must be specified if rule contains line breaks"));
    }
    if (!rule.messageExpression.empty() && reflect::TrimGoSpace(rule.messageExpression).empty()) {
      errors_.Add(field::Required(path.Child("messageExpression"),
                                  "messageExpression must be non-empty if specified"));
    }
    const std::initializer_list<std::string_view> reasons = {
        "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"};
    if (rule.reason && !IsOneOf(*rule.reason, reasons)) {
      errors_.Add(field::NotSupported(path.Child("reason"), NamedString(*rule.reason), reasons));
    }
  }

  // `schema` is null when it cannot be read, which is told elsewhere.
  void FieldPath(const Structural* schema, const std::string& field_path, const Path& path) {
    if (reflect::TrimGoSpace(field_path).empty()) {
      errors_.Add(field::Invalid(path, field_path, "fieldPath must be non-empty if specified"));
    }
    if (HasNewline(field_path)) {
      errors_.Add(field::Invalid(path, field_path, "fieldPath must not contain line breaks"));
    }
    if (schema && !FindSchemaPath(*schema, field_path, Brackets::kAllowed).ok()) {
      errors_.Add(field::Invalid(path, field_path, "fieldPath must be a valid path"));
    }
  }

  const SchemaRequirements& requirements_;
  ErrorList& errors_;
};

// With the status subresource the schema of status is taken out of its place among the properties,
// and what the root says beside them must not get lost.
void CheckRootWords(const JSONSchemaProps& schema, const JsonValue& json, const Path& path,
                    ErrorList* errors) {
  for (const SchemaWord& word : SchemaWords()) {
    if (!json.Find(word.name)) continue;
    if (word.name == "type" && schema.type != "object") {
      errors->Add(field::Invalid(
          path.Child("openAPIV3Schema.type"), schema.type,
          "only \"object\" is allowed as the type at the root of the schema if the status "
          "subresource is enabled"));
      return;
    }
    if (word.at_root) continue;
    std::string allowed;
    for (const SchemaWord& other : SchemaWords()) {
      if (!other.at_root) continue;
      allowed.append(allowed.empty() ? "[" : " ").append(other.go_name);
    }
    errors->Add(field::Invalid(path.Child("openAPIV3Schema"), UnversionedSchema(json),
                               "only " + allowed +
                                   "] fields are allowed at the root of the schema if the status "
                                   "subresource is enabled"));
    return;
  }
}

}  // namespace

ErrorList ValidateDefinitionSchema(const CustomResourceValidation& validation, bool has_status,
                                   const SchemaRequirements& requirements, const Path& path) {
  ErrorList errors;
  if (!validation.openAPIV3Schema) return errors;
  const JSONSchemaProps& schema = *validation.openAPIV3Schema;
  const Path schema_path = path.Child("openAPIV3Schema");
  const auto json = SchemaJson(schema);
  if (!json.ok()) {
    errors.Add(field::Invalid(schema_path, "", json.error().message()));
    return errors;
  }
  if (has_status) CheckRootWords(schema, *json, path, &errors);
  if (schema.nullable) {
    errors.Add(field::Forbidden(path.Child("openAPIV3Schema.nullable"),
                                "nullable cannot be true at the root"));
  }
  // What keeps the schema from being read is mostly found again word by word.
  ErrorList unreadable;
  if (requirements.structural) {
    const auto structural = reflect::ParseStructural(*json);
    if (!structural.ok()) {
      unreadable.Add(field::Invalid(schema_path, "", structural.error().message()));
    } else {
      ErrorList problems = ValidateStructural(**structural, schema_path);
      if (problems.empty()) {
        problems = ValidateDefaults(**structural, true, requirements.pruned_defaults, schema_path);
      }
      errors.Append(std::move(problems));
    }
  }
  Checker(requirements, &errors)
      .Schema(schema, {.no_default = std::nullopt, .is_root = true}, schema_path);
  if (errors.empty()) return unreadable;
  return errors;
}

}  // namespace podium::api
