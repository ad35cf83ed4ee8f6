#include "apiserver/strategies/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "api/scheme.h"
#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/certificates_v1.h"
#include "api/types/core_v1.h"
#include "api/types/resources.h"
#include "api/validation/validation.h"
#include "apiserver/catalog.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using namespace api::core::v1;  // NOLINT: named once
using api::apps::v1::DaemonSet;
using api::apps::v1::Deployment;
using api::batch::v1::Job;
using testing::ElementsAre;
using testing::IsEmpty;

template <class T>
T FromJson(std::string_view json) {
  T object;
  const auto problems = reflect::DecodeJson(json, reflect::TypeOf<T>(), &object, {});
  EXPECT_TRUE(problems.empty()) << json;
  return object;
}

StrategyContext At(int64_t seconds) { return {.now = api::Time::FromUnix(seconds)}; }

template <class T>
T Created(T object, StrategyContext context = At(1000)) {
  PrepareForCreate(StrategyOf(reflect::TypeOf<T>()), reflect::TypeOf<T>(), context, &object);
  return object;
}

template <class T>
T Updated(T object, const T& old, std::string_view subresource = "",
          StrategyContext context = At(2000)) {
  PrepareForUpdate(StrategyOf(reflect::TypeOf<T>(), subresource), reflect::TypeOf<T>(), context,
                   &object, &old);
  return object;
}

// Every kind that has a status subresource drops the status that a client writes, and every one of
// its subresources leaves the spec alone.
TEST(StrategyTest, AllServedKindsWithAStatusSubresource) {
  const auto catalog = Catalog::Make({});
  int kinds = 0;
  for (const ServedResource& resource : catalog->resources()) {
    if (!resource.stored_as_is() || !resource.is_stored()) continue;
    if (resource.builtin->FindSubresource("status") == nullptr) continue;
    ++kinds;
    EXPECT_TRUE(StrategyOf(*resource.stored_type).has_status) << resource.kind;
    const Strategy& status = StrategyOf(*resource.stored_type, "status");
    EXPECT_EQ(status.own_field, "status") << resource.kind;
    EXPECT_TRUE(IsResetField(StrategyOf(*resource.stored_type), *resource.stored_type, "status"));
    EXPECT_FALSE(IsResetField(StrategyOf(*resource.stored_type), *resource.stored_type, "spec"));
    EXPECT_TRUE(IsResetField(status, *resource.stored_type, "spec")) << resource.kind;
    EXPECT_FALSE(IsResetField(status, *resource.stored_type, "status"));
  }
  EXPECT_GE(kinds, 18);
}

// Rows are for kinds that are served, and each is there once.
TEST(StrategyTest, RowsAreOfServedKinds) {
  const auto catalog = Catalog::Make({});
  std::set<std::pair<const reflect::Type*, std::string_view>> seen;
  for (const auto& rows : {PodStrategies(), CoreStrategies(), WorkloadStrategies(),
                           ServiceStrategies(), ClusterStrategies(), ServerStrategies()}) {
    for (const Strategy& row : rows) {
      ASSERT_NE(row.type, nullptr);
      EXPECT_TRUE(seen.emplace(row.type, row.subresource).second) << row.type->name;
      const auto is = [&](const ServedResource& each) {
        return each.stored_type == row.type &&
               (row.subresource.empty() ||
                each.builtin->FindSubresource(row.subresource) != nullptr);
      };
      EXPECT_TRUE(std::ranges::any_of(catalog->resources(), is))
          << row.type->name << "/" << row.subresource;
    }
  }
}

