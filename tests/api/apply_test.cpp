// Server-side apply of real kinds: the sets that servers write for them, by what every descriptor
// says of its lists, maps and structs.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "api/defaults.h"
#include "api/scheme.h"
#include "reflect/apply/field_manager.h"
#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::api {
namespace {

using reflect::FieldManager;
using reflect::JsonValue;

JsonValue Parsed(std::string_view yaml) {
  const auto document = reflect::YamlToJson(yaml);
  EXPECT_TRUE(document.ok()) << yaml;
  return *reflect::ParseJson(document->json);
}

std::string TextAt(const JsonValue& object, std::string_view key) {
  return object.Find(key)->string();
}

FieldManager ManagerFor(const JsonValue& object) {
  return FieldManager({.type = FindType(TextAt(object, "apiVersion"), TextAt(object, "kind")),
                       .api_version = TextAt(object, "apiVersion"),
                       .kind = TextAt(object, "kind"),
                       .hooks = {}});
}

// As it is stored, with defaults.
JsonValue Stored(const JsonValue& object) {
  const reflect::Type* type = FindType(TextAt(object, "apiVersion"), TextAt(object, "kind"));
  reflect::AnyObject decoded(*type);
  const auto read = reflect::DecodeJsonInto(ToText(object), *type, decoded.get());
  EXPECT_TRUE(read.ok()) << read.error().message();
  SetDefaults(*type, decoded.get(), {});
  std::string text;
  EXPECT_TRUE(reflect::EncodeJson(*type, decoded.get(), &text).ok());
  return *reflect::ParseJson(text);
}

// The set of the only entry.
std::string FieldsV1(const JsonValue& object) {
  const JsonValue* entries = object.Find("metadata")->Find("managedFields");
  if (entries == nullptr || entries->array().size() != 1) return "not one entry";
  return ToText(*entries->array()[0].Find("fieldsV1"));
}

std::string Created(std::string_view yaml) {
  const JsonValue object = Stored(Parsed(yaml));
  const FieldManager manager = ManagerFor(object);
  auto created = manager.Update(*manager.NewObject(), object, {.manager = "x", .time = "t"});
  if (!created.ok()) return created.error().message();
  return FieldsV1(*created);
}

// What `kubectl create deployment web --image=nginx` leaves on a server.
TEST(ApplyTest, ADeploymentThatIsCreated) {
  EXPECT_EQ(
      Created(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
)"),
      R"({"f:metadata":{"f:labels":{".":{},"f:app":{}}},)"
      R"("f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:revisionHistoryLimit":{},)"
      R"("f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},)"
      R"("f:maxUnavailable":{}},"f:type":{}},"f:template":{"f:metadata":{"f:labels":{".":{},)"
      R"("f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"nginx\"}":{".":{},"f:image":{},)"
      R"("f:imagePullPolicy":{},"f:name":{},"f:resources":{},"f:terminationMessagePath":{},)"
      R"("f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},)"
      R"("f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}})");
}

