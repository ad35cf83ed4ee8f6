#include "api/validation/full_objects.h"

#include <string_view>
#include <utility>

#include "api/validation/full_objects_rest.h"

namespace podium::api {
namespace {

constexpr std::string_view kVolumes = R"([
  {"name": "empty", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}},
  {"name": "host", "hostPath": {"path": "/var/log", "type": "Directory"}},
  {"name": "secret", "secret": {"secretName": "s", "items": [{"key": "k", "path": "p", "mode": 256}]}},
  {"name": "config", "configMap": {"name": "c", "defaultMode": 420}},
  {"name": "claim", "persistentVolumeClaim": {"claimName": "claim"}},
  {"name": "block", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}},
    "spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Block",
      "resources": {"requests": {"storage": "1Gi"}}}}}},
  {"name": "about", "downwardAPI": {"items": [
    {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
    {"path": "cpu", "resourceFieldRef": {"containerName": "web", "resource": "limits.cpu",
      "divisor": "1m"}}]}},
  {"name": "all", "projected": {"sources": [
    {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
    {"configMap": {"name": "c", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}},
  {"name": "nfs", "nfs": {"server": "nfs.example.com", "path": "/data"}},
  {"name": "iscsi", "iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:a",
    "lun": 1}},
  {"name": "csi", "csi": {"driver": "inline.example.com", "fsType": "ext4"}},
  {"name": "image", "image": {"reference": "example.com/model:v1", "pullPolicy": "Always"}}
])";

constexpr std::string_view kContainer = R"json({
  "name": "web", "image": "example.com/web:1", "command": ["/web"], "args": ["--port=$(PORT)"],
  "ports": [{"name": "http", "containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
  "envFrom": [{"prefix": "A_", "configMapRef": {"name": "c"}}],
  "env": [{"name": "PORT", "value": "80"},
    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
  "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}},
  "volumeMounts": [{"name": "empty", "mountPath": "/tmp"},
    {"name": "secret", "mountPath": "/secret", "subPath": "p", "readOnly": true},
    {"name": "config", "mountPath": "/config", "subPathExpr": "$(PORT)"}],
  "volumeDevices": [{"name": "block", "devicePath": "/dev/block"}],
  "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 5},
  "readinessProbe": {"tcpSocket": {"port": 80}},
  "startupProbe": {"grpc": {"port": 81}},
  "lifecycle": {"postStart": {"exec": {"command": ["true"]}}, "preStop": {"sleep": {"seconds": 1}}},
  "securityContext": {
  "runAsUser" : 1000, "runAsNonRoot" : true,
                                       "allowPrivilegeEscalation" : false,
                                                                    "capabilities"
      : {"drop" : ["ALL"]},
        "seccompProfile" : {"type" : "RuntimeDefault"}
}
})json";

constexpr std::string_view kScheduling = R"(
  "nodeSelector": {"kubernetes.io/os": "linux"},
  "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute",
    "tolerationSeconds": 60}],
  "affinity": {
    "nodeAffinity": {
      "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "zone", "operator": "In", "values": ["a", "b"]}]}]},
      "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {
        "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}}]},
    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
      {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}},
       "matchLabelKeys": ["pod-template-hash"]}]}},
  "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
    "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}},
    "minDomains": 2}],
  "schedulingGates": [{"name": "example.com/wait"}])";

// Of a pod that runs for ever, or to completion.
std::string PodSpec(std::string_view restart_policy) {
  std::string spec = R"({"restartPolicy": ")";
  spec.append(restart_policy);
  spec.append(R"(", "volumes": )").append(kVolumes);
  spec.append(R"(, "initContainers": [
    {"name": "first", "image": "i", "command": ["true"]},
    {"name": "proxy", "image": "i", "restartPolicy": "Always",
     "readinessProbe": {"exec": {"command": ["true"]}}}], "containers": [)");
  spec.append(kContainer).append("],").append(kScheduling);
  spec.append(R"(,
  "serviceAccountName": "robot", "hostname": "web", "subdomain": "sub",
  "securityContext": {"fsGroup": 2000, "supplementalGroups": [1, 2],
    "sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
  "imagePullSecrets": [{"name": "pull"}],
  "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db.example.com"]}],
  "dnsConfig": {"nameservers": ["10.0.0.10"], "searches": ["example.com"],
    "options": [{"name": "ndots", "value": "2"}]},
  "readinessGates": [{"conditionType": "example.com/ready"}],
  "overhead": {"cpu": "10m"}, "runtimeClassName": "kata",
  "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpu"}],
  "terminationGracePeriodSeconds": 5})");
  return spec;
}