TEST(StrategyTest, PodIsPreparedAsUpstream) {
  const Pod pod = Created(FromJson<Pod>(R"({"metadata":{"name":"a","generation":7},"spec":{
    "schedulingGates":[{"name":"x/y"}],"schedulingGroup":{},
    "containers":[{"name":"c","resources":{"limits":{"cpu":"1"}}}],
    "volumes":[{"name":"v","projected":{"sources":[{"clusterTrustBundle":{"path":"p"}}]}}]},
    "status":{"phase":"Running","podIP":"1.2.3.4"}})"));
  EXPECT_EQ(pod.metadata.generation, 1);
  EXPECT_EQ(pod.status.phase, "Pending");
  EXPECT_EQ(pod.status.qosClass, "Burstable");
  EXPECT_EQ(pod.status.podIP, "");
  ASSERT_EQ(pod.status.conditions.size(), 1U);
  EXPECT_EQ(pod.status.conditions[0].reason, "SchedulingGated");
  EXPECT_EQ(pod.status.conditions[0].lastTransitionTime, api::Time::FromUnix(1000));
  EXPECT_FALSE(pod.spec.schedulingGroup);
  EXPECT_FALSE(pod.spec.volumes[0].projected->sources[0].clusterTrustBundle);
}

TEST(StrategyTest, APodThatUsesADisabledFieldKeepsIt) {
  const Pod old = FromJson<Pod>(R"({"spec":{"containers":[],"schedulingGroup":{}}})");
  Pod pod = reflect::Copy(old);
  pod.spec.nodeSelector["a"] = "b";
  pod = Updated(pod, old);
  EXPECT_TRUE(pod.spec.schedulingGroup);
  EXPECT_EQ(pod.metadata.generation, 1);
  EXPECT_EQ(Updated(pod, pod).metadata.generation, 1);
}

TEST(StrategyTest, AppArmorAnnotationsBecomeFields) {
  std::vector<std::string> warnings;
  StrategyContext context = At(1);
  context.warnings = &warnings;
  const Pod pod = Created(
      FromJson<Pod>(
          R"({"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"localhost/x"}},
      "spec":{"containers":[{"name":"c"},{"name":"d"}]}})"),
      context);
  ASSERT_TRUE(pod.spec.containers[0].securityContext);
  EXPECT_EQ(pod.spec.containers[0].securityContext->appArmorProfile->type, "Localhost");
  EXPECT_EQ(pod.spec.containers[0].securityContext->appArmorProfile->localhostProfile, "x");
  EXPECT_FALSE(pod.spec.containers[1].securityContext);
  EXPECT_THAT(warnings,
              ElementsAre("metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: "
                          "deprecated since v1.30; use the \"appArmorProfile\" field instead"));
}

// What a client names in both places is an error; what the server merged is none.
TEST(StrategyTest, LabelKeysAreMergedOnce) {
  Pod pod = FromJson<Pod>(R"({"metadata":{"name":"a","namespace":"b","labels":{"k":"v"}},"spec":{
    "restartPolicy":"Always","dnsPolicy":"ClusterFirst","terminationGracePeriodSeconds":30,
    "containers":[{"name":"c","image":"i","imagePullPolicy":"Always",
      "terminationMessagePolicy":"File"}],
    "topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule",
      "labelSelector":{"matchLabels":{"a":"b"}},"matchLabelKeys":["k"]}]}})");
  pod = Created(std::move(pod));
  const auto& selector = *pod.spec.topologySpreadConstraints[0].labelSelector;
  ASSERT_EQ(selector.matchExpressions.size(), 1U);
  EXPECT_EQ(selector.matchExpressions[0].key, "k");
  EXPECT_EQ(api::ValidatePreparedCreate(reflect::TypeOf<Pod>(), &pod).AggregateText(), "");
  EXPECT_FALSE(api::ValidateCreate(pod).empty());
}

TEST(StrategyTest, ResourceClaimsAreRefused) {
  const Pod pod = FromJson<Pod>(R"({"spec":{"containers":[],"resourceClaims":[{"name":"gpu"}]}})");
  const Strategy& strategy = StrategyOf(reflect::TypeOf<Pod>());
  const std::string expected =
      "spec.resourceClaims: Forbidden: this server does not serve resource.k8s.io, so that no "
      "claim could be found";
  EXPECT_EQ(strategy.validate_create(At(1), &pod).AggregateText(), expected);
  EXPECT_THAT(strategy.validate_update(At(1), &pod, &pod), IsEmpty());
  Deployment deployment;
  deployment.spec.template_.spec = pod.spec;
  EXPECT_EQ(
      StrategyOf(reflect::TypeOf<Deployment>()).validate_create(At(1), &deployment).AggregateText(),
      "spec.template." + expected);
}

