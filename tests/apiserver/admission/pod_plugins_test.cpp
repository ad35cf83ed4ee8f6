// ServiceAccount, LimitRanger, Priority, DefaultTolerationSeconds, RuntimeClass, PodTopologyLabels
// and PodResizeValidator.
#include <gmock/gmock.h>

#include "api/types/core_v1.h"
#include "api/types/node_v1.h"
#include "api/types/scheduling_v1.h"
#include "apiserver/admission/admission_fixture.h"
#include "apiserver/admission/plugins.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Binding;
using api::core::v1::LimitRange;
using api::core::v1::Node;
using api::core::v1::PersistentVolumeClaim;
using api::core::v1::Pod;
using api::core::v1::ServiceAccount;
using api::node::v1::RuntimeClass;
using api::scheduling::v1::PriorityClass;
using ::testing::HasSubstr;

class PodPluginsTest : public AdmissionTest {};

constexpr std::string_view kPlain =
    R"({"metadata":{"name":"p","namespace":"ns"},"spec":{"containers":[{"name":"c"}]}})";

// The pod with something in its spec.
std::string PodWith(const std::string& spec) {
  return R"({"metadata":{"name":"p","namespace":"ns"},"spec":{)" + spec + "}}";
}

TEST_F(PodPluginsTest, PodGetsTheTokenOfTheDefaultAccount) {
  Put<ServiceAccount>(
      R"({"metadata":{"name":"default","namespace":"ns"},"imagePullSecrets":[{"name":"r"}]})");
  auto plugin = NewServiceAccount(dependencies_);
  Writing<Pod> pod(PodWith(R"("initContainers":[{"name":"i"}],"containers":[{"name":"c"},
    {"name":"own","volumeMounts":[
      {"name":"v","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}])"));
  EXPECT_FALSE(plugin->MayBlock(pod.request));
  ASSERT_EQ(Admit(*plugin, pod.request), "");
  EXPECT_EQ(pod.object.spec.serviceAccountName, "default");
  EXPECT_EQ(pod.object.spec.serviceAccount, "default");
  ASSERT_EQ(pod.object.spec.volumes.size(), 1U);
  const std::string volume = pod.object.spec.volumes[0].name;
  EXPECT_TRUE(volume.starts_with("kube-api-access-"));
  EXPECT_EQ(volume.size(), std::string("kube-api-access-").size() + 5);
  EXPECT_EQ(
      Text(*pod.object.spec.volumes[0].projected),
      R"({"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
      R"({"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},)"
      R"({"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",)"
      R"("fieldPath":"metadata.namespace"}}]}}],"defaultMode":420})");
  for (const auto* container :
       {&pod.object.spec.initContainers[0], &pod.object.spec.containers[0]}) {
    ASSERT_EQ(container->volumeMounts.size(), 1U);
    EXPECT_EQ(
        Text(container->volumeMounts[0]),
        R"({"name":")" + volume +
            R"(","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"})");
  }
  EXPECT_EQ(pod.object.spec.containers[1].volumeMounts.size(), 1U);
  EXPECT_EQ(pod.object.spec.imagePullSecrets[0].name, "r");
  // The second time nothing is left to do.
  const std::string once = Text(pod.object);
  ASSERT_EQ(Admit(*plugin, pod.request), "");
  EXPECT_EQ(Text(pod.object), once);
}

TEST_F(PodPluginsTest, TokenIsMountedUnlessPodOrAccountSayNo) {
  Put<ServiceAccount>(
      R"({"metadata":{"name":"shy","namespace":"ns"},"automountServiceAccountToken":false})");
  Put<ServiceAccount>(R"({"metadata":{"name":"default","namespace":"ns"}})");
  auto plugin = NewServiceAccount(dependencies_);
  const auto volumes = [&](const std::string& spec) {
    Writing<Pod> pod(PodWith(spec + R"(,"containers":[{"name":"c"}])"));
    EXPECT_EQ(Admit(*plugin, pod.request), "");
    return pod.object.spec.volumes.size();
  };
  EXPECT_EQ(volumes(R"("serviceAccountName":"shy")"), 0U);
  EXPECT_EQ(volumes(R"("serviceAccountName":"shy","automountServiceAccountToken":true)"), 1U);
  EXPECT_EQ(volumes(R"("automountServiceAccountToken":false)"), 0U);
  // A volume of that name is taken for ours.
  EXPECT_EQ(volumes(R"("volumes":[{"name":"kube-api-access-x"}])"), 1U);
}

