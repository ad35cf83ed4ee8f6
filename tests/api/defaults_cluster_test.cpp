// Defaults of networking, discovery, storage, resource, rbac, scheduling, authentication,
// admissionregistration, apiextensions, apiregistration and flowcontrol (upstream release 1.36).
#include <gtest/gtest.h>

#include "api/defaults_support.h"

namespace podium::api::test {
namespace {

TEST(ClusterDefaults, Networking) {
  constexpr Row kRows[] = {
      {"netpol", "spec/policyTypes", R"(["Ingress"])", R"(["Egress"])"},
      {"netpol", "spec/policyTypes", R"(["Ingress","Egress"])", R"(["Ingress"])",
       R"({"spec/egress":[{}]})"},
      {"netpol", "spec/ingress/0/ports/0/protocol", R"("TCP")", R"("UDP")",
       R"({"spec/ingress/0/ports/0/port":80})"},
      {"netpol", "spec/egress/0/ports/0/protocol", R"("TCP")", R"("SCTP")",
       R"({"spec/egress/0/ports/0/port":80})"},
      {"ingressclass", "spec/parameters", nullptr, nullptr},
      {"ingressclass", "spec/parameters/scope", R"("Cluster")", R"("Namespace")",
       R"({"spec/parameters":{"kind":"K","name":"n"}})"},
      {"ingress", "spec/rules/0/http/paths/0/pathType", "null", R"("Exact")",
       R"({"spec/rules/0/http/paths/0/path":"/"})"},
  };
  CheckRows(kRows);
}

TEST(ClusterDefaults, Discovery) {
  for (const char* kind : {"endpointslice", "discovery/v1beta1/endpointslice"}) {
    const Row rows[] = {
        {kind, "ports/0/name", R"("")", R"("x")"},
        {kind, "ports/0/protocol", R"("TCP")", R"("UDP")"},
        {kind, "endpoints/0/conditions/ready", nullptr, "false",
         R"({"endpoints/0/addresses":["1.2.3.4"]})"},
    };
    CheckRows(rows);
  }
}

TEST(ClusterDefaults, Storage) {
#define INLINE "spec/source/inlineVolumeSpec/"
  constexpr Row kRows[] = {
      {"storageclass", "reclaimPolicy", R"("Delete")", R"("Retain")"},
      {"storageclass", "volumeBindingMode", R"("Immediate")", R"("WaitForFirstConsumer")"},
      {"storageclass", "allowVolumeExpansion", nullptr, "false"},
      {"csidriver", "spec/attachRequired", "true", "false"},
      {"csidriver", "spec/podInfoOnMount", "false", "true"},
      {"csidriver", "spec/storageCapacity", "false", "true"},
      {"csidriver", "spec/fsGroupPolicy", R"("ReadWriteOnceWithFSType")", R"("File")"},
      {"csidriver", "spec/volumeLifecycleModes", R"(["Persistent"])", R"(["Ephemeral"])"},
      {"csidriver", "spec/requiresRepublish", "false", "true"},
      {"csidriver", "spec/seLinuxMount", "false", "true"},
      {"volumeattachment", INLINE "hostPath/type", R"("")", R"("File")",
       R"({"spec/source/inlineVolumeSpec/hostPath/path":"/x"})"},
      {"volumeattachment", INLINE "rbd/pool", R"("rbd")", R"("x")",
       R"({"spec/source/inlineVolumeSpec/rbd":{}})"},
      // These are rules of PersistentVolume, not of its spec.
      {"volumeattachment", INLINE "volumeMode", nullptr, R"("Block")",
       R"({"spec/source/inlineVolumeSpec":{}})"},
      {"volumeattachment", INLINE "persistentVolumeReclaimPolicy", nullptr, R"("Delete")",
       R"({"spec/source/inlineVolumeSpec":{}})"},
  };
  CheckRows(kRows);
}

TEST(ClusterDefaults, Rbac) {
  for (const char* kind : {"rolebinding", "clusterrolebinding"}) {
    const Row rows[] = {
        {kind, "subjects/0/apiGroup", nullptr, nullptr, R"({"subjects/0/kind":"ServiceAccount"})"},
        {kind, "subjects/0/apiGroup", R"("rbac.authorization.k8s.io")", R"("x")",
         R"({"subjects/0/kind":"User"})"},
        {kind, "subjects/0/apiGroup", R"("rbac.authorization.k8s.io")", R"("x")",
         R"({"subjects/0/kind":"Group"})"},
        {kind, "subjects/0/apiGroup", nullptr, R"("x")", R"({"subjects/0/kind":"Other"})"},
    };
    CheckRows(rows);
    const Row role_ref[] = {
        {kind, "roleRef/apiGroup", R"("rbac.authorization.k8s.io")", R"("x")",
         R"({"roleRef/kind":"Role"})"},
    };
    CheckRows(role_ref);
  }
}

TEST(ClusterDefaults, SchedulingAndAuthentication) {
  constexpr Row kRows[] = {
      {"priorityclass", "preemptionPolicy", R"("PreemptLowerPriority")", R"("Never")"},
      {"tokenrequest", "spec/expirationSeconds", "3600", "600"},
  };
  CheckRows(kRows);
}

TEST(ClusterDefaults, Webhooks) {
  for (const char* kind : {"validatingwebhook", "mutatingwebhook"}) {
    const Row rows[] = {
        {kind, "webhooks/0/failurePolicy", R"("Fail")", R"("Ignore")"},
        {kind, "webhooks/0/matchPolicy", R"("Equivalent")", R"("Exact")"},
        {kind, "webhooks/0/namespaceSelector", "{}", R"({"matchLabels":{"a":"b"}})"},
        {kind, "webhooks/0/objectSelector", "{}", R"({"matchLabels":{"a":"b"}})"},
        {kind, "webhooks/0/timeoutSeconds", "10", "1"},
        {kind, "webhooks/0/clientConfig/service/port", "443", "80",
         R"({"webhooks/0/clientConfig/service/name":"n"})"},
        {kind, "webhooks/0/clientConfig/service", nullptr, nullptr,
         R"({"webhooks/0/clientConfig/url":"u"})"},
        {kind, "webhooks/0/rules/0/scope", R"("*")", R"("Cluster")"},
    };
    CheckRows(rows);
  }
  constexpr Row kRows[] = {
      {"mutatingwebhook", "webhooks/0/reinvocationPolicy", R"("Never")", R"("IfNeeded")"},
  };
  CheckRows(kRows);
}

TEST(ClusterDefaults, AdmissionPolicies) {
  for (const char* kind : {"validatingpolicy", "mutatingpolicy"}) {
    const Row rows[] = {
        {kind, "spec/failurePolicy", R"("Fail")", R"("Ignore")"},
        {kind, "spec/matchConstraints", nullptr, nullptr},
        {kind, "spec/matchConstraints/matchPolicy", R"("Equivalent")", R"("Exact")",
         R"({"spec/matchConstraints":{}})"},
        {kind, "spec/matchConstraints/namespaceSelector", "{}", R"({"matchLabels":{"a":"b"}})",
         R"({"spec/matchConstraints":{}})"},
        {kind, "spec/matchConstraints/objectSelector", "{}", R"({"matchLabels":{"a":"b"}})",
         R"({"spec/matchConstraints":{}})"},
        {kind, "spec/matchConstraints/resourceRules/0/scope", R"("*")", R"("Cluster")",
         R"({"spec/matchConstraints/resourceRules/0":{}})"},
        {kind, "spec/matchConstraints/excludeResourceRules/0/scope", R"("*")", R"("Cluster")",
         R"({"spec/matchConstraints/excludeResourceRules/0":{}})"},
    };
    CheckRows(rows);
  }
  for (const char* kind : {"validatingbinding", "mutatingbinding"}) {
    const Row rows[] = {
        {kind, "spec/matchResources", nullptr, nullptr},
        {kind, "spec/matchResources/matchPolicy", R"("Equivalent")", R"("Exact")",
         R"({"spec/matchResources":{}})"},
        {kind, "spec/matchResources/resourceRules/0/scope", R"("*")", R"("Cluster")",
         R"({"spec/matchResources/resourceRules/0":{}})"},
    };
    CheckRows(rows);
  }
}

TEST(ClusterDefaults, CustomResourceDefinition) {
#define CRD_HOOK "spec/conversion/webhook/clientConfig/service/"
  constexpr Row kRows[] = {
      {"crd", "spec/names/singular", R"("crontab")", R"("x")"},
      {"crd", "spec/names/listKind", R"("CronTabList")", R"("X")"},
      {"crd", "spec/names/listKind", nullptr, nullptr, R"({"spec/names":{"plural":"p"}})"},
      {"crd", "spec/conversion", R"({"strategy":"None"})", R"({"strategy":"Webhook"})"},
      {"crd", CRD_HOOK "port", "443", "80",
       R"({"spec/conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],
           "clientConfig":{"service":{"name":"n","namespace":"m"}}}}})"},
      {"crd", "status/storedVersions", R"(["v2"])", R"(["v1"])"},
  };
  CheckRows(kRows);
}

