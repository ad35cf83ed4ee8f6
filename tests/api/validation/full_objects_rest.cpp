#include "api/validation/full_objects_rest.h"

#include <string_view>

#include "reflect/base64.h"
#include "support/x509_samples.h"

namespace podium::api {
namespace {

struct Row {
  std::string_view api_version;
  std::string_view kind;
  std::string_view metadata;  // what is not the usual one
  std::string_view body;
};

constexpr std::string_view kNamed = R"({"name": "web", "labels": {"app": "web"}})";

constexpr Row kCore[] = {
    {"v1", "Endpoints", "",
     R"("subsets": [{"addresses": [{"ip": "10.0.0.1", "hostname": "a", "nodeName": "n"}],
        "notReadyAddresses": [{"ip": "10.0.0.2"}],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53}]}])"},
    {"v1", "Event", "",
     R"("involvedObject": {"kind": "Pod", "namespace": "ns", "name": "web"}, "reason": "Started",
        "message": "m", "type": "Normal", "count": 1, "source": {"component": "kubelet"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z")"},
    {"events.k8s.io/v1", "Event", "",
     R"("regarding": {"kind": "Pod", "namespace": "ns", "name": "web"}, "reason": "Started",
        "action": "Start", "note": "m", "type": "Normal",
        "eventTime": "2026-01-01T00:00:00.000001Z", "reportingController": "example.com/c",
        "reportingInstance": "c-1", "series": {"count": 2,
          "lastObservedTime": "2026-01-01T00:00:00.000001Z"})"},
    {"v1", "LimitRange", "",
     R"("spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"},
          "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"},
          "maxLimitRequestRatio": {"cpu": "2"}},
        {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}}]})"},
    {"v1", "Namespace", kNamed, R"("spec": {"finalizers": ["kubernetes"]})"},
    {"v1", "Node", kNamed,
     R"("spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24", "fd00::/64"],
          "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}], "providerID": "x://y"},
        "status": {"capacity": {"cpu": "2"}, "allocatable": {"cpu": "1"},
          "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]})"},
    {"v1", "PersistentVolume", kNamed,
     R"("spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
          "csi": {"driver": "d.example.com", "volumeHandle": "h", "fsType": "ext4"},
          "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "fast",
          "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "zone", "operator": "In", "values": ["a"]}]}]}}})"},
    {"v1", "PersistentVolumeClaim", "",
     R"("spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
          "resources": {"requests": {"storage": "1Gi"}, "limits": {"storage": "2Gi"}},
          "selector": {"matchLabels": {"app": "web"}},
          "dataSource": {"kind": "PersistentVolumeClaim", "name": "from"}})"},
    {"v1", "ResourceQuota", "",
     R"("spec": {"hard": {"pods": "2", "requests.cpu": "1"},
          "scopes": ["NotTerminating"]})"},
    {"v1", "Service", "",
     R"("spec": {"type": "NodePort", "selector": {"app": "web"}, "clusterIP": "10.0.0.1",
          "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
          "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP",
          "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080},
            {"name": "dns", "port": 53, "protocol": "UDP"}]})"},
    {"v1", "ServiceAccount", "",
     R"("secrets": [{"name": "s"}], "imagePullSecrets": [{"name": "p"}])"},
};

constexpr Row kPolicies[] = {
    {"apps/v1", "ControllerRevision", "", R"("revision": 1, "data": {"a": 1})"},
    {"autoscaling/v2", "HorizontalPodAutoscaler", "",
     R"("spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
          "minReplicas": 1, "maxReplicas": 3, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu",
              "target": {"type": "Utilization", "averageUtilization": 50}}},
            {"type": "Pods", "pods": {"metric": {"name": "m"},
              "target": {"type": "AverageValue", "averageValue": "1"}}}],
          "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1,
            "periodSeconds": 60}]}}})"},
    {"autoscaling/v1", "HorizontalPodAutoscaler", "",
     R"("spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
          "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50})"},
    {"autoscaling/v1", "Scale", "", R"("spec": {"replicas": 2}, "status": {"replicas": 1})"},
    {"coordination.k8s.io/v1", "Lease", "",
     R"("spec": {"holderIdentity": "a", "leaseDurationSeconds": 10, "leaseTransitions": 1,
          "renewTime": "2026-01-01T00:00:00.000001Z"})"},
    {"policy/v1", "PodDisruptionBudget", "",
     R"("spec": {"maxUnavailable": "25%", "selector": {"matchLabels": {"app": "web"}},
          "unhealthyPodEvictionPolicy": "AlwaysAllow"})"},
    {"policy/v1beta1", "PodDisruptionBudget", "",
     R"("spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}})"},
    {"scheduling.k8s.io/v1", "PriorityClass", kNamed,
     R"("value": 1000, "description": "d", "preemptionPolicy": "Never")"},
    {"node.k8s.io/v1", "RuntimeClass", kNamed,
     R"("handler": "kata", "overhead": {"podFixed": {"cpu": "10m"}},
        "scheduling": {"nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}]})"},
    {"rbac.authorization.k8s.io/v1", "ClusterRole", kNamed,
     R"("rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
          {"nonResourceURLs": ["/healthz"], "verbs": ["get"]}],
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]})"},
    {"rbac.authorization.k8s.io/v1", "ClusterRoleBinding", kNamed,
     R"("roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "ns", "name": "s"},
          {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "u"}])"},
    {"rbac.authorization.k8s.io/v1", "Role", "",
     R"("rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"],
          "resourceNames": ["web"]}])"},
    {"rbac.authorization.k8s.io/v1", "RoleBinding", "",
     R"("roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "g"}])"},
};

