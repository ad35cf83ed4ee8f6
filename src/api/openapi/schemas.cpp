#include "api/openapi/schemas.h"

#include <algorithm>
#include <set>
#include <vector>

#include "api/descriptions.h"
#include "api/int_or_string.h"
#include "api/quantity.h"
#include "api/time.h"
#include "api/types/meta_v1.h"
#include "api/types/registry.h"
#include "reflect/list_map_keys.h"

namespace podium::api::openapi {
namespace {

using reflect::Facts;
using reflect::Field;
using reflect::Form;
using reflect::Kind;
using reflect::Shape;
using reflect::Type;

// Unions with a discriminator, which the descriptors do not hold (in schema/: discriminator).
struct Union {
  std::string_view type;
  std::string_view discriminator;
  std::vector<std::pair<std::string_view, std::string_view>> members;  // field, its value
};
const std::vector<Union>& Unions() {
  static const auto& unions = *new std::vector<Union>{
      {"io.k8s.api.core.v1.AppArmorProfile", "type", {{"localhostProfile", "LocalhostProfile"}}},
      {"io.k8s.api.core.v1.SeccompProfile", "type", {{"localhostProfile", "LocalhostProfile"}}},
      {"io.k8s.api.flowcontrol.v1.LimitResponse", "type", {{"queuing", "Queuing"}}},
      {"io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec",
       "type",
       {{"exempt", "Exempt"}, {"limited", "Limited"}}},
      {"io.k8s.api.flowcontrol.v1.Subject",
       "kind",
       {{"group", "Group"}, {"serviceAccount", "ServiceAccount"}, {"user", "User"}}},
  };
  return unions;
}

JsonValue UnionsOf(std::string_view definition) {
  const auto found = std::ranges::find(Unions(), definition, &Union::type);
  if (found == Unions().end()) return {};
  Members fields;
  for (const auto& [field, value] : found->members)
    fields.push_back({std::string(field), Text(value)});
  Members one{{"discriminator", Text(found->discriminator)},
              {"fields-to-discriminateBy", JsonValue::Of(std::move(fields))}};
  return JsonValue::Of(JsonValue::Array{JsonValue::Of(std::move(one))});
}

// k8s.io/api/core/v1 becomes io.k8s.api.core.v1.
std::string ReversedHost(std::string_view path) {
  const size_t slash = std::min(path.find('/'), path.size());
  std::string_view host = path.substr(0, slash);
  std::string out;
  while (!host.empty()) {
    const size_t dot = host.rfind('.');
    if (!out.empty()) out += '.';
    out += host.substr(dot == std::string_view::npos ? 0 : dot + 1);
    host = dot == std::string_view::npos ? std::string_view() : host.substr(0, dot);
  }
  for (const char c : path.substr(slash)) out += c == '/' ? '.' : c;
  return out;
}

JsonValue TypeWithFormat(std::string_view type, std::string_view format) {
  Members members;
  if (!format.empty()) members.push_back({"format", Text(format)});
  members.push_back({"type", Text(type)});
  return JsonValue::Of(std::move(members));
}

// Where openapi-gen writes a default for what is not declared to have one: zero values that JSON
// does not omit.
JsonValue ZeroOf(Kind kind) {
  switch (kind) {
    case Kind::kBool:
      return JsonValue::Bool(false);
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kUint32:
    case Kind::kUint64:
    case Kind::kDouble:
      return JsonValue::Number("0");
    case Kind::kString:
      return Text("");
    default:
      return {};
  }
}

class FieldSchema {
 public:
  FieldSchema(const Type& owner, const Field& field, Version version)
      : owner_(owner), field_(field), version_(version) {}

  JsonValue Make() const {
    JsonValue out = Value();
    const std::string_view description = DescriptionOf(owner_, field_);
    if (!description.empty()) out.Set("description", Text(description));
    AddDefault(&out);
    AddFacts(&out);
    return out;
  }

 private:
  // What stands in the field, without what the field itself says of it.
  JsonValue Value() const {
    if (field_.shape != Shape::kList && field_.shape != Shape::kMap) return Element(false);
    JsonValue element = Element(true);
    if (version_ == Version::kV3) AddElementDefault(&element);
    Members members;
    if (field_.shape == Shape::kList) {
      members.push_back({"items", std::move(element)});
      members.push_back({"type", Text("array")});
    } else {
      members.push_back({"additionalProperties", std::move(element)});
      members.push_back({"type", Text("object")});
    }
    return JsonValue::Of(std::move(members));
  }

