// Whether the defaults of a schema are values that it keeps and allows.
#include <optional>

#include "api/structural/custom_resource.h"

namespace podium::api {
namespace {

using field::Path;
using reflect::JsonValue;
using reflect::Structural;

// The way from a whole object to a value in it: a member's name, or nothing for the first element
// of a list.
using Steps = std::vector<std::optional<std::string>>;

// The smallest object in which the value stands at the end of the way.
JsonValue Surround(const Steps& steps, JsonValue value) {
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (*step) {
      value = JsonValue::Of(JsonValue::Object{{**step, std::move(value)}});
    } else {
      value = JsonValue::Of(JsonValue::Array{std::move(value)});
    }
  }
  value.Set("kind", JsonValue::String("Validation"));
  value.Set("apiVersion", JsonValue::String("validation/v1"));
  return value;
}

bool IsHeader(std::string_view member) {
  return member == "apiVersion" || member == "kind" || member == "metadata";
}

class Checker {
 public:
  explicit Checker(bool require_pruned) : require_pruned_(require_pruned) {}

  field::ErrorList errors;

  // `whole`: the schema is that of a whole object. `in_header`: its value stands in apiVersion,
  // kind or metadata of one, `owner`.
  void Schema(const Structural& schema, bool whole, bool in_header, const Structural* owner,
              const Path& path) {
    Steps outer;
    if (whole) {
      outer.swap(steps_);
      in_header = false;
      owner = &schema;
    }
    if (schema.default_value) {
      if (in_header) {
        HeaderDefault(schema, *owner, path);
      } else {
        Default(schema, whole, path);
      }
    }
    if (schema.items) {
      steps_.push_back(std::nullopt);
      Schema(*schema.items, schema.items->embedded_resource, in_header, owner, path.Child("items"));
      steps_.pop_back();
    }
    for (const auto& [name, property] : schema.properties) {
      steps_.emplace_back(name);
      Schema(property, property.embedded_resource, in_header || (whole && IsHeader(name)), owner,
             path.Child("properties").Key(name));
      steps_.pop_back();
    }
    if (whole) outer.swap(steps_);
  }

 private:
  void HeaderDefault(const Structural& schema, const Structural& owner, const Path& path) {
    JsonValue object = Surround(steps_, *schema.default_value);
    field::ErrorList problems = CoerceMetadata(owner, true, false, Path(), &object);
    if (problems.empty()) problems = ValidateEmbeddedMetadata(owner, object, true, Path());
    if (!problems.empty()) {
      errors.Add(field::Invalid(path.Child("default"), BadJsonValue(*schema.default_value),
                                "must result in valid metadata: " + problems.AggregateText()));
      return;
    }
    errors.Append(ValidateCustomResource(schema, *schema.default_value, path.Child("default")));
  }

  void Default(const Structural& schema, bool whole, const Path& path) {
    JsonValue value = *schema.default_value;
    if (require_pruned_) {
      PruneValue(&schema, &value, {.is_resource_root = whole, .max_paths = 0});
      if (value != *schema.default_value) {
        errors.Add(field::Invalid(path.Child("default"), BadJsonValue(*schema.default_value),
                                  "must not have unknown fields"));
      }
      value = *schema.default_value;
    }
    field::ErrorList problems = CoerceMetadata(schema, whole, false, path.Child("default"), &value);
    if (problems.empty()) {
      problems = ValidateEmbeddedMetadata(schema, value, whole, path.Child("default"));
    }
    if (problems.empty()) problems = ValidateCustomResource(schema, value, path.Child("default"));
    errors.Append(std::move(problems));
  }

  const bool require_pruned_;
  Steps steps_;
};

}  // namespace

field::ErrorList ValidateDefaults(const Structural& schema, bool is_root, bool require_pruned,
                                  const Path& path) {
  Checker checker(require_pruned);
  checker.Schema(schema, is_root || schema.embedded_resource, false, &schema, path);
  return std::move(checker.errors);
}

}  // namespace podium::api
