// Volumes with files that the node writes: from ConfigMaps, Secrets, the pod itself, and tokens.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "node/pod_fields/field_cases.h"
#include "node/volumes/volumes.h"

namespace podium::node::pod_fields {
namespace {

void Objects(PodRun& run) {
  run.node.objects.AddConfigMap("c", {{"key", "mapped"}, {"more", "also"}});
  run.node.objects.AddSecret("s", {{"key", "hush"}, {"more", "also"}});
}

// "FILE 644 TEXT" of each file that container a sees, or why it sees none.
std::string Files(PodRun& run) {
  const wire::cri::ContainerConfig container = run.Container("a");
  if (container.mounts.empty() || container.mounts[0].container_path != "/x") {
    return "no files: " + EventOf("FailedMount")(run);
  }
  const std::string folder = container.mounts[0].host_path;
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("..")) continue;
    char mode[8];
    std::snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(ModeAt(entry.path())));
    lines.push_back(name + " " + mode + " " + ReadText(entry.path()));
  }
  std::ranges::sort(lines);
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "; ") + line;
  return out;
}

FieldCase Of(const std::string& field, const std::string& volume, const std::string& expected,
             const std::string& more = {}) {
  return {.field = field,
          .spec = more + "volumes: [{name: v, " + volume +
                  "}], containers: [{name: a, volumeMounts: [{name: v, mountPath: /x}]}]",
          .look = Files,
          .expected = expected,
          .before = Objects};
}

FieldCase Projected(const std::string& field, const std::string& source,
                    const std::string& expected, const std::string& more = {}) {
  return Of(field, "projected: {sources: [{" + source + "}]}", expected, more);
}

// Of a type that takes keys: with all of its fields, by a volume's text or a projection's.
using Make = FieldCase (*)(const std::string&, const std::string&, const std::string&,
                           const std::string&);
void AddKeys(const std::string& type, const std::string& name_field, const std::string& source,
             const std::string& object, const std::string& text, Make make,
             std::vector<FieldCase>* out) {
  const std::string open = source + ": {" + name_field + ": ";
  const std::string item = open + object + ", items: [{key: key, path: file, mode: 256}]}";
  const std::string seen = "file 400 " + text;
  out->push_back(make(type + "." + name_field, open + object + "}",
                      "key 644 " + text + "; more 644 also", ""));
  out->push_back(make(type + ".items.key", item, seen, ""));
  out->push_back(make(type + ".items.path", item, seen, ""));
  out->push_back(make(type + ".items.mode", item, seen, ""));
  const std::string some =
      open + object + ", optional: true, items: [{key: key, path: file}, {key: none, path: none}]}";
  out->push_back(make(type + ".optional", some, "file 644 " + text, ""));
}

void AddModes(std::vector<FieldCase>* out) {
  out->push_back(Of("ConfigMapVolumeSource.defaultMode", "configMap: {name: c, defaultMode: 256}",
                    "key 400 mapped; more 400 also"));
  out->push_back(Of("SecretVolumeSource.defaultMode", "secret: {secretName: s, defaultMode: 256}",
                    "key 400 hush; more 400 also"));
  out->push_back(Of("DownwardAPIVolumeSource.defaultMode",
                    "downwardAPI: {defaultMode: 256, items: [{path: f, fieldRef: {fieldPath: "
                    "metadata.name}}]}",
                    "f 400 p"));
  out->push_back(Of("ProjectedVolumeSource.defaultMode",
                    "projected: {defaultMode: 256, sources: [{configMap: {name: c}}]}",
                    "key 400 mapped; more 400 also"));
}

void AddDownward(const std::string& type, Make make, std::vector<FieldCase>* out) {
  const std::string open = "downwardAPI: {items: [{path: f, ";
  const std::string limits =
      "initContainers: [{name: i, restartPolicy: Always, resources: {limits: {memory: 3Mi}}}], ";
  const std::string of_field = open + "fieldRef: {fieldPath: metadata.name}, mode: 256}]}";
  out->push_back(make(type + ".items.path", of_field, "f 400 p", ""));
  out->push_back(make(type + ".items.mode", of_field, "f 400 p", ""));
  out->push_back(make(type + ".items.fieldRef.fieldPath", of_field, "f 400 p", ""));
  const std::string of_resource =
      open + "resourceFieldRef: {containerName: i, resource: limits.memory, divisor: 1Mi}}]}";
  for (const char* field : {"containerName", "resource", "divisor"}) {
    out->push_back(make(type + ".items.resourceFieldRef." + field, of_resource, "f 644 3", limits));
  }
}

// The token, and when it is asked for again: the fake's live from 1970, so that no worker may wait
// for them.
std::string TokenOf(PodRun& run) {
  run.node.objects.tokens = true;
  const auto done = run.volumes.SetUp(run.pod);
  if (!done.empty()) return done.front().message();
  const std::string folder =
      PodFolder(run.node.config, "u") + "/volumes/kubernetes.io~projected/v/";
  return ReadText(folder + "t") + ", for " +
         std::to_string(run.volumes.RefreshAt("u").value_or(0) / kSecond) + "s";
}

void AddTokens(std::vector<FieldCase>* out) {
  for (const char* field : {"audience", "path", "expirationSeconds"}) {
    FieldCase token =
        Projected(std::string("ServiceAccountTokenProjection.") + field,
                  "serviceAccountToken: {path: t, audience: vault, expirationSeconds: 900}",
                  "token of robot for vault, for 900s", "serviceAccountName: robot, ");
    token.look = TokenOf;
    out->push_back(token);
  }
}

}  // namespace

std::vector<FieldCase> PayloadCases() {
  std::vector<FieldCase> out;
  AddKeys("ConfigMapVolumeSource", "name", "configMap", "c", "mapped", Of, &out);
  AddKeys("SecretVolumeSource", "secretName", "secret", "s", "hush", Of, &out);
  AddKeys("ConfigMapProjection", "name", "configMap", "c", "mapped", Projected, &out);
  AddKeys("SecretProjection", "name", "secret", "s", "hush", Projected, &out);
  AddModes(&out);
  AddDownward("DownwardAPIVolumeSource", Of, &out);
  AddDownward("DownwardAPIProjection", Projected, &out);
  AddTokens(&out);
  return out;
}

}  // namespace podium::node::pod_fields