  JsonValue Element(bool inside) const {
    switch (field_.kind) {
      case Kind::kBool:
        return TypeWithFormat("boolean", "");
      case Kind::kInt32:
      case Kind::kUint32:
      case Kind::kEnum:
        return TypeWithFormat("integer", "int32");
      case Kind::kInt64:
      case Kind::kUint64:
        return TypeWithFormat("integer", "int64");
      case Kind::kDouble:
        return TypeWithFormat("number", "double");
      case Kind::kBytes:
        return TypeWithFormat("string", "byte");
      case Kind::kString: {
        JsonValue out = TypeWithFormat("string", "");
        AddEnum(&out);
        return out;
      }
      case Kind::kRaw:
        return Ref(RawName(), inside);
      case Kind::kLeaf:
      case Kind::kStruct:
        break;
    }
    // Named lists and maps are written out where they stand.
    if (field_.type->form == Form::kTransparent) {
      return FieldSchema(*field_.type, field_.type->fields[0], version_).Value();
    }
    return Ref(DefinitionName(*field_.type), inside);
  }

  std::string_view RawName() const {
    if (field_.name() == "fieldsV1") return kFieldsV1;
    return std::string_view(owner_.package->group) == "apiextensions.k8s.io" &&
                   std::string_view(owner_.name).starts_with("JSONSchema")
               ? kAnyJson
               : kRawExtension;
  }

  // OpenAPI v3 ignores what stands beside a reference, so that one with a description or a default
  // goes into an allOf.
  JsonValue Ref(std::string_view definition, bool inside) const {
    JsonValue reference = Reference(definition, version_);
    const bool alone = inside && !(field_.kind == Kind::kStruct && !IsUntyped(*field_.type));
    if (version_ == Version::kV2 || alone) return reference;
    return JsonValue::Of(Members{{"allOf", JsonValue::Of(JsonValue::Array{std::move(reference)})}});
  }

  static bool IsUntyped(const Type& type) { return type.form == Form::kAlternatives; }

  void AddElementDefault(JsonValue* element) const {
    if (field_.kind == Kind::kStruct && field_.type->form == Form::kStruct) {
      element->Set("default", JsonValue::Of(Members()));
      return;
    }
    JsonValue zero = ZeroOf(field_.kind);
    if (!zero.is_null()) element->Set("default", std::move(zero));
  }

  void AddDefault(JsonValue* out) const {
    if (version_ == Version::kV2) return;
    if (field_.facts->default_value[0] != '\0') {
      auto value = reflect::ParseJson(field_.facts->default_value);
      if (value.ok()) out->Set("default", *std::move(value));
      return;
    }
    if (field_.shape != Shape::kScalar) return;
    if (field_.kind == Kind::kStruct && field_.type->form == Form::kStruct) {
      out->Set("default", JsonValue::Of(Members()));
      return;
    }
    if (field_.has(reflect::kOmitEmpty)) return;
    JsonValue zero = ZeroOf(field_.kind);
    if (!zero.is_null()) out->Set("default", std::move(zero));
  }