TEST_F(PodPluginsTest, MissingAccountIsRefusedAndTheDefaultOneWaitedFor) {
  auto plugin = NewServiceAccount(dependencies_);
  Writing<Pod> other(PodWith(R"("serviceAccountName":"builder","containers":[{"name":"c"}])"));
  EXPECT_FALSE(plugin->MayBlock(other.request));
  EXPECT_EQ(Admit(*plugin, other.request),
            R"(pods "p" is forbidden: error looking up service account ns/builder: )"
            R"(serviceaccount "builder" not found)");
  EXPECT_EQ(clock_.slept.count(), 0);

  Writing<Pod> pod{std::string(kPlain)};
  EXPECT_TRUE(plugin->MayBlock(pod.request));
  EXPECT_THAT(Admit(*plugin, pod.request), HasSubstr(R"(serviceaccount "default" not found)"));
  EXPECT_GE(clock_.slept, std::chrono::milliseconds(900));
  EXPECT_LE(clock_.slept, std::chrono::milliseconds(1800));

  clock_.while_sleeping = [&] {
    Put<ServiceAccount>(R"({"metadata":{"name":"default","namespace":"ns"}})");
  };
  EXPECT_EQ(Admit(*plugin, pod.request), "");
}

TEST_F(PodPluginsTest, MirrorPodsNameNoAccountAndNoSecrets) {
  auto plugin = NewServiceAccount(dependencies_);
  const auto mirror = [&](const std::string& spec) {
    Writing<Pod> pod(R"({"metadata":{"name":"p","namespace":"ns","annotations":
      {"kubernetes.io/config.mirror":"x"}},"spec":{)" +
                     spec + "}}");
    const std::string before = Text(pod.object);
    const std::string answer = Admit(*plugin, pod.request);
    EXPECT_EQ(Text(pod.object), before);
    return answer;
  };
  EXPECT_EQ(mirror(R"("containers":[{"name":"c"}])"), "");
  EXPECT_EQ(mirror(R"("serviceAccountName":"x")"),
            R"(pods "p" is forbidden: a mirror pod may not reference service accounts)");
  for (const std::string secret :
       {R"("volumes":[{"name":"v","secret":{"secretName":"s"}}])",
        R"("volumes":[{"name":"v","projected":{"sources":[{"secret":{"name":"s"}}]}}])",
        R"("volumes":[{"name":"v","csi":{"driver":"d","nodePublishSecretRef":{"name":"s"}}}])",
        R"("imagePullSecrets":[{"name":"s"}])",
        R"("initContainers":[{"name":"c","envFrom":[{"secretRef":{"name":"s"}}]}])"}) {
    EXPECT_EQ(mirror(secret), R"(pods "p" is forbidden: a mirror pod may not reference secrets)");
  }
  EXPECT_EQ(
      mirror(
          R"("volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}])"),
      R"(pods "p" is forbidden: a mirror pod may not use ServiceAccountToken volume projections)");
}

