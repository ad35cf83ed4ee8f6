#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/status.h"
#include "api/types/apps_v1.h"
#include "apiserver/subresources/binding.h"
#include "apiserver/subresources/eviction.h"
#include "apiserver/subresources/scale.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::apps::v1::Deployment;
using api::autoscaling::v1::Scale;
using api::core::v1::Binding;
using api::core::v1::Pod;
using api::core::v1::ReplicationController;
using api::meta::v1::DeleteOptions;
using api::policy::v1::Eviction;
using api::policy::v1::PodDisruptionBudget;

constexpr api::Time kNow = api::Time::FromUnix(5000);

template <class T>
T FromJson(std::string_view json) {
  T object;
  const auto problems = reflect::DecodeJson(json, reflect::TypeOf<T>(), &object, {});
  EXPECT_TRUE(problems.empty()) << json;
  return object;
}

template <class T>
std::string ErrorOf(const Result<T>& result) {
  return result.ok() ? "" : std::string(result.error().message());
}

Binding ToNode(std::string_view pod) {
  Binding binding;
  binding.metadata.name = pod;
  binding.metadata.annotations["a"] = "b";
  binding.metadata.labels = {{"x", "new"}, {"y", "new"}};
  binding.target.kind = "Node";
  binding.target.name = "n1";
  return binding;
}

TEST(BindingTest, AssignsTheNode) {
  Pod pod = FromJson<Pod>(R"({"metadata":{"name":"p","generation":3,"labels":{"x":"old"}},
    "status":{"nominatedNodeName":"n0","conditions":[{"type":"PodScheduled","status":"False",
      "reason":"Unschedulable"}]}})");
  ASSERT_EQ(ErrorOf(CheckBinding(ToNode("p"), "p")), "");
  ASSERT_EQ(ErrorOf(Bind(ToNode("p"), kNow, &pod)), "");
  EXPECT_EQ(pod.spec.nodeName, "n1");
  EXPECT_EQ(pod.metadata.annotations.find("a")->second, "b");
  EXPECT_EQ(pod.metadata.labels.find("x")->second, "old");
  EXPECT_EQ(pod.metadata.labels.find("y")->second, "new");
  EXPECT_EQ(pod.metadata.generation, 3);
  EXPECT_EQ(pod.status.nominatedNodeName, "");
  ASSERT_EQ(pod.status.conditions.size(), 1U);
  EXPECT_EQ(pod.status.conditions[0].status, "True");
  EXPECT_EQ(pod.status.conditions[0].reason, "");
  EXPECT_EQ(pod.status.conditions[0].lastTransitionTime, kNow);
}

TEST(BindingTest, Conflicts) {
  struct Case {
    std::string pod;
    std::string error;
  };
  const Case cases[] = {
      {R"({"metadata":{"name":"p"},"spec":{"nodeName":"n7"}})",
       R"(Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n7")"},
      {R"({"metadata":{"name":"p","deletionTimestamp":"2026-01-01T00:00:00Z"}})",
       R"(Operation cannot be fulfilled on pods/binding "p": pod p is being deleted, cannot be assigned to a host)"},
      {R"({"metadata":{"name":"p"},"spec":{"schedulingGates":[{"name":"g"}]}})",
       R"(Operation cannot be fulfilled on pods/binding "p": pod p has non-empty .spec.schedulingGates)"},
  };
  for (const Case& each : cases) {
    Pod pod;
    ASSERT_TRUE(reflect::DecodeJson(each.pod, reflect::TypeOf<Pod>(), &pod, {}).empty());
    const auto bound = Bind(ToNode("p"), kNow, &pod);
    EXPECT_EQ(ErrorOf(bound), each.error);
    EXPECT_EQ(api::StatusOf(bound.error()).code, 409);
    EXPECT_TRUE(pod.status.conditions.empty());
  }
  Pod pod = FromJson<Pod>(R"({"metadata":{"name":"p","uid":"1"}})");
  Binding binding = ToNode("p");
  binding.metadata.uid = "2";
  EXPECT_EQ(ErrorOf(Bind(binding, kNow, &pod)),
            "Operation cannot be fulfilled on pods \"p\": Precondition failed: UID in "
            "precondition: 2, UID in object meta: 1");
  EXPECT_EQ(ErrorOf(CheckBinding(ToNode("q"), "p")),
            "name in URL does not match name in Binding object");
  binding.target.name.clear();
  EXPECT_EQ(ErrorOf(CheckBinding(binding, "p")),
            "Internal error occurred: target.name: Required value");
}