  void AddEnum(JsonValue* out) const {
    if (!field_.facts->closed_enum) return;
    std::vector<std::string> values;
    for (std::string_view rest = field_.facts->enum_values; !rest.empty();) {
      const size_t bar = std::min(rest.find('|'), rest.size());
      values.emplace_back(rest.substr(0, bar));
      rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
    std::ranges::sort(values);
    JsonValue::Array texts;
    for (const std::string& value : values) texts.push_back(Text(value));
    out->Set("enum", JsonValue::Of(std::move(texts)));
  }

  void AddFacts(JsonValue* out) const {
    const Facts& facts = *field_.facts;
    if (facts.list_map_keys[0] != '\0') {
      JsonValue::Array keys;
      for (const std::string& key : reflect::ListMapKeysOf(facts)) keys.push_back(Text(key));
      out->Set("x-kubernetes-list-map-keys", JsonValue::Of(std::move(keys)));
    }
    constexpr std::string_view kListTypes[] = {"", "atomic", "set", "map"};
    constexpr std::string_view kMapTypes[] = {"", "atomic", "granular"};
    const auto set = [&](const char* key, std::string_view value) {
      if (!value.empty()) out->Set(key, Text(value));
    };
    set("x-kubernetes-list-type", kListTypes[static_cast<size_t>(facts.list_type)]);
    set("x-kubernetes-map-type", kMapTypes[static_cast<size_t>(facts.map_type)]);
    set("x-kubernetes-patch-merge-key", facts.merge_key);
    std::string strategy;
    if (facts.patch_merge) strategy = "merge";
    if (facts.patch_retain_keys) strategy += strategy.empty() ? "retainKeys" : ",retainKeys";
    if (facts.patch_replace) strategy = "replace";
    set("x-kubernetes-patch-strategy", strategy);
  }

  const Type& owner_;
  const Field& field_;
  const Version version_;
};

// As openapi-gen: what JSON may omit and what is marked optional is not required.
bool IsRequired(const Field& field) {
  if (field.has(reflect::kRequired)) return true;
  return !field.has(reflect::kOmitEmpty) && !field.has(reflect::kOmitZero) &&
         !field.has(reflect::kOmitNull) && !field.has(reflect::kOptionalMark);
}

JsonValue LeafDefinition(const Type& type, Version version) {
  const std::string_view name = type.name;
  JsonValue out;
  if (&type == &reflect::TypeOf<Time>() || &type == &reflect::TypeOf<MicroTime>()) {
    out = TypeWithFormat("string", "date-time");
  } else if (&type == &reflect::TypeOf<IntOrString>()) {
    out = version == Version::kV2
              ? TypeWithFormat("string", "int-or-string")
              : JsonValue::Of(Members{
                    {"format", Text("int-or-string")},
                    {"oneOf", JsonValue::Of(JsonValue::Array{TypeWithFormat("integer", ""),
                                                             TypeWithFormat("string", "")})}});
  } else if (&type == &reflect::TypeOf<Quantity>() && version == Version::kV3) {
    out = JsonValue::Of(
        Members{{"oneOf", JsonValue::Of(JsonValue::Array{TypeWithFormat("string", ""),
                                                         TypeWithFormat("number", "")})}});
  } else {
    out = TypeWithFormat("string", "");
  }
  if (const auto description = DescriptionOf(type); !description.empty()) {
    out.Set("description", Text(description));
  }
  return out;
}

// Whether apply takes objects of the type as a whole: fields of such types say so.
bool IsAtomic(const Type& type) {
  static const auto& types = *[] {
    auto* out = new std::set<const Type*>();
    for (const PackageTypes& package : kPackages) {
      for (const Type* owner : package.types) {
        for (const Field& field : owner->fields) {
          if (field.kind == Kind::kStruct && field.facts->struct_atomic) out->insert(field.type);
        }
      }
    }
    return out;
  }();
  return types.contains(&type);
}

// Kinds of meta/v1 that every group-version has.
bool IsEverywhere(const Type& type) {
  return &type == &reflect::TypeOf<meta::v1::DeleteOptions>() ||
         &type == &reflect::TypeOf<meta::v1::WatchEvent>();
}

void AddGroupVersionKinds(const Type& type, std::span<const GroupVersion> group_versions,
                          JsonValue* out) {
  JsonValue::Array kinds;
  if (IsEverywhere(type)) {
    for (const GroupVersion& gv : group_versions) {
      kinds.push_back(GroupVersionKind(gv.group, gv.version, type.name));
    }
  } else if (type.has(reflect::kRootKind) || type.has(reflect::kListKind)) {
    // What meta has no group for stands under v1.
    const std::string_view group = type.package->group;
    kinds.push_back(
        GroupVersionKind(group == "meta.k8s.io" ? "" : group, type.package->version, type.name));
  }
  if (!kinds.empty()) {
    out->Set("x-kubernetes-group-version-kind", JsonValue::Of(std::move(kinds)));
  }
}

}  // namespace

JsonValue Text(std::string_view text) { return JsonValue::String(std::string(text)); }

JsonValue Texts(std::initializer_list<std::string_view> texts) {
  JsonValue::Array out;
  for (const std::string_view text : texts) out.push_back(Text(text));
  return JsonValue::Of(std::move(out));
}

JsonValue GroupVersionKind(std::string_view group, std::string_view version,
                           std::string_view kind) {
  return JsonValue::Of(
      Members{{"group", Text(group)}, {"kind", Text(kind)}, {"version", Text(version)}});
}

std::string DefinitionName(const Type& type) {
  if (&type == &reflect::TypeOf<Quantity>()) {
    return "io.k8s.apimachinery.pkg.api.resource.Quantity";
  }
  if (&type == &reflect::TypeOf<IntOrString>()) {
    return "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
  }
  if (type.leaf) return "io.k8s.apimachinery.pkg.apis.meta.v1." + std::string(type.name);
  return ReversedHost(type.package->go_package) + '.' + type.name;
}

std::string DefinitionName(const CustomKind& kind, std::string_view kind_name) {
  return ReversedHost(kind.group) + '.' + std::string(kind.version) + '.' + std::string(kind_name);
}

JsonValue Reference(std::string_view definition, Version version) {
  const std::string_view prefix =
      version == Version::kV2 ? "#/definitions/" : "#/components/schemas/";
  return JsonValue::Of(Members{{"$ref", Text(std::string(prefix) + std::string(definition))}});
}

JsonValue Definition(const Type& type, Version version,
                     std::span<const GroupVersion> group_versions) {
  if (type.leaf) return LeafDefinition(type, version);
  JsonValue out = JsonValue::Of(Members());
  if (const auto description = DescriptionOf(type); !description.empty()) {
    out.Set("description", Text(description));
  }
  // Alternatives have no type that OpenAPI v2 could name.
  if (type.form == Form::kAlternatives) return out;
  Members properties;
  JsonValue::Array required;
  for (const Field& field : type.fields) {
    properties.push_back({std::string(field.name()), FieldSchema(type, field, version).Make()});
    if (IsRequired(field)) required.push_back(Text(field.name()));
  }
  std::ranges::sort(properties, {}, &JsonValue::Member::key);
  if (!properties.empty()) out.Set("properties", JsonValue::Of(std::move(properties)));
  if (!required.empty()) out.Set("required", JsonValue::Of(std::move(required)));
  out.Set("type", Text("object"));
  AddGroupVersionKinds(type, group_versions, &out);
  if (IsAtomic(type)) out.Set("x-kubernetes-map-type", Text("atomic"));
  if (JsonValue unions = UnionsOf(DefinitionName(type)); !unions.is_null()) {
    out.Set("x-kubernetes-unions", std::move(unions));
  }
  return out;
}

namespace {

// What /version answers.
JsonValue VersionDefinition() {
  constexpr std::string_view kAlways[] = {"major",     "minor",        "gitVersion",
                                          "gitCommit", "gitTreeState", "buildDate",
                                          "goVersion", "compiler",     "platform"};
  constexpr std::string_view kSometimes[] = {"emulationMajor", "emulationMinor",
                                             "minCompatibilityMajor", "minCompatibilityMinor"};
  Members properties;
  JsonValue::Array required;
  for (const std::string_view name : kAlways) {
    properties.push_back({std::string(name), TypeWithFormat("string", "")});
    required.push_back(Text(name));
  }
  for (const std::string_view name : kSometimes) {
    properties.push_back({std::string(name), TypeWithFormat("string", "")});
  }
  std::ranges::sort(properties, {}, &JsonValue::Member::key);
  return JsonValue::Of(Members{{"description", Text("What program the server is.")},
                               {"properties", JsonValue::Of(std::move(properties))},
                               {"required", JsonValue::Of(std::move(required))},
                               {"type", Text("object")}});
}

}  // namespace

JsonValue RawDefinition(std::string_view name) {
  if (name == kVersionInfo) return VersionDefinition();
  if (name == kAnyJson) {
    return JsonValue::Of(Members{{"description", Text("Any JSON value.")}});
  }
  const std::string_view description = name == kFieldsV1
                                           ? "A set of fields as a tree of JSON objects."
                                           : "Any object, in the form of its own kind.";
  return JsonValue::Of(Members{{"description", Text(description)}, {"type", Text("object")}});
}

}  // namespace podium::api::openapi
