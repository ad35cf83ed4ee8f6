#include "api/defaults_support.h"

#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <vector>

#include "api/defaults.h"
#include "api/types/registry.h"
#include "reflect/json.h"

namespace podium::api::test {
namespace {

constexpr const char* kTemplate =
    R"({"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}})";

std::string WithTemplate(std::string_view text) {
  std::string out(text);
  size_t at = out.find('@');
  return out.replace(at, 1, kTemplate);
}

const std::map<std::string_view, std::string>& BaseObjects() {
  static const std::map<std::string_view, std::string> kObjects = {
      {"pod",
       R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},
           "spec":{"containers":[{"name":"c","image":"nginx"}]}})"},
      {"podtemplate", WithTemplate(R"({"apiVersion":"v1","kind":"PodTemplate","template":@})")},
      {"rc",
       WithTemplate(R"({"apiVersion":"v1","kind":"ReplicationController","spec":{"template":@}})")},
      {"service", R"({"apiVersion":"v1","kind":"Service","spec":{"ports":[{"port":80}]}})"},
      {"endpoints",
       R"({"apiVersion":"v1","kind":"Endpoints","subsets":[{"ports":[{"port":80}]}]})"},
      {"pv", R"({"apiVersion":"v1","kind":"PersistentVolume","spec":{}})"},
      {"pvc", R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","spec":{}})"},
      {"secret", R"({"apiVersion":"v1","kind":"Secret"})"},
      {"configmap", R"({"apiVersion":"v1","kind":"ConfigMap"})"},
      {"namespace", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"}})"},
      {"node", R"({"apiVersion":"v1","kind":"Node"})"},
      {"limitrange",
       R"({"apiVersion":"v1","kind":"LimitRange","spec":{"limits":[{"type":"Container"}]}})"},
      {"quota", R"({"apiVersion":"v1","kind":"ResourceQuota"})"},
      {"deployment",
       WithTemplate(R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"template":@}})")},
      {"replicaset",
       WithTemplate(R"({"apiVersion":"apps/v1","kind":"ReplicaSet","spec":{"template":@}})")},
      {"daemonset",
       WithTemplate(R"({"apiVersion":"apps/v1","kind":"DaemonSet","spec":{"template":@}})")},
      {"statefulset",
       WithTemplate(R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"template":@}})")},
      {"job", WithTemplate(R"({"apiVersion":"batch/v1","kind":"Job","spec":{"template":@}})")},
      {"cronjob", WithTemplate(R"({"apiVersion":"batch/v1","kind":"CronJob",
                                   "spec":{"jobTemplate":{"spec":{"template":@}}}})")},
      {"batch/v1beta1/cronjob", WithTemplate(R"({"apiVersion":"batch/v1beta1","kind":"CronJob",
                                   "spec":{"jobTemplate":{"spec":{"template":@}}}})")},
      {"hpa", R"({"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler"})"},
      {"autoscaling/v1/hpa", R"({"apiVersion":"autoscaling/v1","kind":"HorizontalPodAutoscaler"})"},
      {"pdb", R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget"})"},
      {"policy/v1beta1/pdb", R"({"apiVersion":"policy/v1beta1","kind":"PodDisruptionBudget"})"},
      {"netpol", R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy"})"},
      {"ingress", R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress"})"},
      {"ingressclass", R"({"apiVersion":"networking.k8s.io/v1","kind":"IngressClass"})"},
      {"endpointslice",
       R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","ports":[{"port":80}]})"},
      {"discovery/v1beta1/endpointslice",
       R"({"apiVersion":"discovery.k8s.io/v1beta1","kind":"EndpointSlice",
           "ports":[{"port":80}]})"},
      {"storageclass", R"({"apiVersion":"storage.k8s.io/v1","kind":"StorageClass"})"},
      {"csidriver", R"({"apiVersion":"storage.k8s.io/v1","kind":"CSIDriver"})"},
      {"volumeattachment", R"({"apiVersion":"storage.k8s.io/v1","kind":"VolumeAttachment"})"},
      {"rolebinding",
       R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","subjects":[{}]})"},
      {"clusterrolebinding", R"({"apiVersion":"rbac.authorization.k8s.io/v1",
                                 "kind":"ClusterRoleBinding","subjects":[{}]})"},
      {"priorityclass", R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass"})"},
      {"validatingwebhook", R"({"apiVersion":"admissionregistration.k8s.io/v1",
           "kind":"ValidatingWebhookConfiguration","webhooks":[{"rules":[{}]}]})"},
      {"mutatingwebhook", R"({"apiVersion":"admissionregistration.k8s.io/v1",
           "kind":"MutatingWebhookConfiguration","webhooks":[{"rules":[{}]}]})"},
      {"validatingpolicy",
       R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy"})"},
      {"mutatingpolicy",
       R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingAdmissionPolicy"})"},
      {"validatingbinding", R"({"apiVersion":"admissionregistration.k8s.io/v1",
                                "kind":"ValidatingAdmissionPolicyBinding"})"},
      {"mutatingbinding", R"({"apiVersion":"admissionregistration.k8s.io/v1",
                              "kind":"MutatingAdmissionPolicyBinding"})"},
      {"crd", R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
           "spec":{"names":{"kind":"CronTab"},
                   "versions":[{"name":"v1"},{"name":"v2","storage":true}]}})"},
      {"apiservice", R"({"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService"})"},
      {"flowschema", R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"FlowSchema"})"},
      {"prioritylevel", R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1",
                            "kind":"PriorityLevelConfiguration"})"},
      {"tokenrequest", R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest"})"},
      {"claim", R"({"apiVersion":"resource.k8s.io/v1","kind":"ResourceClaim"})"},
      {"claimtemplate", R"({"apiVersion":"resource.k8s.io/v1","kind":"ResourceClaimTemplate"})"},
      {"slice", R"({"apiVersion":"resource.k8s.io/v1","kind":"ResourceSlice",
                    "spec":{"devices":[{"taints":[{}]}]}})"},
      {"runtimeclass", R"({"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass"})"},
  };
  return kObjects;
}

