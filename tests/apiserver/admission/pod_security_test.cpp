#include <gmock/gmock.h>

#include "api/types/apps_v1.h"
#include "api/types/core_v1.h"
#include "apiserver/admission/admission_fixture.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/pod_security_policy.h"

namespace podium::apiserver {
namespace {

using api::apps::v1::Deployment;
using api::core::v1::Namespace;
using api::core::v1::Pod;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string PodJson(const std::string& spec, const std::string& meta = "") {
  return R"({"metadata":{"name":"p","namespace":"ns")" + meta + R"(},"spec":{)" + spec + "}}";
}

// What a standard finds in the pod.
std::string Check(SecurityLevel level, int minor, const std::string& spec,
                  const std::string& meta = "") {
  const Pod pod = Parse<Pod>(PodJson(spec, meta));
  return DetailsOf(ViolationsOf({level, {minor}}, pod.metadata.annotations, pod.spec));
}
std::string Baseline(const std::string& spec, int minor = SecurityVersion::kLatest) {
  return Check(SecurityLevel::kBaseline, minor, spec);
}
std::string Restricted(const std::string& spec, int minor = SecurityVersion::kLatest) {
  return Check(SecurityLevel::kRestricted, minor, spec);
}
std::string Contexts(const std::string& a, const std::string& b = "") {
  return R"("initContainers":[{"name":"a","securityContext":{)" + a +
         R"(}}],"containers":[{"name":"b","securityContext":{)" + b + "}}]";
}
constexpr std::string_view kSafe =
    R"("allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsNonRoot":true,
    "seccompProfile":{"type":"RuntimeDefault"})";
// One container that keeps to everything, and more of the pod.
std::string Safe(const std::string& more = "", const std::string& context = "") {
  return R"("containers":[{"name":"c","securityContext":{)" + std::string(kSafe) + context + "}}]" +
         more;
}

TEST(PodSecurityChecks, APlainPodIsNotRestricted) {
  EXPECT_EQ(Baseline(R"("containers":[{"name":"c"}])"), "");
  EXPECT_EQ(Check(SecurityLevel::kPrivileged, -1, R"("hostPID":true)"), "");
  EXPECT_EQ(
      Restricted(R"("containers":[{"name":"c"}])"),
      R"(allowPrivilegeEscalation != false (container "c" must set )"
      R"(securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" )"
      R"(must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or )"
      R"(container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or )"
      R"(container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or )"
      R"("Localhost"))");
  EXPECT_EQ(Restricted(Safe()), "");
}

TEST(PodSecurityChecks, HostThings) {
  EXPECT_EQ(Baseline(R"("hostNetwork":true,"hostIPC":true,"hostPID":true)"),
            "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)");
  EXPECT_EQ(
      Baseline(R"("volumes":[{"name":"a","hostPath":{"path":"/"}},{"name":"b","emptyDir":{}}])"),
      R"(hostPath volumes (volume "a"))");
  EXPECT_EQ(Baseline(R"("containers":[{"name":"a","ports":[{"containerPort":1,"hostPort":12},
                     {"containerPort":2,"hostPort":34}]},{"name":"b","ports":[{"containerPort":1,"hostPort":12}]}])"),
            R"(hostPort (containers "a", "b" use hostPorts 12, 34))");
  const std::string probe =
      R"("containers":[{"name":"a","livenessProbe":{"tcpSocket":{"port":1,"host":"h"}},
    "lifecycle":{"preStop":{"httpGet":{"port":1,"host":"i"}}}}])";
  EXPECT_EQ(Baseline(probe),
            R"(probe or lifecycle host (container "a" uses probe or lifecycle hosts "h", "i"))");
  EXPECT_EQ(Baseline(probe, 33), "");
}

TEST(PodSecurityChecks, ContainersPrivileges) {
  EXPECT_EQ(Baseline(Contexts(R"("privileged":true)", R"("privileged":false)")),
            R"(privileged (container "a" must not set securityContext.privileged=true))");
  EXPECT_EQ(Baseline(Contexts(R"("capabilities":{"add":["CHOWN","NET_RAW","SYS_ADMIN"]})",
                              R"("capabilities":{"add":["NET_RAW"]})")),
            R"(non-default capabilities (containers "a", "b" must not include "NET_RAW", )"
            R"("SYS_ADMIN" in securityContext.capabilities.add))");
  EXPECT_EQ(Baseline(Contexts(R"("procMount":"Unmasked")", R"("procMount":"Default")")),
            R"(procMount (container "a" must not set securityContext.procMount to "Unmasked"))");
  EXPECT_EQ(Baseline(R"("hostUsers":false,)" + Contexts(R"("procMount":"Unmasked")")), "");
  EXPECT_NE(Baseline(R"("hostUsers":false,)" + Contexts(R"("procMount":"Unmasked")"), 34), "");
  EXPECT_THAT(Restricted(R"("hostUsers":false,)" + Contexts(R"("procMount":"Unmasked")")),
              HasSubstr("procMount"));
  EXPECT_EQ(Baseline(R"("securityContext":{"windowsOptions":{"hostProcess":true}},)" +
                     Contexts(R"("windowsOptions":{"hostProcess":true})")),
            R"(hostProcess (pod and container "a" must not set )"
            "securityContext.windowsOptions.hostProcess=true)");
  EXPECT_EQ(
      Baseline(R"("ephemeralContainers":[{"name":"e","securityContext":{"privileged":true}}])"),
      R"(privileged (container "e" must not set securityContext.privileged=true))");
}

