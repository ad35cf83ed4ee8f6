#include "api/openapi/document.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "api/openapi/gnostic.h"
#include "api/openapi/operations.h"
#include "api/openapi/path_items.h"
#include "api/openapi/schemas.h"
#include "api/types/meta_v1.h"
#include "api/types/resources.h"
#include "reflect/json.h"

namespace podium::api::openapi {
namespace {

using GroupVersions = std::vector<GroupVersion>;

bool Same(const GroupVersion& a, const GroupVersion& b) {
  return a.group == b.group && a.version == b.version;
}

// Those of the program and of custom resources, by group and version, each once.
GroupVersions AllGroupVersions(const Options& options) {
  GroupVersions out;
  for (const Resource& resource : kResources) out.push_back({resource.group, resource.version});
  for (const CustomKind& kind : options.custom_kinds) out.push_back({kind.group, kind.version});
  std::ranges::sort(out, {},
                    [](const GroupVersion& gv) { return std::pair(gv.group, gv.version); });
  const auto twice = std::ranges::unique(out, Same);
  out.erase(twice.begin(), twice.end());
  return out;
}

// The definitions that a document needs: from those that are asked for, all that they lead to.
class Definitions {
 public:
  void Add(const reflect::Type& type) {
    // What is written out in place has no definition, but what it holds may.
    if (type.form != reflect::Form::kTransparent &&
        !types_.emplace(DefinitionName(type), &type).second) {
      return;
    }
    for (const reflect::Field& field : type.fields) {
      if (type.form == reflect::Form::kAlternatives) break;
      if (field.type) Add(*field.type);
      if (field.kind == reflect::Kind::kRaw) AddRaw(type, field);
    }
  }
  // One that has no descriptor.
  void AddRaw(std::string_view name) { raws_.emplace(name); }
  void Add(const CustomKind& kind) {
    customs_.push_back(&kind);
    Add(reflect::TypeOf<meta::v1::ObjectMeta>());
    Add(reflect::TypeOf<meta::v1::ListMeta>());
  }

  // Calls visit(name, schema) for each, in the order of names.
  template <class Visit>
  void Each(Version version, std::span<const GroupVersion> group_versions, Visit visit) const {
    std::map<std::string, std::pair<const CustomKind*, bool>> customs;
    for (const CustomKind* kind : customs_) {
      customs.try_emplace(DefinitionName(*kind, kind->kind), kind, false);
      customs.try_emplace(DefinitionName(*kind, kind->list_kind), kind, true);
    }
    std::set<std::string> names;
    for (const auto& [name, type] : types_) names.insert(name);
    for (const auto& [name, custom] : customs) names.insert(name);
    names.insert(raws_.begin(), raws_.end());
    for (const std::string& name : names) {
      if (const auto type = types_.find(name); type != types_.end()) {
        visit(name, Definition(*type->second, version, group_versions));
      } else if (const auto custom = customs.find(name); custom != customs.end()) {
        const auto [kind, list] = custom->second;
        visit(name, list ? CustomListDefinition(*kind, version) : CustomDefinition(*kind, version));
      } else {
        visit(name, RawDefinition(name));
      }
    }
  }

 private:
  void AddRaw(const reflect::Type& type, const reflect::Field& field) {
    const std::string_view owner = type.package->group;
    if (field.name() == "fieldsV1") {
      raws_.emplace(kFieldsV1);
    } else if (owner == "apiextensions.k8s.io") {
      raws_.emplace(kAnyJson);
    } else {
      raws_.emplace(kRawExtension);
    }
  }

  std::map<std::string, const reflect::Type*> types_;
  std::vector<const CustomKind*> customs_;
  std::set<std::string> raws_;
};

void AddCommon(Definitions* definitions) {
  definitions->Add(reflect::TypeOf<meta::v1::APIResourceList>());
  definitions->Add(reflect::TypeOf<meta::v1::DeleteOptions>());
  definitions->Add(reflect::TypeOf<meta::v1::Patch>());
  definitions->Add(reflect::TypeOf<meta::v1::Status>());
  definitions->Add(reflect::TypeOf<meta::v1::WatchEvent>());
}

// The paths and definitions of one group-version, or of all (null).
struct Contents {
  std::vector<Path> paths;  // by path
  Definitions definitions;