std::vector<std::string> Parts(std::string_view path) {
  std::vector<std::string> parts(1);
  for (size_t at = 0; at < path.size(); ++at) {
    if (path[at] == '/') {
      parts.emplace_back();
    } else if (path.substr(at).starts_with("~1")) {
      parts.back() += '/';
      ++at;
    } else {
      parts.back() += path[at];
    }
  }
  return parts;
}

bool ToIndex(std::string_view part, size_t* index) {
  auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), *index);
  return error == std::errc() && end == part.data() + part.size();
}

json::value* Step(json::value& at, const std::string& part) {
  size_t index = 0;
  if (at.is_array() && ToIndex(part, &index)) {
    return index < at.as_array().size() ? &at.as_array()[index] : nullptr;
  }
  return at.is_object() ? at.as_object().if_contains(part) : nullptr;
}

}  // namespace

json::value BaseObject(std::string_view kind) {
  auto found = BaseObjects().find(kind);
  if (found == BaseObjects().end()) {
    ADD_FAILURE() << "no base object " << kind;
    return nullptr;
  }
  return json::parse(found->second);
}

const json::value* Find(const json::value& object, std::string_view path) {
  auto* at = const_cast<json::value*>(&object);
  for (const std::string& part : Parts(path)) {
    if (!(at = Step(*at, part))) return nullptr;
  }
  return at;
}

void Set(json::value& object, std::string_view path, json::value value) {
  json::value* at = &object;
  for (const std::string& part : Parts(path)) {
    size_t index = 0;
    if (ToIndex(part, &index)) {
      if (at->is_null()) at->emplace_array();
      if (at->is_array()) {
        if (at->as_array().size() <= index) at->as_array().resize(index + 1);
        at = &at->as_array()[index];
        continue;
      }
    }
    if (!at->is_object()) at->emplace_object();
    at = &at->as_object()[part];
  }
  *at = std::move(value);
}

void Remove(json::value& object, std::string_view path) {
  std::vector<std::string> parts = Parts(path);
  json::value* at = &object;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (!(at = Step(*at, parts[i]))) return;
  }
  if (at->is_object()) at->as_object().erase(parts.back());
}

void Edit(json::value& object, std::string_view edits) {
  json::value parsed = json::parse(json::string_view(edits.data(), edits.size()));
  for (const auto& [path, value] : parsed.as_object()) {
    std::string_view key(path.data(), path.size());
    if (value.is_null()) {
      Remove(object, key);
    } else {
      Set(object, key, value);
    }
  }
}

namespace {

const reflect::Type* TypeOfDocument(const json::value& object) {
  const json::value* api_version = Find(object, "apiVersion");
  const json::value* kind = Find(object, "kind");
  for (const KindEntry& entry : kKinds) {
    if (*kind == entry.kind && *api_version == json::string(entry.type->ApiVersion())) {
      return entry.type;
    }
  }
  return nullptr;
}

}  // namespace

json::value Defaulted(const json::value& object) {
  std::string text = json::serialize(object);
  const reflect::Type* type = TypeOfDocument(object);
  if (!type) {
    ADD_FAILURE() << "no such type: " << text;
    return nullptr;
  }
  reflect::AnyObject decoded(*type);
  for (const reflect::Problem& problem : reflect::DecodeJson(text, *type, decoded.get())) {
    ADD_FAILURE() << problem.Text() << " in " << text;
  }
  SetDefaults(*type, decoded.get(), {.now = Time::FromUnix(1'700'000'000)});
  std::string out;
  auto encoded = reflect::EncodeJson(*type, decoded.get(), &out);
  if (!encoded.ok()) {
    ADD_FAILURE() << encoded.error().message();
    return nullptr;
  }
  return json::parse(out);
}

namespace {

void ExpectAt(const json::value& object, const char* path, const char* expected,
              const std::string& what) {
  const json::value* found = Find(object, path);
  if (!expected) {
    EXPECT_EQ(found, nullptr) << what << " is " << (found ? json::serialize(*found) : "");
    return;
  }
  ASSERT_NE(found, nullptr) << what << " is absent in " << json::serialize(object);
  EXPECT_EQ(*found, json::parse(expected)) << what << " is " << json::serialize(*found);
}

}  // namespace

void CheckRows(std::span<const Row> rows) {
  for (const Row& row : rows) {
    std::string name = std::string(row.kind) + " " + row.path + " with " + row.edits;
    json::value object = BaseObject(row.kind);
    Edit(object, row.edits);
    ASSERT_EQ(Find(object, row.path), nullptr) << name << ": set already";

    json::value unset = Defaulted(object);
    ExpectAt(unset, row.path, row.value, name);
    EXPECT_EQ(Defaulted(unset), unset) << name << ": a second round changes something";

    if (!row.other) continue;
    json::value set = object;
    Set(set, row.path, json::parse(row.other));
    json::value kept = Defaulted(set);
    ExpectAt(kept, row.path, row.other, name + ", set");
    EXPECT_EQ(Defaulted(kept), kept) << name << ", set: a second round changes something";
  }
}

}  // namespace podium::api::test
