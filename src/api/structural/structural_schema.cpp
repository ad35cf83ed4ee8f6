// Whether a schema is structural.
#include <algorithm>

#include "api/structural/custom_resource.h"

namespace podium::api {
namespace {

using field::Path;
using reflect::Structural;

enum class Level { kRoot, kItem, kField };

// Whether the schema says what values must meet, the words that upstream keeps apart as
// ValueValidation.
bool HasValueRules(const Structural& schema) {
  return !schema.format.empty() || schema.maximum || schema.minimum || schema.multiple_of ||
         schema.exclusive_maximum || schema.exclusive_minimum || schema.unique_items ||
         schema.max_length || schema.min_length || schema.max_items || schema.min_items ||
         schema.max_properties || schema.min_properties || !schema.pattern.text.empty() ||
         !schema.enum_values.empty() || !schema.required.empty() || !schema.all_of.empty() ||
         !schema.any_of.empty() || !schema.one_of.empty() || schema.not_;
}

// Whether nothing is said but type, default and properties.
bool IsBare(const Structural& schema) {
  return !HasValueRules(schema) && schema.title.empty() && schema.description.empty() &&
         !schema.nullable && !schema.has_external_docs && !schema.items &&
         !schema.has_additional_properties && !schema.preserve_unknown_fields &&
         !schema.embedded_resource && !schema.int_or_string && schema.list_map_keys.empty() &&
         !schema.list_type && !schema.map_type && !schema.has_validations;
}

bool IsOnlyType(const Structural& schema, std::string_view type) {
  return schema.type == type && !schema.default_value && schema.properties.empty() &&
         IsBare(schema);
}

// The one place where types may stand in anyOf: [{type: integer}, {type: string}].
bool IsIntOrStringPattern(const std::vector<Structural>& any_of) {
  return any_of.size() == 2 && IsOnlyType(any_of[0], "integer") && IsOnlyType(any_of[1], "string");
}

class Checker {
 public:
  field::ErrorList errors;

  void Invariants(const Structural& schema, Level level, const Path& path) {
    if (schema.type == "array" && !schema.items) {
      errors.Add(field::Required(path.Child("items"), "must be specified"));
    }
    if (schema.items) Invariants(*schema.items, Level::kItem, path.Child("items"));
    for (const auto& [name, property] : schema.properties) {
      Invariants(property, Level::kField, path.Child("properties").Key(name));
    }
    if (schema.has_additional_properties && level == Level::kRoot) {
      errors.Add(
          field::Forbidden(path.Child("additionalProperties"), "must not be used at the root"));
    }
    if (schema.additional_properties) {
      Invariants(*schema.additional_properties, Level::kField, path.Child("additionalProperties"));
    }
    if (schema.int_or_string && schema.preserve_unknown_fields) {
      errors.Add(field::Invalid(path.Child("x-kubernetes-preserve-unknown-fields"), true,
                                "must be false if x-kubernetes-int-or-string is true"));
    }
    if (schema.int_or_string && schema.embedded_resource) {
      errors.Add(field::Invalid(path.Child("x-kubernetes-embedded-resource"), true,
                                "must be false if x-kubernetes-int-or-string is true"));
    }
    ValueRules(schema, IsIntOrStringPattern(schema.any_of),
               !schema.all_of.empty() && IsIntOrStringPattern(schema.all_of[0].any_of), path);
    TypeOf(schema, level, path);
    Metadata(schema, level, path);
    if (schema.embedded_resource && !schema.preserve_unknown_fields && schema.properties.empty()) {
      errors.Add(field::Required(path.Child("properties"),
                                 "must not be empty if x-kubernetes-embedded-resource is true "
                                 "without x-kubernetes-preserve-unknown-fields"));
    }
  }

