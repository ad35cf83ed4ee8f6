#include "node/environment.h"

#include <gtest/gtest.h>

#include "node/fake_objects.h"
#include "node/pods.h"

namespace podium::node {
namespace {

NodeConfig Config() {
  NodeConfig config{.name = "node7", .addresses = {"192.0.2.1", "2001:db8::1"}};
  config.allocatable = {{"cpu", api::Quantity::Must("3500m")},
                        {"memory", api::Quantity::Must("8Gi")},
                        {"ephemeral-storage", api::Quantity::Must("100Gi")}};
  return config;
}

class EnvironmentTest : public ::testing::Test {
 protected:
  Result<Environment> Make(const std::string& container, const std::string& more = {}) {
    pod_ = PodOf("serviceAccountName: sa, containers: [{name: a, " + container + "}" + more + "]");
    pod_.metadata.labels = {{"app", "web"}, {"x/y", "1"}};
    pod_.metadata.annotations = {{"note", "a \"b\"\n"}};
    return MakeEnvironment({.pod = pod_,
                            .container = pod_.spec.containers[0],
                            .config = config_,
                            .objects = objects_,
                            .pod_addresses = addresses_,
                            .services = services_,
                            .read_file = read_file_});
  }
  std::string Show(const std::string& container, const std::string& more = {}) {
    auto made = Make(container, more);
    if (!made.ok()) return "error: " + made.error().message();
    std::string out;
    for (const auto& variable : made->variables()) {
      out += variable.name + "=" + variable.value + "; ";
    }
    return out.empty() ? out : out.substr(0, out.size() - 2);
  }

  v1::Pod pod_;
  NodeConfig config_ = Config();
  FakeObjects objects_;
  Environment services_;
  std::vector<std::string> addresses_{"10.208.0.2", "fd00::2"};
  std::function<Result<std::string>(std::string_view, std::string_view)> read_file_;
};

TEST_F(EnvironmentTest, ValuesAndVariables) {
  EXPECT_EQ(Show("env: [{name: A, value: x}, {name: B, value: '$(A)-$(C)-$$(A)'}, {name: C, value: "
                 "'$(B)'}, {name: D}]"),
            "A=x; B=x-$(C)-$(A); C=x-$(C)-$(A); D=");
  EXPECT_EQ(Show("env: [{name: A, value: x}, {name: B, value: b}, {name: A, value: '$(A)y'}]"),
            "A=xy; B=b");
}

TEST_F(EnvironmentTest, Fields) {
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, "
                 "{name: B, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}, "
                 "{name: C, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}, "
                 "{name: D, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['x/y']\"}}}, "
                 "{name: E, valueFrom: {fieldRef: {fieldPath: \"metadata.annotations['none']\"}}}, "
                 "{name: F, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}, "
                 "{name: G, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}]"),
            "A=p; B=ns; C=u; D=1; E=; F=node7; G=sa");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}}}, "
                 "{name: B, valueFrom: {fieldRef: {fieldPath: status.podIPs}}}, "
                 "{name: C, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}, "
                 "{name: D, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}]"),
            "A=10.208.0.2; B=10.208.0.2,fd00::2; C=192.0.2.1; D=192.0.2.1,2001:db8::1");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.hostname}}}]"),
            "error: unsupported fieldPath: spec.hostname");
}

TEST_F(EnvironmentTest, Resources) {
  const std::string resources =
      "resources: {limits: {cpu: 1500m, memory: 100Mi}, requests: {cpu: 250m}}, ";
  auto one = [&](const std::string& own, const std::string& ref) {
    return Show(own + "env: [{name: A, valueFrom: {resourceFieldRef: {" + ref + "}}}]");
  };
  EXPECT_EQ(one(resources, "resource: limits.cpu"), "A=2");
  EXPECT_EQ(one(resources, "resource: limits.cpu, divisor: 1m"), "A=1500");
  EXPECT_EQ(one(resources, "resource: requests.cpu, divisor: 100m"), "A=3");
  EXPECT_EQ(one(resources, "resource: limits.memory"), "A=104857600");
  EXPECT_EQ(one(resources, "resource: limits.memory, divisor: 1Mi"), "A=100");
  EXPECT_EQ(one(resources, "resource: limits.memory, divisor: 3Mi"), "A=34");
  EXPECT_EQ(one("", "resource: limits.cpu"), "A=4");
  EXPECT_EQ(one("", "resource: limits.memory, divisor: 1Gi"), "A=8");
  EXPECT_EQ(one("", "resource: limits.ephemeral-storage, divisor: 1Gi"), "A=100");
  EXPECT_EQ(one("", "resource: requests.cpu"), "A=0");
  EXPECT_EQ(one("", "resource: limits.disk"),
            "error: unsupported container resource : limits.disk");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {resourceFieldRef: {containerName: b, resource: "
                 "limits.memory, divisor: 1Mi}}}]",
                 ", {name: b, resources: {limits: {memory: 7Mi}}}"),
            "A=7");
  EXPECT_EQ(one("", "containerName: none, resource: limits.cpu"),
            "error: container none not found");
}

