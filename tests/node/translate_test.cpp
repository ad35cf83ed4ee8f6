#include "node/translate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/dns.h"
#include "node/fake_objects.h"
#include "node/pods.h"
#include "reflect/json.h"
#include "reflect/yaml.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;

NodeConfig Config() {
  NodeConfig config{.name = "node7", .addresses = {"192.0.2.1"}};
  config.data_dir = "/data";
  config.log_dir = "/var/log/pods";
  config.memory_bytes = int64_t{8} << 30;
  config.huge_page_sizes = {2 << 20};
  return config;
}

template <class T>
std::string Yaml(const T& object) {
  std::string out;
  EXPECT_TRUE(reflect::JsonToYaml(*reflect::ToJson(object), &out).ok());
  return out;
}

// Compares with tests/node/golden/NAME; PODIUM_ACCEPT=1 writes it.
void ExpectGolden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(PODIUM_SOURCE_DIR) / "tests/node/golden" / name;
  if (std::getenv("PODIUM_ACCEPT")) {  // NOLINT(concurrency-mt-unsafe): nothing sets
    std::ofstream(path) << text;
  }
  std::ostringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, expected.str()) << path;
}

Environment EnvironmentOf(const v1::Pod& pod, const v1::Container& container,
                          const NodeConfig& config) {
  const std::vector<std::string> addresses{"10.208.0.2"};
  return *MakeEnvironment({.pod = pod,
                           .container = container,
                           .config = config,
                           .objects = FakeObjects(),
                           .pod_addresses = addresses,
                           .services = {},
                           .read_file = {}});
}

Result<cri::ContainerConfig> Translate(const v1::Pod& pod, const v1::Container& container,
                                       int32_t restarts = 0) {
  const NodeConfig config = Config();
  const Environment environment = EnvironmentOf(pod, container, config);
  return TranslateContainer({.pod = pod,
                             .container = container,
                             .config = config,
                             .restart_count = restarts,
                             .image = "sha256:1234",
                             .image_user = ImageUser::Parse("1000"),
                             .environment = environment,
                             .mounts = {},
                             .hosts_file = "/data/pods/u/etc-hosts",
                             .termination_file = "/data/pods/u/containers/a/0",
                             .target_id = {},
                             .user_namespace = {}});
}

TEST(TranslateTest, TheSmallestPod) {
  const v1::Pod pod = PodOf("containers: [{name: a}]");
  const NodeConfig config = Config();
  auto sandbox = TranslateSandbox({.pod = pod,
                                   .config = config,
                                   .attempt = 0,
                                   .dns = MakePodDns(pod, config, {}).config,
                                   .user_namespace = {}});
  ASSERT_TRUE(sandbox.ok()) << sandbox.error().message();
  ExpectGolden("smallest.sandbox.yaml", Yaml(*sandbox));
  auto container = Translate(pod, pod.spec.containers[0]);
  ASSERT_TRUE(container.ok()) << container.error().message();
  ExpectGolden("smallest.a.yaml", Yaml(*container));
}

TEST(TranslateTest, APodThatSaysALot) {
  v1::Pod pod = PodOf(
      "hostname: h, subdomain: s, setHostnameAsFQDN: true, shareProcessNamespace: true, "
      "terminationGracePeriodSeconds: 7, hostUsers: false, "
      "securityContext: {runAsUser: 5, runAsGroup: 6, fsGroup: 7, supplementalGroups: [8], "
      "sysctls: "
      "[{name: net/ipv4/ip_unprivileged_port_start, value: '0'}, {name: kernel.shm_rmid_forced, "
      "value: '1'}], seccompProfile: {type: Localhost, localhostProfile: x.json}}, "
      "dnsConfig: {nameservers: [1.2.3.4]}, "
      "initContainers: [{name: i, ports: [{containerPort: 1}]}, {name: s, restartPolicy: Always, "
      "ports: [{containerPort: 15001, hostPort: 15001, hostIP: 127.0.0.1}]}], "
      "containers: [{name: a, image: 'nginx:1', command: [/bin/x, '$(ME)'], args: ['$(ME)', "
      "'$(NONE)', '$$(ME)'], workingDir: /srv, stdin: true, stdinOnce: true, tty: true, env: "
      "[{name: "
      "ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], ports: [{name: web, containerPort: "
      "80, hostPort: 8080}, {containerPort: 53, protocol: UDP}], resources: {requests: {cpu: 100m, "
      "memory: 1Gi}, limits: {memory: 2Gi, hugepages-2Mi: 2Mi}}, terminationMessagePath: /dev/end, "
      "terminationMessagePolicy: FallbackToLogsOnError, lifecycle: {preStop: {exec: {command: "
      "[bye]}}, stopSignal: SIGUSR1}, securityContext: {privileged: true, capabilities: {add: "
      "[SYS_TIME]}}}, {name: b, ports: [{containerPort: 53, protocol: UDP}], securityContext: "
      "{readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, procMount: Unmasked, "
      "appArmorProfile: {type: Localhost, localhostProfile: mine}}}]");
  pod.metadata.labels = {{"app", "web"}, {"io.kubernetes.pod.name", "another"}};
  pod.metadata.annotations = {{"note", "x"}};
  pod.metadata.deletionGracePeriodSeconds = 3;
  const NodeConfig config = Config();
  cri::UserNamespace users;
  users.uids.push_back({.host_id = 131072, .container_id = 0, .length = 65536});
  users.gids = users.uids;
  auto sandbox = TranslateSandbox({.pod = pod,
                                   .config = config,
                                   .attempt = 2,
                                   .dns = MakePodDns(pod, config, {}).config,
                                   .user_namespace = users});
  ASSERT_TRUE(sandbox.ok()) << sandbox.error().message();
  ExpectGolden("much.sandbox.yaml", Yaml(*sandbox));
  for (const v1::Container& container : pod.spec.containers) {
    auto translated = Translate(pod, container, 4);
    ASSERT_TRUE(translated.ok()) << translated.error().message();
    ExpectGolden("much." + container.name + ".yaml", Yaml(*translated));
  }
}

