// Where the variables of a container come from.
#include <algorithm>
#include <string>
#include <vector>

#include "node/pod_fields/field_cases.h"

namespace podium::node::pod_fields {
namespace {

void Objects(PodRun& run) {
  run.node.objects.AddConfigMap("c", {{"key", "from the map"}, {"X", "it"}});
  run.node.objects.AddSecret("s", {{"key", "from the secret"}, {"X", "its"}});
}

// All variables: "NAME=value, ...", or why there is no container.
std::string Variables(PodRun& run) {
  const wire::cri::ContainerConfig container = run.Container("a");
  if (!container.metadata) return "no container: " + EventOf("Failed")(run);
  std::string out;
  for (const auto& variable : container.envs) {
    out += (out.empty() ? "" : ", ") + variable.key + "=" + variable.value.data;
  }
  return out;
}

ContainerCase Env(const std::string& field, const std::string& source,
                  const std::string& expected) {
  return {.field = field,
          .container = "env: [{name: W, value: w}, {name: X, valueFrom: {" + source + "}}]",
          .look = Variables,
          .expected = expected,
          .before = Objects};
}

ContainerCase From(const std::string& field, const std::string& source,
                   const std::string& expected) {
  return {.field = field,
          .container = "envFrom: [{" + source + "}]",
          .look = Variables,
          .expected = expected,
          .before = Objects};
}

// A file in a volume that an init container has written.
ContainerCase File(const std::string& field, const std::string& reference,
                   const std::string& expected) {
  return {.field = "FileKeySelector." + field,
          .container =
              "env: [{name: W, value: w}, {name: X, valueFrom: {fileKeyRef: {" + reference + "}}}]",
          .look = Variables,
          .expected = expected,
          .before =
              [](PodRun& run) { run.node.objects.AddConfigMap("c", {{"app.env", "key=filed\n"}}); },
          .spec = "volumes: [{name: v, configMap: {name: c}}]"};
}

std::vector<ContainerCase> KeyCases() {
  return {
      {"EnvVar.name", "env: [{name: X, value: it}]", Variables, "X=it"},
      {"EnvVar.value", "env: [{name: X, value: it}]", Variables, "X=it"},
      Env("ConfigMapKeySelector.name", "configMapKeyRef: {name: c, key: key}",
          "W=w, X=from the map"),
      Env("ConfigMapKeySelector.key", "configMapKeyRef: {name: c, key: key}",
          "W=w, X=from the map"),
      Env("ConfigMapKeySelector.optional",
          "configMapKeyRef: {name: none, key: key, optional: true}", "W=w"),
      Env("SecretKeySelector.name", "secretKeyRef: {name: s, key: key}", "W=w, X=from the secret"),
      Env("SecretKeySelector.key", "secretKeyRef: {name: s, key: key}", "W=w, X=from the secret"),
      Env("SecretKeySelector.optional", "secretKeyRef: {name: none, key: key, optional: true}",
          "W=w"),
      File("volumeName", "volumeName: v, path: app.env, key: key", "W=w, X=filed"),
      File("path", "volumeName: v, path: app.env, key: key", "W=w, X=filed"),
      File("key", "volumeName: v, path: app.env, key: key", "W=w, X=filed"),
      File("optional", "volumeName: v, path: none.env, key: key, optional: true", "W=w"),
  };
}

std::vector<ContainerCase> OwnCases() {
  const std::string other =
      "initContainers: [{name: i, restartPolicy: Always, resources: {limits: {memory: 3Mi}}}]";
  ContainerCase of_another =
      Env("EnvVarSource.resourceFieldRef.containerName",
          "resourceFieldRef: {containerName: i, resource: limits.memory}", "W=w, X=3145728");
  of_another.spec = other;
  return {
      Env("EnvVarSource.fieldRef.apiVersion",
          "fieldRef: {apiVersion: v1, fieldPath: metadata.name}", "W=w, X=p"),
      Env("EnvVarSource.fieldRef.fieldPath", "fieldRef: {fieldPath: metadata.name}", "W=w, X=p"),
      of_another,
      Env("EnvVarSource.resourceFieldRef.resource", "resourceFieldRef: {resource: requests.cpu}",
          "W=w, X=0"),
      {"EnvVarSource.resourceFieldRef.divisor",
       "resources: {limits: {memory: 3Mi}}, env: [{name: X, valueFrom: {resourceFieldRef: "
       "{resource: limits.memory, divisor: 1Mi}}}]",
       Variables, "X=3"},
      From("EnvFromSource.prefix", "prefix: P_, configMapRef: {name: c}",
           "P_X=it, P_key=from the map"),
      From("ConfigMapEnvSource.name", "configMapRef: {name: c}", "X=it, key=from the map"),
      From("ConfigMapEnvSource.optional",
           "configMapRef: {name: c}}, {configMapRef: {name: none, optional: true}",
           "X=it, key=from the map"),
      From("SecretEnvSource.name", "secretRef: {name: s}", "X=its, key=from the secret"),
      From("SecretEnvSource.optional",
           "secretRef: {name: s}}, {secretRef: {name: none, optional: true}",
           "X=its, key=from the secret"),
  };
}

}  // namespace

std::vector<FieldCase> EnvironmentCases() {
  std::vector<FieldCase> out = CasesOf(KeyCases());
  std::ranges::move(CasesOf(OwnCases()), std::back_inserter(out));
  return out;
}

}  // namespace podium::node::pod_fields
