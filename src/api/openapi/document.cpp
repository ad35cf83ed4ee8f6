#include "api/openapi/document.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "api/message_reader.h"
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

bool Serves(const Options& options, const Resource& resource) {
  return !options.serves || options.serves(resource);
}

// Those of the program and of custom resources, by group and version, each once.
GroupVersions AllGroupVersions(const Options& options) {
  GroupVersions out;
  for (const Resource& resource : kResources) {
    if (Serves(options, resource)) out.push_back({resource.group, resource.version});
  }
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
    if (!Serves(options, resource)) continue;
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
  SharedParameters parameters;
  for (const Path& path : contents.paths) {
    paths.Member(path.path, PathItem(path, Version::kV2, &parameters));
  }
  paths.Close();
  document.Key("definitions");
  ObjectWriter definitions(&out);
  contents.definitions.Each(
      Version::kV2, group_versions,
      [&](const std::string& name, const JsonValue& schema) { definitions.Member(name, schema); });
  definitions.Close();
  document.Member("parameters", parameters.Value());
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
    AppendBytesField(field, body, &out);
  };
  SharedParameters shared;
  for (const Path& path : contents.paths) {
    piece(kPathsField, kPathEntries, path.path, Message::kPathItem,
          PathItem(path, Version::kV2, &shared));
  }
  contents.definitions.Each(Version::kV2, group_versions,
                            [&](const std::string& name, const JsonValue& schema) {
                              piece(kDefinitionsField, kEntries, name, Message::kSchema, schema);
                            });
  const JsonValue parameters = shared.Value();
  for (const auto& [name, parameter] : parameters.object()) {
    piece(kParametersField, kEntries, name, Message::kParameter, parameter);
  }
  piece(kSecurityDefinitionsField, kEntries, "BearerToken", Message::kSecurityDefinition,
        BearerToken());
  return out;
}

// Of discovery, nothing else: upstream publishes such documents of their own.
struct DiscoveryPart {
  std::string path;  // as in the index
  Path item;
};

std::string V3Path(std::string_view group, std::string_view version) {
  std::string out = group.empty() ? "api" : "apis/" + std::string(group);
  if (!version.empty()) out += '/' + std::string(version);
  return out;
}

std::vector<DiscoveryPart> DiscoveryParts(const GroupVersions& group_versions) {
  std::vector<DiscoveryPart> out;
  for (Path& root : RootPaths()) {
    const std::string path = root.path.substr(1, root.path.size() - 2);
    out.push_back({path, std::move(root)});
  }
  for (size_t i = 0; i < group_versions.size(); ++i) {
    const std::string_view group = group_versions[i].group;
    if (i > 0 && group_versions[i - 1].group == group) continue;
    out.push_back({V3Path(group, ""), DiscoveryPath({group, ""})});
  }
  return out;
}

void AddAnswer(const Path& discovery, Definitions* definitions) {
  const std::string& name = discovery.operations[0].answer.definition;
  for (const reflect::Type* type :
       {&reflect::TypeOf<meta::v1::APIGroup>(), &reflect::TypeOf<meta::v1::APIGroupList>(),
        &reflect::TypeOf<meta::v1::APIVersions>()}) {
    if (DefinitionName(*type) == name) return definitions->Add(*type);
  }
  definitions->AddRaw(name);
}

std::string V3Json(const Contents& contents, const GroupVersions& group_versions,
                   const Options& options) {
  std::string out;
  ObjectWriter document(&out);
  document.Member("openapi", Text("3.0.0"));
  document.Member("info", Info(options));
  document.Key("paths");
  ObjectWriter paths(&out);
  for (const Path& path : contents.paths) {
    paths.Member(path.path, PathItem(path, Version::kV3, nullptr));
  }
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

std::string GroupVersionDocument(const GroupVersion& group_version,
                                 const GroupVersions& group_versions, const Options& options) {
  Contents contents = Collect(&group_version, options);
  contents.paths.push_back(DiscoveryPath(group_version));
  SortPaths(&contents.paths);
  return V3Json(contents, group_versions, options);
}

std::string DiscoveryDocument(Path item, const GroupVersions& group_versions,
                              const Options& options) {
  Contents contents;
  AddAnswer(item, &contents.definitions);
  contents.paths.push_back(std::move(item));
  return V3Json(contents, group_versions, options);
}

}  // namespace

std::string V2Document(Encoding encoding, const Options& options) {
  const GroupVersions group_versions = AllGroupVersions(options);
  Contents contents = Collect(nullptr, options);
  for (DiscoveryPart& part : DiscoveryParts(group_versions)) {
    AddAnswer(part.item, &contents.definitions);
    contents.paths.push_back(std::move(part.item));
  }
  for (const GroupVersion& gv : group_versions) contents.paths.push_back(DiscoveryPath(gv));
  SortPaths(&contents.paths);
  return encoding == Encoding::kJson ? V2Json(contents, group_versions, options)
                                     : V2Protobuf(contents, group_versions, options);
}

std::string V3Document(std::string_view path, const Options& options) {
  const GroupVersions group_versions = AllGroupVersions(options);
  for (const GroupVersion& gv : group_versions) {
    if (V3Path(gv.group, gv.version) == path) {
      return GroupVersionDocument(gv, group_versions, options);
    }
  }
  for (DiscoveryPart& part : DiscoveryParts(group_versions)) {
    if (part.path == path) return DiscoveryDocument(std::move(part.item), group_versions, options);
  }
  return {};
}

std::string V3Index(const Options& options) {
  const GroupVersions group_versions = AllGroupVersions(options);
  std::map<std::string, std::string> hashes;  // by path
  for (const GroupVersion& gv : group_versions) {
    hashes[V3Path(gv.group, gv.version)] =
        DocumentHash(GroupVersionDocument(gv, group_versions, options));
  }
  for (DiscoveryPart& part : DiscoveryParts(group_versions)) {
    hashes[part.path] =
        DocumentHash(DiscoveryDocument(std::move(part.item), group_versions, options));
  }
  std::string out;
  ObjectWriter index(&out);
  index.Key("paths");
  ObjectWriter paths(&out);
  for (const auto& [path, hash] : hashes) {
    std::string url = "/openapi/v3/";
    url.append(path).append("?hash=").append(hash);
    paths.Member(path, JsonValue::Of(Members{{"serverRelativeURL", Text(url)}}));
  }
  paths.Close();
  index.Close();
  return out;
}

std::string DocumentHash(std::string_view document) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_Digest(document.data(), document.size(), digest.data(), &size, EVP_sha512(), nullptr);
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += "0123456789ABCDEF"[digest[i] >> 4];
    out += "0123456789ABCDEF"[digest[i] & 15];
  }
  return out;
}

}  // namespace podium::api::openapi