TEST(ApplyTest, APodThatIsCreated) {
  EXPECT_EQ(
      Created(R"(
apiVersion: v1
kind: Pod
metadata:
  name: web
  finalizers: [a.b/c]
  ownerReferences: [{apiVersion: v1, kind: Node, name: a, uid: u}]
spec:
  imagePullSecrets: [{name: s}]
  nodeSelector: {disk: ssd}
  tolerations: [{key: k}]
  volumes: [{name: v, emptyDir: {}}]
  containers:
    - name: a
      image: i
      args: [x]
      env: [{name: E, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
      ports: [{containerPort: 80}]
      resources: {limits: {cpu: "1"}}
      volumeMounts: [{name: v, mountPath: /v}]
)"),
      R"({"f:metadata":{"f:finalizers":{".":{},"v:\"a.b/c\"":{}},"f:ownerReferences":{".":{},)"
      R"("k:{\"uid\":\"u\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"a\"}":{".":{},)"
      R"("f:args":{},"f:env":{".":{},"k:{\"name\":\"E\"}":{".":{},"f:name":{},"f:valueFrom":{)"
      R"(".":{},"f:fieldRef":{}}}},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:ports":{)"
      R"(".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},)"
      R"("f:protocol":{}}},"f:resources":{".":{},"f:limits":{".":{},"f:cpu":{}},"f:requests":{".":{},)"
      R"("f:cpu":{}}},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{},)"
      R"("f:volumeMounts":{".":{},"k:{\"mountPath\":\"/v\"}":{".":{},"f:mountPath":{},)"
      R"("f:name":{}}}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:imagePullSecrets":{)"
      R"(".":{},"k:{\"name\":\"s\"}":{}},"f:nodeSelector":{},"f:restartPolicy":{},)"
      R"("f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{},)"
      R"("f:tolerations":{},"f:volumes":{".":{},"k:{\"name\":\"v\"}":{".":{},"f:emptyDir":{},)"
      R"("f:name":{}}}}})");
}

TEST(ApplyTest, OtherKinds) {
  const struct {
    const char* yaml;
    const char* fields;
  } cases[] = {
      {"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: v}, immutable: true}",
       R"({"f:data":{".":{},"f:k":{}},"f:immutable":{}})"},
      {"{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: c}, data: {a: {b: 1}}, "
       "revision: 1}",
       R"({"f:data":{},"f:revision":{}})"},
      {"{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: c}, rules: "
       "[{verbs: [get]}]}",
       R"({"f:rules":{}})"},
  };
  for (const auto& c : cases) EXPECT_EQ(Created(c.yaml), c.fields) << c.yaml;
}

// A stored Pod: who owns what is left alone, but for what an apply takes.
TEST(ApplyTest, AStoredPod) {
  std::ifstream in(PODIUM_SOURCE_DIR "/bench/pod.json");
  const JsonValue pod = *reflect::ParseJson(std::string(std::istreambuf_iterator<char>(in), {}));
  const JsonValue& metadata = *pod.Find("metadata");
  const JsonValue& container = pod.Find("spec")->Find("containers")->array()[0];
  const JsonValue config = JsonValue::Of(JsonValue::Object{
      {"apiVersion", *pod.Find("apiVersion")},
      {"kind", *pod.Find("kind")},
      {"metadata", JsonValue::Of(JsonValue::Object{{"name", *metadata.Find("name")}})},
      {"spec", JsonValue::Of(JsonValue::Object{
                   {"containers", JsonValue::Of(JsonValue::Array{JsonValue::Of(JsonValue::Object{
                                      {"name", *container.Find("name")},
                                      {"image", JsonValue::String("other")}})})}})}});
  const FieldManager manager = ManagerFor(pod);
  const auto refused = manager.Apply(pod, config, {.manager = "ci", .time = "t"});
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  ASSERT_EQ(refused->conflicts.size(), 1u);
  EXPECT_EQ(refused->conflicts[0].field,
            ".spec.containers[name=\"" + TextAt(container, "name") + "\"].image");
  const auto forced = manager.Apply(pod, config, {.manager = "ci", .time = "t", .force = true});
  ASSERT_TRUE(forced.ok());
  const auto& before = metadata.Find("managedFields")->array();
  const auto& after = forced->object.Find("metadata")->Find("managedFields")->array();
  ASSERT_EQ(after.size(), before.size() + 1);
  EXPECT_EQ(
      ToText(*std::ranges::find_if(
                  after, [](const JsonValue& entry) { return TextAt(entry, "manager") == "ci"; })
                  ->Find("fieldsV1")),
      R"({"f:spec":{"f:containers":{"k:{\"name\":\")" + TextAt(container, "name") +
          R"(\"}":{".":{},"f:image":{},"f:name":{}}}}})");
  // Back to what it was, by who owns the image now.
  JsonValue back = config;
  back.Find("spec")->Find("containers")->array()[0].Set("image", *container.Find("image"));
  const auto undone = manager.Apply(forced->object, back, {.manager = "ci", .time = "t"});
  ASSERT_TRUE(undone.ok());
  EXPECT_EQ(ToText(*undone->object.Find("spec")), ToText(*pod.Find("spec")));
}

}  // namespace
}  // namespace podium::api