TEST(ClusterDefaults, AggregationAndFlowControl) {
#define QUEUING "spec/limited/limitResponse/queuing/"
#define WITH_QUEUING R"({"spec/limited/limitResponse/queuing":{}})"
  constexpr Row kRows[] = {
      {"apiservice", "spec/service/port", "443", "80", R"({"spec/service":{"name":"n"}})"},
      {"flowschema", "spec/matchingPrecedence", "1000", "1"},
      {"prioritylevel", "spec/exempt/nominalConcurrencyShares", "0", "5", R"({"spec/exempt":{}})"},
      {"prioritylevel", "spec/exempt/lendablePercent", "0", "5", R"({"spec/exempt":{}})"},
      {"prioritylevel", "spec/limited/nominalConcurrencyShares", "30", "0",
       R"({"spec/limited":{}})"},
      {"prioritylevel", "spec/limited/lendablePercent", "0", "5", R"({"spec/limited":{}})"},
      {"prioritylevel", QUEUING "handSize", "8", "5", WITH_QUEUING},
      {"prioritylevel", QUEUING "queues", "64", "5", WITH_QUEUING},
      {"prioritylevel", QUEUING "queueLengthLimit", "50", "5", WITH_QUEUING},
      {"prioritylevel", "spec/limited", nullptr, nullptr},
  };
  CheckRows(kRows);
}

