// Defaults of the other kinds of core/v1 (upstream release 1.36).
#include <gtest/gtest.h>

#include "api/defaults_support.h"

namespace podium::api::test {
namespace {

TEST(CoreDefaults, Service) {
  constexpr Row kRows[] = {
      {"service", "spec/sessionAffinity", R"("None")", R"("ClientIP")"},
      {"service", "spec/sessionAffinityConfig", nullptr, nullptr},
      {"service", "spec/sessionAffinityConfig/clientIP/timeoutSeconds", "10800", "1",
       R"({"spec/sessionAffinity":"ClientIP"})"},
      {"service", "spec/sessionAffinityConfig/clientIP/timeoutSeconds", "10800", "1",
       R"({"spec/sessionAffinity":"ClientIP","spec/sessionAffinityConfig":{}})"},
      {"service", "spec/type", R"("ClusterIP")", R"("ExternalName")"},
      {"service", "spec/ports/0/protocol", R"("TCP")", R"("UDP")"},
      {"service", "spec/ports/0/targetPort", "80", "81"},
      {"service", "spec/ports/0/targetPort", "80", R"("http")"},
      {"service", "spec/externalTrafficPolicy", nullptr, R"("Local")"},
      {"service", "spec/externalTrafficPolicy", R"("Cluster")", R"("Local")",
       R"({"spec/type":"NodePort"})"},
      {"service", "spec/externalTrafficPolicy", R"("Cluster")", R"("Local")",
       R"({"spec/type":"LoadBalancer"})"},
      {"service", "spec/externalTrafficPolicy", R"("Cluster")", R"("Local")",
       R"({"spec/externalIPs":["1.2.3.4"]})"},
      {"service", "spec/externalTrafficPolicy", nullptr, nullptr,
       R"({"spec/type":"ExternalName","spec/externalIPs":["1.2.3.4"]})"},
      {"service", "spec/internalTrafficPolicy", R"("Cluster")", R"("Local")"},
      {"service", "spec/internalTrafficPolicy", R"("Cluster")", R"("Local")",
       R"({"spec/type":"NodePort"})"},
      {"service", "spec/internalTrafficPolicy", R"("Cluster")", R"("Local")",
       R"({"spec/type":"LoadBalancer"})"},
      {"service", "spec/internalTrafficPolicy", nullptr, R"("Local")",
       R"({"spec/type":"ExternalName"})"},
      {"service", "spec/allocateLoadBalancerNodePorts", "true", "false",
       R"({"spec/type":"LoadBalancer"})"},
      {"service", "spec/allocateLoadBalancerNodePorts", nullptr, "false"},
      {"service", "status/loadBalancer/ingress/0/ipMode", R"("VIP")", R"("Proxy")",
       R"({"spec/type":"LoadBalancer","status/loadBalancer/ingress/0/ip":"1.2.3.4"})"},
      {"service", "status/loadBalancer/ingress/0/ipMode", nullptr, nullptr,
       R"({"spec/type":"LoadBalancer","status/loadBalancer/ingress/0/hostname":"h"})"},
      {"service", "status/loadBalancer/ingress/0/ipMode", nullptr, nullptr,
       R"({"status/loadBalancer/ingress/0/ip":"1.2.3.4"})"},
  };
  CheckRows(kRows);

  // What is set here goes, or is overwritten, as if it were unset.
  json::value service = BaseObject("service");
  Edit(service, R"({"spec/sessionAffinityConfig/clientIP/timeoutSeconds":5,
                    "spec/ports/0/targetPort":0})");
  json::value defaulted = Defaulted(service);
  EXPECT_EQ(Find(defaulted, "spec/sessionAffinityConfig"), nullptr);
  EXPECT_EQ(*Find(defaulted, "spec/ports/0/targetPort"), 80);
  Set(service, "spec/ports/0/targetPort", "");
  EXPECT_EQ(*Find(Defaulted(service), "spec/ports/0/targetPort"), 80);
}

TEST(CoreDefaults, Volumes) {
  constexpr Row kRows[] = {
      {"pvc", "status/phase", R"("Pending")", R"("Bound")"},
      {"pvc", "spec/volumeMode", R"("Filesystem")", R"("Block")"},
      {"pv", "status/phase", R"("Pending")", R"("Bound")"},
      {"pv", "spec/persistentVolumeReclaimPolicy", R"("Retain")", R"("Delete")"},
      {"pv", "spec/volumeMode", R"("Filesystem")", R"("Block")"},
      {"pv", "spec/hostPath/type", R"("")", R"("File")", R"({"spec/hostPath/path":"/x"})"},
      {"pv", "spec/iscsi/iscsiInterface", R"("default")", R"("x")", R"({"spec/iscsi":{}})"},
      {"pv", "spec/rbd/pool", R"("rbd")", R"("x")", R"({"spec/rbd":{}})"},
      {"pv", "spec/rbd/user", R"("admin")", R"("x")", R"({"spec/rbd":{}})"},
      {"pv", "spec/rbd/keyring", R"("/etc/ceph/keyring")", R"("x")", R"({"spec/rbd":{}})"},
      {"pv", "spec/azureDisk/cachingMode", R"("ReadWrite")", R"("None")",
       R"({"spec/azureDisk":{}})"},
      {"pv", "spec/azureDisk/fsType", R"("ext4")", R"("xfs")", R"({"spec/azureDisk":{}})"},
      {"pv", "spec/azureDisk/readOnly", "false", "true", R"({"spec/azureDisk":{}})"},
      {"pv", "spec/azureDisk/kind", R"("Shared")", R"("Managed")", R"({"spec/azureDisk":{}})"},
      {"pv", "spec/scaleIO/storageMode", R"("ThinProvisioned")", R"("x")",
       R"({"spec/scaleIO":{}})"},
      {"pv", "spec/scaleIO/fsType", R"("xfs")", R"("ext4")", R"({"spec/scaleIO":{}})"},
      {"pv", "spec/nodeAffinity", nullptr, "{}"},
  };
  CheckRows(kRows);
}

TEST(CoreDefaults, Others) {
  constexpr Row kRows[] = {
      {"endpoints", "subsets/0/ports/0/protocol", R"("TCP")", R"("UDP")"},
      {"secret", "type", R"("Opaque")", R"("kubernetes.io/tls")"},
      {"configmap", "data", nullptr, R"({"a":"b"})"},
      {"namespace", "metadata/labels", R"({"kubernetes.io/metadata.name":"x"})", nullptr},
      {"namespace", "metadata/labels/kubernetes.io~1metadata.name", R"("x")", R"("x")"},
      {"namespace", "metadata/labels", nullptr, nullptr, R"({"metadata/name":null})"},
      {"namespace", "status/phase", R"("Active")", R"("Terminating")"},
      {"node", "status/allocatable", R"({"cpu":"2"})", R"({"cpu":"1"})",
       R"({"status/capacity/cpu":"2"})"},
      {"node", "status/allocatable", nullptr, R"({"cpu":"1"})"},
      {"rc", "spec/selector", R"({"a":"b"})", R"({"c":"d"})"},
      {"rc", "metadata/labels", R"({"a":"b"})", R"({"c":"d"})"},
      {"rc", "spec/selector", nullptr, nullptr, R"({"spec/template":null})"},
      {"rc", "spec/replicas", "1", "0"},
      {"rc", "spec/minReadySeconds", nullptr, "1"},
      {"rc", "spec/template/spec/dnsPolicy", R"("ClusterFirst")", R"("Default")"},
  };
  CheckRows(kRows);

  json::value wrong = BaseObject("namespace");
  Edit(wrong, R"({"metadata/labels":{"kubernetes.io/metadata.name":"y","a":"b"}})");
  EXPECT_EQ(*Find(Defaulted(wrong), "metadata/labels"),
            json::parse(R"({"a":"b","kubernetes.io/metadata.name":"x"})"));
}

TEST(CoreDefaults, LimitRange) {
#define LIMIT "spec/limits/0/"
  constexpr Row kRows[] = {
      {"limitrange", LIMIT "default", R"({"cpu":"2"})", R"({"cpu":"1"})",
       R"({"spec/limits/0/max":{"cpu":"2"}})"},
      {"limitrange", LIMIT "default/cpu", R"("2")", R"("1")",
       R"({"spec/limits/0/max":{"cpu":"2"},"spec/limits/0/default":{"memory":"1"}})"},
      // The limit that was made from the maximum is the request as well.
      {"limitrange", LIMIT "defaultRequest", R"({"cpu":"2"})", R"({"cpu":"1"})",
       R"({"spec/limits/0/max":{"cpu":"2"},"spec/limits/0/min":{"cpu":"1"}})"},
      {"limitrange", LIMIT "defaultRequest", R"({"cpu":"3"})", R"({"cpu":"1"})",
       R"({"spec/limits/0/default":{"cpu":"3"}})"},
      {"limitrange", LIMIT "defaultRequest", R"({"cpu":"1"})", R"({"cpu":"2"})",
       R"({"spec/limits/0/min":{"cpu":"1"}})"},
      {"limitrange", LIMIT "default", nullptr, R"({"cpu":"1"})",
       R"({"spec/limits/0/type":"Pod","spec/limits/0/max":{"cpu":"2"}})"},
      {"limitrange", LIMIT "defaultRequest", nullptr, R"({"cpu":"1"})",
       R"({"spec/limits/0/type":"Pod","spec/limits/0/min":{"cpu":"2"}})"},
  };
  CheckRows(kRows);
}

// Everything that upstream calls a ResourceList is rounded up to thousandths, and nothing else.
TEST(CoreDefaults, ResourceLists) {
  struct {
    const char* kind;
    const char* path;
    bool rounded = true;
  } constexpr kLists[] = {
      {"limitrange", "spec/limits/0/max"},
      {"limitrange", "spec/limits/0/min"},
      {"limitrange", "spec/limits/0/default"},
      {"limitrange", "spec/limits/0/defaultRequest"},
      {"limitrange", "spec/limits/0/maxLimitRequestRatio"},
      {"quota", "spec/hard"},
      {"quota", "status/hard"},
      {"quota", "status/used"},
      {"node", "status/capacity"},
      {"node", "status/allocatable"},
      {"pv", "spec/capacity"},
      {"pvc", "spec/resources/limits"},
      {"pvc", "spec/resources/requests"},
      {"pvc", "status/capacity"},
      {"pvc", "status/allocatedResources"},
      {"statefulset", "spec/volumeClaimTemplates/0/spec/resources/requests"},
      {"deployment", "spec/template/spec/containers/0/resources/limits"},
      {"pod", "spec/volumes/0/ephemeral/volumeClaimTemplate/spec/resources/requests"},
      {"volumeattachment", "spec/source/inlineVolumeSpec/capacity"},
      {"runtimeclass", "overhead/podFixed", false},
      {"claim", "spec/devices/requests/0/exactly/capacity/requests", false},
  };
  for (auto [kind, path, rounded] : kLists) {
    json::value object = BaseObject(kind);
    Set(object, path, json::parse(R"({"x":"1500u"})"));
    json::value defaulted = Defaulted(object);
    std::string at = std::string(path) + "/x";
    ASSERT_NE(Find(defaulted, at), nullptr) << kind << " " << at;
    EXPECT_EQ(*Find(defaulted, at), rounded ? "2m" : "1500u") << kind << " " << at;
  }
}

TEST(CoreDefaults, EachItemOfAList) {
  json::value list = json::parse(R"({"apiVersion":"v1","kind":"PodList","items":[]})");
  EXPECT_EQ(Defaulted(list).at("items"), json::array());
  for (int i = 0; i < 3; ++i) list.at("items").as_array().push_back(BaseObject("pod"));
  json::value defaulted = Defaulted(list);
  for (const json::value& item : defaulted.at("items").as_array()) {
    EXPECT_EQ(item, Defaulted(BaseObject("pod")));
  }
}

}  // namespace
}  // namespace podium::api::test
