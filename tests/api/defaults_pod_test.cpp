// Defaults of Pods and of what they are made of (upstream release 1.36).
#include <gtest/gtest.h>

#include "api/defaults_support.h"

namespace podium::api::test {
namespace {

#define CONTAINER "spec/containers/0/"
#define PROBE(name) CONTAINER name
#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

TEST(PodDefaults, PodOnly) {
  constexpr Row kRows[] = {
      {"pod", "spec/enableServiceLinks", "true", "false"},
      {"podtemplate", "template/spec/enableServiceLinks", nullptr, "false"},
      // Requests follow limits, key by key.
      {"pod", CONTAINER "resources/requests", R"({"cpu":"1"})", R"({"cpu":"500m"})",
       R"({"spec/containers/0/resources/limits":{"cpu":"1"}})"},
      {"pod", CONTAINER "resources/requests/memory", R"("1Gi")", R"("1Mi")",
       R"({"spec/containers/0/resources":
           {"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"1m"}}})"},
      {"pod", "spec/initContainers/0/resources/requests", R"({"cpu":"1"})", R"({"cpu":"500m"})",
       R"({"spec/initContainers/0":{"name":"i","image":"x","resources":{"limits":{"cpu":"1"}}}})"},
      {"pod", "spec/ephemeralContainers/0/resources/requests", nullptr, R"({"cpu":"500m"})",
       R"({"spec/ephemeralContainers/0":
           {"name":"e","image":"x","resources":{"limits":{"cpu":"1"}}}})"},
      {"podtemplate", "template/spec/containers/0/resources/requests", nullptr, R"({"cpu":"1m"})",
       R"({"template/spec/containers/0/resources/limits":{"cpu":"1"}})"},
      // Host ports.
      {"pod", CONTAINER "ports/0/hostPort", "80", "81",
       R"({"spec/hostNetwork":true,"spec/containers/0/ports/0/containerPort":80})"},
      {"pod", "spec/initContainers/0/ports/0/hostPort", "80", "81",
       R"({"spec/hostNetwork":true,"spec/initContainers/0":
           {"name":"i","image":"x","ports":[{"containerPort":80}]}})"},
      {"pod", CONTAINER "ports/0/hostPort", nullptr, "81",
       R"({"spec/containers/0/ports/0/containerPort":80})"},
      {"podtemplate", "template/spec/containers/0/ports/0/hostPort", nullptr, "81",
       R"({"template/spec/hostNetwork":true,
           "template/spec/containers/0/ports/0/containerPort":80})"},
      {"pod", CONTAINER "resizePolicy", nullptr,
       R"([{"resourceName":"cpu","restartPolicy":"NotRequired"}])"},
  };
  CheckRows(kRows);
}

TEST(PodDefaults, PodLevelResources) {
  constexpr Row kRows[] = {
      {"pod", "spec/resources", nullptr, nullptr,
       R"({"spec/containers/0/resources/limits":{"cpu":"1"}})"},
      // Of what the containers request; the rest from the Pod's limits.
      {"pod", "spec/resources/requests", R"({"cpu":"250m","memory":"1Gi"})",
       R"({"cpu":"2","memory":"2Gi"})",
       R"({"spec/containers/0/resources/requests":{"cpu":"250m","memory":"1Gi"},
           "spec/resources/limits/cpu":"4"})"},
      {"pod", "spec/resources/requests/cpu", R"("4")", R"("3")",
       R"({"spec/resources":{"limits":{"cpu":"4","memory":"1Gi"},"requests":{"memory":"1Mi"}}})"},
      {"pod", "spec/resources/requests", nullptr, R"({"cpu":"3"})", R"({"spec/resources":{}})"},
      {"pod", "spec/resources/requests/ex.io~1gpu", nullptr, nullptr,
       R"({"spec/resources/limits":{"cpu":"4","ex.io/gpu":"1"}})"},
      // Sidecars run beside the init containers after them: max(3, 1 + 4, 1 + 2) = 5.
      {"pod", "spec/resources/requests/cpu", R"("5")", R"("6")",
       R"({"spec/resources/limits/cpu":"9",
           "spec/containers/0/resources/requests/cpu":"2",
           "spec/initContainers":[
             {"name":"a","image":"x","resources":{"requests":{"cpu":"3"}}},
             {"name":"s","image":"x","restartPolicy":"Always",
              "resources":{"requests":{"cpu":"1"}}},
             {"name":"b","image":"x","resources":{"requests":{"cpu":"4"}}}]})"},
      {"pod", "spec/resources/requests/cpu", R"("7")", nullptr,
       R"({"spec/resources/limits/cpu":"9",
           "spec/containers/0/resources/requests/cpu":"6",
           "spec/initContainers":[
             {"name":"s","image":"x","restartPolicy":"Always",
              "resources":{"requests":{"cpu":"1"}}},
             {"name":"b","image":"x","resources":{"requests":{"cpu":"4"}}}]})"},
      // Huge pages.
      {"pod", "spec/resources/limits/hugepages-2Mi", R"("4Mi")", R"("8Mi")",
       R"({"spec/resources/requests/cpu":"1",
           "spec/containers/0/resources/limits/hugepages-2Mi":"4Mi"})"},
      {"pod", "spec/resources/requests/hugepages-2Mi", R"("4Mi")", R"("8Mi")",
       R"({"spec/resources/requests/cpu":"1",
           "spec/resources/limits/hugepages-2Mi":"4Mi"})"},
      {"pod", "spec/resources/limits/hugepages-2Mi", nullptr, nullptr,
       R"({"spec/resources/requests/hugepages-2Mi":"2Mi",
           "spec/containers/0/resources/limits/hugepages-2Mi":"4Mi"})"},
      // Limits of cpu and memory do not follow the containers.
      {"pod", "spec/resources/limits", nullptr, nullptr,
       R"({"spec/resources/requests/cpu":"1","spec/containers/0/resources/limits/cpu":"1"})"},
      {"podtemplate", "template/spec/resources/requests", nullptr, nullptr,
       R"({"template/spec/resources/limits/cpu":"1"})"},
  };
  CheckRows(kRows);
}

