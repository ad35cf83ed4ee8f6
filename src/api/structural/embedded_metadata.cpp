// apiVersion, kind and metadata of whole objects in custom resources.
#include <algorithm>

#include "api/go_json.h"
#include "api/names.h"
#include "api/structural/custom_resource.h"
#include "api/types/meta_v1.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "reflect/field_path.h"
#include "reflect/json.h"

namespace podium::api {
namespace {

using field::Path;
using meta::v1::ObjectMeta;
using reflect::JsonValue;
using reflect::Structural;

// Go's type of a field, as its decoder names it.
std::string GoTypeOf(const reflect::Field& field, bool element) {
  std::string out;
  if (!element && field.shape == reflect::Shape::kList) out = "[]";
  if (!element && field.shape == reflect::Shape::kMap) out = "map[string]";
  switch (field.kind) {
    case reflect::Kind::kBool:
      return out + "bool";
    case reflect::Kind::kInt32:
      return out + "int32";
    case reflect::Kind::kInt64:
      return out + "int64";
    case reflect::Kind::kString:
      return out + "string";
    case reflect::Kind::kRaw:
      return out + "v1.FieldsV1";
    default:
      return out + "v1." + (field.type ? field.type->name : "");
  }
}

// What Go's decoder says of a value that has the wrong type.
std::string GoProblem(const reflect::Problem& problem, const JsonValue& metadata) {
  if (problem.kind != reflect::Problem::Kind::kWrongType) return problem.message;
  const reflect::Type* type = &reflect::TypeOf<ObjectMeta>();
  const std::string_view bad = "json: cannot unmarshal ";
  const auto path = reflect::FieldPath::Parse(problem.path);
  if (!path.ok() || path->empty()) {
    return std::string(bad) + std::string(GoKindOf(metadata)) +
           " into Go value of type v1.ObjectMeta";
  }
  const JsonValue* value = &metadata;
  const reflect::Field* found = nullptr;
  std::string owner;
  std::string names;
  bool element = false;
  for (const reflect::PathStep& step : path->steps()) {
    if (value->is_array() && step.index && *step.index < value->array().size()) {
      value = &value->array()[*step.index];
      element = true;
      continue;
    }
    const JsonValue* next = value->Find(step.name);
    if (!next) return problem.message;
    value = next;
    const reflect::Field* field = type ? type->Find(step.name) : nullptr;
    element = field == nullptr;
    if (!field) continue;
    found = field;
    owner = type->name;
    names += (names.empty() ? "" : ".") + step.name;
    type = field->type;
  }
  if (!found) return problem.message;
  return std::string(bad) + std::string(GoKindOf(*value)) + " into Go struct field " + owner + "." +
         names + " of type " + GoTypeOf(*found, element);
}

// Reads metadata; the problem is the first one.
std::optional<std::string> ReadMetadata(const JsonValue& metadata, ObjectMeta* out) {
  if (metadata.is_null()) return std::nullopt;
  const auto problems =
      DecodeJson(ToText(metadata), reflect::TypeOf<ObjectMeta>(), out, {.strict = false});
  if (problems.empty()) return std::nullopt;
  return GoProblem(problems[0], metadata);
}

// Reads each member by itself and leaves out those that cannot be read.
bool ReadMetadataParts(const JsonValue& metadata, ObjectMeta* out) {
  if (!metadata.is_object()) return false;
  for (const JsonValue::Member& member : metadata.object()) {
    const JsonValue one = JsonValue::Of(JsonValue::Object{member});
    ObjectMeta tried;
    if (ReadMetadata(one, &tried)) continue;
    (void)ReadMetadata(one, out);
  }
  return true;
}

JsonValue WrittenMetadata(const ObjectMeta& metadata) {
  auto json = reflect::ToJson(metadata);
  auto out = json.ok() ? reflect::ParseJson(*json) : Result<JsonValue>(json.error());
  if (!out.ok()) return JsonValue::Of(JsonValue::Object());
  const JsonValue* created = out->Find("creationTimestamp");
  if (created && created->is_null()) out->Erase("creationTimestamp");
  return *std::move(out);
}

class Coercer {
 public:
  explicit Coercer(bool drop_invalid) : drop_invalid_(drop_invalid) {}

  field::ErrorList errors;

  // False at the first error.
  bool Value(const Structural& schema, bool whole, const Path& path, JsonValue* value) {
    if (value->is_array() && schema.items) {
      size_t index = 0;
      for (JsonValue& element : value->array()) {
        if (!Value(*schema.items, schema.items->embedded_resource, path.Index(index++), &element)) {
          return false;
        }
      }
    }
    if (!value->is_object()) return true;
    if (whole && !Header(path, value)) return false;
    for (JsonValue::Member& member : value->object()) {
      const auto property = schema.properties.find(member.key);
      const Structural* inner = schema.SchemaOf(member.key);
      if (!inner) continue;
      const bool named = property != schema.properties.end();
      if (!Value(*inner, inner->embedded_resource,
                 named ? path.Child(member.key) : path.Key(member.key), &member.value)) {
        return false;
      }
    }
    return true;
  }