TEST(ScaleTest, FromAndToTheObject) {
  Deployment deployment = FromJson<Deployment>(R"({"metadata":{"name":"d","namespace":"n","uid":"u",
      "resourceVersion":"7","labels":{"not":"shown"}},
    "spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"},
      "matchExpressions":[{"key":"c","operator":"In","values":["e","d"]}]},"template":{}},
    "status":{"replicas":2}})");
  const reflect::Type& type = reflect::TypeOf<Deployment>();
  const auto scale = ScaleOf(type, &deployment);
  ASSERT_TRUE(scale.ok());
  EXPECT_EQ(
      *reflect::ToJson(*scale),
      R"({"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"d","namespace":"n",)"
      R"("uid":"u","resourceVersion":"7"},"spec":{"replicas":3},)"
      R"x("status":{"replicas":2,"selector":"a=b,c in (d,e)"}})x");
  Scale wanted = reflect::Copy(*scale);
  wanted.spec.replicas = 5;
  ASSERT_EQ(ErrorOf(ApplyScale(wanted, type, &deployment)), "");
  EXPECT_EQ(deployment.spec.replicas, 5);
  wanted.spec.replicas = -1;
  EXPECT_EQ(ErrorOf(ApplyScale(wanted, type, &deployment)),
            "Scale.autoscaling \"d\" is invalid: spec.replicas: Invalid value: -1: must be greater "
            "than or equal to 0");
  wanted.spec.replicas = 6;
  wanted.metadata.uid = "other";
  EXPECT_EQ(ErrorOf(ApplyScale(wanted, type, &deployment)),
            "Operation cannot be fulfilled on deployments.apps \"d\": Precondition failed: UID in "
            "precondition: other, UID in object meta: u");
  EXPECT_EQ(deployment.spec.replicas, 5);

  ReplicationController controller;
  controller.spec.replicas = 1;
  controller.spec.selector["a"] = "b";
  EXPECT_EQ(ScaleOf(reflect::TypeOf<ReplicationController>(), &controller)->status.selector, "a=b");
  EXPECT_FALSE(ScaleOf(reflect::TypeOf<Pod>(), nullptr).ok());
}

class EvictionTest : public testing::Test {
 protected:
  EvictionTest() {
    pod = FromJson<Pod>(R"({"metadata":{"name":"p","namespace":"n","resourceVersion":"9",
      "labels":{"a":"b"}},"status":{"phase":"Running",
      "conditions":[{"type":"Ready","status":"True"}]}})");
    budget = FromJson<PodDisruptionBudget>(R"({"metadata":{"name":"b","namespace":"n",
      "generation":1},"spec":{"selector":{"matchLabels":{"a":"b"}}},
      "status":{"observedGeneration":1,"disruptionsAllowed":1,"currentHealthy":3,
        "desiredHealthy":2,"expectedPods":3}})");
  }
  Result<EvictionPlan> Plan() {
    return PlanEviction(pod, {std::make_shared<PodDisruptionBudget>(reflect::Copy(budget))},
                        options, kNow);
  }
  // Code, seconds to wait, and the cause.
  std::string Refusal() {
    const auto plan = Plan();
    if (plan.ok()) return "";
    const auto status = api::StatusOf(plan.error());
    std::string text = std::to_string(status.code);
    if (status.details) {
      text += " " + std::to_string(status.details->retryAfterSeconds);
      for (const auto& cause : status.details->causes) {
        text += " " + cause.reason + ": " + cause.message;
      }
    }
    return text;
  }

  Pod pod;
  PodDisruptionBudget budget;
  DeleteOptions options;
};

TEST_F(EvictionTest, TheBudgetPays) {
  const auto plan = Plan();
  ASSERT_TRUE(plan.ok());
  ASSERT_TRUE(plan->budget);
  EXPECT_EQ(plan->budget->status.disruptionsAllowed, 0);
  EXPECT_EQ(plan->budget->status.disruptedPods.at("p"), kNow);
  ASSERT_EQ(plan->budget->status.conditions.size(), 1U);
  EXPECT_EQ(plan->budget->status.conditions[0].reason, "InsufficientPods");
  EXPECT_EQ(plan->budget->status.conditions[0].status, "False");
  EXPECT_FALSE(plan->options.preconditions);
  options.dryRun = {"All"};
  EXPECT_FALSE(Plan()->budget);
}

