#include "node/security_context.h"

#include <gtest/gtest.h>

#include "node/pods.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;

NodeConfig Config() {
  NodeConfig config{.name = "n"};
  config.data_dir = "/data";
  return config;
}

cri::LinuxContainerSecurityContext Of(const std::string& container, const std::string& pod = {}) {
  const v1::Pod made = PodOf("securityContext: {" + pod +
                             "}, containers: [{name: a, securityContext: {" + container + "}}]");
  return ContainerSecurity(made, made.spec.containers[0], Config());
}

TEST(SecurityContextTest, TheContainersWinsOverThePods) {
  EXPECT_EQ(Of("", "runAsUser: 7, runAsGroup: 8").run_as_user->value, 7);
  EXPECT_EQ(Of("", "runAsUser: 7, runAsGroup: 8").run_as_group->value, 8);
  EXPECT_EQ(Of("runAsUser: 0, runAsGroup: 9", "runAsUser: 7, runAsGroup: 8").run_as_user->value, 0);
  EXPECT_EQ(Of("runAsUser: 0, runAsGroup: 9", "runAsUser: 7, runAsGroup: 8").run_as_group->value,
            9);
  EXPECT_FALSE(Of("").run_as_user);
  EXPECT_EQ(
      Of("seLinuxOptions: {type: t}", "seLinuxOptions: {type: u, user: x}").selinux_options->type,
      "t");
  EXPECT_EQ(Of("", "seLinuxOptions: {type: u}").selinux_options->type, "u");
}

TEST(SecurityContextTest, WhatAContainerMayDo) {
  const auto context =
      Of("capabilities: {add: [NET_ADMIN], drop: [ALL]}, privileged: false, "
         "readOnlyRootFilesystem: true, allowPrivilegeEscalation: false");
  EXPECT_EQ(context.capabilities->add_capabilities, (std::vector<std::string>{"NET_ADMIN"}));
  EXPECT_EQ(context.capabilities->drop_capabilities, (std::vector<std::string>{"ALL"}));
  EXPECT_FALSE(context.privileged);
  EXPECT_TRUE(context.readonly_rootfs);
  EXPECT_TRUE(context.no_new_privs);
  EXPECT_FALSE(Of("").no_new_privs);
  EXPECT_FALSE(Of("").readonly_rootfs);
  EXPECT_TRUE(Of("privileged: true").privileged);
}

TEST(SecurityContextTest, Groups) {
  const auto context =
      Of("", "fsGroup: 5, supplementalGroups: [6, 7], supplementalGroupsPolicy: Strict");
  EXPECT_EQ(context.supplemental_groups, (std::vector<int64_t>{5, 6, 7}));
  EXPECT_EQ(context.supplemental_groups_policy, cri::SupplementalGroupsPolicy::kStrict);
  EXPECT_EQ(Of("").supplemental_groups_policy, cri::SupplementalGroupsPolicy::kMerge);
}

TEST(SecurityContextTest, MaskedPaths) {
  EXPECT_EQ(Of("").masked_paths.size(), 12u);
  EXPECT_EQ(Of("").masked_paths[3], "/proc/kcore");
  EXPECT_EQ(Of("").readonly_paths, (std::vector<std::string>{"/proc/bus", "/proc/fs", "/proc/irq",
                                                             "/proc/sys", "/proc/sysrq-trigger"}));
  EXPECT_TRUE(Of("procMount: Unmasked").masked_paths.empty());
  EXPECT_TRUE(Of("procMount: Unmasked").readonly_paths.empty());
  EXPECT_TRUE(Of("privileged: true").masked_paths.empty());
  EXPECT_EQ(Of("procMount: Default").masked_paths.size(), 12u);
}

TEST(SecurityContextTest, Seccomp) {
  EXPECT_EQ(Of("").seccomp->profile_type, cri::ProfileType::kRuntimeDefault);
  EXPECT_EQ(Of("privileged: true").seccomp->profile_type, cri::ProfileType::kUnconfined);
  EXPECT_EQ(Of("seccompProfile: {type: Unconfined}").seccomp->profile_type,
            cri::ProfileType::kUnconfined);
  EXPECT_EQ(Of("seccompProfile: {type: RuntimeDefault}", "seccompProfile: {type: Unconfined}")
                .seccomp->profile_type,
            cri::ProfileType::kRuntimeDefault);
  EXPECT_EQ(Of("", "seccompProfile: {type: Unconfined}").seccomp->profile_type,
            cri::ProfileType::kUnconfined);
  const auto local = Of("seccompProfile: {type: Localhost, localhostProfile: p/q.json}");
  EXPECT_EQ(local.seccomp->profile_type, cri::ProfileType::kLocalhost);
  EXPECT_EQ(local.seccomp->localhost_ref, "/data/seccomp/p/q.json");
  NodeConfig config = Config();
  config.seccomp_default = false;
  const v1::Pod pod = PodOf("containers: [{name: a}]");
  EXPECT_EQ(ContainerSecurity(pod, pod.spec.containers[0], config).seccomp->profile_type,
            cri::ProfileType::kUnconfined);
}