TEST(StrategyTest, PodStatusTakesTheStatusAlone) {
  const Pod old = FromJson<Pod>(R"({"metadata":{"name":"a","labels":{"x":"y"},
      "ownerReferences":[{"kind":"J","name":"j","uid":"u","apiVersion":"v"}]},
    "spec":{"nodeName":"n","containers":[]},
    "status":{"qosClass":"Guaranteed","observedGeneration":3,
      "conditions":[{"type":"Ready","status":"False","observedGeneration":2}]}})");
  const Pod pod = Updated(FromJson<Pod>(R"({"metadata":{"name":"a","labels":{"x":"z"}},
    "spec":{"nodeName":"m","containers":[]},"status":{"phase":"Running",
      "conditions":[{"type":"Ready","status":"True"}]}})"),
                          old, "status");
  EXPECT_EQ(pod.spec.nodeName, "n");
  EXPECT_EQ(pod.metadata.labels.find("x")->second, "z");
  EXPECT_EQ(pod.metadata.ownerReferences.size(), 1U);
  EXPECT_EQ(pod.status.phase, "Running");
  EXPECT_EQ(pod.status.qosClass, "Guaranteed");
  EXPECT_EQ(pod.status.observedGeneration, 3);
  EXPECT_EQ(pod.status.conditions[0].observedGeneration, 2);
}

TEST(StrategyTest, ResizeTakesResourcesAlone) {
  const Pod old = FromJson<Pod>(
      R"({"metadata":{"generation":4},"spec":{"containers":[{"name":"c","image":"i"}]},"status":{"phase":"Running"}})");
  const Pod pod = Updated(FromJson<Pod>(R"({"metadata":{"labels":{"a":"b"}},"spec":{"nodeName":"n",
    "containers":[{"name":"c","image":"j","resources":{"limits":{"cpu":"2"}}}]}})"),
                          old, "resize");
  EXPECT_EQ(pod.spec.nodeName, "");
  EXPECT_EQ(pod.spec.containers[0].image, "i");
  EXPECT_EQ(pod.spec.containers[0].resources.limits.size(), 1U);
  EXPECT_EQ(pod.status.phase, "Running");
  EXPECT_TRUE(pod.metadata.labels.empty());
  EXPECT_EQ(pod.metadata.generation, 5);
}

TEST(StrategyTest, EphemeralContainersAreTakenAlone) {
  const Pod old = FromJson<Pod>(R"({"spec":{"containers":[{"name":"c"}]}})");
  const Pod pod =
      Updated(FromJson<Pod>(R"({"spec":{"containers":[],"ephemeralContainers":[{"name":"e"}]}})"),
              old, "ephemeralcontainers");
  EXPECT_EQ(pod.spec.containers.size(), 1U);
  ASSERT_EQ(pod.spec.ephemeralContainers.size(), 1U);
  EXPECT_EQ(pod.metadata.generation, 1);
}

TEST(StrategyTest, GracefulDeletionOfPods) {
  struct Case {
    std::string pod;
    std::optional<int64_t> asked;
    int64_t seconds;
  };
  const Case cases[] = {
      {R"({"spec":{"nodeName":"n","terminationGracePeriodSeconds":30}})", {}, 30},
      {R"({"spec":{"nodeName":"n","terminationGracePeriodSeconds":30}})", 5, 5},
      {R"({"spec":{"nodeName":"n","terminationGracePeriodSeconds":30}})", 0, 0},
      {R"({"spec":{"nodeName":"n","terminationGracePeriodSeconds":-3}})", {}, 1},
      {R"({"spec":{"terminationGracePeriodSeconds":30}})", {}, 0},
      {R"({"spec":{"nodeName":"n"}})", {}, 0},
      {R"({"spec":{"nodeName":"n"},"status":{"phase":"Failed"}})", 9, 0},
      {R"({"spec":{"nodeName":"n"},"status":{"phase":"Succeeded"}})", 9, 0},
      {R"({"spec":{"nodeName":"n"},"status":{"phase":"Running"}})", 9, 9},
  };
  const auto graceful = StrategyOf(reflect::TypeOf<Pod>()).graceful_deletion;
  ASSERT_NE(graceful, nullptr);
  for (const Case& each : cases) {
    api::meta::v1::DeleteOptions options;
    options.gracePeriodSeconds = each.asked;
    Pod pod;
    const auto problems = reflect::DecodeJson(each.pod, reflect::TypeOf<Pod>(), &pod, {});
    ASSERT_TRUE(problems.empty());
    const GracefulDeletion deletion = graceful(&pod, options);
    EXPECT_TRUE(deletion.graceful);
    EXPECT_EQ(deletion.seconds, each.seconds) << each.pod;
  }
}