TEST_F(PodPluginsTest, SecretsAreHeldBackWhereTheAccountSaysSo) {
  Put<ServiceAccount>(R"({"metadata":{"name":"a","namespace":"ns","annotations":
    {"kubernetes.io/enforce-mountable-secrets":"true"}},
    "secrets":[{"name":"ok"}],"imagePullSecrets":[{"name":"pull"}]})");
  auto plugin = NewServiceAccount(dependencies_);
  const std::string mine = R"("serviceAccountName":"a","imagePullSecrets":[{"name":"pull"}],)";
  const auto create = [&](const std::string& spec) {
    Writing<Pod> pod(PodWith(mine + spec));
    return Admit(*plugin, pod.request);
  };
  const std::string forbidden = R"(pods "p" is forbidden: )";
  const std::string why =
      " is not allowed because service account a does not reference that secret";
  EXPECT_EQ(create(R"("volumes":[{"name":"v","secret":{"secretName":"ok"}}])"), "");
  EXPECT_EQ(create(R"("volumes":[{"name":"v","secret":{"secretName":"s"}}])"),
            forbidden + R"(volume with secret.secretName="s")" + why);
  const std::string variable =
      R"({"name":"c","env":[{"name":"E","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}]})";
  EXPECT_EQ(
      create(R"("initContainers":[)" + variable + "]"),
      forbidden + R"(init container c with envVar E referencing secret.secretName="s")" + why);
  EXPECT_EQ(create(R"("containers":[)" + variable + "]"),
            forbidden + R"(container c with envVar E referencing secret.secretName="s")" + why);
  // CVE-2024-3177
  EXPECT_EQ(create(R"("containers":[{"name":"c","envFrom":[{"secretRef":{"name":"s"}}]}])"),
            forbidden + R"(container c with envFrom referencing secret.secretName="s")" + why);
  Writing<Pod> pull(PodWith(R"("serviceAccountName":"a","imagePullSecrets":[{"name":"x"}])"));
  EXPECT_EQ(Admit(*plugin, pull.request),
            forbidden + R"(imagePullSecrets[0].name="x" is not allowed because service account a )"
                        "does not reference that imagePullSecret");
  // CVE-2023-2728
  Writing<Pod> debug(PodWith(mine + R"("containers":[])"),
                     PodWith(mine + R"("containers":[],"ephemeralContainers":[)" + variable + "]"),
                     "ephemeralcontainers");
  EXPECT_EQ(
      Validate(*plugin, debug.request),
      forbidden + R"(ephemeral container c with envVar E referencing secret.secretName="s")" + why);
}

TEST_F(PodPluginsTest, LimitRangesFillInAndSaySo) {
  Put<LimitRange>(
      R"({"metadata":{"name":"l","namespace":"ns"},"spec":{"limits":[{"type":"Container",
    "default":{"cpu":"2","memory":"1Gi"},"defaultRequest":{"cpu":"1","memory":"512Mi"}}]}})");
  auto plugin = NewLimitRanger(dependencies_);
  Writing<Pod> pod(PodWith(R"("initContainers":[{"name":"i","resources":{"limits":{"cpu":"3"}}}],
    "containers":[{"name":"c","resources":{"requests":{"memory":"1Mi"}}},{"name":"d"}])"));
  ASSERT_EQ(Admit(*plugin, pod.request), "");
  EXPECT_EQ(pod.object.metadata.annotations["kubernetes.io/limit-ranger"],
            "LimitRanger plugin set: cpu request for container c; cpu, memory limit for container "
            "c; cpu, memory request for container d; cpu, memory limit for container d; cpu, "
            "memory request for init container i; memory limit for init container i");
  EXPECT_EQ(Text(pod.object.spec.containers[0].resources),
            R"({"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"1","memory":"1Mi"}})");
  EXPECT_EQ(Text(pod.object.spec.initContainers[0].resources),
            R"({"limits":{"cpu":"3","memory":"1Gi"},"requests":{"cpu":"1","memory":"512Mi"}})");
}