TEST_F(EvictionTest, WhenTheBudgetIsSpent) {
  budget.status.disruptionsAllowed = 0;
  EXPECT_EQ(Refusal(),
            "429 0 DisruptionBudget: The disruption budget b needs 2 healthy pods and has 3 "
            "currently");
  budget.status.conditions.emplace_back();
  budget.status.conditions[0].type = "DisruptionAllowed";
  budget.status.conditions[0].status = "False";
  budget.status.conditions[0].reason = "SyncFailed";
  budget.status.conditions[0].message = "why";
  EXPECT_EQ(
      Refusal(),
      "429 0 DisruptionBudget: The disruption budget b does not allow evicting pods currently "
      "because it failed sync: why");
  budget.metadata.generation = 2;
  EXPECT_EQ(Refusal(),
            "429 10 DisruptionBudget: The disruption budget b is still being processed by the "
            "server.");
  budget.metadata.generation = 1;
  budget.status.disruptionsAllowed = -1;
  EXPECT_TRUE(Refusal().starts_with("403"));
  budget.status.disruptionsAllowed = 1;
  for (int i = 0; i <= 2000; ++i) budget.status.disruptedPods["p" + std::to_string(i)] = kNow;
  EXPECT_TRUE(Refusal().starts_with("403"));
}

TEST_F(EvictionTest, PodsThatAreNotReady) {
  pod.status.conditions.clear();
  budget.status.disruptionsAllowed = 0;
  // Enough others are healthy.
  auto plan = Plan();
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE(plan->budget);
  EXPECT_TRUE(plan->conflict_means_retry);
  EXPECT_EQ(plan->options.preconditions->resourceVersion, "9");
  budget.status.currentHealthy = 1;
  EXPECT_TRUE(Refusal().starts_with("429"));
  budget.spec.unhealthyPodEvictionPolicy = "AlwaysAllow";
  EXPECT_EQ(Refusal(), "");
  // The client's own condition is the client's own conflict.
  options.preconditions.ensure().resourceVersion = "5";
  plan = Plan();
  EXPECT_FALSE(plan->conflict_means_retry);
  EXPECT_EQ(plan->options.preconditions->resourceVersion, "5");
}

TEST_F(EvictionTest, PodsThatNoBudgetCounts) {
  budget.status.disruptionsAllowed = 0;
  pod.status.phase = "Failed";
  EXPECT_FALSE(Plan()->options.preconditions);
  pod.status.phase = "Pending";
  EXPECT_EQ(Plan()->options.preconditions->resourceVersion, "9");
  pod.status.phase = "Running";
  pod.metadata.labels["a"] = "other";
  EXPECT_EQ(Refusal(), "");
  pod.metadata.labels["a"] = "b";
  budget.spec.selector.emplace();
  EXPECT_EQ(Refusal(), "");
}

TEST_F(EvictionTest, TwoBudgets) {
  const auto shared = std::make_shared<PodDisruptionBudget>(reflect::Copy(budget));
  const auto plan = PlanEviction(pod, {shared, shared}, options, kNow);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(api::StatusOf(plan.error()).code, 500);
  EXPECT_EQ(plan.error().message(),
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
            "not support.");
}

TEST_F(EvictionTest, OptionsAndMarks) {
  Eviction eviction;
  eviction.metadata.name = "p";
  EXPECT_EQ(EvictionOptions(eviction, "p", {"All"})->dryRun.size(), 1U);
  EXPECT_EQ(ErrorOf(EvictionOptions(eviction, "q", {})),
            "name in URL does not match name in Eviction object");
  eviction.deleteOptions.emplace().gracePeriodSeconds = 3;
  EXPECT_EQ(EvictionOptions(eviction, "p", {})->gracePeriodSeconds, 3);
  eviction.deleteOptions->dryRun = {"None"};
  EXPECT_EQ(ErrorOf(EvictionOptions(eviction, "p", {"All"})),
            "Non-matching dry-run options in request and content: [All] and [None]");
  MarkEvicted(kNow, &pod);
  ASSERT_EQ(pod.status.conditions.size(), 2U);
  EXPECT_EQ(pod.status.conditions[1].reason, "EvictionByEvictionAPI");
}

}  // namespace
}  // namespace podium::apiserver
