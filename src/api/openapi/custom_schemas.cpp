// Definitions of custom resources.
#include <algorithm>

#include "api/openapi/schemas.h"
#include "api/types/meta_v1.h"

namespace podium::api::openapi {
namespace {

bool IsTrue(const JsonValue& schema, std::string_view word) {
  const JsonValue* found = schema.Find(word);
  return found && found->is_bool() && found->boolean();
}

// To kubectl a member that is null is one that is missing.
void DropRequiredThatMayBeNull(JsonValue* schema) {
  JsonValue* required = schema->Find("required");
  if (!required || !required->is_array()) return;
  const JsonValue* properties = schema->Find("properties");
  const JsonValue* additional = schema->Find("additionalProperties");
  const bool any_may = additional && IsTrue(*additional, "nullable");
  std::erase_if(required->array(), [&](const JsonValue& name) {
    if (any_may || !name.is_string()) return any_may;
    const JsonValue* property = properties ? properties->Find(name.string()) : nullptr;
    return property && IsTrue(*property, "nullable");
  });
  if (required->array().empty()) schema->Erase("required");
}

// OpenAPI v2 has no null and no alternatives, and kubectl checks objects by it: what it cannot say
// is left out, so that it lets pass more, never less.
void ReduceToV2(JsonValue* schema) {
  if (!schema->is_object()) return;
  DropRequiredThatMayBeNull(schema);
  for (const char* word : {"allOf", "anyOf", "oneOf", "not", "default", "example"}) {
    schema->Erase(word);
  }
  const bool any = IsTrue(*schema, "nullable") || IsTrue(*schema, "x-kubernetes-int-or-string");
  if (any) {
    for (const char* word : {"type", "nullable", "items", "properties", "additionalProperties",
                             "required", "enum", "format"}) {
      schema->Erase(word);
    }
  }
  if (IsTrue(*schema, "x-kubernetes-preserve-unknown-fields")) {
    for (const char* word : {"items", "properties"}) schema->Erase(word);
    // A list without items would be no schema of OpenAPI v2, and of an object kubectl refuses
    // members that are null.
    const JsonValue* type = schema->Find("type");
    const bool holds =
        type && type->is_string() && (type->string() == "array" || type->string() == "object");
    if (holds) schema->Erase("type");
  }
  for (const char* word : {"items", "additionalProperties"}) {
    if (JsonValue* inner = schema->Find(word)) ReduceToV2(inner);
  }
  if (JsonValue* properties = schema->Find("properties"); properties && properties->is_object()) {
    for (JsonValue::Member& property : properties->object()) ReduceToV2(&property.value);
  }
}

JsonValue MetadataSchema(const reflect::Type& type, std::string_view description, Version version) {
  JsonValue out = Reference(DefinitionName(type), version);
  if (version == Version::kV3) {
    out = JsonValue::Of(Members{{"allOf", JsonValue::Of(JsonValue::Array{std::move(out)})}});
  }
  out.Set("description", Text(description));
  return out;
}

JsonValue ObjectMetaSchema(Version version) {
  return MetadataSchema(reflect::TypeOf<meta::v1::ObjectMeta>(),
                        "Standard object's metadata, which all objects have.", version);
}

// apiVersion, kind and metadata, which every object has, whatever its schema says.
void AddHeader(JsonValue* properties, JsonValue metadata) {
  const auto text = [](std::string_view description) {
    return JsonValue::Of(Members{{"description", Text(description)}, {"type", Text("string")}});
  };
  properties->Set("apiVersion", text("APIVersion defines group and version of the kind."));
  properties->Set("kind", text("Kind of the object."));
  properties->Set("metadata", std::move(metadata));
  std::ranges::sort(properties->object(), {}, &JsonValue::Member::key);
}

void Require(std::string_view name, JsonValue* schema) {
  JsonValue* required = schema->Find("required");
  if (!required || !required->is_array()) {
    required = &schema->Set("required", JsonValue::Of(JsonValue::Array()));
  }
  JsonValue value = Text(name);
  if (std::ranges::find(required->array(), value) != required->array().end()) return;
  required->array().push_back(std::move(value));
}

// What stands in an object has these as well. To kubectl, which reads v2, members would be unknown
// where others are listed beside them; where any may stand, or nothing is said, it is left at that.
void AddHeaders(Version version, JsonValue* schema) {
  if (!schema->is_object()) return;
  if (JsonValue* properties = schema->Find("properties"); properties && properties->is_object()) {
    for (JsonValue::Member& property : properties->object()) AddHeaders(version, &property.value);
  }
  for (const char* word : {"items", "additionalProperties"}) {
    if (JsonValue* inner = schema->Find(word)) AddHeaders(version, inner);
  }
  if (!IsTrue(*schema, "x-kubernetes-embedded-resource")) return;
  const bool is_open =
      IsTrue(*schema, "x-kubernetes-preserve-unknown-fields") || !schema->Find("type");
  if (version == Version::kV2 && is_open) return;
  JsonValue* properties = schema->Find("properties");
  if (!properties || !properties->is_object()) {
    properties = &schema->Set("properties", JsonValue::Of(Members()));
  }
  AddHeader(properties, ObjectMetaSchema(version));
  Require("kind", schema);
  Require("apiVersion", schema);
}

void AddKind(std::string_view name, const CustomKind& kind, JsonValue* out) {
  out->Set("x-kubernetes-group-version-kind",
           JsonValue::Of(JsonValue::Array{GroupVersionKind(kind.group, kind.version, name)}));
}

}  // namespace

JsonValue CustomDefinition(const CustomKind& kind, Version version) {
  JsonValue out = JsonValue::Of(Members());
  const bool listed = kind.schema && kind.schema->is_object();
  // kubectl would call every field unknown that is not listed, where any is; upstream says nothing
  // else of these either (apiextensions-apiserver/pkg/controller/openapi/builder).
  const bool open = !listed || (version == Version::kV2 &&
                                IsTrue(*kind.schema, "x-kubernetes-preserve-unknown-fields"));
  if (!open) {
    out = *kind.schema;
    if (version == Version::kV2) ReduceToV2(&out);
  }
  out.Set("type", Text("object"));
  if (!open) {
    JsonValue* properties = out.Find("properties");
    if (!properties || !properties->is_object()) {
      properties = &out.Set("properties", JsonValue::Of(Members()));
    }
    AddHeader(properties, ObjectMetaSchema(version));
    AddHeaders(version, &out);
  }
  AddKind(kind.kind, kind, &out);
  return out;
}

JsonValue CustomListDefinition(const CustomKind& kind, Version version) {
  JsonValue items =
      JsonValue::Of(Members{{"description", Text("Objects of the list.")},
                            {"items", Reference(DefinitionName(kind, kind.kind), version)},
                            {"type", Text("array")}});
  JsonValue properties = JsonValue::Of(Members{{"items", std::move(items)}});
  AddHeader(&properties, MetadataSchema(reflect::TypeOf<meta::v1::ListMeta>(),
                                        "Metadata of the list.", version));
  JsonValue out =
      JsonValue::Of(Members{{"description", Text(std::string(kind.list_kind) + " is a list of " +
                                                 std::string(kind.kind))},
                            {"properties", std::move(properties)},
                            {"required", Texts({"items"})},
                            {"type", Text("object")}});
  AddKind(kind.list_kind, kind, &out);
  return out;
}

}  // namespace podium::api::openapi
