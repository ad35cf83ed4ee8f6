// Security contexts of containers and pods, and user namespaces.
#include "api/validation/pod_harness.h"

namespace podium::api {
namespace {

std::string S(const std::string& json) { return "spec.containers[0].securityContext=" + json; }
std::string P(const std::string& json) { return "spec.securityContext=" + json; }
const std::string kS = "spec.containers[0].securityContext";
const std::string kP = "spec.securityContext";
const std::string kUidRange = ": must be between 0 and 4294967295, inclusive";

TEST(SecurityContextTest, Ids) {
  ExpectPodErrors({
      {{S(R"({"runAsUser":0,"runAsGroup":4294967295})")}, {}},
      {{S(R"({"runAsUser":-1,"runAsGroup":4294967296})")},
       {kS + ".runAsUser: Invalid value: -1" + kUidRange,
        kS + ".runAsGroup: Invalid value: 4294967296" + kUidRange}},
      {{P(R"({"runAsUser":1,"runAsGroup":1,"fsGroup":1,"supplementalGroups":[0,1]})")}, {}},
      {{P(R"({"runAsUser":-1,"runAsGroup":-2,"fsGroup":-3,"supplementalGroups":[0,-4]})")},
       {kP + ".fsGroup: Invalid value: -3" + kUidRange,
        kP + ".runAsUser: Invalid value: -1" + kUidRange,
        kP + ".runAsGroup: Invalid value: -2" + kUidRange,
        kP + ".supplementalGroups[1]: Invalid value: -4" + kUidRange}},
  });
}

TEST(SecurityContextTest, ProcMount) {
  ExpectPodErrors({
      {{S(R"({"procMount":"Default"})")}, {}},
      {{S(R"({"procMount":"Unmasked"})"), "spec.hostUsers=false"}, {}},
      {{S(R"({"procMount":"Unmasked"})")},
       {kS +
        ".procMount: Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`"}},
      {{S(R"({"procMount":"x"})")},
       {kS + ".procMount: Unsupported value: \"x\": supported values: \"Default\", \"Unmasked\""}},
  });
}

TEST(SecurityContextTest, PrivilegeEscalation) {
  const std::string none =
      "\"SELinuxOptions\":null,\"WindowsOptions\":null,\"RunAsUser\":null,\"RunAsGroup\":null,"
      "\"RunAsNonRoot\":null,\"ReadOnlyRootFilesystem\":null,\"AllowPrivilegeEscalation\":false,"
      "\"ProcMount\":null,\"SeccompProfile\":null,\"AppArmorProfile\":null}";
  ExpectPodErrors({
      {{S(R"({"allowPrivilegeEscalation":false})")}, {}},
      {{S(R"({"allowPrivilegeEscalation":true,"privileged":true})")}, {}},
      {{S(R"({"allowPrivilegeEscalation":false,"privileged":true})")},
       {kS + ": Invalid value: {\"Capabilities\":null,\"Privileged\":true," + none +
        ": cannot set `allowPrivilegeEscalation` to false and `privileged` to true"}},
      {{S(R"({"allowPrivilegeEscalation":false,"capabilities":{"add":["NET_ADMIN","CAP_SYS_ADMIN"]}})")},
       {kS +
        ": Invalid value: {\"Capabilities\":{\"Add\":[\"NET_ADMIN\",\"CAP_SYS_ADMIN\"],\"Drop\":"
        "null},\"Privileged\":null," +
        none +
        ": cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"}},
  });
}

TEST(SecurityContextTest, Seccomp) {
  for (const auto& [set, at] : {std::pair(&S, kS), std::pair(&P, kP)}) {
    const std::string profile = at + ".seccompProfile";
    ExpectPodErrors({
        {{set(R"({"seccompProfile":{"type":"RuntimeDefault"}})")}, {}},
        {{set(R"({"seccompProfile":{"type":"Localhost","localhostProfile":"a/b.json"}})")}, {}},
        {{set(R"({"seccompProfile":{"type":""}})")},
         {profile + ".type: Required value: type is required when seccompProfile is set"}},
        {{set(R"({"seccompProfile":{"type":"x"}})")},
         {profile + ".type: Unsupported value: \"x\": supported values: \"Localhost\", "
                    "\"RuntimeDefault\", \"Unconfined\""}},
        {{set(R"({"seccompProfile":{"type":"Localhost"}})")},
         {profile +
          ".localhostProfile: Required value: must be set when seccomp type is Localhost"}},
        {{set(R"({"seccompProfile":{"type":"Localhost","localhostProfile":"/../x"}})")},
         {profile + ".localhostProfile: Invalid value: \"/../x\": must be a relative path",
          profile + ".localhostProfile: Invalid value: \"/../x\": must not contain '..'"}},
        {{set(R"({"seccompProfile":{"type":"Unconfined","localhostProfile":"x"}})")},
         {profile + ".localhostProfile: Invalid value: "
                    "{\"Type\":\"Unconfined\",\"LocalhostProfile\":\"x\"}: can only be set when "
                    "seccomp type is Localhost"}},
    });
  }
}

TEST(SecurityContextTest, AppArmor) {
  for (const auto& [set, at] : {std::pair(&S, kS), std::pair(&P, kP)}) {
    const std::string profile = at + ".appArmorProfile";
    ExpectPodErrors({
        {{set(R"({"appArmorProfile":{"type":"RuntimeDefault"}})")}, {}},
        {{set(R"({"appArmorProfile":{"type":"Localhost","localhostProfile":"p"}})")}, {}},
        {{set(R"({"appArmorProfile":{"type":""}})")},
         {profile + ".type: Required value: type is required when appArmorProfile is set"}},
        {{set(R"({"appArmorProfile":{"type":"x"}})")},
         {profile + ".type: Unsupported value: \"x\": supported values: \"Localhost\", "
                    "\"RuntimeDefault\", \"Unconfined\""}},
        {{set(R"({"appArmorProfile":{"type":"Localhost"}})")},
         {profile +
          ".localhostProfile: Required value: must be set when AppArmor type is Localhost"}},
        {{set(R"({"appArmorProfile":{"type":"Localhost","localhostProfile":""}})")},
         {profile +
          ".localhostProfile: Required value: must be set when AppArmor type is Localhost"}},
        {{set(R"({"appArmorProfile":{"type":"Localhost","localhostProfile":" p"}})")},
         {profile +
          ".localhostProfile: Invalid value: \" p\": must not be padded with whitespace"}},
        {{set(R"({"appArmorProfile":{"type":"Localhost","localhostProfile":")" +
              std::string(4096, 'a') + "\"}}")},
         {profile + ".localhostProfile: Too long: may not be more than 4095 bytes"}},
        {{set(R"({"appArmorProfile":{"type":"Unconfined","localhostProfile":"p"}})")},
         {profile +
          ".localhostProfile: Invalid value: \"p\": can only be set when AppArmor type is "
          "Localhost"}},
    });
  }
}

TEST(SecurityContextTest, PodPolicies) {
  ExpectPodErrors({
      {{P(R"({"fsGroupChangePolicy":"OnRootMismatch","supplementalGroupsPolicy":"Strict",
              "seLinuxChangePolicy":"Recursive"})")},
       {}},
      {{P(R"({"fsGroupChangePolicy":"x"})")},
       {kP + ".fsGroupChangePolicy: Unsupported value: \"x\": supported values: \"Always\", "
             "\"OnRootMismatch\""}},
      {{P(R"({"supplementalGroupsPolicy":"x"})")},
       {kP + ".supplementalGroupsPolicy: Unsupported value: \"x\": supported values: \"Merge\", "
             "\"Strict\""}},
      {{P(R"({"seLinuxChangePolicy":"MountOption"})")},
       {kP + ".seLinuxChangePolicy: Unsupported value: \"MountOption\": supported values: "
             "\"Recursive\""}},
      {{"spec.hostPID=true", "spec.shareProcessNamespace=false"}, {}},
      {{"spec.hostPID=true", "spec.shareProcessNamespace=true"},
       {kP +
        ".shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot "
        "both be enabled"}},
  });
  // A pod that has the other policy already may change between the two.
  PodValidationOptions options;
  options.allow_only_recursive_selinux_change_policy = false;
  ExpectPodErrors({{{P(R"({"seLinuxChangePolicy":"MountOption"})")}, {}},
                   {{P(R"({"seLinuxChangePolicy":"x"})")},
                    {kP + ".seLinuxChangePolicy: Unsupported value: \"x\": supported values: "
                          "\"MountOption\", \"Recursive\""}}},
                  options);
}

TEST(SecurityContextTest, Sysctls) {
  const std::string format =
      "must have at most 253 characters and match regex "
      "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
  auto sysctls = [](const std::string& json) { return P(R"({"sysctls":)" + json + "}"); };
  const std::string at = kP + ".sysctls";
  ExpectPodErrors({
      {{sysctls(
           R"([{"name":"kernel.shmmax","value":"1"},{"name":"net/ipv4/conf/eno2.100/a_b","value":""}])")},
       {}},
      {{sysctls(R"([{"name":"","value":"1"}])")}, {at + "[0].name: Required value"}},
      {{sysctls(
           R"([{"name":"A","value":"1"},{"name":"a..b","value":"1"},{"name":"a_","value":"1"}])")},
       {at + "[0].name: Invalid value: \"A\": " + format,
        at + "[1].name: Invalid value: \"a..b\": " + format,
        at + "[2].name: Invalid value: \"a_\": " + format}},
      {{sysctls(R"([{"name":"a.b","value":"1"},{"name":"a.b","value":"2"}])")},
       {at + "[1].name: Duplicate value: \"a.b\""}},
      {{sysctls(R"([{"name":"net.ipv4.a","value":"1"},{"name":"kernel.shm","value":"1"}])"),
        "spec.hostNetwork=true"},
       {at + "[0].name: Invalid value: \"net.ipv4.a\": may not be specified when 'hostNetwork' is "
             "true"}},
      {{sysctls(R"([{"name":"net/ipv4","value":"1"},{"name":"kernel/msgmax","value":"1"},
                    {"name":"fs.mqueue.x","value":"1"},{"name":"kernel.sem","value":"1"}])"),
        "spec.hostIPC=true"},
       {at + "[1].name: Invalid value: \"kernel/msgmax\": may not be specified when 'hostIPC' is "
             "true",
        at +
            "[2].name: Invalid value: \"fs.mqueue.x\": may not be specified when 'hostIPC' is true",
        at + "[3].name: Invalid value: \"kernel.sem\": may not be specified when 'hostIPC' is "
             "true"}},
  });
}

