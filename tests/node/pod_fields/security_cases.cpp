// Users, namespaces and what containers may do: what PodSpec, PodSecurityContext and
// SecurityContext say of it.
#include <algorithm>
#include <string>
#include <vector>

#include "node/pod_fields/field_cases.h"

namespace podium::node::pod_fields {
namespace {

FieldCase OfPod(const std::string& field, const std::string& context, Look look,
                const std::string& expected) {
  return {.field = field,
          .spec = "securityContext: {" + context + "}, containers: [{name: a}]",
          .look = std::move(look),
          .expected = expected};
}

ContainerCase OfContainer(const std::string& field, const std::string& context, Look look,
                          const std::string& expected) {
  return {.field = field,
          .container = "securityContext: {" + context + "}",
          .look = std::move(look),
          .expected = expected};
}

Look Security(const std::string& path) { return Container("linux.security_context." + path); }
Look PodSecurity(const std::string& path) { return Sandbox("linux.security_context." + path); }

// The seccomp profile on a node where there is none by default.
std::string UnlessDefault(PodRun& run) {
  run.node.config.seccomp_default = false;
  return Security("seccomp.profile_type")(run);
}

std::vector<FieldCase> NamespaceCases() {
  const std::string path = "linux.security_context.namespace_options.";
  const std::string rest = ", containers: [{name: a}]";
  return {
      {"PodSpec.hostNetwork", "hostNetwork: true" + rest, Sandbox(path + "network"), "NODE"},
      {"PodSpec.hostPID", "hostPID: true" + rest, Sandbox(path + "pid"), "NODE"},
      {"PodSpec.hostIPC", "hostIPC: true" + rest, Sandbox(path + "ipc"), "NODE"},
      {"PodSpec.shareProcessNamespace", "shareProcessNamespace: true" + rest,
       Container(path + "pid"), "POD"},
      {"PodSpec.hostUsers", "hostUsers: false" + rest, Container(path + "userns_options.mode"),
       "POD"},
  };
}

std::vector<FieldCase> PodContextCases() {
  return {
      OfPod("PodSecurityContext.seLinuxOptions.user", "seLinuxOptions: {user: u_u}",
            PodSecurity("selinux_options.user"), "u_u"),
      OfPod("PodSecurityContext.seLinuxOptions.role", "seLinuxOptions: {role: r_r}",
            Security("selinux_options.role"), "r_r"),
      OfPod("PodSecurityContext.seLinuxOptions.type", "seLinuxOptions: {type: t_t}",
            PodSecurity("selinux_options.type"), "t_t"),
      OfPod("PodSecurityContext.seLinuxOptions.level", "seLinuxOptions: {level: 's0:c1'}",
            Security("selinux_options.level"), "s0:c1"),
      OfPod("PodSecurityContext.runAsUser", "runAsUser: 5", Security("run_as_user.value"), "5"),
      OfPod("PodSecurityContext.runAsGroup", "runAsUser: 5, runAsGroup: 6",
            Security("run_as_group.value"), "6"),
      OfPod("PodSecurityContext.runAsNonRoot", "runAsNonRoot: true", EventOf("Failed"),
            "Failed: Error: container has runAsNonRoot and image will run as root (pod: "
            "\"p_ns(u)\", container: a)"),
      OfPod("PodSecurityContext.supplementalGroups", "supplementalGroups: [8, 9]",
            Security("supplemental_groups"), "[8,9]"),
      OfPod("PodSecurityContext.supplementalGroupsPolicy", "supplementalGroupsPolicy: Strict",
            Security("supplemental_groups_policy"), "Strict"),
      OfPod("PodSecurityContext.fsGroup", "fsGroup: 7", Security("supplemental_groups"), "[7]"),
      OfPod("Sysctl.name", "sysctls: [{name: kernel.shm_rmid_forced, value: '1'}]",
            Sandbox("linux.sysctls"), "{\"kernel.shm_rmid_forced\":\"1\"}"),
      OfPod("Sysctl.value", "sysctls: [{name: kernel.shm_rmid_forced, value: '1'}]",
            Sandbox("linux.sysctls"), "{\"kernel.shm_rmid_forced\":\"1\"}"),
      OfPod("PodSecurityContext.seccompProfile.type", "seccompProfile: {type: RuntimeDefault}",
            UnlessDefault, "RuntimeDefault"),
      OfPod(
          "PodSecurityContext.seccompProfile.localhostProfile",
          "seccompProfile: {type: Localhost, localhostProfile: x.json}",
          [](PodRun& run) {
            const std::string ref = Security("seccomp.localhost_ref")(run);
            return ref.substr(ref.rfind('/') + 1);
          },
          "x.json"),
      OfPod("PodSecurityContext.appArmorProfile.type", "appArmorProfile: {type: RuntimeDefault}",
            Security("apparmor.profile_type"), "RuntimeDefault"),
      OfPod("PodSecurityContext.appArmorProfile.localhostProfile",
            "appArmorProfile: {type: Localhost, localhostProfile: mine}",
            Security("apparmor.localhost_ref"), "mine"),
  };
}

std::vector<ContainerCase> ContextCases() {
  return {
      OfContainer("Capabilities.add", "capabilities: {add: [SYS_TIME]}",
                  Security("capabilities.add_capabilities"), "[\"SYS_TIME\"]"),
      OfContainer("Capabilities.drop", "capabilities: {drop: [ALL]}",
                  Security("capabilities.drop_capabilities"), "[\"ALL\"]"),
      OfContainer("SecurityContext.privileged", "privileged: true", Security("privileged"), "true"),
      OfContainer("SecurityContext.seLinuxOptions.user", "seLinuxOptions: {user: u_u}",
                  Security("selinux_options.user"), "u_u"),
      OfContainer("SecurityContext.seLinuxOptions.role", "seLinuxOptions: {role: r_r}",
                  Security("selinux_options.role"), "r_r"),
      OfContainer("SecurityContext.seLinuxOptions.type", "seLinuxOptions: {type: t_t}",
                  Security("selinux_options.type"), "t_t"),
      OfContainer("SecurityContext.seLinuxOptions.level", "seLinuxOptions: {level: 's0:c1'}",
                  Security("selinux_options.level"), "s0:c1"),
      OfContainer("SecurityContext.runAsUser", "runAsUser: 5", Security("run_as_user.value"), "5"),
      OfContainer("SecurityContext.runAsGroup", "runAsUser: 5, runAsGroup: 6",
                  Security("run_as_group.value"), "6"),
      OfContainer("SecurityContext.runAsNonRoot", "runAsNonRoot: true, runAsUser: 0",
                  EventOf("Failed"),
                  "Failed: Error: container's runAsUser breaks non-root policy (pod: \"p_ns(u)\", "
                  "container: a)"),
      OfContainer("SecurityContext.readOnlyRootFilesystem", "readOnlyRootFilesystem: true",
                  Security("readonly_rootfs"), "true"),
      OfContainer("SecurityContext.allowPrivilegeEscalation", "allowPrivilegeEscalation: false",
                  Security("no_new_privs"), "true"),
      OfContainer("SecurityContext.procMount", "procMount: Unmasked", Security("masked_paths"),
                  "[]"),
      OfContainer("SecurityContext.seccompProfile.type", "seccompProfile: {type: RuntimeDefault}",
                  UnlessDefault, "RuntimeDefault"),
      OfContainer(
          "SecurityContext.seccompProfile.localhostProfile",
          "seccompProfile: {type: Localhost, localhostProfile: x.json}",
          [](PodRun& run) {
            const std::string ref = Security("seccomp.localhost_ref")(run);
            return ref.substr(ref.rfind('/') + 1);
          },
          "x.json"),
      OfContainer("SecurityContext.appArmorProfile.type", "appArmorProfile: {type: RuntimeDefault}",
                  Security("apparmor.profile_type"), "RuntimeDefault"),
      OfContainer("SecurityContext.appArmorProfile.localhostProfile",
                  "appArmorProfile: {type: Localhost, localhostProfile: mine}",
                  Security("apparmor.localhost_ref"), "mine"),
  };
}

}  // namespace

std::vector<FieldCase> SecurityCases() {
  std::vector<FieldCase> out = NamespaceCases();
  std::ranges::move(PodContextCases(), std::back_inserter(out));
  std::ranges::move(CasesOf(ContextCases()), std::back_inserter(out));
  return out;
}

}  // namespace podium::node::pod_fields