TEST(SecurityContextTest, AppArmor) {
  EXPECT_FALSE(Of("").apparmor);
  EXPECT_EQ(Of("appArmorProfile: {type: RuntimeDefault}").apparmor->profile_type,
            cri::ProfileType::kRuntimeDefault);
  EXPECT_EQ(Of("", "appArmorProfile: {type: Unconfined}").apparmor->profile_type,
            cri::ProfileType::kUnconfined);
  EXPECT_EQ(Of("appArmorProfile: {type: Localhost, localhostProfile: x}").apparmor->localhost_ref,
            "x");
}

TEST(SecurityContextTest, Namespaces) {
  const auto of = [](const std::string& spec) {
    return NamespacesOf(PodOf(spec + "containers: [{name: a}]"), std::nullopt);
  };
  EXPECT_EQ(of("").network, cri::NamespaceMode::kPod);
  EXPECT_EQ(of("").ipc, cri::NamespaceMode::kPod);
  EXPECT_EQ(of("").pid, cri::NamespaceMode::kContainer);
  EXPECT_EQ(of("").userns_options->mode, cri::NamespaceMode::kNode);
  EXPECT_EQ(of("hostNetwork: true, ").network, cri::NamespaceMode::kNode);
  EXPECT_EQ(of("hostIPC: true, ").ipc, cri::NamespaceMode::kNode);
  EXPECT_EQ(of("hostPID: true, ").pid, cri::NamespaceMode::kNode);
  EXPECT_EQ(of("shareProcessNamespace: true, ").pid, cri::NamespaceMode::kPod);
  cri::UserNamespace users;
  users.uids.push_back({.host_id = 65536, .container_id = 0, .length = 65536});
  const v1::Pod pod = PodOf("hostUsers: false, containers: [{name: a}]");
  EXPECT_EQ(NamespacesOf(pod, users).userns_options->mode, cri::NamespaceMode::kPod);
  EXPECT_EQ(NamespacesOf(pod, users).userns_options->uids[0].host_id, 65536u);
}

TEST(SecurityContextTest, Sandboxes) {
  const v1::Pod pod = PodOf(
      "securityContext: {runAsUser: 1, runAsGroup: 2, supplementalGroups: [3]}, "
      "initContainers: [{name: i, securityContext: {privileged: true}}], containers: [{name: "
      "a}]");
  const auto context = SandboxSecurity(pod, std::nullopt);
  EXPECT_TRUE(context.privileged);
  EXPECT_EQ(context.run_as_user->value, 1);
  EXPECT_EQ(context.run_as_group->value, 2);
  EXPECT_EQ(context.supplemental_groups, (std::vector<int64_t>{3}));
  EXPECT_EQ(context.seccomp->profile_type, cri::ProfileType::kRuntimeDefault);
  EXPECT_FALSE(SandboxSecurity(PodOf("containers: [{name: a}]"), std::nullopt).privileged);
}

TEST(SecurityContextTest, ImageUsers) {
  EXPECT_EQ(ImageUser::Parse("").uid, 0);
  EXPECT_EQ(ImageUser::Parse("1000").uid, 1000);
  EXPECT_EQ(ImageUser::Parse("1000:5").uid, 1000);
  EXPECT_EQ(ImageUser::Parse("nginx").name, "nginx");
  EXPECT_EQ(ImageUser::Parse("nginx:www").name, "nginx");
  EXPECT_EQ(ImageUser::Parse("nginx").uid, std::nullopt);
  // Too large for any number: a name that nobody has.
  EXPECT_EQ(ImageUser::Parse("99999999999999999999").name, "99999999999999999999");
}

TEST(SecurityContextTest, RunAsNonRoot) {
  struct Case {
    const char* container;
    const char* image_user;
    const char* error;
  };
  const Case cases[] = {
      {"", "", ""},
      {"runAsNonRoot: false", "", ""},
      {"runAsNonRoot: true, runAsUser: 1", "", ""},
      {"runAsNonRoot: true, runAsUser: 0", "1000",
       "container's runAsUser breaks non-root policy (pod: \"p_ns(u)\", container: a)"},
      {"runAsNonRoot: true", "",
       "container has runAsNonRoot and image will run as root (pod: \"p_ns(u)\", container: a)"},
      {"runAsNonRoot: true", "0:5",
       "container has runAsNonRoot and image will run as root (pod: \"p_ns(u)\", container: a)"},
      {"runAsNonRoot: true", "1000", ""},
      {"runAsNonRoot: true", "root",
       "container has runAsNonRoot and image has non-numeric user (root), cannot verify user is "
       "non-root (pod: \"p_ns(u)\", container: a)"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(std::string(each.container) + " " + each.image_user);
    const v1::Pod pod =
        PodOf(std::string("containers: [{name: a, securityContext: {") + each.container + "}}]");
    auto result =
        VerifyRunAsNonRoot(pod, pod.spec.containers[0], ImageUser::Parse(each.image_user));
    EXPECT_EQ(result.ok() ? "" : result.error().message(), each.error);
  }
  const v1::Pod pod = PodOf("securityContext: {runAsNonRoot: true}, containers: [{name: a}]");
  EXPECT_FALSE(VerifyRunAsNonRoot(pod, pod.spec.containers[0], ImageUser::Parse("")).ok());
}

}  // namespace
}  // namespace podium::node