TEST(SecurityContextTest, HostUsers) {
  const std::string why = ": Forbidden: when `hostUsers` is false";
  ExpectPodErrors({
      {{"spec.hostUsers=false"}, {}},
      {{"spec.hostUsers=true", "spec.hostNetwork=true", "spec.hostPID=true", "spec.hostIPC=true"},
       {}},
      {{"spec.hostUsers=false", "spec.hostNetwork=true", "spec.hostPID=true", "spec.hostIPC=true"},
       {"spec.hostNetwork" + why, "spec.HostPID" + why, "spec.HostIPC" + why}},
      {{"spec.hostUsers=false",
        R"(spec.volumes=[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}])",
        R"(spec.containers[0].volumeDevices=[{"name":"v","devicePath":"/x"}])"},
       {"spec.containers[0].volumeDevices" + why}},
  });
}

TEST(SecurityContextTest, HostUsersWithMoreAllowed) {
  ExpectPodErrors({{{"spec.hostUsers=false", "spec.hostNetwork=true", "spec.hostPID=true"},
                    {"spec.HostPID: Forbidden: when `hostUsers` is false"}}},
                  {.allow_user_namespaces_host_network_support = true});
  ExpectPodErrors({{{"spec.hostUsers=false",
                     R"(spec.volumes=[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}])",
                     R"(spec.containers[0].volumeDevices=[{"name":"v","devicePath":"/x"}])"},
                    {}}},
                  {.allow_user_namespaces_with_volume_devices = true});
}

TEST(SecurityContextTest, LongSysctls) {
  const std::string longest(253, 'a');
  ExpectPodErrors({
      {{P(R"({"sysctls":[{"name":")" + longest + R"(","value":"1"}]})")}, {}},
      {{P(R"({"sysctls":[{"name":")" + longest + R"(a","value":"1"}]})")},
       {kP + ".sysctls[0].name: Invalid value: \"" + longest +
        "a\": must have at most 253 characters and match regex "
        "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"}},
  });
}

TEST(SecurityContextTest, NamespacedSysctlsOfOldPods) {
  ExpectPodErrors({{{P(R"({"sysctls":[{"name":"net.a","value":"1"},
                                      {"name":"kernel.sem","value":"1"}]})"),
                     "spec.hostNetwork=true", "spec.hostIPC=true"},
                    {}}},
                  {.allow_namespaced_sysctls_for_host_net_and_host_ipc = true});
}

}  // namespace
}  // namespace podium::api