TEST_F(PodPluginsTest, LimitRangesRefuse) {
  auto plugin = NewLimitRanger(dependencies_);
  const auto check = [&](const std::string& limit, const std::string& resources) {
    Put<LimitRange>(R"({"metadata":{"name":"l","namespace":"ns"},"spec":{"limits":[{)" + limit +
                    "}]}}");
    Writing<Pod> pod(PodWith(R"("containers":[{"name":"c","resources":{)" + resources + "}}]"));
    return Validate(*plugin, pod.request);
  };
  const std::string container = R"("type":"Container",)";
  const std::string forbidden = R"(pods "p" is forbidden: )";
  EXPECT_EQ(check(container + R"("min":{"cpu":"100m"})", R"("requests":{"cpu":"100m"})"), "");
  EXPECT_EQ(check(container + R"("min":{"cpu":"100m"})", R"("requests":{"cpu":"50m"})"),
            forbidden + "minimum cpu usage per Container is 100m, but request is 50m");
  EXPECT_EQ(check(container + R"("min":{"cpu":"100m"})", ""),
            forbidden + "minimum cpu usage per Container is 100m.  No request is specified");
  EXPECT_EQ(check(container + R"("max":{"cpu":"1"})", R"("limits":{"cpu":"2"})"),
            forbidden + "maximum cpu usage per Container is 1, but limit is 2");
  EXPECT_EQ(
      check(container + R"("max":{"cpu":"1","memory":"1Gi"})", R"("limits":{"memory":"1Gi"})"),
      forbidden + "maximum cpu usage per Container is 1.  No limit is specified");
  EXPECT_EQ(check(container + R"("max":{"cpu":"1","memory":"1Gi"})", ""),
            forbidden +
                "[maximum cpu usage per Container is 1.  No limit is specified, maximum "
                "memory usage per Container is 1Gi.  No limit is specified]");
  EXPECT_EQ(check(container + R"("maxLimitRequestRatio":{"cpu":"1500m"})",
                  R"("requests":{"cpu":"1"},"limits":{"cpu":"1500m"})"),
            "");
  EXPECT_EQ(check(container + R"("maxLimitRequestRatio":{"cpu":"1500m"})",
                  R"("requests":{"cpu":"1"},"limits":{"cpu":"2"})"),
            forbidden +
                "cpu max limit to request ratio per Container is 1500m, but provided ratio "
                "is 2.000000");
  EXPECT_EQ(check(container + R"("maxLimitRequestRatio":{"cpu":"2"})", R"("limits":{"cpu":"2"})"),
            forbidden +
                "cpu max limit to request ratio per Container is 2, but no request is "
                "specified or request is 0");
  EXPECT_EQ(check(R"("type":"Pod","max":{"memory":"1Gi"})", R"("limits":{"memory":"2Gi"})"),
            forbidden + "maximum memory usage per Pod is 1Gi, but limit is 2Gi");
}

TEST_F(PodPluginsTest, LimitRangesOfPodsCountThemAsTheSchedulerDoes) {
  Put<LimitRange>(R"({"metadata":{"name":"l","namespace":"ns"},"spec":{"limits":[
    {"type":"Pod","max":{"cpu":"2"},"min":{"cpu":"1"}}]}})");
  auto plugin = NewLimitRanger(dependencies_);
  const auto check = [&](const std::string& spec) {
    Writing<Pod> pod(PodWith(spec));
    return Validate(*plugin, pod.request);
  };
  const std::string one = R"("resources":{"limits":{"cpu":"1"},"requests":{"cpu":"1"}})";
  EXPECT_EQ(check(R"("containers":[{"name":"a",)" + one + R"(},{"name":"b",)" + one + "}]"), "");
  EXPECT_THAT(check(R"("initContainers":[{"name":"s","restartPolicy":"Always",)" + one +
                    R"(}],"containers":[{"name":"a",)" + one + R"(},{"name":"b",)" + one + "}]"),
              HasSubstr("maximum cpu usage per Pod is 2, but limit is 3"));
  EXPECT_THAT(check(R"("resources":{"limits":{"cpu":"4"},"requests":{"cpu":"4"}},
                    "containers":[{"name":"a",)" +
                    one + "}]"),
              HasSubstr("maximum cpu usage per Pod is 2, but limit is 4"));
}