TEST(PodSecurityChecks, ProfilesAndLabels) {
  EXPECT_EQ(
      Baseline(R"("securityContext":{"seLinuxOptions":{"type":"x"}},)" +
               Contexts(R"("seLinuxOptions":{"type":"y","user":"u","role":"r"})")),
      R"(seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: )"
      R"(types "x", "y"; user may not be set; role may not be set))");
  const std::string engine = Contexts(R"("seLinuxOptions":{"type":"container_engine_t"})");
  EXPECT_EQ(Baseline(engine), "");
  EXPECT_NE(Baseline(engine, 30), "");
  EXPECT_EQ(Baseline(Contexts(R"("seccompProfile":{"type":"Unconfined"})")),
            R"(seccompProfile (container "a" must not set securityContext.seccompProfile.type to )"
            R"("Unconfined"))");
  EXPECT_EQ(
      Check(SecurityLevel::kBaseline, 18, R"("containers":[{"name":"c"}])",
            R"(,"annotations":{"container.seccomp.security.alpha.kubernetes.io/c":"unconfined"})"),
      "seccompProfile (forbidden annotation "
      R"(container.seccomp.security.alpha.kubernetes.io/c="unconfined"))");
  EXPECT_EQ(
      Check(SecurityLevel::kBaseline, -1, Contexts(R"("appArmorProfile":{"type":"Unconfined"})"),
            R"(,"annotations":{"container.apparmor.security.beta.kubernetes.io/b":"unconfined"})"),
      R"(forbidden AppArmor profiles (container "a" and annotation must not set AppArmor )"
      R"(profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/b="unconfined""))");
}

TEST(PodSecurityChecks, SysctlsByRelease) {
  const auto sysctls = [](const std::string& name, int minor) {
    return Baseline(R"("securityContext":{"sysctls":[{"name":")" + name + R"(","value":"1"}]})",
                    minor);
  };
  EXPECT_EQ(sysctls("kernel.msgmax", -1), "forbidden sysctls (kernel.msgmax)");
  EXPECT_EQ(sysctls("net.ipv4.ip_unprivileged_port_start", 0), "");
  EXPECT_NE(sysctls("net.ipv4.ip_local_reserved_ports", 26), "");
  EXPECT_EQ(sysctls("net.ipv4.ip_local_reserved_ports", 27), "");
  EXPECT_NE(sysctls("net.ipv4.tcp_keepalive_probes", 28), "");
  EXPECT_EQ(sysctls("net.ipv4.tcp_keepalive_probes", 29), "");
  EXPECT_NE(sysctls("net.ipv4.tcp_wmem", 31), "");
  EXPECT_EQ(sysctls("net.ipv4.tcp_wmem", 32), "");
}

TEST(PodSecurityChecks, RestrictedPods) {
  EXPECT_EQ(
      Restricted(Safe(R"(,"volumes":[{"name":"a","hostPath":{"path":"/"}},{"name":"b","nfs":{
                            "server":"s","path":"/"}},{"name":"c","image":{"reference":"x"}}])")),
      R"(restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs"))");
  EXPECT_EQ(Restricted(Safe("", R"(,"runAsUser":0)")),
            R"(runAsUser=0 (container "c" must not set runAsUser=0))");
  EXPECT_EQ(Restricted(Safe("", R"(,"runAsUser":0)"), 22), "");
  EXPECT_EQ(Restricted(Safe(R"(,"hostUsers":false)", R"(,"runAsUser":0)")), "");
  EXPECT_EQ(Restricted(Safe(R"(,"securityContext":{"runAsNonRoot":false})")),
            "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)");
  EXPECT_EQ(
      Restricted(R"("containers":[{"name":"c","securityContext":{"allowPrivilegeEscalation":false,
                       "runAsNonRoot":true,"seccompProfile":{"type":"Localhost"},
                       "capabilities":{"drop":["ALL"],"add":["NET_BIND_SERVICE","CHOWN"]}}}])"),
      R"(unrestricted capabilities (container "c" must not include "CHOWN" in )"
      "securityContext.capabilities.add)");
  // What a restricted check says better, the baseline one does not repeat; of old it says it.
  const std::string raw = Safe("", "");
  EXPECT_EQ(
      Restricted(R"("containers":[{"name":"c","securityContext":{"allowPrivilegeEscalation":false,
                       "runAsNonRoot":true,"seccompProfile":{"type":"Localhost"},
                       "capabilities":{"add":["NET_RAW"]}}}])",
                 21),
      R"(non-default capabilities (container "c" must not include "NET_RAW" in )"
      "securityContext.capabilities.add)");
  EXPECT_EQ(Restricted(R"("os":{"name":"windows"},"containers":[{"name":"c"}])"),
            R"(runAsNonRoot != true (pod or container "c" must set )"
            "securityContext.runAsNonRoot=true)");
  // Before the fields there were.
  EXPECT_EQ(Restricted(R"("containers":[{"name":"c","securityContext":{"runAsNonRoot":true}}])", 7),
            "");
}