TEST_F(EnvironmentTest, ConfigMapsAndSecrets) {
  objects_.AddConfigMap("c", {{"k", "v"}, {"l", "w"}});
  objects_.AddSecret("s", {{"k", "hidden"}});
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: k}}}, {name: B, "
                 "valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: C, value: '$(A)$(B)'}]"),
            "A=v; B=hidden; C=vhidden");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: k}}}]"),
            "error: configmap \"none\" not found");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: none}}}]"),
            "error: couldn't find key none in ConfigMap ns/c");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {secretKeyRef: {name: none, key: k}}}]"),
            "error: secret \"none\" not found");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: none}}}]"),
            "error: couldn't find key none in Secret ns/s");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: k, optional: "
                 "true}}}, {name: B, valueFrom: {configMapKeyRef: {name: c, key: none, optional: "
                 "true}}}, {name: C, valueFrom: {secretKeyRef: {name: none, key: k, optional: "
                 "true}}}, {name: D, valueFrom: {secretKeyRef: {name: s, key: none, optional: "
                 "true}}}, {name: E, value: e}]"),
            "E=e");
}

TEST_F(EnvironmentTest, WholeConfigMapsAndSecrets) {
  objects_.AddConfigMap("c", {{"k", "v"}, {"l", "$(k)"}});
  objects_.AddSecret("s", {{"k", "hidden"}, {"m", "n"}});
  EXPECT_EQ(Show("envFrom: [{configMapRef: {name: c}}, {secretRef: {name: s}}, {prefix: P_, "
                 "configMapRef: {name: c}}], env: [{name: l, value: own}, {name: Z, value: "
                 "'$(P_k)'}]"),
            "k=hidden; l=own; m=n; P_k=v; P_l=$(k); Z=v");
  EXPECT_EQ(Show("envFrom: [{configMapRef: {name: none}}]"), "error: configmap \"none\" not found");
  EXPECT_EQ(Show("envFrom: [{secretRef: {name: none}}]"), "error: secret \"none\" not found");
  EXPECT_EQ(Show("envFrom: [{configMapRef: {name: none, optional: true}}, {secretRef: {name: none, "
                 "optional: true}}]"),
            "");
}

TEST_F(EnvironmentTest, Services) {
  services_.Set("DB_SERVICE_HOST", "10.96.0.7");
  services_.Set("A", "of the service");
  EXPECT_EQ(Show("env: [{name: A, value: 'at $(DB_SERVICE_HOST)'}]"),
            "A=at 10.96.0.7; DB_SERVICE_HOST=10.96.0.7");
}

TEST_F(EnvironmentTest, Files) {
  const std::string from =
      "env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: f.env, key: KEY}}}]";
  EXPECT_EQ(Show(from), "error: environment variables from files are not offered here");
  read_file_ = [](std::string_view volume, std::string_view path) -> Result<std::string> {
    EXPECT_EQ(volume, "v");
    EXPECT_EQ(path, "f.env");
    return std::string("# KEY=no\nOTHER=1\nKEY = \"a b\"\n");
  };
  EXPECT_EQ(Show(from), "A=a b");
  read_file_ = [](std::string_view, std::string_view) -> Result<std::string> {
    return std::string("OTHER=1");
  };
  EXPECT_EQ(Show(from),
            "error: file f.env of volume v: environment variable key \"KEY\" not found");
  EXPECT_EQ(Show("env: [{name: A, valueFrom: {fileKeyRef: {volumeName: v, path: f.env, key: KEY, "
                 "optional: true}}}]"),
            "");
}

TEST_F(EnvironmentTest, SubPaths) {
  Environment environment;
  environment.Set("POD", "p");
  v1::VolumeMount mount;
  mount.subPathExpr = "logs/$(POD)/$$(POD)";
  EXPECT_EQ(*ExpandSubPath(mount, environment), "logs/p/$(POD)");
  mount.subPathExpr = "$(NONE)";
  EXPECT_EQ(ExpandSubPath(mount, environment).error().message(), "missing value for NONE");
  environment.Set("EMPTY", "");
  mount.subPathExpr = "$(NONE)/$(POD)/$(EMPTY)/$(NONE)";
  EXPECT_EQ(ExpandSubPath(mount, environment).error().message(), "missing value for EMPTY, NONE");
}

}  // namespace
}  // namespace podium::node