TEST_F(PodPluginsTest, LimitRangesOfClaimsAndWhatTheyLeaveAlone) {
  Put<LimitRange>(R"({"metadata":{"name":"l","namespace":"ns"},"spec":{"limits":[
    {"type":"PersistentVolumeClaim","max":{"storage":"2Gi"},"min":{"storage":"1Gi"}},
    {"type":"Container","min":{"cpu":"1"}}]}})");
  auto plugin = NewLimitRanger(dependencies_);
  const auto claim = [&](const std::string& size) {
    Writing<PersistentVolumeClaim> write(
        R"({"metadata":{"name":"v","namespace":"ns"},"spec":{"resources":{"requests":{"storage":")" +
        size + R"("}}}})");
    return Validate(*plugin, write.request);
  };
  EXPECT_EQ(claim("2Gi"), "");
  EXPECT_EQ(claim("3Gi"), R"(persistentvolumeclaims "v" is forbidden: maximum storage usage per )"
                          "PersistentVolumeClaim is 2Gi, but request is 3Gi");
  EXPECT_EQ(claim("1Mi"), R"(persistentvolumeclaims "v" is forbidden: minimum storage usage per )"
                          "PersistentVolumeClaim is 1Gi, but request is 1Mi");
  const std::string plain(kPlain);
  EXPECT_EQ(Validate(*plugin, Writing<Pod>(plain, plain, "").request), "");
  EXPECT_EQ(Validate(*plugin, Writing<Pod>(plain, plain, "status").request), "");
  EXPECT_NE(Validate(*plugin, Writing<Pod>(plain, plain, "resize").request), "");
  const std::string leaving =
      R"({"metadata":{"name":"p","namespace":"ns","deletionTimestamp":"2026-01-01T00:00:00Z"},
      "spec":{"containers":[{"name":"c"}]}})";
  EXPECT_EQ(Validate(*plugin, Writing<Pod>(leaving, leaving, "resize").request), "");
}

TEST_F(PodPluginsTest, PriorityComesFromTheClass) {
  Put<PriorityClass>(R"({"metadata":{"name":"high"},"value":1000,"preemptionPolicy":"Never"})");
  auto plugin = NewPriority(dependencies_);
  Writing<Pod> none{std::string(kPlain)};
  ASSERT_EQ(Admit(*plugin, none.request), "");
  EXPECT_EQ(none.object.spec.priority, 0);
  EXPECT_EQ(none.object.spec.priorityClassName, "");

  Writing<Pod> high(PodWith(R"("priorityClassName":"high")"));
  ASSERT_EQ(Admit(*plugin, high.request), "");
  EXPECT_EQ(high.object.spec.priority, 1000);
  EXPECT_EQ(high.object.spec.preemptionPolicy, "Never");

  Put<PriorityClass>(R"({"metadata":{"name":"d1"},"value":50,"globalDefault":true})");
  Put<PriorityClass>(R"({"metadata":{"name":"d2"},"value":20,"globalDefault":true})");
  Writing<Pod> defaulted{std::string(kPlain)};
  ASSERT_EQ(Admit(*plugin, defaulted.request), "");
  EXPECT_EQ(defaulted.object.spec.priority, 20);
  EXPECT_EQ(defaulted.object.spec.priorityClassName, "d2");

  const auto refused = [&](const std::string& spec) {
    Writing<Pod> pod(PodWith(spec));
    return Admit(*plugin, pod.request);
  };
  EXPECT_EQ(refused(R"("priorityClassName":"x")"),
            R"(pods "p" is forbidden: no PriorityClass with name x was found)");
  EXPECT_EQ(refused(R"("priorityClassName":"high","priority":5)"),
            R"(pods "p" is forbidden: the integer value of priority (5) must not be provided in )"
            "pod spec; priority admission controller computed 1000 from the given PriorityClass "
            "name");
  EXPECT_EQ(refused(R"("priorityClassName":"high","preemptionPolicy":"PreemptLowerPriority")"),
            R"(pods "p" is forbidden: the string value of PreemptionPolicy (PreemptLowerPriority) )"
            "must not be provided in pod spec; priority admission controller computed Never from "
            "the given PriorityClass name");
  EXPECT_EQ(refused(R"("priorityClassName":"high","priority":1000)"), "");

  Writing<Pod> update(PodWith(R"("priority":9,"preemptionPolicy":"Never")"), PodWith(""), "");
  ASSERT_EQ(Admit(*plugin, update.request), "");
  EXPECT_EQ(update.object.spec.priority, 9);
  EXPECT_EQ(update.object.spec.preemptionPolicy, "Never");
}