std::string Template(std::string_view restart_policy) {
  return R"({"metadata": {"labels": {"app": "web"}, "annotations": {"example.com/note": "x"}},
    "spec": )" +
         PodSpec(restart_policy) + "}";
}

std::string Object(std::string_view api_version, std::string_view kind, std::string_view body) {
  std::string object = R"({"apiVersion": ")";
  object.append(api_version).append(R"(", "kind": ")").append(kind);
  object.append(R"(", "metadata": {"name": "web", "namespace": "ns", "labels": {"app": "web"}},)");
  return object.append(body).append("}");
}

// Of a kind without namespaces.
std::string ClusterObject(std::string_view api_version, std::string_view kind,
                          std::string_view body) {
  std::string object = Object(api_version, kind, body);
  constexpr std::string_view kNamespace = R"("namespace": "ns", )";
  return object.erase(object.find(kNamespace), kNamespace.size());
}

std::string JobSpec(std::string_view rest) {
  std::string spec = R"({"parallelism": 2, "completions": 3, "completionMode": "Indexed",
    "backoffLimitPerIndex": 1, "maxFailedIndexes": 2, "ttlSecondsAfterFinished": 60,
    "podFailurePolicy": {"rules": [
      {"action": "FailJob", "onExitCodes": {"containerName": "web", "operator": "In",
        "values": [1, 42]}},
      {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]},
    "successPolicy": {"rules": [{"succeededIndexes": "0-1", "succeededCount": 1}]},
    "podReplacementPolicy": "Failed", "template": )";
  return spec.append(Template("Never")).append(rest).append("}");
}

}  // namespace