  // That what `rules` names of the value is in `schema` as well.
  void Completeness(const Structural& rules, const Structural& schema, const Path& schema_path,
                    const Path& rules_path) {
    if (rules.not_) Nested(*rules.not_, &schema, schema_path, rules_path.Child("not"));
    for (size_t i = 0; i < rules.all_of.size(); ++i) {
      Nested(rules.all_of[i], &schema, schema_path, rules_path.Child("allOf").Index(i));
    }
    for (size_t i = 0; i < rules.any_of.size(); ++i) {
      Nested(rules.any_of[i], &schema, schema_path, rules_path.Child("anyOf").Index(i));
    }
    for (size_t i = 0; i < rules.one_of.size(); ++i) {
      Nested(rules.one_of[i], &schema, schema_path, rules_path.Child("oneOf").Index(i));
    }
  }

 private:
  void TypeOf(const Structural& schema, Level level, const Path& path) {
    const Path type = path.Child("type");
    if (schema.embedded_resource && schema.type != "object") {
      constexpr std::string_view kMustBeObject =
          "must be object if x-kubernetes-embedded-resource is true";
      errors.Add(schema.type.empty() ? field::Required(type, kMustBeObject)
                                     : field::Invalid(type, schema.type, kMustBeObject));
    } else if (schema.type.empty() && !schema.int_or_string && !schema.preserve_unknown_fields) {
      errors.Add(field::Required(type, level == Level::kRoot ? "must not be empty at the root"
                                       : level == Level::kItem
                                           ? "must not be empty for specified array items"
                                           : "must not be empty for specified object fields"));
    }
    if (schema.embedded_resource && schema.has_additional_properties) {
      errors.Add(field::Forbidden(path.Child("additionalProperties"),
                                  "must not be used if x-kubernetes-embedded-resource is set"));
    }
    if (level == Level::kRoot && !schema.type.empty() && schema.type != "object") {
      errors.Add(field::Invalid(type, schema.type, "must be object at the root"));
    }
  }

  void Metadata(const Structural& schema, Level level, const Path& path) {
    const bool whole = level == Level::kRoot || schema.embedded_resource;
    const auto find = [&](std::string_view name) -> const Structural* {
      const auto property = schema.properties.find(name);
      return property == schema.properties.end() ? nullptr : &property->second;
    };
    for (const char* name : {"kind", "apiVersion"}) {
      const Structural* property = find(name);
      if (whole && property && property->type != "string") {
        errors.Add(field::Invalid(path.Child("properties").Key(name).Child("type"), property->type,
                                  "must be string"));
      }
    }
    const Structural* metadata = find("metadata");
    if (!metadata) return;
    if (whole && metadata->type != "object") {
      errors.Add(field::Invalid(path.Child("properties").Key("metadata").Child("type"),
                                metadata->type, "must be object"));
    }
    if (level != Level::kRoot) return;
    const bool only_names = std::ranges::all_of(metadata->properties, [](const auto& property) {
      return property.first == "name" || property.first == "generateName";
    });
    if (!only_names || !IsBare(*metadata)) {
      errors.Add(field::Forbidden(path.Child("properties").Key("metadata"),
                                  "must not specify anything other than name and generateName, "
                                  "but metadata is implicitly specified"));
    }
  }

  // `skip_any_of`, `skip_first`: anyOf of the schema, and of the first of its allOf, is the pattern
  // of an integer or a string.
  void ValueRules(const Structural& schema, bool skip_any_of, bool skip_first, const Path& path) {
    for (size_t i = 0; i < schema.any_of.size() && !skip_any_of; ++i) {
      NestedRules(schema.any_of[i], false, path.Child("anyOf").Index(i));
    }
    for (size_t i = 0; i < schema.all_of.size(); ++i) {
      NestedRules(schema.all_of[i], skip_first && i == 0, path.Child("allOf").Index(i));
    }
    for (size_t i = 0; i < schema.one_of.size(); ++i) {
      NestedRules(schema.one_of[i], false, path.Child("oneOf").Index(i));
    }
    if (schema.not_) NestedRules(*schema.not_, false, path.Child("not"));
    if (!schema.pattern.problem.empty()) {
      errors.Add(field::Invalid(
          path.Child("pattern"), schema.pattern.text,
          "must be a valid regular expression, but isn't: " + schema.pattern.problem));
    }
  }