TEST(StrategyTest, GenerationOfDeploymentsCountsAnnotations) {
  Deployment old = Created(Deployment());
  EXPECT_EQ(old.metadata.generation, 1);
  Deployment changed = reflect::Copy(old);
  changed.metadata.labels["a"] = "b";
  EXPECT_EQ(Updated(changed, old).metadata.generation, 1);
  changed.metadata.annotations["a"] = "b";
  EXPECT_EQ(Updated(changed, old).metadata.generation, 2);
  changed.status.replicas = 3;
  EXPECT_EQ(Updated(changed, old).status.replicas, 0);
  changed = Updated(changed, old, "status");
  EXPECT_EQ(changed.status.replicas, 3);
  EXPECT_TRUE(changed.metadata.labels.empty());
  EXPECT_EQ(changed.metadata.generation, 1);
}

TEST(StrategyTest, TemplateGenerationOfDaemonSets) {
  constexpr const char* kName = "deprecated.daemonset.template.generation";
  const DaemonSet old = Created(DaemonSet());
  EXPECT_EQ(old.metadata.annotations.find(kName)->second, "1");
  DaemonSet set = reflect::Copy(old);
  set.spec.minReadySeconds = 1;
  set.metadata.annotations[kName] = "77";
  set = Updated(set, old);
  EXPECT_EQ(set.metadata.annotations.find(kName)->second, "1");
  EXPECT_EQ(set.metadata.generation, 2);
  set.spec.template_.metadata.labels["a"] = "b";
  set = Updated(set, old);
  EXPECT_EQ(set.metadata.annotations.find(kName)->second, "2");
}

TEST(StrategyTest, JobsSelectTheirPodsByUid) {
  const Job job = Created(FromJson<Job>(R"({"metadata":{"name":"j","uid":"u-1"},
    "spec":{"template":{"spec":{"containers":[]}}},"status":{"active":3}})"));
  const auto& labels = job.spec.template_.metadata.labels;
  EXPECT_EQ(labels.find("batch.kubernetes.io/controller-uid")->second, "u-1");
  EXPECT_EQ(labels.find("controller-uid")->second, "u-1");
  EXPECT_EQ(labels.find("batch.kubernetes.io/job-name")->second, "j");
  EXPECT_EQ(labels.find("job-name")->second, "j");
  EXPECT_EQ(job.spec.selector->matchLabels.find("batch.kubernetes.io/controller-uid")->second,
            "u-1");
  EXPECT_EQ(job.status.active, 0);
  const Job manual = Created(FromJson<Job>(
      R"({"metadata":{"uid":"u-1"},"spec":{"manualSelector":true,"template":{"spec":{"containers":[]}}}})"));
  EXPECT_FALSE(manual.spec.selector);
  EXPECT_TRUE(StrategyOf(reflect::TypeOf<Job>()).orphans_by_default);
}