class PodSecurityTest : public AdmissionTest {
 protected:
  std::unique_ptr<AdmissionPlugin> plugin_ = NewPodSecurity(dependencies_);

  // `labels` as "enforce":"restricted".
  void PutNamespace(const std::vector<std::pair<std::string, std::string>>& labels) {
    Put<Namespace>(NamespaceJson(labels));
  }
  static std::string NamespaceJson(const std::vector<std::pair<std::string, std::string>>& labels) {
    std::string text;
    for (const auto& [mode, level] : labels) {
      text += (text.empty() ? "" : ",");
      text += R"("pod-security.kubernetes.io/)" + mode + R"(":")" + level + R"(")";
    }
    return R"({"metadata":{"name":"ns","labels":{)" + text + "}}}";
  }
};

TEST_F(PodSecurityTest, EnforcesWarnsAndTellsTheAuditor) {
  PutNamespace({{"enforce", "baseline"},
                {"warn", "restricted"},
                {"audit", "restricted"},
                {"audit-version", "v1.7"}});
  Writing<Pod> bad(PodJson(R"("hostPID":true,"containers":[{"name":"c"}])"));
  EXPECT_EQ(Validate(*plugin_, bad.request),
            R"(pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces )"
            "(hostPID=true)");
  EXPECT_THAT(bad.warnings, IsEmpty());
  EXPECT_THAT(
      bad.annotations,
      ElementsAre(
          "pod-security.kubernetes.io/enforce-policy=baseline:latest",
          R"(pod-security.kubernetes.io/audit-violations=would violate PodSecurity )"
          R"("restricted:v1.7": host namespaces (hostPID=true), runAsNonRoot != true (pod or )"
          R"(container "c" must set securityContext.runAsNonRoot=true))"));
  Writing<Pod> fair(PodJson(Safe("", R"(,"runAsUser":0)")));
  EXPECT_EQ(Validate(*plugin_, fair.request), "");
  EXPECT_THAT(
      fair.warnings,
      ElementsAre(R"(would violate PodSecurity "restricted:latest": runAsUser=0 (container )"
                  R"("c" must not set runAsUser=0))"));
}

TEST_F(PodSecurityTest, WithoutLabelsEverythingGoes) {
  PutNamespace({});
  Writing<Pod> pod(PodJson(R"("hostPID":true)"));
  EXPECT_EQ(Validate(*plugin_, pod.request), "");
  EXPECT_THAT(pod.annotations,
              ElementsAre("pod-security.kubernetes.io/enforce-policy=privileged:latest"));
  // A label that nobody can read is taken for the strictest.
  PutNamespace({{"enforce", "Restricted"}});
  Writing<Pod> strict(PodJson(R"("hostPID":true)"));
  EXPECT_THAT(Validate(*plugin_, strict.request),
              HasSubstr(R"(violates PodSecurity "restricted:latest")"));
  EXPECT_THAT(strict.annotations, testing::Contains(HasSubstr(
                                      "/error=Failed to parse policy: metadata.labels[pod-security."
                                      R"(kubernetes.io/enforce]: Invalid value: "Restricted")")));
}

TEST_F(PodSecurityTest, TemplatesAreWarnedOfNotRefused) {
  PutNamespace({{"enforce", "restricted"}, {"warn", "baseline"}});
  Writing<Deployment> write(
      R"({"metadata":{"name":"d","namespace":"ns"},"spec":{"template":{"spec":{
    "hostPID":true,"containers":[{"name":"c"}]}}}})");
  EXPECT_EQ(Validate(*plugin_, write.request), "");
  EXPECT_THAT(write.warnings,
              ElementsAre(R"(would violate PodSecurity "baseline:latest": host namespaces )"
                          "(hostPID=true)"));
  EXPECT_THAT(write.annotations, IsEmpty());
}

