#include "api/openapi/operations.h"

#include <algorithm>
#include <string>

#include "api/openapi/parameters.h"
#include "api/openapi/schemas.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "base/ascii.h"

namespace podium::api::openapi {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kYaml = "application/yaml";
constexpr std::string_view kProtobuf = "application/vnd.kubernetes.protobuf";

std::string Capitalized(std::string_view text) {
  std::string out(text);
  if (!out.empty() && IsLower(out[0])) out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

// rbac.authorization.k8s.io becomes rbacAuthorization, the group of core "core".
std::string GroupWord(std::string_view group) {
  if (group.empty()) return "core";
  if (group.ends_with(".k8s.io")) group.remove_suffix(7);
  std::string out;
  while (!group.empty()) {
    const size_t dot = std::min(group.find('.'), group.size());
    out += out.empty() ? std::string(group.substr(0, dot)) : Capitalized(group.substr(0, dot));
    group.remove_prefix(std::min(dot + 1, group.size()));
  }
  return out;
}

std::string BasePath(std::string_view group, std::string_view version) {
  std::string out = group.empty() ? "/api" : "/apis/" + std::string(group);
  if (!version.empty()) out += '/' + std::string(version);
  return out;
}

// Kinds whose deletion answers with the object, not with a Status.
bool DeleteReturnsObject(std::string_view group, std::string_view kind) {
  constexpr std::string_view kCore[] = {"PersistentVolume", "PersistentVolumeClaim", "Pod",
                                        "PodTemplate",      "ResourceQuota",         "Service",
                                        "ServiceAccount"};
  if (group == "storage.k8s.io" || group == "resource.k8s.io") return true;
  return group.empty() && std::ranges::find(kCore, kind) != std::end(kCore);
}

template <class T>
std::string NameOf() {
  return DefinitionName(reflect::TypeOf<T>());
}

// A resource, of the program or a custom one.
struct Subject {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  std::string_view plural;
  bool namespaced = true;
  bool custom = false;  // no protobuf, no strategic merge patch
  std::string object;   // definitions
  std::string list;
};

struct Scope {
  bool in_namespace = false;
  bool by_name = false;
};

class Builder {
 public:
  explicit Builder(const Subject& subject)
      : subject_(subject),
        word_(Capitalized(GroupWord(subject.group)) + Capitalized(subject.version)),
        tag_(GroupWord(subject.group) + '_' + std::string(subject.version)) {}

  std::vector<Path> paths;

  void Object(std::span<const std::string_view> verbs) {
    const auto has = [&](std::string_view verb) {
      return std::ranges::find(verbs, verb) != verbs.end();
    };
    const Scope all{.in_namespace = subject_.namespaced};
    const Scope one{.in_namespace = subject_.namespaced, .by_name = true};
    std::vector<Operation> collection;
    if (has("list")) collection.push_back(List(all));
    if (has("create")) collection.push_back(Create(all, "", {}, subject_.object));
    if (has("deletecollection")) collection.push_back(DeleteCollection(all));
    AddPath(all, "", std::move(collection));
    std::vector<Operation> object;
    if (has("get")) object.push_back(Read(one, ""));
    if (has("update")) object.push_back(Replace(one, ""));
    if (has("patch")) object.push_back(Patch(one, ""));
    if (has("delete")) object.push_back(Delete(one));
    AddPath(one, "", std::move(object));
    if (has("list") && subject_.namespaced) AddPath({}, "", One(List({})));
    if (!has("watch")) return;
    AddWatch({}, "ForAllNamespaces");
    if (subject_.namespaced) AddWatch(all, "");
    if (has("get")) AddWatch(one, "");
  }

  // A subresource that reads and writes objects of a kind of its own.
  void Part(std::string_view name, std::span<const std::string_view> verbs, std::string_view group,
            std::string_view version, std::string_view kind, const std::string& definition) {
    part_group_ = group;
    part_version_ = version;
    part_kind_ = kind;
    part_ = definition;
    const Scope one{.in_namespace = subject_.namespaced, .by_name = true};
    std::vector<Operation> operations;
    for (const std::string_view verb : verbs) {
      if (verb == "get") operations.push_back(Read(one, name));
      if (verb == "update") operations.push_back(Replace(one, name));
      if (verb == "patch") operations.push_back(Patch(one, name));
      if (verb == "create") operations.push_back(Create(one, name, " of a", definition));
    }
    AddPath(one, name, std::move(operations));
    part_.clear();
  }

  // A subresource that carries something else than objects: a log, a stream, a proxy.
  void Connect(std::string_view name, std::span<const std::string_view> verbs,
               const reflect::Type& options, std::string_view options_kind) {
    const Scope one{.in_namespace = subject_.namespaced, .by_name = true};
    const bool proxy = name == "proxy";
    std::vector<std::string_view> methods;
    const auto has = [&](std::string_view verb) {
      return std::ranges::find(verbs, verb) != verbs.end();
    };
    if (proxy) {
      methods = {"delete", "get", "head", "options", "patch", "post", "put"};
    } else {
      if (has("get")) methods.push_back("get");
      if (has("create")) methods.push_back("post");
    }
    for (const bool with_path : {false, true}) {
      if (with_path && !proxy) break;
      std::vector<Operation> operations;
      for (const std::string_view method : methods) {
        Operation op = New(method, one, "connect", Capitalized(method), name);
        if (with_path) op.id += "WithPath";
        std::string verb;
        for (const char c : method) verb += static_cast<char>(c - 'a' + 'A');
        op.description = "connect " + verb + " requests to " + std::string(name) + " of " +
                         std::string(subject_.kind);
        op.kind = options_kind;
        op.produces = {"*/*"};
        op.answer = {.definition = {}, .plain = true};
        op.statuses = {200};
        op.parameters = OptionParameters(options);
        if (with_path) op.parameters.push_back(PathParameter("path", "path of the request"));
        operations.push_back(std::move(op));
      }
      AddPath(one, std::string(name) + (with_path ? "/{path}" : ""), std::move(operations), false);
    }
  }

  void Log(const reflect::Type& options) {
    const Scope one{.in_namespace = subject_.namespaced, .by_name = true};
    Operation op = Read(one, "log");
    op.produces = {"text/plain", kJson, kYaml, kProtobuf};
    op.answer = {.definition = {}, .plain = true};
    op.parameters = OptionParameters(options);
    AddPath(one, "log", One(std::move(op)));
  }

 private:
  static std::vector<Operation> One(Operation operation) {
    std::vector<Operation> out;
    out.push_back(std::move(operation));
    return out;
  }

  std::string PlaceOf(const Scope& scope, std::string_view watch = "") const {
    std::string out = BasePath(subject_.group, subject_.version) + std::string(watch);
    if (scope.in_namespace) out += "/namespaces/{namespace}";
    out += '/' + std::string(subject_.plural);
    if (scope.by_name) out += "/{name}";
    return out;
  }

  std::vector<Parameter> PlaceParameters(const Scope& scope) const {
    std::vector<Parameter> out;
    if (scope.by_name) {
      out.push_back(PathParameter("name", "name of the " + std::string(subject_.kind)));
    }
    if (scope.in_namespace) out.push_back(PathParameter("namespace", "namespace of the objects"));
    return out;
  }

  void AddPath(const Scope& scope, std::string_view part, std::vector<Operation> operations,
               bool pretty = true) {
    if (operations.empty()) return;
    Path path{.path = PlaceOf(scope), .operations = std::move(operations), .parameters = {}};
    if (!part.empty()) path.path += '/' + std::string(part);
    path.parameters = PlaceParameters(scope);
    if (pretty) path.parameters.push_back(QueryParameter("pretty"));
    Finish(&path);
    paths.push_back(std::move(path));
  }

  // What all operations take stands once, at the path; all in the order of names, as upstream.
  static void Finish(Path* path) {
    std::vector<Parameter>& first = path->operations[0].parameters;
    const std::vector<Parameter> candidates = first;
    for (const Parameter& parameter : candidates) {
      const bool everywhere = std::ranges::all_of(path->operations, [&](const Operation& op) {
        return std::ranges::find(op.parameters, parameter) != op.parameters.end();
      });
      if (!everywhere) continue;
      for (Operation& op : path->operations) std::erase(op.parameters, parameter);
      path->parameters.push_back(parameter);
    }
    std::ranges::sort(path->parameters, {}, &Parameter::name);
    for (Operation& op : path->operations) std::ranges::sort(op.parameters, {}, &Parameter::name);
    std::ranges::sort(path->operations, {}, &Operation::method);
  }

  Operation New(std::string_view method, const Scope& scope, std::string_view action,
                std::string_view infix, std::string_view part) const {
    Operation op;
    op.method = method;
    op.action = action;
    op.tag = tag_;
    op.group = subject_.group;
    op.version = subject_.version;
    op.kind = subject_.kind;
    op.id = Verb(action) + word_ + std::string(infix) + (scope.in_namespace ? "Namespaced" : "") +
            std::string(subject_.kind) + Capitalized(part);
    if (!part_.empty()) {
      op.group = part_group_;
      op.version = part_version_;
      op.kind = part_kind_;
    }
    op.consumes = {"*/*"};
    op.produces = Produced(false);
    op.answer.definition = part_.empty() ? subject_.object : part_;
    return op;
  }

  static std::string Verb(std::string_view action) {
    if (action == "get") return "read";
    if (action == "put") return "replace";
    if (action == "post") return "create";
    if (action == "deletecollection") return "delete";
    if (action == "watchlist") return "watch";
    return std::string(action);
  }

  std::vector<std::string_view> Produced(bool stream) const {
    std::vector<std::string_view> out{kJson, kYaml};
    if (!subject_.custom) out.push_back(kProtobuf);
    if (!stream) return out;
    out.push_back("application/json;stream=watch");
    if (!subject_.custom) out.push_back("application/vnd.kubernetes.protobuf;stream=watch");
    return out;
  }

  static std::vector<Parameter> ListParameters() {
    return QueryParameters({"allowWatchBookmarks", "continue", "fieldSelector", "labelSelector",
                            "limit", "resourceVersion", "resourceVersionMatch", "sendInitialEvents",
                            "timeoutSeconds", "watch"});
  }

  Operation List(const Scope& scope) const {
    Operation op = New("get", scope, "list", "", "");
    if (subject_.namespaced && !scope.in_namespace) op.id += "ForAllNamespaces";
    op.description = "list or watch objects of kind " + std::string(subject_.kind);
    op.produces = Produced(true);
    op.answer.definition = subject_.list;
    op.statuses = {200};
    op.parameters = ListParameters();
    return op;
  }

  void AddWatch(const Scope& scope, std::string_view suffix) {
    Operation op = New("get", scope, scope.by_name ? "watch" : "watchlist", "", "");
    if (!scope.by_name) op.id += "List";
    if (subject_.namespaced) op.id += suffix;
    op.description = scope.by_name
                         ? "watch changes to an object of kind " + std::string(subject_.kind) +
                               "; deprecated: list with watch and a fieldSelector does the same"
                         : "watch changes to objects of kind " + std::string(subject_.kind) +
                               "; deprecated: list with watch does the same";
    op.produces = Produced(true);
    op.answer.definition = NameOf<meta::v1::WatchEvent>();
    op.statuses = {200};
    op.parameters = ListParameters();
    Path path{.path = PlaceOf(scope, "/watch"), .operations = {}, .parameters = {}};
    path.operations.push_back(std::move(op));
    path.parameters = PlaceParameters(scope);
    path.parameters.push_back(QueryParameter("pretty"));
    Finish(&path);
    paths.push_back(std::move(path));
  }

  static std::string OfPart(std::string_view part) {
    return part.empty() ? "" : std::string(part) + " of ";
  }

  Operation Read(const Scope& scope, std::string_view part) const {
    Operation op = New("get", scope, "get", "", part);
    op.description = "read " + OfPart(part) + "the specified " + std::string(subject_.kind);
    op.statuses = {200};
    return op;
  }

  Operation Create(const Scope& scope, std::string_view part, std::string_view of,
                   const std::string& definition) const {
    Operation op = New("post", scope, "post", "", part);
    op.description = "create " + std::string(part) + std::string(of) + (part.empty() ? "a " : " ") +
                     std::string(subject_.kind);
    op.body.definition = op.answer.definition = definition;
    op.body_required = true;
    op.statuses = {200, 201, 202};
    op.parameters = QueryParameters({"dryRun", "fieldManager", "fieldValidation"});
    return op;
  }

  Operation Replace(const Scope& scope, std::string_view part) const {
    Operation op = New("put", scope, "put", "", part);
    op.description = "replace " + OfPart(part) + "the specified " + std::string(subject_.kind);
    op.body = op.answer;
    op.body_required = true;
    op.statuses = {200, 201};
    op.parameters = QueryParameters({"dryRun", "fieldManager", "fieldValidation"});
    return op;
  }

  Operation Patch(const Scope& scope, std::string_view part) const {
    Operation op = New("patch", scope, "patch", "", part);
    op.description =
        "partially update " + OfPart(part) + "the specified " + std::string(subject_.kind);
    op.consumes = {"application/json-patch+json", "application/merge-patch+json"};
    if (!subject_.custom) op.consumes.push_back("application/strategic-merge-patch+json");
    op.consumes.push_back("application/apply-patch+yaml");
    op.body.definition = NameOf<meta::v1::Patch>();
    op.body_required = true;
    op.statuses = {200, 201};
    op.parameters = QueryParameters({"dryRun", "fieldManager", "fieldValidation", "force"});
    return op;
  }

  Operation Delete(const Scope& scope) const {
    Operation op = New("delete", scope, "delete", "", "");
    op.description = "delete a " + std::string(subject_.kind);
    op.body.definition = NameOf<meta::v1::DeleteOptions>();
    if (subject_.custom || !DeleteReturnsObject(subject_.group, subject_.kind)) {
      op.answer.definition = NameOf<meta::v1::Status>();
    }
    op.statuses = {200, 202};
    op.parameters = QueryParameters({"dryRun", "gracePeriodSeconds",
                                     "ignoreStoreReadErrorWithClusterBreakingPotential",
                                     "orphanDependents", "propagationPolicy"});
    return op;
  }

  Operation DeleteCollection(const Scope& scope) const {
    Operation op = New("delete", scope, "deletecollection", "Collection", "");
    op.description = "delete collection of " + std::string(subject_.kind);
    op.body.definition = NameOf<meta::v1::DeleteOptions>();
    op.answer.definition = NameOf<meta::v1::Status>();
    op.statuses = {200};
    op.parameters =
        QueryParameters({"continue", "dryRun", "fieldSelector", "gracePeriodSeconds",
                         "ignoreStoreReadErrorWithClusterBreakingPotential", "labelSelector",
                         "limit", "orphanDependents", "propagationPolicy", "resourceVersion",
                         "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds"});
    return op;
  }

  const Subject& subject_;
  const std::string word_;
  const std::string tag_;
  // Of the subresource that is being built.
  std::string_view part_group_;
  std::string_view part_version_;
  std::string_view part_kind_;
  std::string part_;
};

const reflect::Type* TypeOfKind(std::string_view group, std::string_view version,
                                std::string_view kind) {
  return FindType(
      group.empty() ? std::string(version) : std::string(group) + '/' + std::string(version), kind);
}

bool IsOptions(const Subresource& sub) { return sub.kind.ends_with("Options"); }

}  // namespace

std::vector<const reflect::Type*> TypesOf(const Resource& resource) {
  std::vector<const reflect::Type*> out{resource.type};
  if (resource.HasVerb("list")) {
    const std::string list = std::string(resource.kind) + "List";
    if (const auto* type = TypeOfKind(resource.group, resource.version, list)) out.push_back(type);
  }
  for (const Subresource& sub : resource.subresources) {
    if (IsOptions(sub)) continue;
    if (const auto* type = TypeOfKind(sub.group, sub.version, sub.kind)) out.push_back(type);
  }
  return out;
}

std::vector<Path> ResourcePaths(const Resource& resource) {
  Subject subject{.group = resource.group,
                  .version = resource.version,
                  .kind = resource.kind,
                  .plural = resource.plural,
                  .namespaced = resource.namespaced,
                  .custom = false,
                  .object = DefinitionName(*resource.type),
                  .list = DefinitionName(*resource.type) + "List"};
  Builder builder(subject);
  builder.Object(resource.verbs);
  for (const Subresource& sub : resource.subresources) {
    const reflect::Type* type = TypeOfKind(sub.group, sub.version, sub.kind);
    if (!type) continue;
    if (sub.name == "log") {
      builder.Log(reflect::TypeOf<core::v1::PodLogOptions>());
    } else if (IsOptions(sub)) {
      builder.Connect(sub.name, sub.verbs, *type, sub.kind);
    } else {
      builder.Part(sub.name, sub.verbs, sub.group, sub.version, sub.kind, DefinitionName(*type));
    }
  }
  return std::move(builder.paths);
}

std::vector<Path> ResourcePaths(const CustomKind& kind) {
  Subject subject{.group = kind.group,
                  .version = kind.version,
                  .kind = kind.kind,
                  .plural = kind.plural,
                  .namespaced = kind.namespaced,
                  .custom = true,
                  .object = DefinitionName(kind, kind.kind),
                  .list = DefinitionName(kind, kind.list_kind)};
  Builder builder(subject);
  constexpr std::string_view kVerbs[] = {"create", "delete", "deletecollection", "get",
                                         "list",   "patch",  "update",           "watch"};
  constexpr std::string_view kPartVerbs[] = {"get", "patch", "update"};
  builder.Object(kVerbs);
  if (kind.has_status) {
    builder.Part("status", kPartVerbs, kind.group, kind.version, kind.kind, subject.object);
  }
  if (kind.has_scale) {
    builder.Part("scale", kPartVerbs, "autoscaling", "v1", "Scale",
                 DefinitionName(*FindType("autoscaling/v1", "Scale")));
  }
  return std::move(builder.paths);
}

namespace {

Operation Discovery(std::string id, std::string_view description, std::string tag,
                    std::string definition) {
  Operation op;
  op.method = "get";
  op.id = std::move(id);
  op.description = description;
  op.tag = std::move(tag);
  op.consumes = op.produces = {kJson, kYaml, kProtobuf};
  op.answer.definition = std::move(definition);
  op.statuses = {200};
  return op;
}

}  // namespace

Path DiscoveryPath(const GroupVersion& gv) {
  const std::string word = GroupWord(gv.group);
  Path path{.path = BasePath(gv.group, gv.version) + '/', .operations = {}, .parameters = {}};
  if (gv.version.empty()) {
    path.operations.push_back(gv.group.empty()
                                  ? Discovery("getCoreAPIVersions", "get available API versions",
                                              "core", NameOf<meta::v1::APIVersions>())
                                  : Discovery("get" + Capitalized(word) + "APIGroup",
                                              "get information of a group", word,
                                              NameOf<meta::v1::APIGroup>()));
    return path;
  }
  path.operations.push_back(
      Discovery("get" + Capitalized(word) + Capitalized(gv.version) + "APIResources",
                "get available resources", word + '_' + std::string(gv.version),
                NameOf<meta::v1::APIResourceList>()));
  return path;
}

std::vector<Path> RootPaths() {
  Path groups{.path = "/apis/", .operations = {}, .parameters = {}};
  groups.operations.push_back(Discovery("getAPIVersions", "get available API versions", "apis",
                                        NameOf<meta::v1::APIGroupList>()));
  Path version{.path = "/version/", .operations = {}, .parameters = {}};
  version.operations.push_back(Discovery("getCodeVersion", "get the version of the server",
                                         "version", std::string(kVersionInfo)));
  version.operations[0].consumes = version.operations[0].produces = {kJson};
  std::vector<Path> out;
  out.push_back(std::move(groups));
  out.push_back(std::move(version));
  return out;
}

}  // namespace podium::api::openapi