TEST_F(PodPluginsTest, ThereIsOneDefaultPriorityClass) {
  auto plugin = NewPriority(dependencies_);
  const std::string json = R"({"metadata":{"name":"b"},"value":1,"globalDefault":true})";
  EXPECT_EQ(Validate(*plugin, Writing<PriorityClass>(json).request), "");
  Put<PriorityClass>(R"({"metadata":{"name":"a"},"value":1,"globalDefault":true})");
  EXPECT_EQ(Validate(*plugin, Writing<PriorityClass>(json).request),
            R"(priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass a is already )"
            "marked as default. Only one default can exist");
  const std::string own = R"({"metadata":{"name":"a"},"value":1,"globalDefault":true})";
  EXPECT_EQ(Validate(*plugin, Writing<PriorityClass>(own, own, "").request), "");
  EXPECT_NE(Validate(*plugin, Writing<PriorityClass>(json, json, "").request), "");
}

TEST_F(PodPluginsTest, PodsOutliveALostNodeForFiveMinutes) {
  auto plugin = NewDefaultTolerationSeconds(dependencies_);
  const auto after = [&](const std::string& tolerations) {
    Writing<Pod> pod(PodWith(R"("tolerations":[)" + tolerations + "]"));
    EXPECT_EQ(Admit(*plugin, pod.request), "");
    std::string keys;
    for (const auto& each : pod.object.spec.tolerations) keys += Text(each);
    return keys;
  };
  const std::string not_ready =
      R"({"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300})";
  const std::string unreachable =
      R"({"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300})";
  EXPECT_EQ(after(""), not_ready + unreachable);
  EXPECT_EQ(after(R"({"operator":"Exists"})"), R"({"operator":"Exists"})");
  const std::string own = R"({"key":"node.kubernetes.io/not-ready","operator":"Exists"})";
  EXPECT_EQ(after(own), own + unreachable);
  const std::string other =
      R"({"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoSchedule"})";
  EXPECT_EQ(after(other), other + not_ready + unreachable);
}

TEST_F(PodPluginsTest, RuntimeClassGivesOverheadAndNodes) {
  Put<RuntimeClass>(
      R"({"metadata":{"name":"vm"},"handler":"vm","overhead":{"podFixed":{"cpu":"100m"}},
    "scheduling":{"nodeSelector":{"vm":"yes"},"tolerations":[
      {"key":"vm","operator":"Exists"},{"key":"x","operator":"Equal","value":"y","effect":"NoSchedule"}]}})");
  Put<RuntimeClass>(R"({"metadata":{"name":"plain"},"handler":"plain"})");
  auto plugin = NewRuntimeClass(dependencies_);
  const std::string forbidden = R"(pods "p" is forbidden: )";

  Writing<Pod> pod(PodWith(R"("runtimeClassName":"vm","nodeSelector":{"disk":"ssd"},"tolerations":[
    {"key":"vm","operator":"Equal","value":"a","effect":"NoSchedule"},{"key":"z","operator":"Exists"}])"));
  ASSERT_EQ(Admit(*plugin, pod.request), "");
  ASSERT_EQ(Validate(*plugin, pod.request), "");
  EXPECT_EQ(
      Text(pod.object.spec),
      R"({"containers":null,"nodeSelector":{"disk":"ssd","vm":"yes"},"tolerations":[{"key":"z","operator":"Exists"},)"
      R"({"key":"vm","operator":"Exists"},{"key":"x","operator":"Equal","value":"y","effect":"NoSchedule"}],)"
      R"("runtimeClassName":"vm","overhead":{"cpu":"100m"}})");

  const auto refused = [&](const std::string& spec) {
    Writing<Pod> each(PodWith(spec));
    std::string answer = Admit(*plugin, each.request);
    return answer.empty() ? Validate(*plugin, each.request) : answer;
  };
  EXPECT_EQ(refused(R"("runtimeClassName":"x")"),
            forbidden + R"(pod rejected: RuntimeClass "x" not found)");
  EXPECT_EQ(
      refused(R"("runtimeClassName":"vm","overhead":{"cpu":"1"})"),
      forbidden + "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  EXPECT_EQ(refused(R"("runtimeClassName":"plain","overhead":{"cpu":"1"})"),
            forbidden +
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined "
                "Overhead");
  EXPECT_EQ(refused(R"("runtimeClassName":"vm","nodeSelector":{"vm":"no"})"),
            forbidden +
                "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; "
                "pod.spec.nodeSelector[vm] = no");
}