TEST(PodDefaults, PodSpec) {
  constexpr Row kRows[] = {
      {"pod", "spec/dnsPolicy", R"("ClusterFirst")", R"("Default")"},
      {"pod", "spec/restartPolicy", R"("Always")", R"("Never")"},
      {"pod", "spec/securityContext", "{}", R"({"runAsUser":0})"},
      {"pod", "spec/terminationGracePeriodSeconds", "30", "0"},
      {"pod", "spec/schedulerName", R"("default-scheduler")", R"("mine")"},
      {"pod", "spec/serviceAccount", R"("a")", R"("a")", R"({"spec/serviceAccountName":"a"})"},
      {"pod", "spec/serviceAccountName", R"("a")", R"("a")", R"({"spec/serviceAccount":"a"})"},
      {"pod", "spec/serviceAccountName", nullptr, nullptr},
      {"podtemplate", "template/spec/dnsPolicy", R"("ClusterFirst")", R"("Default")"},
      {"pod", "spec/hostPID", nullptr, "true"},
      {"pod", "spec/hostIPC", nullptr, "true"},
      {"pod", "spec/hostNetwork", nullptr, "true"},
      {"pod", "spec/hostUsers", nullptr, "false"},
      {"pod", "spec/shareProcessNamespace", nullptr, "false"},
      {"pod", "spec/overhead/cpu", nullptr, R"("1m")"},
  };
  CheckRows(kRows);

  // Upstream's internal form has one field for both names, and the newer one wins.
  json::value pod = BaseObject("pod");
  Edit(pod, R"({"spec/serviceAccountName":"new","spec/serviceAccount":"old"})");
  EXPECT_EQ(*Find(Defaulted(pod), "spec/serviceAccount"), "new");
}

TEST(PodDefaults, Container) {
  constexpr Row kRows[] = {
      {"pod", CONTAINER "imagePullPolicy", R"("Always")", R"("Never")"},
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", R"("Always")",
       R"({"spec/containers/0/image":"nginx:1.25"})"},
      {"pod", CONTAINER "terminationMessagePath", R"("/dev/termination-log")", R"("/x")"},
      {"pod", CONTAINER "terminationMessagePolicy", R"("File")", R"("FallbackToLogsOnError")"},
      {"pod", CONTAINER "ports/0/protocol", R"("TCP")", R"("UDP")",
       R"({"spec/containers/0/ports/0/containerPort":80})"},
      {"pod", CONTAINER "env/0/valueFrom/fieldRef/apiVersion", R"("v1")", R"("v2")",
       R"({"spec/containers/0/env/0":
           {"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}})"},
      {"pod", CONTAINER "env/0/valueFrom/fileKeyRef/optional", "false", "true",
       R"({"spec/containers/0/env/0":
           {"name":"A","valueFrom":{"fileKeyRef":{"volumeName":"v","path":"p","key":"k"}}}})"},
      {"pod", CONTAINER "lifecycle/postStart/httpGet/path", R"("/")", R"("/x")",
       R"({"spec/containers/0/lifecycle/postStart/httpGet/port":80})"},
      {"pod", CONTAINER "lifecycle/preStop/httpGet/scheme", R"("HTTP")", R"("HTTPS")",
       R"({"spec/containers/0/lifecycle/preStop/httpGet/port":80})"},
  };
  CheckRows(kRows);
  for (std::string list : {"initContainers", "ephemeralContainers"}) {
    json::value pod = BaseObject("pod");
    Set(pod, "spec/" + list + "/0", json::parse(R"({"name":"i","image":"x:1",
        "ports":[{"containerPort":80}],"livenessProbe":{"httpGet":{"port":80}}})"));
    json::value defaulted = Defaulted(pod);
    EXPECT_EQ(*Find(defaulted, "spec/" + list + "/0"), json::parse(R"({"name":"i","image":"x:1",
        "ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{},
        "livenessProbe":{"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"timeoutSeconds":1,
                         "periodSeconds":10,"successThreshold":1,"failureThreshold":3},
        "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
        "imagePullPolicy":"IfNotPresent"})"))
        << json::serialize(defaulted);
  }
}