TEST(TranslateTest, TheHostsNetworkKeepsTheHostsName) {
  const v1::Pod pod = PodOf("hostNetwork: true, hostname: h, containers: [{name: a}]");
  const NodeConfig config = Config();
  auto sandbox = TranslateSandbox(
      {.pod = pod, .config = config, .attempt = 0, .dns = {}, .user_namespace = {}});
  EXPECT_EQ(sandbox->hostname, "");
  EXPECT_EQ(sandbox->linux_->security_context->namespace_options->network,
            cri::NamespaceMode::kNode);
}

TEST(TranslateTest, AHostNameThatCannotBe) {
  v1::Pod pod = PodOf("setHostnameAsFQDN: true, subdomain: s, containers: [{name: a}]");
  pod.metadata.name = std::string(60, 'a');
  const NodeConfig config = Config();
  EXPECT_FALSE(TranslateSandbox(
                   {.pod = pod, .config = config, .attempt = 0, .dns = {}, .user_namespace = {}})
                   .ok());
}

TEST(TranslateTest, WhoMayNotBeRootIsNot) {
  const v1::Pod pod =
      PodOf("containers: [{name: a, securityContext: {runAsNonRoot: true, runAsUser: 0}}]");
  EXPECT_EQ(Translate(pod, pod.spec.containers[0]).error().message(),
            "container's runAsUser breaks non-root policy (pod: \"p_ns(u)\", container: a)");
}

TEST(TranslateTest, AVolumeTakesThePlaceOfOurFiles) {
  const v1::Pod pod = PodOf("containers: [{name: a}]");
  const NodeConfig config = Config();
  const Environment environment;
  cri::Mount hosts;
  hosts.container_path = "/etc/hosts";
  hosts.host_path = "/mine";
  cri::Mount end;
  end.container_path = "/dev/termination-log";
  auto made = TranslateContainer({.pod = pod,
                                  .container = pod.spec.containers[0],
                                  .config = config,
                                  .image = "i",
                                  .image_user = {},
                                  .environment = environment,
                                  .mounts = {hosts, end},
                                  .hosts_file = "/data/pods/u/etc-hosts",
                                  .termination_file = "/data/pods/u/containers/a/0",
                                  .target_id = {},
                                  .user_namespace = {}});
  ASSERT_EQ(made->mounts.size(), 2u);
  EXPECT_EQ(made->mounts[0].host_path, "/mine");
}

TEST(TranslateTest, AnEphemeralContainerSeesItsTarget) {
  const v1::Pod pod =
      PodOf("containers: [{name: a}], ephemeralContainers: [{name: e, targetContainerName: a}]");
  const NodeConfig config = Config();
  const Environment environment;
  const v1::Container container = ContainerAt(pod, {ContainerKind::kEphemeral, 0});
  auto made = TranslateContainer({.pod = pod,
                                  .container = container,
                                  .kind = ContainerKind::kEphemeral,
                                  .config = config,
                                  .image = "i",
                                  .image_user = {},
                                  .environment = environment,
                                  .mounts = {},
                                  .hosts_file = {},
                                  .termination_file = {},
                                  .target_id = "id-of-a",
                                  .user_namespace = {}});
  EXPECT_EQ(made->linux_->security_context->namespace_options->pid, cri::NamespaceMode::kTarget);
  EXPECT_EQ(made->linux_->security_context->namespace_options->target_id, "id-of-a");
  EXPECT_TRUE(made->mounts.empty());
}

}  // namespace
}  // namespace podium::node