TEST(ClusterDefaults, Devices) {
#define EXACTLY "spec/devices/requests/0/exactly/"
#define FIRST "spec/devices/requests/0/firstAvailable/0/"
  constexpr Row kRows[] = {
      {"claim", EXACTLY "allocationMode", R"("ExactCount")", R"("All")",
       R"({"spec/devices/requests/0/exactly":{"deviceClassName":"d"}})"},
      {"claim", EXACTLY "count", "1", "2",
       R"({"spec/devices/requests/0/exactly":{"deviceClassName":"d"}})"},
      {"claim", EXACTLY "count", nullptr, nullptr,
       R"({"spec/devices/requests/0/exactly/allocationMode":"All"})"},
      {"claim", EXACTLY "tolerations/0/operator", R"("Equal")", R"("Exists")",
       R"({"spec/devices/requests/0/exactly/tolerations/0/key":"k"})"},
      {"claim", FIRST "allocationMode", R"("ExactCount")", R"("All")",
       R"({"spec/devices/requests/0/firstAvailable/0/name":"n"})"},
      {"claim", FIRST "count", "1", "2",
       R"({"spec/devices/requests/0/firstAvailable/0/name":"n"})"},
      {"claim", FIRST "tolerations/0/operator", R"("Equal")", R"("Exists")",
       R"({"spec/devices/requests/0/firstAvailable/0/tolerations/0/key":"k"})"},
      {"claim", "status/allocation/devices/results/0/tolerations/0/operator", R"("Equal")",
       R"("Exists")", R"({"status/allocation/devices/results/0/tolerations/0/key":"k"})"},
      {"claimtemplate", "spec/spec/devices/requests/0/exactly/count", "1", "2",
       R"({"spec/spec/devices/requests/0/exactly":{"deviceClassName":"d"}})"},
      {"slice", "spec/devices/0/taints/0/timeAdded", R"("2023-11-14T22:13:20Z")",
       R"("2020-01-01T00:00:00Z")"},
  };
  CheckRows(kRows);
}

}  // namespace
}  // namespace podium::api::test