TEST(StrategyTest, Namespaces) {
  const Namespace created = Created(FromJson<Namespace>(R"({"metadata":{"name":"a"},
    "spec":{"finalizers":["x/y"]},"status":{"phase":"Terminating"}})"));
  EXPECT_EQ(created.status.phase, "Active");
  EXPECT_THAT(created.spec.finalizers, ElementsAre("x/y", "kubernetes"));
  EXPECT_EQ(created.metadata.labels.find("kubernetes.io/metadata.name")->second, "a");
  Namespace changed = reflect::Copy(created);
  changed.spec.finalizers.clear();
  EXPECT_EQ(Updated(changed, created).spec.finalizers.size(), 2U);
  EXPECT_TRUE(Updated(changed, created, "finalize").spec.finalizers.empty());
  EXPECT_NE(StrategyOf(reflect::TypeOf<Namespace>()).held, nullptr);
}

TEST(StrategyTest, NodesRegisterWithTheirStatus) {
  Node node = FromJson<Node>(R"({"status":{"nodeInfo":{"machineID":"m"}}})");
  node = Created(std::move(node));
  EXPECT_EQ(node.status.nodeInfo.machineID, "m");
  Node changed = reflect::Copy(node);
  changed.status.nodeInfo.machineID = "n";
  EXPECT_EQ(Updated(changed, node).status.nodeInfo.machineID, "m");
}

TEST(StrategyTest, ClaimsNameTheirSourceTwice) {
  const auto claim = Created(FromJson<PersistentVolumeClaim>(R"({"spec":{
    "dataSource":{"kind":"PersistentVolumeClaim","name":"a"}}})"));
  EXPECT_EQ(claim.status.phase, "Pending");
  ASSERT_TRUE(claim.spec.dataSourceRef);
  EXPECT_EQ(claim.spec.dataSourceRef->name, "a");
  const auto dropped = Created(FromJson<PersistentVolumeClaim>(R"({"spec":{
    "dataSource":{"apiGroup":"x.io","kind":"Y","name":"a"}}})"));
  EXPECT_FALSE(dropped.spec.dataSource);
  EXPECT_FALSE(dropped.spec.dataSourceRef);
  const auto across = Created(FromJson<PersistentVolumeClaim>(R"({"spec":{
    "dataSourceRef":{"apiGroup":"x.io","kind":"Y","name":"a","namespace":"b"}}})"));
  EXPECT_FALSE(across.spec.dataSourceRef);
  // Who gives both means both, and it is validation that says whether they fit.
  const auto both = Created(FromJson<PersistentVolumeClaim>(R"({"spec":{
    "dataSource":{"apiGroup":"x.io","kind":"Y","name":"a"},
    "dataSourceRef":{"apiGroup":"x.io","kind":"Y","name":"a","namespace":""}}})"));
  EXPECT_TRUE(both.spec.dataSource);
  EXPECT_TRUE(both.spec.dataSourceRef);
}

TEST(StrategyTest, NodesTakeNoSettingsFromTheServer) {
  const char* const text = R"({"spec":{"configSource":{}},"status":{"config":{"error":"e"}}})";
  const Node created = Created(FromJson<Node>(text));
  EXPECT_FALSE(created.spec.configSource);
  EXPECT_FALSE(created.status.config);
  EXPECT_FALSE(Updated(FromJson<Node>(text), created).spec.configSource);
  EXPECT_FALSE(Updated(FromJson<Node>(text), created, "status").status.config);
  const Node old = FromJson<Node>(text);
  EXPECT_TRUE(Updated(FromJson<Node>(text), old).spec.configSource);
  EXPECT_TRUE(Updated(FromJson<Node>(text), old, "status").status.config);
}