constexpr Row kNetwork[] = {
    {"discovery.k8s.io/v1", "EndpointSlice", "",
     R"("addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "hostname": "a",
          "conditions": {"ready": true}, "nodeName": "n", "zone": "z",
          "hints": {"forZones": [{"name": "z"}]}}],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}])"},
    {"discovery.k8s.io/v1beta1", "EndpointSlice", "",
     R"("addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"],
          "topology": {"topology.kubernetes.io/zone": "z"}}],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP"}])"},
    {"networking.k8s.io/v1", "Ingress", "",
     R"("spec": {"ingressClassName": "i", "tls": [{"hosts": ["a.example.com"], "secretName": "s"}],
          "rules": [{"host": "a.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]})"},
    {"networking.k8s.io/v1", "IngressClass", kNamed,
     R"("spec": {"controller": "example.com/c", "parameters": {"apiGroup": "example.com",
          "kind": "P", "name": "p", "scope": "Namespace", "namespace": "ns"}})"},
    {"networking.k8s.io/v1", "IPAddress", R"({"name": "10.0.0.1"})",
     R"("spec": {"parentRef": {"resource": "services", "namespace": "ns", "name": "web"}})"},
    {"networking.k8s.io/v1", "NetworkPolicy", "",
     R"("spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"],
          "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
            {"namespaceSelector": {}}], "ports": [{"port": 80, "endPort": 90}, {"port": "http"}]}]})"},
    {"networking.k8s.io/v1", "ServiceCIDR", kNamed,
     R"("spec": {"cidrs": ["10.0.0.0/24", "fd00::/112"]})"},
};

constexpr Row kStorage[] = {
    {"storage.k8s.io/v1", "CSIDriver", kNamed,
     R"("spec": {"attachRequired": true, "volumeLifecycleModes": ["Persistent"],
          "fsGroupPolicy": "File", "tokenRequests": [{"audience": "a", "expirationSeconds": 3600}]})"},
    {"storage.k8s.io/v1", "CSINode", kNamed,
     R"("spec": {"drivers": [{"name": "d.example.com", "nodeID": "n", "topologyKeys": ["zone"],
          "allocatable": {"count": 3}}]})"},
    {"storage.k8s.io/v1", "CSIStorageCapacity", "",
     R"("storageClassName": "fast", "capacity": "1Gi", "maximumVolumeSize": "1Gi",
        "nodeTopology": {"matchLabels": {"zone": "a"}})"},
    {"storage.k8s.io/v1", "StorageClass", kNamed,
     R"("provisioner": "example.com/p", "parameters": {"a": "b"}, "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate", "allowedTopologies": [{"matchLabelExpressions": [
          {"key": "zone", "values": ["a"]}]}])"},
    {"storage.k8s.io/v1", "VolumeAttachment", kNamed,
     R"("spec": {"attacher": "example.com", "nodeName": "n",
          "source": {"persistentVolumeName": "v"}}, "status": {"attached": true,
          "attachmentMetadata": {"a": "b"}})"},
    {"storage.k8s.io/v1", "VolumeAttributesClass", kNamed,
     R"("driverName": "d.example.com", "parameters": {"a": "b"})"},
};