  // Schemas below allOf and its like check values and must not shape them.
  void NestedRules(const Structural& schema, bool skip_any_of, const Path& path) {
    ValueRules(schema, skip_any_of, false, path);
    if (schema.items) NestedRules(*schema.items, false, path.Child("items"));
    for (const auto& [name, property] : schema.properties) {
      NestedRules(property, false, path.Child("properties").Key(name));
    }
    const struct {
      bool used;
      std::string_view word;
      std::string_view problem;
    } words[] = {
        {!schema.type.empty(), "type", "must be empty to be structural"},
        {schema.has_additional_properties, "additionalProperties",
         "must be undefined to be structural"},
        {schema.default_value.has_value(), "default", "must be undefined to be structural"},
        {!schema.title.empty(), "title", "must be empty to be structural"},
        {!schema.description.empty(), "description", "must be empty to be structural"},
        {schema.nullable, "nullable", "must be false to be structural"},
        {schema.has_external_docs, "externalDocs", "must be undefined to be structural"},
        {schema.preserve_unknown_fields, "x-kubernetes-preserve-unknown-fields",
         "must be false to be structural"},
        {schema.embedded_resource, "x-kubernetes-embedded-resource",
         "must be false to be structural"},
        {schema.int_or_string, "x-kubernetes-int-or-string", "must be false to be structural"},
        {!schema.list_map_keys.empty(), "x-kubernetes-list-map-keys",
         "must be empty to be structural"},
        {schema.list_type.has_value(), "x-kubernetes-list-type",
         "must be undefined to be structural"},
        {schema.map_type.has_value(), "x-kubernetes-map-type",
         "must be undefined to be structural"},
        {schema.has_validations, "x-kubernetes-validations", "must be empty to be structural"},
    };
    for (const auto& [used, word, problem] : words) {
      if (used) errors.Add(field::Forbidden(path.Child(word), problem));
    }
    if (schema.properties.contains("metadata")) {
      errors.Add(field::Forbidden(path.Child("properties").Key("metadata"),
                                  "must not be specified in a nested context"));
    }
  }

  void Missing(const Path& schema_path, const Path& rules_path) {
    errors.Add(field::Required(schema_path, "because it is defined in " + rules_path.String()));
  }

  void Nested(const Structural& rules, const Structural* schema, const Path& schema_path,
              const Path& rules_path) {
    if (!schema) return Missing(schema_path, rules_path);
    Completeness(rules, *schema, schema_path, rules_path);
    if (rules.items) {
      Nested(*rules.items, schema->items.get(), schema_path.Child("items"),
             rules_path.Child("items"));
    }
    for (const auto& [name, property] : rules.properties) {
      const auto found = schema->properties.find(name);
      Nested(property, found == schema->properties.end() ? nullptr : &found->second,
             schema_path.Child("properties").Key(name), rules_path.Child("properties").Key(name));
    }
  }
};

}  // namespace

field::ErrorList ValidateStructural(const Structural& schema, const Path& path) {
  Checker checker;
  checker.Invariants(schema, Level::kRoot, path);
  checker.Completeness(schema, schema, path, path);
  std::vector<std::pair<std::string, field::Error>> texts;
  for (field::Error& error : checker.errors) {
    std::string text = error.Text();
    texts.emplace_back(std::move(text), std::move(error));
  }
  std::ranges::sort(texts, {}, &std::pair<std::string, field::Error>::first);
  field::ErrorList sorted;
  for (auto& [text, error] : texts) sorted.Add(std::move(error));
  return sorted;
}

}  // namespace podium::api