TEST(PodDefaults, Probe) {
  for (std::string probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    std::string path = CONTAINER + probe;
    std::string http = R"({")" + path + R"(/httpGet/port":80})";
    std::string grpc = R"({")" + path + R"(/grpc/port":80})";
    auto at = [&](const char* field) { return path + "/" + field; };
    std::string timeout = at("timeoutSeconds");
    std::string period = at("periodSeconds");
    std::string success = at("successThreshold");
    std::string failure = at("failureThreshold");
    std::string delay = at("initialDelaySeconds");
    std::string grace = at("terminationGracePeriodSeconds");
    std::string http_path = at("httpGet/path");
    std::string scheme = at("httpGet/scheme");
    std::string service = at("grpc/service");
    const Row rows[] = {
        {"pod", timeout.c_str(), "1", "2", http.c_str()},
        {"pod", period.c_str(), "10", "2", http.c_str()},
        {"pod", success.c_str(), "1", "2", http.c_str()},
        {"pod", failure.c_str(), "3", "2", http.c_str()},
        {"pod", delay.c_str(), nullptr, "2", http.c_str()},
        {"pod", grace.c_str(), nullptr, "2", http.c_str()},
        {"pod", http_path.c_str(), R"("/")", R"("/x")", http.c_str()},
        {"pod", scheme.c_str(), R"("HTTP")", R"("HTTPS")", http.c_str()},
        {"pod", service.c_str(), R"("")", R"("x")", grpc.c_str()},
    };
    CheckRows(rows);
  }
}

TEST(PodDefaults, Volume) {
#define VOLUME "spec/volumes/0/"
#define WITH(source) R"({"spec/volumes/0":{"name":"v",)" source "}}"
  constexpr Row kRows[] = {
      {"pod", VOLUME "emptyDir", "{}", R"({"medium":"Memory"})", R"({"spec/volumes/0/name":"v"})"},
      {"pod", VOLUME "emptyDir", nullptr, nullptr, WITH(R"("csi":{"driver":"d"})")},
      {"pod", VOLUME "image/pullPolicy", R"("Always")", R"("Never")",
       WITH(R"("image":{"reference":"x"})")},
      {"pod", VOLUME "image/pullPolicy", R"("IfNotPresent")", R"("Never")",
       WITH(R"("image":{"reference":"x:1"})")},
      {"pod", VOLUME "secret/defaultMode", "420", "256", WITH(R"("secret":{})")},
      {"pod", VOLUME "configMap/defaultMode", "420", "0", WITH(R"("configMap":{})")},
      {"pod", VOLUME "downwardAPI/defaultMode", "420", "256", WITH(R"("downwardAPI":{})")},
      {"pod", VOLUME "projected/defaultMode", "420", "256", WITH(R"("projected":{})")},
      {"pod", VOLUME "projected/sources/0/serviceAccountToken/expirationSeconds", "3600", "600",
       WITH(R"("projected":{"sources":[{"serviceAccountToken":{"path":"p"}}]})")},
      {"pod", VOLUME "projected/sources/0/downwardAPI/items/0/fieldRef/apiVersion", R"("v1")",
       R"("v2")", WITH(R"("projected":{"sources":[
           {"downwardAPI":{"items":[{"path":"p","fieldRef":{"fieldPath":"x"}}]}}]})")},
      {"pod", VOLUME "downwardAPI/items/0/fieldRef/apiVersion", R"("v1")", R"("v2")",
       WITH(R"("downwardAPI":{"items":[{"path":"p","fieldRef":{"fieldPath":"x"}}]})")},
      {"pod", VOLUME "hostPath/type", R"("")", R"("Directory")",
       WITH(R"("hostPath":{"path":"/x"})")},
      {"pod", VOLUME "iscsi/iscsiInterface", R"("default")", R"("x")", WITH(R"("iscsi":{})")},
      {"pod", VOLUME "rbd/pool", R"("rbd")", R"("x")", WITH(R"("rbd":{})")},
      {"pod", VOLUME "rbd/user", R"("admin")", R"("x")", WITH(R"("rbd":{})")},
      {"pod", VOLUME "rbd/keyring", R"("/etc/ceph/keyring")", R"("x")", WITH(R"("rbd":{})")},
      {"pod", VOLUME "azureDisk/cachingMode", R"("ReadWrite")", R"("None")",
       WITH(R"("azureDisk":{})")},
      {"pod", VOLUME "azureDisk/fsType", R"("ext4")", R"("xfs")", WITH(R"("azureDisk":{})")},
      {"pod", VOLUME "azureDisk/readOnly", "false", "true", WITH(R"("azureDisk":{})")},
      {"pod", VOLUME "azureDisk/kind", R"("Shared")", R"("Managed")", WITH(R"("azureDisk":{})")},
      {"pod", VOLUME "scaleIO/storageMode", R"("ThinProvisioned")", R"("x")",
       WITH(R"("scaleIO":{})")},
      {"pod", VOLUME "scaleIO/fsType", R"("xfs")", R"("ext4")", WITH(R"("scaleIO":{})")},
      {"pod", VOLUME "ephemeral/volumeClaimTemplate/spec/volumeMode", R"("Filesystem")",
       R"("Block")", WITH(R"("ephemeral":{"volumeClaimTemplate":{"spec":{}}})")},
      {"podtemplate", "template/spec/volumes/0/emptyDir", "{}", R"({"medium":"Memory"})",
       R"({"template/spec/volumes/0/name":"v"})"},
  };
  CheckRows(kRows);
}