constexpr Row kServer[] = {
    {"apiregistration.k8s.io/v1", "APIService", R"({"name": "v1.example.com"})",
     R"("spec": {"group": "example.com", "version": "v1", "groupPriorityMinimum": 100,
          "versionPriority": 10, "insecureSkipTLSVerify": true,
          "service": {"namespace": "ns", "name": "web", "port": 443}})"},
    {"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", kNamed,
     R"("webhooks": [{"name": "a.b.c", "admissionReviewVersions": ["v1"], "sideEffects": "None",
          "clientConfig": {"service": {"namespace": "ns", "name": "web", "path": "/a"}},
          "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
            "resources": ["pods", "pods/status"]}], "reinvocationPolicy": "IfNeeded",
          "matchConditions": [{"name": "m", "expression": "true"}]}])"},
    {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", kNamed,
     R"("webhooks": [{"name": "a.b.c", "admissionReviewVersions": ["v1"], "sideEffects": "None",
          "clientConfig": {"url": "https://a.example.com/b"}, "objectSelector": {},
          "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"],
            "resources": ["*/*"], "scope": "Namespaced"}]}])"},
    {"apiextensions.k8s.io/v1", "CustomResourceDefinition", R"({"name": "cups.example.com"})",
     R"("spec": {"group": "example.com", "scope": "Namespaced",
          "names": {"plural": "cups", "kind": "Cup", "shortNames": ["cp"], "categories": ["all"]},
          "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
            "clientConfig": {"service": {"namespace": "ns", "name": "web"}}}},
          "versions": [{"name": "v1", "served": true, "storage": true,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {
              "spec": {"type": "object", "required": ["size"], "properties": {
                "size": {"type": "integer", "minimum": 1, "default": 2},
                "names": {"type": "array", "x-kubernetes-list-type": "set", "maxItems": 3,
                  "items": {"type": "string", "pattern": "^a"}},
                "ports": {"type": "array", "x-kubernetes-list-type": "map",
                  "x-kubernetes-list-map-keys": ["port"], "items": {"type": "object",
                    "required": ["port"], "properties": {"port": {
                      "x-kubernetes-int-or-string": true}}}},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                "x-kubernetes-validations": [{"rule": "self.size > 0", "fieldPath": ".size"}]},
              "status": {"type": "object", "additionalProperties": {"type": "string"}}}}},
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size",
              "statusReplicasPath": ".status.size"}},
            "additionalPrinterColumns": [{"name": "Size", "type": "integer",
              "jsonPath": ".spec.size"}],
            "selectableFields": [{"jsonPath": ".spec.size"}]},
           {"name": "v1beta1", "served": false, "storage": false, "deprecated": true,
            "deprecationWarning": "use v1", "schema": {"openAPIV3Schema": {"type": "object"}}}]},
        "status": {"acceptedNames": {"plural": "cups", "kind": "Cup"}, "storedVersions": ["v1"],
          "conditions": [{"type": "Established", "status": "True"}]})"},
};

std::string Object(const Row& row) {
  std::string object = R"({"apiVersion": ")";
  object.append(row.api_version).append(R"(", "kind": ")").append(row.kind);
  object.append(R"(", "metadata": )");
  object.append(row.metadata.empty() ? R"({"name": "web", "namespace": "ns"})" : row.metadata);
  return object.append(", ").append(row.body).append("}");
}

std::string SigningRequest() {
  std::string body = R"("spec": {"signerName": "example.com/s", "expirationSeconds": 600,
      "usages": ["client auth", "digital signature"], "username": "u", "request": ")";
  const auto pem = [](const std::string& type, std::string_view base64) {
    return "-----BEGIN " + type + "-----\n" + std::string(base64) + "\n-----END " + type +
           "-----\n";
  };
  reflect::AppendBase64(pem("CERTIFICATE REQUEST", testing::kEcRequest), &body);
  body += R"("}, "status": {"conditions": [{"type": "Approved", "status": "True"}],
      "certificate": ")";
  reflect::AppendBase64(pem("CERTIFICATE", testing::kCertificate), &body);
  return Object({.api_version = "certificates.k8s.io/v1",
                 .kind = "CertificateSigningRequest",
                 .metadata = kNamed,
                 .body = body + "\"}"});
}

}  // namespace

std::vector<std::string> FullObjectsOfOtherKinds() {
  std::vector<std::string> objects;
  const auto add = [&](const auto& rows) {
    for (const Row& row : rows) objects.push_back(Object(row));
  };
  add(kCore);
  add(kPolicies);
  add(kNetwork);
  add(kStorage);
  add(kServer);
  objects.push_back(SigningRequest());
  return objects;
}

}  // namespace podium::api