  void Append(std::vector<Path> more) {
    paths.insert(paths.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  }
};

Contents Collect(const GroupVersion* only, const Options& options) {
  Contents out;
  for (const Resource& resource : kResources) {
    if (only && !Same({resource.group, resource.version}, *only)) continue;
    out.Append(ResourcePaths(resource));
    for (const reflect::Type* type : TypesOf(resource)) out.definitions.Add(*type);
  }
  for (const CustomKind& kind : options.custom_kinds) {
    if (only && !Same({kind.group, kind.version}, *only)) continue;
    out.Append(ResourcePaths(kind));
    out.definitions.Add(kind);
    if (kind.has_scale) out.definitions.Add(*FindType("autoscaling/v1", "Scale"));
  }
  AddCommon(&out.definitions);
  return out;
}

void SortPaths(std::vector<Path>* paths) { std::ranges::sort(*paths, {}, &Path::path); }

// Appends members to a JSON object whose brace is open.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(*out) { out_ += '{'; }
  void Member(std::string_view key, const JsonValue& value) {
    Key(key);
    PrintJson(value, {}, &out_);
  }
  void Key(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    reflect::AppendJsonString(key, &out_);
    out_ += ':';
  }
  void Close() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

JsonValue Info(const Options& options) {
  return JsonValue::Of(Members{{"title", Text("Kubernetes")}, {"version", Text(options.release)}});
}

JsonValue BearerToken() {
  return JsonValue::Of(Members{{"description", Text("Bearer Token authentication")},
                               {"in", Text("header")},
                               {"name", Text("authorization")},
                               {"type", Text("apiKey")}});
}

JsonValue Security() {
  return JsonValue::Of(
      JsonValue::Array{JsonValue::Of(Members{{"BearerToken", JsonValue::Of(JsonValue::Array())}})});
}

std::string V2Json(const Contents& contents, const GroupVersions& group_versions,
                   const Options& options) {
  std::string out;
  ObjectWriter document(&out);
  document.Member("swagger", Text("2.0"));
  document.Member("info", Info(options));
  document.Key("paths");
  ObjectWriter paths(&out);
  for (const Path& path : contents.paths) paths.Member(path.path, PathItem(path, Version::kV2));
  paths.Close();
  document.Key("definitions");
  ObjectWriter definitions(&out);
  contents.definitions.Each(
      Version::kV2, group_versions,
      [&](const std::string& name, const JsonValue& schema) { definitions.Member(name, schema); });
  definitions.Close();
  document.Member("parameters", SharedParameters());
  document.Member("securityDefinitions", JsonValue::Of(Members{{"BearerToken", BearerToken()}}));
  document.Member("security", Security());
  document.Close();
  return out;
}

// Fields of openapi.v2.Document, and of the messages of named values in it.
constexpr uint32_t kPathsField = 8;
constexpr uint32_t kDefinitionsField = 9;
constexpr uint32_t kParametersField = 10;
constexpr uint32_t kSecurityDefinitionsField = 13;
constexpr uint32_t kPathEntries = 2;
constexpr uint32_t kEntries = 1;

std::string V2Protobuf(const Contents& contents, const GroupVersions& group_versions,
                       const Options& options) {
  std::string out;
  AppendMessage(Message::kDocument,
                JsonValue::Of(Members{
                    {"swagger", Text("2.0")}, {"info", Info(options)}, {"security", Security()}}),
                &out);
  // A message that stands in several pieces is put together by whoever reads it, so that each path
  // and definition is written as it is made.
  const auto piece = [&](uint32_t field, uint32_t entries, std::string_view name, Message message,
                         const JsonValue& value) {
    std::string body;
    AppendNamed(entries, name, message, value, &body);
    AppendField(field, body, &out);
  };
  for (const Path& path : contents.paths) {
    piece(kPathsField, kPathEntries, path.path, Message::kPathItem, PathItem(path, Version::kV2));
  }
  contents.definitions.Each(Version::kV2, group_versions,
                            [&](const std::string& name, const JsonValue& schema) {
                              piece(kDefinitionsField, kEntries, name, Message::kSchema, schema);
                            });
  const JsonValue parameters = SharedParameters();
  for (const auto& [name, parameter] : parameters.object()) {
    piece(kParametersField, kEntries, name, Message::kParameter, parameter);
  }
  piece(kSecurityDefinitionsField, kEntries, "BearerToken", Message::kSecurityDefinition,
        BearerToken());
  return out;
}

std::string V3Path(const GroupVersion& gv) {
  const std::string version(gv.version);
  return gv.group.empty() ? "api/" + version : "apis/" + std::string(gv.group) + '/' + version;
}

}  // namespace

std::string V2Document(Encoding encoding, const Options& options) {
  const GroupVersions group_versions = AllGroupVersions(options);
  Contents contents = Collect(nullptr, options);
  contents.Append(RootPaths());
  std::string_view group = "-";
  for (const GroupVersion& gv : group_versions) {
    if (gv.group != group) contents.paths.push_back(DiscoveryPath({gv.group, ""}));
    group = gv.group;
    contents.paths.push_back(DiscoveryPath(gv));
  }
  contents.definitions.AddRaw(kVersionInfo);
  contents.definitions.Add(reflect::TypeOf<meta::v1::APIGroup>());
  contents.definitions.Add(reflect::TypeOf<meta::v1::APIGroupList>());
  contents.definitions.Add(reflect::TypeOf<meta::v1::APIVersions>());
  SortPaths(&contents.paths);
  return encoding == Encoding::kJson ? V2Json(contents, group_versions, options)
                                     : V2Protobuf(contents, group_versions, options);
}

std::string V3Document(const GroupVersion& group_version, const Options& options) {
  const GroupVersions group_versions = AllGroupVersions(options);
  const bool known = std::ranges::any_of(
      group_versions, [&](const GroupVersion& gv) { return Same(gv, group_version); });
  if (!known) return {};
  Contents contents = Collect(&group_version, options);
  contents.paths.push_back(DiscoveryPath(group_version));
  SortPaths(&contents.paths);
  std::string out;
  ObjectWriter document(&out);
  document.Member("openapi", Text("3.0.0"));
  document.Member("info", Info(options));
  document.Key("paths");
  ObjectWriter paths(&out);
  for (const Path& path : contents.paths) paths.Member(path.path, PathItem(path, Version::kV3));
  paths.Close();
  document.Key("components");
  ObjectWriter components(&out);
  components.Key("schemas");
  ObjectWriter schemas(&out);
  contents.definitions.Each(
      Version::kV3, group_versions,
      [&](const std::string& name, const JsonValue& schema) { schemas.Member(name, schema); });
  schemas.Close();
  components.Member("securitySchemes", JsonValue::Of(Members{{"BearerToken", BearerToken()}}));
  components.Close();
  document.Close();
  return out;
}

std::string V3Index(const Options& options) {
  std::string out;
  ObjectWriter index(&out);
  index.Key("paths");
  ObjectWriter paths(&out);
  for (const GroupVersion& gv : AllGroupVersions(options)) {
    const std::string path = V3Path(gv);
    const std::string url =
        "/openapi/v3/" + path + "?hash=" + DocumentHash(V3Document(gv, options));
    paths.Member(path, JsonValue::Of(Members{{"serverRelativeURL", Text(url)}}));
  }
  paths.Close();
  index.Close();
  return out;
}

std::string DocumentHash(std::string_view document) {
  // FNV-1a, twice from different beginnings.
  uint64_t hashes[] = {0xcbf29ce484222325, 0x84222325cbf29ce4};
  for (const char c : document) {
    for (uint64_t& hash : hashes) {
      hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
      hash ^= hash >> 29;
    }
  }
  std::string out;
  for (const uint64_t hash : hashes) {
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789ABCDEF"[hash >> shift & 0xF];
  }
  return out;
}

}  // namespace podium::api::openapi