std::vector<std::string> FullObjects() {
  constexpr std::string_view kSelector = R"("selector": {"matchLabels": {"app": "web"}})";
  const std::string forever = "\"template\": " + Template("Always");
  const std::string spec = R"("spec": {"replicas": 2, "minReadySeconds": 1, )";
  const std::string selected = spec + std::string(kSelector) + ", " + forever;
  std::vector<std::string> objects = {
      Object("v1", "Pod", "\"spec\": " + PodSpec("Always")),
      Object("v1", "PodTemplate", forever),
      Object("v1", "ReplicationController",
             spec + R"("selector": {"app": "web"}, )" + forever + "}"),
      Object("apps/v1", "ReplicaSet", selected + "}"),
      Object("apps/v1", "Deployment",
             selected + R"(, "strategy": {"type": "RollingUpdate", "rollingUpdate":
               {"maxSurge": "25%", "maxUnavailable": 1}}, "progressDeadlineSeconds": 600})"),
      Object("apps/v1", "DaemonSet",
             R"("spec": {)" + std::string(kSelector) + ", " + forever +
                 R"(, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate":
                   {"maxUnavailable": "10%", "maxSurge": 0}}, "revisionHistoryLimit": 3})"),
      Object("apps/v1", "StatefulSet",
             selected + R"(, "serviceName": "web", "podManagementPolicy": "Parallel",
               "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
               "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete",
                 "whenScaled": "Retain"}, "ordinals": {"start": 1},
               "volumeClaimTemplates": [{"metadata": {"name": "claim"}, "spec": {
                 "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
                 "dataSource": {"kind": "PersistentVolumeClaim", "name": "from"}}}]})"),
      Object("batch/v1", "Job", "\"spec\": " + JobSpec(R"(, "suspend": true)")),
      Object("batch/v1", "CronJob",
             R"("spec": {"schedule": "*/5 * * * *", "timeZone": "Europe/Berlin",
               "concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 60,
               "successfulJobsHistoryLimit": 1, "jobTemplate": {"metadata": {"labels": {"a": "b"}},
               "spec": )" +
                 JobSpec("") + "}}"),
      Object("v1", "ConfigMap",
             R"("data": {"key": "value", "a.b-c_d": ""}, "binaryData": {"bytes": "AAEC"})"),
      Object("v1", "Secret",
             R"("type": "kubernetes.io/tls", "data": {"tls.crt": "YQ==", "tls.key": "Yg=="},
               "stringData": {"note": "x"})"),
      ClusterObject("flowcontrol.apiserver.k8s.io/v1", "FlowSchema",
                    R"("spec": {"priorityLevelConfiguration": {"name": "level"},
               "matchingPrecedence": 100, "distinguisherMethod": {"type": "ByUser"},
               "rules": [{"subjects": [{"kind": "Group", "group": {"name": "g"}},
                   {"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": "a"}}],
                 "resourceRules": [{"verbs": ["get"], "apiGroups": ["", "apps"],
                   "resources": ["*"], "namespaces": ["a"]}],
                 "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["/api/*"]}]}]})"),
      ClusterObject("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy",
                    R"("spec": {"paramKind": {"apiVersion": "example.com/v1", "kind": "Limit"},
               "matchConstraints": {"namespaceSelector": {"matchLabels": {"a": "b"}},
                 "resourceRules": [{"resourceNames": ["a"], "operations": ["CREATE"],
                   "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["*/scale"]}]},
               "matchConditions": [{"name": "c", "expression": "true"}],
               "variables": [{"name": "v", "expression": "1"}],
               "validations": [{"expression": "true", "message": "m", "reason": "Forbidden"}],
               "auditAnnotations": [{"key": "k", "valueExpression": "'v'"}]})"),
      Object("resource.k8s.io/v1", "ResourceClaim",
             R"("spec": {"devices": {
               "requests": [{"name": "one", "exactly": {"deviceClassName": "c", "count": 2,
                   "selectors": [{"cel": {"expression": "true"}}],
                   "tolerations": [{"key": "a", "operator": "Exists"}]}},
                 {"name": "two", "firstAvailable": [{"name": "a", "deviceClassName": "c"}]}],
               "constraints": [{"requests": ["one", "two/a"], "matchAttribute": "d.io/numa"}],
               "config": [{"opaque": {"driver": "d.io", "parameters": {"a": 1}}}]}},
               "status": {"allocation": {"devices": {"results": [{"request": "one",
                 "driver": "d.io", "pool": "p", "device": "g0", "bindingConditions": ["a"],
                 "bindingFailureConditions": ["b"]}]}},
                 "reservedFor": [{"resource": "pods", "name": "p", "uid": "1"}],
                 "devices": [{"driver": "d.io", "pool": "p", "device": "g0",
                   "networkData": {"ips": ["10.0.0.1/8"]}}]})"),
      ClusterObject("resource.k8s.io/v1", "ResourceSlice",
                    R"("spec": {"driver": "d.io", "pool": {"name": "p", "generation": 1,
               "resourceSliceCount": 1}, "nodeName": "n", "devices": [{"name": "g0",
                 "attributes": {"model": {"string": "x"}, "d.io/v": {"version": "1.2.3"}},
                 "allowMultipleAllocations": true,
                 "capacity": {"memory": {"value": "1Gi", "requestPolicy": {"default": "3",
                   "validRange": {"min": "1", "max": "9", "step": "2"}}}},
                 "taints": [{"key": "a", "effect": "NoExecute"}],
                 "consumesCounters": [{"counterSet": "c", "counters": {"m": {"value": "1"}}}],
                 "nodeAllocatableResourceMappings": {"cpu": {"capacityKey": "memory"}}}]})"),
  };
  for (std::string& object : FullObjectsOfOtherKinds()) objects.push_back(std::move(object));
  return objects;
}

}  // namespace podium::api