// Quantities are rounded up to thousandths, away from zero.
TEST(PodDefaults, ResourceLists) {
  struct {
    const char* given;
    const char* kept;
  } constexpr kQuantities[] = {
      {"1", "1"},          {"1m", "1m"},    {"100u", "1m"},     {"1n", "1m"},
      {"1.0001", "1001m"}, {"-1u", "-1m"},  {"1Gi", "1Gi"},     {"0", "0"},
      {"1e3", "1e3"},      {"1500u", "2m"}, {"0.5Gi", "512Mi"},
  };
  for (const char* path :
       {"spec/containers/0/resources/limits/cpu", "spec/containers/0/resources/requests/cpu",
        "spec/overhead/cpu", "spec/resources/limits/cpu", "spec/resources/requests/cpu",
        "status/containerStatuses/0/allocatedResources/cpu",
        "status/initContainerStatuses/0/resources/limits/cpu",
        "status/ephemeralContainerStatuses/0/resources/requests/cpu",
        "status/allocatedResources/cpu", "status/resources/limits/cpu"}) {
    for (auto [given, kept] : kQuantities) {
      json::value pod = BaseObject("pod");
      Set(pod, path, given);
      json::value defaulted = Defaulted(pod);
      ASSERT_NE(Find(defaulted, path), nullptr) << path;
      EXPECT_EQ(*Find(defaulted, path), kept) << path << " " << given;
    }
  }
}

TEST(PodDefaults, LatestTag) {
  constexpr Row kRows[] = {
      {"pod", CONTAINER "imagePullPolicy", R"("Always")", nullptr,
       R"({"spec/containers/0/image":"reg:5000/nginx"})"},
      {"pod", CONTAINER "imagePullPolicy", R"("Always")", nullptr,
       R"({"spec/containers/0/image":"nginx:latest@)" DIGEST R"("})"},
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", nullptr,
       R"({"spec/containers/0/image":"reg:5000/nginx:1"})"},
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", nullptr,
       R"({"spec/containers/0/image":"nginx@)" DIGEST R"("})"},
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", nullptr,
       R"({"spec/containers/0/image":"nginx:Latest"})"},
      // What is no reference.
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", nullptr,
       R"({"spec/containers/0/image":"nginx:"})"},
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", nullptr,
       R"({"spec/containers/0/image":"nginx:latest@sha256:abc"})"},
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", nullptr,
       R"({"spec/containers/0/image":"Nginx"})"},
      {"pod", CONTAINER "imagePullPolicy", R"("IfNotPresent")", nullptr,
       R"({"spec/containers/0/image":""})"},
  };
  CheckRows(kRows);
}

}  // namespace
}  // namespace podium::api::test