TEST_F(PodPluginsTest, PodsCarryTheTopologyOfTheirNode) {
  Put<Node>(R"({"metadata":{"name":"n","labels":{"topology.kubernetes.io/zone":"z",
    "topology.kubernetes.io/region":"r","other":"o"}}})");
  auto plugin = NewPodTopologyLabels(dependencies_);
  Writing<Binding> binding(
      R"({"metadata":{"name":"p","namespace":"ns","labels":{"topology.kubernetes.io/zone":"own"}},
      "target":{"kind":"Node","name":"n"}})",
      "binding");
  binding.request.resource = "pods";
  ASSERT_EQ(Admit(*plugin, binding.request), "");
  EXPECT_EQ(binding.object.metadata.labels,
            (reflect::Map<std::string>{{"topology.kubernetes.io/zone", "own"},
                                       {"topology.kubernetes.io/region", "r"}}));
  Writing<Pod> pod(PodWith(R"("nodeName":"n")"));
  ASSERT_EQ(Admit(*plugin, pod.request), "");
  EXPECT_EQ(pod.object.metadata.labels.size(), 2U);
  Writing<Pod> elsewhere(PodWith(R"("nodeName":"gone")"));
  EXPECT_EQ(Admit(*plugin, elsewhere.request), "");
}

TEST_F(PodPluginsTest, ResizeMustFitTheNode) {
  Put<Node>(R"({"metadata":{"name":"n","labels":{"kubernetes.io/os":"linux"}},
    "status":{"allocatable":{"cpu":"2","memory":"1Gi"}}})");
  Put<Node>(R"({"metadata":{"name":"w","labels":{"kubernetes.io/os":"windows"}},
    "status":{"allocatable":{"cpu":"2","memory":"1Gi"}}})");
  auto plugin = NewPodResizeValidator(dependencies_);
  const auto pod = [](const std::string& node, int generation, const std::string& requests) {
    return R"({"metadata":{"name":"p","namespace":"ns","generation":)" +
           std::to_string(generation) + R"(},"spec":{"nodeName":")" + node +
           R"(","containers":[{"name":"c","resources":{"requests":{)" + requests + "}}}]}}";
  };
  const auto resize = [&](const std::string& node, int generation, const std::string& requests) {
    Writing<Pod> write(pod(node, 1, ""), pod(node, generation, requests), "resize");
    return Validate(*plugin, write.request);
  };
  const std::string forbidden = R"(pods "p" is forbidden: )";
  EXPECT_EQ(resize("n", 2, R"("cpu":"2","memory":"1Gi")"), "");
  EXPECT_EQ(resize("n", 2, R"("cpu":"2500m","memory":"2Gi")"),
            forbidden +
                "Node didn't have enough allocatable resources: cpu, requested: 2500, "
                "allocatable: 2000; memory, requested: 2147483648, allocatable: "
                "1073741824");
  EXPECT_EQ(resize("n", 1, R"("cpu":"2500m")"), "");
  EXPECT_EQ(resize("gone", 2, ""), forbidden + R"(node "gone" not found)");
  EXPECT_EQ(resize("w", 2, ""),
            forbidden + R"(pod resize is only supported on linux nodes, node "w" is "windows")");
  EXPECT_EQ(resize("", 2, R"("cpu":"9")"), "");
  Writing<Pod> write(pod("n", 1, ""), pod("n", 2, R"("cpu":"9")"), "resize");
  const auto answer = plugin->Validate(write.request);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(api::StatusOf(answer.error()).details->causes[0].reason, "NodeCapacity");
}

}  // namespace
}  // namespace podium::apiserver