 private:
  bool Header(const Path& path, JsonValue* object) {
    for (const char* name : {"apiVersion", "kind"}) {
      const JsonValue* value = object->Find(name);
      if (!value || value->is_string()) continue;
      if (!drop_invalid_) {
        errors.Add(field::Invalid(path.Child(name), BadJsonValue(*value), "must be a string"));
        return false;
      }
      object->Erase(name);
    }
    JsonValue* metadata = object->Find("metadata");
    if (!metadata) return true;
    ObjectMeta read;
    if (const auto problem = ReadMetadata(*metadata, &read)) {
      if (!drop_invalid_) {
        errors.Add(field::Invalid(path.Child("metadata"), BadJsonValue(*metadata), *problem));
        return false;
      }
      read = ObjectMeta();
      if (!ReadMetadataParts(*metadata, &read)) return true;
    }
    *metadata = WrittenMetadata(read);
    return true;
  }

  const bool drop_invalid_;
};

void CheckHeader(const JsonValue& object, const Path& path, field::ErrorList* errors) {
  const JsonValue* version = object.Find("apiVersion");
  const JsonValue* kind = object.Find("kind");
  const JsonValue* metadata = object.Find("metadata");
  if (!version) errors->Add(field::Required(path.Child("apiVersion"), ""));
  if (!kind) errors->Add(field::Required(path.Child("kind"), ""));
  const auto check_text = [&](const char* name, const JsonValue* value, auto check) {
    if (!value) return;
    if (!value->is_string()) {
      errors->Add(field::Invalid(path.Child(name), BadJsonValue(*value), "must be a string"));
    } else if (value->string().empty()) {
      errors->Add(field::Required(path.Child(name), ""));
    } else if (const std::string problem = check(value->string()); !problem.empty()) {
      errors->Add(field::Invalid(path.Child(name), value->string(), problem));
    }
  };
  check_text("apiVersion", version, [](const std::string& text) -> std::string {
    return std::ranges::count(text, '/') > 1 ? "unexpected GroupVersion string: " + text : "";
  });
  check_text("kind", kind, [](const std::string& text) {
    std::string problem;
    for (const std::string& message : IsDNS1035Label(LowerToAscii(text))) {
      problem +=
          (problem.empty() ? "may have mixed case, but should otherwise match: " : ",") + message;
    }
    return problem;
  });
  if (!metadata) return;
  ObjectMeta read;
  if (const auto problem = ReadMetadata(*metadata, &read)) {
    errors->Add(field::Invalid(path.Child("metadata"), BadJsonValue(*metadata), *problem));
    return;
  }
  // A name may be missing.
  if (read.name.empty()) read.name = "fakename";
  errors->Append(ValidateObjectMeta(read,
                                    read.namespace_.empty() ? Scope::kCluster : Scope::kNamespaced,
                                    NameIsPathSegment, path.Child("metadata")));
}

void CheckEmbedded(const Structural& schema, bool whole, const JsonValue& value, const Path& path,
                   field::ErrorList* errors) {
  if (value.is_array() && schema.items) {
    size_t index = 0;
    for (const JsonValue& element : value.array()) {
      CheckEmbedded(*schema.items, schema.items->embedded_resource, element, path.Index(index++),
                    errors);
    }
  }
  if (!value.is_object()) return;
  if (whole) CheckHeader(value, path, errors);
  for (const auto& [name, member] : value.object()) {
    const Structural* inner = schema.SchemaOf(name);
    if (!inner) continue;
    CheckEmbedded(*inner, inner->embedded_resource, member,
                  schema.properties.contains(name) ? path.Child(name) : path.Key(name), errors);
  }
}

}  // namespace

field::ErrorList CoerceMetadata(const Structural& schema, bool is_root, bool drop_invalid,
                                const Path& path, JsonValue* value) {
  Coercer coercer(drop_invalid);
  coercer.Value(schema, is_root || schema.embedded_resource, path, value);
  return std::move(coercer.errors);
}

field::ErrorList ValidateEmbeddedMetadata(const Structural& schema, const JsonValue& value,
                                          bool is_root, const Path& path) {
  field::ErrorList errors;
  CheckEmbedded(schema, is_root || schema.embedded_resource, value, path, &errors);
  return errors;
}

}  // namespace podium::api