TEST_F(PodSecurityTest, OnlyUpdatesThatMatterAreLookedAt) {
  PutNamespace({{"enforce", "baseline"}});
  const auto update = [&](const std::string& before, const std::string& after,
                          std::string_view subresource = "") {
    Writing<Pod> write(PodJson(R"("hostPID":true,)" + before),
                       PodJson(R"("hostPID":true,)" + after), subresource);
    return Validate(*plugin_, write.request).empty();
  };
  const std::string one = R"("containers":[{"name":"c","image":"1"}])";
  EXPECT_TRUE(update(one, R"("tolerations":[{"operator":"Exists"}],)" + one));
  EXPECT_FALSE(update(one, R"("containers":[{"name":"c","image":"2"}])"));
  EXPECT_FALSE(
      update(one, one + R"(,"ephemeralContainers":[{"name":"e"}])", "ephemeralcontainers"));
  EXPECT_TRUE(update(one, R"("containers":[{"name":"c","image":"2"}])", "status"));
}

TEST_F(PodSecurityTest, LabelsOfNamespacesAreChecked) {
  const auto create = [&](const std::vector<std::pair<std::string, std::string>>& labels) {
    Writing<Namespace> write(NamespaceJson(labels));
    return Validate(*plugin_, write.request);
  };
  EXPECT_EQ(create({{"enforce", "baseline"}, {"enforce-version", "v1.25"}}), "");
  EXPECT_EQ(create({{"enforce", "x"}}),
            R"(Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: )"
            R"(Invalid value: "x": must be one of privileged, baseline, restricted)");
  for (const std::string version : {"1.25", "v1.025", "v2.1", "v1.", "v1.x", ""}) {
    EXPECT_THAT(create({{"warn-version", version}}), HasSubstr(R"(must be "latest" or "v1.x")"));
  }
  // What was wrong before does not stop other changes.
  const std::string wrong = NamespaceJson({{"audit", "x"}});
  EXPECT_EQ(Validate(*plugin_, Writing<Namespace>(wrong, wrong, "").request), "");
}

TEST_F(PodSecurityTest, AStricterNamespaceWarnsOfItsPods) {
  const auto put = [&](const std::string& name, const std::string& spec) {
    Put<Pod>(R"({"metadata":{"name":")" + name + R"(","namespace":"ns"},"spec":{)" + spec + "}}");
  };
  put("a", R"("hostPID":true)");
  put("b", R"("hostPID":true)");
  put("c", R"("hostPID":true)");
  put("d", R"("hostIPC":true,"containers":[{"name":"c","securityContext":{"privileged":true}}])");
  put("e", R"("containers":[{"name":"c"}])");
  const auto change = [&](const std::vector<std::pair<std::string, std::string>>& before,
                          const std::vector<std::pair<std::string, std::string>>& after) {
    Writing<Namespace> write(NamespaceJson(before), NamespaceJson(after), "");
    EXPECT_EQ(Validate(*plugin_, write.request), "");
    EXPECT_EQ(plugin_->MayBlock(write.request), !write.warnings.empty());
    return write.warnings;
  };
  EXPECT_THAT(
      change({}, {{"enforce", "baseline"}}),
      ElementsAre(R"(existing pods in namespace "ns" violate the new PodSecurity enforce )"
                  R"(level "baseline:latest")",
                  "a (and 2 other pods): host namespaces", "d: host namespaces, privileged"));
  EXPECT_THAT(change({{"enforce", "restricted"}}, {{"enforce", "baseline"}}), IsEmpty());
  EXPECT_THAT(change({{"enforce", "baseline"}}, {{"enforce", "privileged"}}), IsEmpty());
  EXPECT_THAT(change({}, {{"warn", "restricted"}}), IsEmpty());
}

TEST_F(PodSecurityTest, Exemptions) {
  PutNamespace({{"enforce", "restricted"}});
  dependencies_.pod_security.exempt_users = {"alice"};
  dependencies_.pod_security.exempt_runtime_classes = {"vm"};
  plugin_ = NewPodSecurity(dependencies_);
  Writing<Pod> by_user(PodJson(R"("hostPID":true)"));
  EXPECT_EQ(Validate(*plugin_, by_user.request), "");
  EXPECT_THAT(by_user.annotations, ElementsAre("pod-security.kubernetes.io/exempt=user"));
  Writing<Pod> by_class(PodJson(R"("hostPID":true,"runtimeClassName":"vm")"));
  by_class.user.name = "bob";
  EXPECT_EQ(Validate(*plugin_, by_class.request), "");
  Writing<Pod> other(PodJson(R"("hostPID":true)"));
  other.user.name = "bob";
  EXPECT_NE(Validate(*plugin_, other.request), "");
  dependencies_.pod_security.exempt_namespaces = {"ns"};
  plugin_ = NewPodSecurity(dependencies_);
  EXPECT_EQ(Validate(*plugin_, other.request), "");
}

}  // namespace
}  // namespace podium::apiserver