TEST(StrategyTest, SigningRequestsSayWhoAsks) {
  using Request = api::certificates::v1::CertificateSigningRequest;
  const User user{.name = "ada", .uid = "7", .groups = {"g"}, .extra = {{"k", {"v"}}}};
  StrategyContext context = At(50);
  context.user = &user;
  const Request created = Created(FromJson<Request>(R"({"spec":{"username":"root","request":"",
    "signerName":"x/y"},"status":{"conditions":[{"type":"Approved","status":"True"}]}})"),
                                  context);
  EXPECT_EQ(created.spec.username, "ada");
  EXPECT_EQ(created.spec.extra.at("k").items.front(), "v");
  EXPECT_TRUE(created.status.conditions.empty());

  Request approved = reflect::Copy(created);
  auto& condition = approved.status.conditions.emplace_back();
  condition.type = "Approved";
  condition.status = "True";
  approved.status.certificate.data = "forged";
  approved = Updated(approved, created, "approval");
  EXPECT_EQ(approved.status.certificate.data, "");
  EXPECT_EQ(approved.status.conditions[0].lastUpdateTime, api::Time::FromUnix(2000));
  EXPECT_EQ(approved.status.conditions[0].lastTransitionTime, api::Time::FromUnix(2000));

  Request issued = reflect::Copy(approved);
  issued.status.conditions[0].reason = "Changed";
  issued.status.certificate.data = "cert";
  issued = Updated(issued, approved, "status");
  EXPECT_EQ(issued.status.conditions[0].reason, "");
  EXPECT_EQ(issued.status.certificate.data, "cert");
}

TEST(StrategyTest, CustomResources) {
  // Any type with a status stands for one of a definition.
  const reflect::Type& type = reflect::TypeOf<Deployment>();
  const Deployment old = FromJson<Deployment>(R"({"metadata":{"generation":3},
    "status":{"replicas":1}})");
  Deployment changed = reflect::Copy(old);
  changed.status.replicas = 2;
  changed.metadata.labels["a"] = "b";
  const auto updated = [&](bool has_status, std::string_view subresource) {
    Deployment object = reflect::Copy(changed);
    PrepareForUpdate(CustomStrategyOf(has_status, subresource), type, At(1), &object, &old);
    return object;
  };
  EXPECT_EQ(updated(false, "").metadata.generation, 4);
  EXPECT_EQ(updated(false, "").status.replicas, 2);
  EXPECT_EQ(updated(true, "").metadata.generation, 3);
  EXPECT_EQ(updated(true, "").status.replicas, 1);
  EXPECT_EQ(updated(true, "status").status.replicas, 2);
  EXPECT_TRUE(updated(true, "status").metadata.labels.empty());
  EXPECT_FALSE(CustomStrategyOf(true).unconditional_update);
}

TEST(StrategyTest, WarningsOfPods) {
  const Pod pod = FromJson<Pod>(R"({"metadata":{"name":"a.b",
      "annotations":{"scheduler.alpha.kubernetes.io/critical-pod":""}},"spec":{
    "nodeSelector":{"beta.kubernetes.io/os":"linux"},"terminationGracePeriodSeconds":-1,
    "volumes":[{"name":"g","gitRepo":{"repository":"r"}}],
    "imagePullSecrets":[{"name":"s"},{"name":"s"},{}],
    "containers":[{"name":"c","env":[{"name":"X","value":"1"},{"name":"X","value":"$(X)2"},
        {"name":"X","value":"3"}],
      "resources":{"limits":{"memory":"100m"}},
      "ports":[{"containerPort":80,"protocol":"TCP"},{"containerPort":80,"protocol":"TCP"}]}]}})");
  const auto warnings = StrategyOf(reflect::TypeOf<Pod>()).warnings(&pod, nullptr);
  EXPECT_THAT(
      warnings,
      ElementsAre(
          "metadata.name: this is used in the Pod's hostname, which can result "
          "in surprising behavior; a DNS label is recommended: [must not contain dots]",
          "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "
          "\"kubernetes.io/os\" instead",
          "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in "
          "v1.16+; use the \"priorityClassName\" field instead",
          "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
          "spec.imagePullSecrets[1].name: duplicate name \"s\"",
          "spec.imagePullSecrets[2].name: invalid empty name \"\"",
          "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, "
          "must be an integer",
          "spec.containers[0].env[2]: hides previous definition of \"X\", which may be dropped "
          "when using apply",
          "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
          "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will "
          "be treated as 1"));
  EXPECT_THAT(StrategyOf(reflect::TypeOf<Pod>()).warnings(&pod, &pod), IsEmpty());
}

}  // namespace
}  // namespace podium::apiserver
