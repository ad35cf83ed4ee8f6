// OpenAPI documents, beside upstream's published api/openapi-spec/swagger.json and v3/*.json:
// names, extensions, paths, ids and parameters of a few definitions and operations, without the
// texts.
#include "api/openapi/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "api/types/resources.h"
#include "reflect/yaml.h"

namespace podium::api::openapi {
namespace {

using reflect::JsonValue;
using ::testing::HasSubstr;

JsonValue Json(std::string_view text) {
  auto value = reflect::ParseJson(text);
  EXPECT_TRUE(value.ok()) << text.substr(0, 200);
  return *std::move(value);
}

// Without descriptions, which are our own.
JsonValue Bare(const JsonValue& value) {
  JsonValue out = value;
  if (out.is_array()) {
    for (JsonValue& element : out.array()) element = Bare(element);
  } else if (out.is_object()) {
    const JsonValue* description = out.Find("description");
    if (description && description->is_string()) out.Erase("description");
    for (JsonValue::Member& member : out.object()) member.value = Bare(member.value);
  }
  return out;
}

const JsonValue& At(const JsonValue& value, std::initializer_list<std::string_view> path) {
  static const JsonValue& none = *new JsonValue();
  const JsonValue* at = &value;
  for (const std::string_view key : path) {
    at = at->Find(key);
    if (!at) {
      ADD_FAILURE() << "no " << key;
      return none;
    }
  }
  return *at;
}

std::string Sorted(const JsonValue& value) { return ToText(value, {.sort_keys = true}); }

// `expected` is YAML.
void ExpectBare(const JsonValue& actual, std::string_view expected) {
  auto json = reflect::YamlToJson(expected);
  ASSERT_TRUE(json.ok()) << expected;
  EXPECT_EQ(Sorted(Bare(actual)), Sorted(Json(json->json)));
}

void EachReference(const JsonValue& value, const std::function<void(const std::string&)>& visit) {
  if (value.is_array()) {
    for (const JsonValue& element : value.array()) EachReference(element, visit);
  } else if (value.is_object()) {
    for (const JsonValue::Member& member : value.object()) {
      if (member.key == "$ref" && member.value.is_string()) visit(member.value.string());
      EachReference(member.value, visit);
    }
  }
}

const JsonValue& V2() {
  static const JsonValue& document = *new JsonValue(Json(V2Document(Encoding::kJson, {})));
  return document;
}

TEST(OpenApiV2Test, Definitions) {
  ExpectBare(At(V2(), {"definitions", "io.k8s.api.core.v1.ContainerPort"}), R"(
properties:
  containerPort: {format: int32, type: integer}
  hostIP: {type: string}
  hostPort: {format: int32, type: integer}
  name: {type: string}
  protocol: {enum: [SCTP, TCP, UDP], type: string}
required: [containerPort]
type: object
)");
  ExpectBare(At(V2(), {"definitions", "io.k8s.api.core.v1.ConfigMap"}), R"(
properties:
  apiVersion: {type: string}
  binaryData: {additionalProperties: {format: byte, type: string}, type: object}
  data: {additionalProperties: {type: string}, type: object}
  immutable: {type: boolean}
  kind: {type: string}
  metadata: {$ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'}
type: object
x-kubernetes-group-version-kind: [{group: '', kind: ConfigMap, version: v1}]
)");
  ExpectBare(At(V2(), {"definitions", "io.k8s.api.apps.v1.DeploymentList"}), R"(
properties:
  apiVersion: {type: string}
  items: {items: {$ref: '#/definitions/io.k8s.api.apps.v1.Deployment'}, type: array}
  kind: {type: string}
  metadata: {$ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta'}
required: [items]
type: object
x-kubernetes-group-version-kind: [{group: apps, kind: DeploymentList, version: v1}]
)");
  const JsonValue& pod = At(V2(), {"definitions", "io.k8s.api.core.v1.PodSpec", "properties"});
  ExpectBare(At(pod, {"containers"}), R"(
items: {$ref: '#/definitions/io.k8s.api.core.v1.Container'}
type: array
x-kubernetes-list-map-keys: [name]
x-kubernetes-list-type: map
x-kubernetes-patch-merge-key: name
x-kubernetes-patch-strategy: merge
)");
  ExpectBare(At(pod, {"volumes"}), R"(
items: {$ref: '#/definitions/io.k8s.api.core.v1.Volume'}
type: array
x-kubernetes-list-map-keys: [name]
x-kubernetes-list-type: map
x-kubernetes-patch-merge-key: name
x-kubernetes-patch-strategy: merge,retainKeys
)");
  ExpectBare(At(pod, {"nodeSelector"}), R"(
{additionalProperties: {type: string}, type: object, x-kubernetes-map-type: atomic}
)");
  ExpectBare(
      At(V2(), {"definitions", "io.k8s.api.core.v1.ResourceRequirements", "properties", "limits"}),
      R"(
additionalProperties: {$ref: '#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity'}
type: object
)");
  ExpectBare(At(V2(), {"definitions", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"}),
             "{format: int-or-string, type: string}");
  ExpectBare(At(V2(), {"definitions", "io.k8s.apimachinery.pkg.apis.meta.v1.Time"}),
             "{format: date-time, type: string}");
  ExpectBare(At(V2(), {"definitions", "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"}),
             "{type: object}");
  ExpectBare(
      At(V2(), {"definitions", "io.k8s.api.flowcontrol.v1.LimitResponse", "x-kubernetes-unions"}),
      "[{discriminator: type, fields-to-discriminateBy: {queuing: Queuing}}]");
  EXPECT_FALSE(At(V2(), {"definitions", "io.k8s.api.core.v1.Pod", "description"}).string().empty());
}

// Names of shared parameters: computed by hand from what parameters.cpp says of them.
TEST(OpenApiV2Test, Operations) {
  const JsonValue& item = At(V2(), {"paths", "/api/v1/namespaces/{namespace}/pods/{name}"});
  ExpectBare(At(item, {"patch"}), R"(
consumes: [application/json-patch+json, application/merge-patch+json,
           application/strategic-merge-patch+json, application/apply-patch+yaml]
operationId: patchCoreV1NamespacedPod
parameters:
- {in: body, name: body, required: true,
   schema: {$ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Patch'}}
- {in: query, name: dryRun, type: string, uniqueItems: true}
- {$ref: '#/parameters/fieldManager-R0CL1ZJS'}
- {in: query, name: fieldValidation, type: string, uniqueItems: true}
- {$ref: '#/parameters/force-ZMkXy1r-'}
produces: [application/json, application/yaml, application/vnd.kubernetes.protobuf]
responses:
  '200': {schema: {$ref: '#/definitions/io.k8s.api.core.v1.Pod'}}
  '201': {schema: {$ref: '#/definitions/io.k8s.api.core.v1.Pod'}}
  '401': {}
schemes: [https]
tags: [core_v1]
x-kubernetes-action: patch
x-kubernetes-group-version-kind: {group: '', kind: Pod, version: v1}
)");
  ExpectBare(At(item, {"parameters"}), R"(
- {in: path, name: name, required: true, type: string, uniqueItems: true}
- {$ref: '#/parameters/namespace-Nn_WlpiC'}
- {$ref: '#/parameters/pretty-2C_IR6CP'}
)");
  ExpectBare(At(item, {"delete"}), R"(
consumes: ['*/*']
operationId: deleteCoreV1NamespacedPod
parameters:
- {in: body, name: body, schema: {$ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'}}
- {in: query, name: dryRun, type: string, uniqueItems: true}
- {$ref: '#/parameters/gracePeriodSeconds-N-730rQj'}
- {$ref: '#/parameters/ignoreStoreReadErrorWithClusterBreakingPotential--vWdzTou'}
- {$ref: '#/parameters/orphanDependents-i1G0kGu5'}
- {$ref: '#/parameters/propagationPolicy-dAfEEg2Q'}
produces: [application/json, application/yaml, application/vnd.kubernetes.protobuf]
responses:
  '200': {schema: {$ref: '#/definitions/io.k8s.api.core.v1.Pod'}}
  '202': {schema: {$ref: '#/definitions/io.k8s.api.core.v1.Pod'}}
  '401': {}
schemes: [https]
tags: [core_v1]
x-kubernetes-action: delete
x-kubernetes-group-version-kind: {group: '', kind: Pod, version: v1}
)");
}

struct Named {
  std::string_view path;
  std::string_view method;
  std::string_view id;
  std::string_view action;
  std::string_view kind;  // GROUP/VERSION/KIND
};

// As in upstream's swagger.json.
constexpr Named kNamed[] = {
    {"/api/v1/namespaces/{namespace}/pods", "get", "listCoreV1NamespacedPod", "list", "/v1/Pod"},
    {"/api/v1/namespaces/{namespace}/pods", "post", "createCoreV1NamespacedPod", "post", "/v1/Pod"},
    {"/api/v1/namespaces/{namespace}/pods", "delete", "deleteCoreV1CollectionNamespacedPod",
     "deletecollection", "/v1/Pod"},
    {"/api/v1/namespaces/{namespace}/pods/{name}", "put", "replaceCoreV1NamespacedPod", "put",
     "/v1/Pod"},
    {"/api/v1/pods", "get", "listCoreV1PodForAllNamespaces", "list", "/v1/Pod"},
    {"/api/v1/watch/pods", "get", "watchCoreV1PodListForAllNamespaces", "watchlist", "/v1/Pod"},
    {"/api/v1/watch/namespaces/{namespace}/pods", "get", "watchCoreV1NamespacedPodList",
     "watchlist", "/v1/Pod"},
    {"/api/v1/watch/namespaces/{namespace}/pods/{name}", "get", "watchCoreV1NamespacedPod", "watch",
     "/v1/Pod"},
    {"/api/v1/watch/nodes", "get", "watchCoreV1NodeList", "watchlist", "/v1/Node"},
    {"/api/v1/watch/nodes/{name}", "get", "watchCoreV1Node", "watch", "/v1/Node"},
    {"/api/v1/nodes/{name}/status", "put", "replaceCoreV1NodeStatus", "put", "/v1/Node"},
    {"/api/v1/nodes/{name}/proxy/{path}", "head", "connectCoreV1HeadNodeProxyWithPath", "connect",
     "/v1/NodeProxyOptions"},
    {"/api/v1/namespaces/{name}/finalize", "put", "replaceCoreV1NamespaceFinalize", "put",
     "/v1/Namespace"},
    {"/api/v1/namespaces/{namespace}/pods/{name}/exec", "get", "connectCoreV1GetNamespacedPodExec",
     "connect", "/v1/PodExecOptions"},
    {"/api/v1/namespaces/{namespace}/pods/{name}/log", "get", "readCoreV1NamespacedPodLog", "get",
     "/v1/Pod"},
    {"/api/v1/namespaces/{namespace}/pods/{name}/binding", "post",
     "createCoreV1NamespacedPodBinding", "post", "/v1/Binding"},
    {"/api/v1/namespaces/{namespace}/pods/{name}/eviction", "post",
     "createCoreV1NamespacedPodEviction", "post", "policy/v1/Eviction"},
    {"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", "post",
     "createCoreV1NamespacedServiceAccountToken", "post", "authentication.k8s.io/v1/TokenRequest"},
    {"/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", "patch",
     "patchAppsV1NamespacedDeploymentScale", "patch", "autoscaling/v1/Scale"},
    {"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}", "get",
     "readRbacAuthorizationV1ClusterRole", "get", "rbac.authorization.k8s.io/v1/ClusterRole"},
    {"/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", "get",
     "listFlowcontrolApiserverV1FlowSchema", "list", "flowcontrol.apiserver.k8s.io/v1/FlowSchema"},
    {"/apis/authorization.k8s.io/v1/subjectaccessreviews", "post",
     "createAuthorizationV1SubjectAccessReview", "post",
     "authorization.k8s.io/v1/SubjectAccessReview"},
};

TEST(OpenApiV2Test, IdsAndKinds) {
  for (const Named& named : kNamed) {
    const JsonValue& op = At(V2(), {"paths", named.path, named.method});
    if (!op.is_object()) continue;
    EXPECT_EQ(At(op, {"operationId"}).string(), named.id);
    EXPECT_EQ(At(op, {"x-kubernetes-action"}).string(), named.action) << named.path;
    const JsonValue& kind = At(op, {"x-kubernetes-group-version-kind"});
    EXPECT_EQ(At(kind, {"group"}).string() + '/' + At(kind, {"version"}).string() + '/' +
                  At(kind, {"kind"}).string(),
              named.kind);
  }
  EXPECT_EQ(At(V2(), {"paths", "/apis/apps/v1/", "get", "operationId"}).string(),
            "getAppsV1APIResources");
  EXPECT_EQ(At(V2(), {"paths", "/apis/apps/", "get", "operationId"}).string(), "getAppsAPIGroup");
  EXPECT_EQ(At(V2(), {"paths", "/api/", "get", "operationId"}).string(), "getCoreAPIVersions");
  EXPECT_EQ(At(V2(), {"paths", "/apis/", "get", "operationId"}).string(), "getAPIVersions");
  EXPECT_EQ(At(V2(), {"paths", "/version/", "get", "operationId"}).string(), "getCodeVersion");
}

TEST(OpenApiV2Test, EveryReferenceLeadsSomewhereAndNothingIsUnused) {
  std::set<std::string> used;
  EachReference(V2(), [&](const std::string& reference) {
    const size_t slash = reference.find('/', 2);
    ASSERT_NE(slash, std::string::npos) << reference;
    const JsonValue* found =
        At(V2(), {reference.substr(2, slash - 2)}).Find(reference.substr(slash + 1));
    EXPECT_NE(found, nullptr) << reference;
    used.insert(reference.substr(slash + 1));
  });
  for (const auto& [name, schema] : At(V2(), {"definitions"}).object()) {
    EXPECT_TRUE(used.contains(name)) << name;
  }
}

TEST(OpenApiV2Test, OperationIdsAreUnique) {
  std::set<std::string> ids;
  for (const auto& [path, item] : At(V2(), {"paths"}).object()) {
    for (const auto& [method, op] : item.object()) {
      const JsonValue* id = op.Find("operationId");
      if (id) EXPECT_TRUE(ids.insert(id->string()).second) << id->string();
    }
  }
  EXPECT_GT(ids.size(), 800U);
}

// Every kind and verb of the table of resources has its operation.
TEST(OpenApiV2Test, EveryVerbOfEveryResource) {
  std::set<std::string> actions;  // GROUP/VERSION/KIND action
  for (const auto& [path, item] : At(V2(), {"paths"}).object()) {
    for (const auto& [method, op] : item.object()) {
      const JsonValue* kind = op.Find("x-kubernetes-group-version-kind");
      if (!kind) continue;
      actions.insert(At(*kind, {"group"}).string() + '/' + At(*kind, {"version"}).string() + '/' +
                     At(*kind, {"kind"}).string() + ' ' + At(op, {"x-kubernetes-action"}).string());
    }
  }
  const auto expect = [&](std::string_view group, std::string_view version, std::string_view kind,
                          std::string_view verb, bool connect) {
    std::string action(verb);
    if (verb == "create") action = "post";
    if (verb == "update") action = "put";
    if (verb == "watch") action = "watchlist";
    if (connect) action = "connect";
    const std::string text =
        std::string(group) + '/' + std::string(version) + '/' + std::string(kind) + ' ' + action;
    EXPECT_TRUE(actions.contains(text)) << text;
  };
  for (const Resource& resource : kResources) {
    for (const std::string_view verb : resource.verbs) {
      expect(resource.group, resource.version, resource.kind, verb, false);
    }
    for (const Subresource& sub : resource.subresources) {
      for (const std::string_view verb : sub.verbs) {
        expect(sub.group, sub.version, sub.kind, verb, sub.kind.ends_with("Options"));
      }
    }
  }
}

TEST(OpenApiV3Test, DefinitionsHaveDefaults) {
  const JsonValue apps = Json(V3Document("apis/apps/v1", {}));
  EXPECT_EQ(At(apps, {"openapi"}).string(), "3.0.0");
  const JsonValue& schemas = At(apps, {"components", "schemas"});
  ExpectBare(At(schemas, {"io.k8s.api.core.v1.ContainerPort"}), R"(
properties:
  containerPort: {default: 0, format: int32, type: integer}
  hostIP: {type: string}
  hostPort: {format: int32, type: integer}
  name: {type: string}
  protocol: {default: TCP, enum: [SCTP, TCP, UDP], type: string}
required: [containerPort]
type: object
)");
  ExpectBare(At(schemas, {"io.k8s.api.apps.v1.DeploymentSpec", "properties", "template"}), R"(
{allOf: [{$ref: '#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec'}], default: {}}
)");
  ExpectBare(At(schemas, {"io.k8s.api.apps.v1.DeploymentSpec", "properties", "selector"}), R"(
{allOf: [{$ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector'}]}
)");
  EXPECT_EQ(
      At(schemas, {"io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector", "x-kubernetes-map-type"})
          .string(),
      "atomic");
  ExpectBare(At(schemas, {"io.k8s.api.core.v1.PodSpec", "properties", "containers", "items"}), R"(
{allOf: [{$ref: '#/components/schemas/io.k8s.api.core.v1.Container'}], default: {}}
)");
  ExpectBare(At(schemas, {"io.k8s.api.core.v1.Container", "properties", "args"}), R"(
{items: {default: '', type: string}, type: array, x-kubernetes-list-type: atomic}
)");
  ExpectBare(At(schemas, {"io.k8s.apimachinery.pkg.util.intstr.IntOrString"}),
             "{format: int-or-string, oneOf: [{type: integer}, {type: string}]}");
  ExpectBare(At(schemas, {"io.k8s.apimachinery.pkg.api.resource.Quantity"}),
             "{oneOf: [{type: string}, {type: number}]}");
  const JsonValue& patch =
      At(apps, {"paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch"});
  ExpectBare(At(patch, {"parameters"}), R"(
- {in: query, name: dryRun, schema: {type: string, uniqueItems: true}}
- {in: query, name: fieldManager, schema: {type: string, uniqueItems: true}}
- {in: query, name: fieldValidation, schema: {type: string, uniqueItems: true}}
- {in: query, name: force, schema: {type: boolean, uniqueItems: true}}
)");
  ExpectBare(At(patch, {"responses", "200", "content", "application/json"}),
             "{schema: {$ref: '#/components/schemas/io.k8s.api.apps.v1.Deployment'}}");
  EachReference(apps, [&](const std::string& reference) {
    EXPECT_NE(schemas.Find(reference.substr(sizeof "#/components/schemas/" - 1)), nullptr)
        << reference;
  });
  EXPECT_EQ(schemas.Find("io.k8s.api.batch.v1.Job"), nullptr);
  EXPECT_TRUE(V3Document("apis/apps/v2", {}).empty());
}

TEST(OpenApiV3Test, TheIndexNamesEveryDocument) {
  const JsonValue index = Json(V3Index({}));
  std::set<std::string> expected{"api", "apis", "version"};
  for (const Resource& resource : kResources) {
    const std::string version(resource.version);
    if (resource.group.empty()) {
      expected.insert("api/" + version);
    } else {
      const std::string group = "apis/" + std::string(resource.group);
      expected.insert(group);
      expected.insert(group + '/' + version);
    }
  }
  std::vector<std::string> paths;
  for (const auto& [path, entry] : At(index, {"paths"}).object()) {
    paths.push_back(path);
    const std::string document = V3Document(path, {});
    ASSERT_FALSE(document.empty()) << path;
    EXPECT_EQ(At(entry, {"serverRelativeURL"}).string(),
              "/openapi/v3/" + path + "?hash=" + DocumentHash(document));
  }
  EXPECT_EQ(paths, std::vector(expected.begin(), expected.end()));
}

// FIPS 180-2, appendix C.1.
TEST(OpenApiV3Test, HashesAreSha512) {
  EXPECT_EQ(DocumentHash("abc"),
            "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A"
            "2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F");
}

// As upstream's v3/api_openapi.json, apis_openapi.json, apis__apps_openapi.json and
// version_openapi.json.
TEST(OpenApiV3Test, DocumentsOfDiscovery) {
  const struct {
    std::string_view document;
    std::string_view path;
    std::string_view id;
    std::string_view tag;
    std::string_view answer;
    std::vector<std::string> definitions;
  } cases[] = {
      {"api",
       "/api/",
       "getCoreAPIVersions",
       "core",
       "io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions",
       {"io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions",
        "io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR"}},
      {"apis",
       "/apis/",
       "getAPIVersions",
       "apis",
       "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList",
       {"io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup",
        "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList",
        "io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery",
        "io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR"}},
      {"apis/node.k8s.io",
       "/apis/node.k8s.io/",
       "getNodeAPIGroup",
       "node",
       "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup",
       {"io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup",
        "io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery",
        "io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR"}},
      {"version",
       "/version/",
       "getCodeVersion",
       "version",
       "io.k8s.apimachinery.pkg.version.Info",
       {"io.k8s.apimachinery.pkg.version.Info"}},
  };
  for (const auto& c : cases) {
    const JsonValue document = Json(V3Document(c.document, {}));
    ASSERT_EQ(At(document, {"paths"}).object().size(), 1U) << c.document;
    const JsonValue& op = At(document, {"paths", c.path, "get"});
    EXPECT_EQ(At(op, {"operationId"}).string(), c.id);
    EXPECT_EQ(ToText(At(op, {"tags"})), "[\"" + std::string(c.tag) + "\"]");
    EXPECT_EQ(
        At(op, {"responses", "200", "content", "application/json", "schema", "$ref"}).string(),
        "#/components/schemas/" + std::string(c.answer));
    EXPECT_TRUE(At(op, {"responses", "401"}).is_object());
    EXPECT_TRUE(At(document, {"components", "securitySchemes", "BearerToken"}).is_object());
    std::vector<std::string> definitions;
    for (const auto& member : At(document, {"components", "schemas"}).object()) {
      definitions.push_back(member.key);
    }
    EXPECT_EQ(definitions, c.definitions) << c.document;
  }
  for (const char* path : {"", "ap", "apis/", "apis/none", "api/v2", "version/", "apis/v1"}) {
    EXPECT_TRUE(V3Document(path, {}).empty()) << path;
  }
}

constexpr std::string_view kCronTab = R"({"type":"object","description":"A tab.","properties":{
"spec":{"type":"object","required":["cron"],"properties":{"cron":{"type":"string","pattern":"^a"},
"port":{"x-kubernetes-int-or-string":true},"maybe":{"type":"string","nullable":true},
"any":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
"list":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],
"items":{"type":"object","properties":{"k":{"type":"string","default":"d"}}}}},
"anyOf":[{"required":["list"]}]}}})";

TEST(OpenApiCustomTest, CustomResourcesFromTheirSchemas) {
  const JsonValue schema = Json(kCronTab);
  const CustomKind kinds[] = {{.group = "stable.example.com",
                               .version = "v1",
                               .kind = "CronTab",
                               .list_kind = "CronTabList",
                               .plural = "crontabs",
                               .namespaced = true,
                               .has_status = true,
                               .has_scale = true,
                               .schema = &schema}};
  const Options options{.custom_kinds = kinds};
  const JsonValue v2 = Json(V2Document(Encoding::kJson, options));
  ExpectBare(At(v2, {"definitions", "com.example.stable.v1.CronTab"}), R"(
properties:
  apiVersion: {type: string}
  kind: {type: string}
  metadata: {$ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'}
  spec:
    properties:
      cron: {pattern: ^a, type: string}
      port: {x-kubernetes-int-or-string: true}
      maybe: {}
      any: {x-kubernetes-preserve-unknown-fields: true}
      list: {items: {properties: {k: {type: string}}, type: object}, type: array,
             x-kubernetes-list-map-keys: [k], x-kubernetes-list-type: map}
    required: [cron]
    type: object
type: object
x-kubernetes-group-version-kind: [{group: stable.example.com, kind: CronTab, version: v1}]
)");
  ExpectBare(At(v2, {"definitions", "com.example.stable.v1.CronTabList", "properties", "items"}),
             "{items: {$ref: '#/definitions/com.example.stable.v1.CronTab'}, type: array}");
  const JsonValue& patch =
      At(v2, {"paths", "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}/scale",
              "patch"});
  EXPECT_EQ(At(patch, {"operationId"}).string(), "patchStableExampleComV1NamespacedCronTabScale");
  ExpectBare(At(patch, {"consumes"}),
             "[application/json-patch+json, application/merge-patch+json, "
             "application/apply-patch+yaml]");

  const JsonValue v3 = Json(V3Document("apis/stable.example.com/v1", options));
  const JsonValue& spec =
      At(v3, {"components", "schemas", "com.example.stable.v1.CronTab", "properties", "spec"});
  EXPECT_EQ(Sorted(spec), Sorted(At(schema, {"properties", "spec"})));
  const JsonValue& schemas = At(v3, {"components", "schemas"});
  EachReference(v3, [&](const std::string& reference) {
    EXPECT_NE(schemas.Find(reference.substr(sizeof "#/components/schemas/" - 1)), nullptr)
        << reference;
  });
  EXPECT_THAT(V3Index(options), HasSubstr("\"apis/stable.example.com/v1\""));
}

// The definition of a custom resource with this schema for its spec, in one version of OpenAPI.
JsonValue SpecDefinition(std::string_view spec, bool v2) {
  JsonValue schema = Json(R"({"type":"object","properties":{}})");
  schema.Find("properties")->Set("spec", Json(spec));
  const CustomKind kinds[] = {{.group = "example.com",
                               .version = "v1",
                               .kind = "Tab",
                               .list_kind = "TabList",
                               .plural = "tabs",
                               .schema = &schema}};
  const Options options{.custom_kinds = kinds};
  const JsonValue document =
      Json(v2 ? V2Document(Encoding::kJson, options) : V3Document("apis/example.com/v1", options));
  const JsonValue& definitions =
      v2 ? At(document, {"definitions"}) : At(document, {"components", "schemas"});
  return At(definitions, {"com.example.v1.Tab", "properties", "spec"});
}

// kubectl takes null for missing, so that what may be null must not be required.
TEST(OpenApiCustomTest, WhatMayBeNullIsNotRequiredInV2) {
  constexpr std::string_view kSpec = R"({"type":"object","required":["a","b","c"],"properties":{
"a":{"type":"string","nullable":true},"b":{"type":"string"},
"inner":{"type":"object","required":["x"],"properties":{"x":{"type":"object","nullable":true}}},
"map":{"type":"object","required":["x"],"additionalProperties":{"type":"string","nullable":true}}}})";
  ExpectBare(SpecDefinition(kSpec, true), R"(
type: object
required: [b, c]
properties:
  a: {}
  b: {type: string}
  inner: {type: object, properties: {x: {}}}
  map: {type: object, additionalProperties: {}}
)");
  EXPECT_EQ(Sorted(SpecDefinition(kSpec, false)), Sorted(Json(kSpec)));
}

// kubectl would call apiVersion, kind and metadata of an embedded resource unknown.
TEST(OpenApiCustomTest, EmbeddedResourcesHaveHeaders) {
  constexpr std::string_view kSpec = R"({"type":"object","properties":{
"one":{"type":"object","x-kubernetes-embedded-resource":true,"required":["kind","spec"],
"properties":{"spec":{"type":"string"},"metadata":{"type":"object"}}},
"list":{"type":"array","items":{"type":"object","x-kubernetes-embedded-resource":true,
"x-kubernetes-preserve-unknown-fields":true}},
"map":{"type":"object","additionalProperties":{"type":"object","nullable":true,
"x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"string"}}}}}})";
  ExpectBare(SpecDefinition(kSpec, true), R"(
type: object
properties:
  one:
    type: object
    x-kubernetes-embedded-resource: true
    required: [kind, spec, apiVersion]
    properties:
      apiVersion: {type: string}
      kind: {type: string}
      metadata: {$ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'}
      spec: {type: string}
  list:
    type: array
    items:
      x-kubernetes-embedded-resource: true
      x-kubernetes-preserve-unknown-fields: true
  map: {type: object, additionalProperties: {x-kubernetes-embedded-resource: true}}
)");
  ExpectBare(SpecDefinition(kSpec, false), R"(
type: object
properties:
  one:
    type: object
    x-kubernetes-embedded-resource: true
    required: [kind, spec, apiVersion]
    properties: &header
      apiVersion: {type: string}
      kind: {type: string}
      metadata:
        allOf: [{$ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'}]
      spec: {type: string}
  list:
    type: array
    items:
      type: object
      x-kubernetes-embedded-resource: true
      x-kubernetes-preserve-unknown-fields: true
      required: [kind, apiVersion]
      properties:
        apiVersion: {type: string}
        kind: {type: string}
        metadata:
          allOf: [{$ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'}]
  map:
    type: object
    additionalProperties:
      type: object
      nullable: true
      x-kubernetes-embedded-resource: true
      required: [kind, apiVersion]
      properties: *header
)");
}

// kubectl (Debian's is of release 1.20) explains fields and checks objects by the document.
TEST(OpenApiV2Test, KubectlReadsTheProtobuf) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread here
  if (std::system("kubectl version --client > /dev/null 2>&1 && unshare -rn true") != 0) {
    GTEST_SKIP() << "needs kubectl, and the right to make a network namespace";
  }
  const JsonValue schema = Json(kCronTab);
  const CustomKind kinds[] = {{.group = "stable.example.com",
                               .version = "v1",
                               .kind = "CronTab",
                               .list_kind = "CronTabList",
                               .plural = "crontabs",
                               .schema = &schema}};
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / "openapi_kubectl";
  std::ofstream(file, std::ios::binary) << V2Document(Encoding::kProtobuf, {.custom_kinds = kinds});
  const std::string command = "unshare -rn " + std::string(PODIUM_SOURCE_DIR) +
                              "/tests/api/openapi/kubectl.py " + file.string();
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
  std::filesystem::remove(file);
}

// Google's protobuf compiler reads the message, knows every field of it, and finds every path,
// definition and reference that the JSON has.
TEST(OpenApiV2Test, ProtocReadsTheProtobuf) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / "openapi_protobuf";
  std::filesystem::create_directories(folder);
  const std::string document = V2Document(Encoding::kProtobuf, {});
  std::ofstream(folder / "document", std::ios::binary) << document;
  const std::string source = std::string(PODIUM_SOURCE_DIR) + "/tests/api/openapi";
  const std::string command = "protoc -I" + source + " --decode=openapi.v2.Document " + source +
                              "/openapi_v2.proto < " + (folder / "document").string() + " > " +
                              (folder / "text").string();
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
  std::ifstream text(folder / "text");
  std::multiset<std::string> names;
  std::set<std::string> references;
  for (std::string line; std::getline(text, line);) {
    const std::string_view trimmed =
        std::string_view(line).substr(std::min(line.find_first_not_of(' '), line.size()));
    EXPECT_TRUE(trimmed.empty() || trimmed[0] < '0' || trimmed[0] > '9') << line;
    if (trimmed.starts_with("name: \"")) {
      names.emplace(trimmed.substr(7, trimmed.size() - 8));
    }
    if (trimmed.starts_with("_ref: \"")) {
      references.emplace(trimmed.substr(7, trimmed.size() - 8));
    }
  }
  for (const char* part : {"paths", "definitions", "parameters"}) {
    for (const auto& [name, value] : At(V2(), {part}).object()) {
      EXPECT_TRUE(names.contains(name)) << name;
    }
  }
  EachReference(V2(), [&](const std::string& reference) {
    EXPECT_TRUE(references.contains(reference)) << reference;
  });
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace podium::api::openapi
