#include "api/validation/deployment.h"

#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using apps::v1::Deployment;

constexpr char kDeployment[] = R"({
  "metadata": {"name": "d", "namespace": "n", "resourceVersion": "1"},
  "spec": {"selector": {"matchLabels": {"a": "b"}},
           "template": {"metadata": {"labels": {"a": "b", "c": "d"}},
                        "spec": {"containers": [{"name": "c", "image": "i"}]}}}})";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateDeployment(Load<Deployment>(json)));
}

TEST(Deployment, Create) {
  ExpectErrors(kDeployment, RunsForeverCases("ReplicaSet"), Create);
  ExpectErrors(
      kDeployment,
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"spec.replicas=-1", "spec.minReadySeconds=-1", "spec.revisionHistoryLimit=-1"},
        {std::string("spec.replicas") + kNegative, std::string("spec.minReadySeconds") + kNegative,
         std::string("spec.revisionHistoryLimit") + kNegative}},
       {{"spec.revisionHistoryLimit=0"}, {}},
       {{"spec.minReadySeconds=600"},
        {"spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"}},
       {{"spec.progressDeadlineSeconds=-1"},
        {std::string("spec.progressDeadlineSeconds") + kNegative,
         "spec.progressDeadlineSeconds: Invalid value: -1: must be greater than minReadySeconds"}},
       {{"spec.selector"},
        {"spec.selector: Required value",
         "spec.template.metadata.labels: Invalid value: {\"a\":\"b\",\"c\":\"d\"}: `selector` does "
         "not match template `labels`"}},
       {{"spec.selector={}"},
        {"spec.selector: Invalid value: {}: empty selector is invalid for deployment"}},
       {{R"(spec.selector.matchExpressions=[{"key":"a","operator":"Exists","values":["x"]}])"},
        {"spec.selector.matchExpressions[0].values: Forbidden: may not be specified when "
         "`operator` is 'Exists' or 'DoesNotExist'",
         "spec.selector: Invalid value: "
         "{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":[{\"key\":\"a\",\"operator\":"
         "\"Exists\",\"values\":[\"x\"]}]}: invalid label selector"}}},
      Create);
}

TEST(Deployment, Strategy) {
  const std::string rolling = "spec.strategy.rollingUpdate";
  ExpectErrors(
      kDeployment,
      {{{"spec.strategy.type=\"Recreate\""}, {}},
       {{rolling + R"(={"maxSurge":"150%","maxUnavailable":0})"}, {}},
       {{rolling + R"(={"maxSurge":0,"maxUnavailable":"100%"})"}, {}},
       {{R"(spec.strategy={"type":"Recreate","rollingUpdate":{}})"},
        {rolling + ": Forbidden: may not be specified when strategy `type` is 'Recreate'"}},
       {{"spec.strategy.type=\"X\""},
        {"spec.strategy: Unsupported value: {\"Type\":\"X\",\"RollingUpdate\":null}: supported "
         "values: \"Recreate\", \"RollingUpdate\""}},
       {{R"(spec.strategy={"type":"X","rollingUpdate":{"maxSurge":"5%"}})"},
        {"spec.strategy: Unsupported value: "
         "{\"Type\":\"X\",\"RollingUpdate\":{\"MaxUnavailable\":0,\"MaxSurge\":\"5%\"}}: supported "
         "values: \"Recreate\", \"RollingUpdate\""}},
       {{rolling + R"(={"maxSurge":0,"maxUnavailable":0})"},
        {rolling + ".maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"}},
       {{rolling + R"(={"maxSurge":"0%","maxUnavailable":"0%"})"},
        {rolling + ".maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0"}},
       {{rolling + R"(={"maxSurge":"5x","maxUnavailable":"200%"})"},
        {rolling +
             ".maxSurge: Invalid value: \"5x\": a valid percent string must be a numeric string "
             "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is "
             "'[0-9]+%')",
         rolling + ".maxUnavailable: Invalid value: \"200%\": must not be greater than 100%"}},
       // What is too large for a number is not 0.
       {{rolling + R"(={"maxSurge":"99999999999999999999","maxUnavailable":0})"},
        {rolling + ".maxSurge: Invalid value: \"99999999999999999999\": a valid percent string "
                   "must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                   "regex used for validation is '[0-9]+%')"}},
       {{rolling + R"(={"maxSurge":-1,"maxUnavailable":"99999999999999999999%"})"},
        {rolling + ".maxSurge" + kNegative,
         rolling + ".maxUnavailable: Invalid value: \"99999999999999999999%\": must not be greater "
                   "than 100%"}}},
      Create);
}

TEST(Deployment, StrategyWithoutDefaults) {
  auto deployment = Load<Deployment>(kDeployment);
  deployment.spec.strategy.rollingUpdate.reset();
  EXPECT_THAT(Texts(ValidateDeployment(deployment)),
              ::testing::ElementsAre("spec.strategy.rollingUpdate: Required value: this should be "
                                     "defaulted and never be nil"));
  deployment.spec.strategy.rollingUpdate.emplace();
  EXPECT_THAT(Texts(ValidateDeployment(deployment)),
              ::testing::ElementsAre("spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "
                                     "0: may not be 0 when `maxSurge` is 0"));
}

// Where clients of versions before v1 asked for a rollback.
TEST(Deployment, Rollback) {
  const std::string to = "metadata.annotations['deprecated.deployment.rollback.to']";
  ExpectErrors(kDeployment,
               {{{to + "=\"0\""}, {}},
                {{to + "=\"12\""}, {}},
                {{to + "=\"\""}, {}},
                {{to + "=\"-1\"", "spec.revisionHistoryLimit=-1", "spec.minReadySeconds=600"},
                 {std::string("spec.revisionHistoryLimit") + kNegative,
                  std::string("spec.rollback.version") + kNegative,
                  "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than "
                  "minReadySeconds"}}},
               Create);
}

TEST(Deployment, Update) {
  const auto old_deployment = Load<Deployment>(kDeployment);
  ExpectErrors(
      kDeployment,
      {{{"spec.replicas=3", "spec.template.metadata.labels.e=\"f\""}, {}},
       {{"spec.replicas=-1"}, {std::string("spec.replicas") + kNegative}},
       {{R"(spec.selector={"matchLabels":{"a":"b","x":"y"}})"},
        {"spec.template.metadata.labels: Invalid value: {\"a\":\"b\",\"c\":\"d\"}: `selector` does "
         "not match template `labels`",
         "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\",\"x\":\"y\"}}: field is "
         "immutable"}},
       // Absent and empty are the same.
       {{R"(spec.selector={"matchLabels":{"a":"b"},"matchExpressions":[]})"}, {}}},
      [&](const std::string& json) {
        return Texts(ValidateDeploymentUpdate(Load<Deployment>(json), old_deployment));
      });
}

TEST(Deployment, Status) {
  const auto old_deployment = Load<Deployment>(Edited(kDeployment, {"status.collisionCount=2"}));
  ExpectErrors(
      kDeployment,
      {{{R"(status={"replicas":3,"updatedReplicas":3,"readyReplicas":2,"availableReplicas":1,"unavailableReplicas":5,"terminatingReplicas":7,"collisionCount":2})"},
        {}},
       {{R"(status={"observedGeneration":-1,"replicas":-1,"updatedReplicas":-1,"readyReplicas":-1,"availableReplicas":-1,"unavailableReplicas":-1,"terminatingReplicas":-1,"collisionCount":-1})"},
        {std::string("status.observedGeneration") + kNegative,
         std::string("status.replicas") + kNegative,
         std::string("status.updatedReplicas") + kNegative,
         std::string("status.readyReplicas") + kNegative,
         std::string("status.availableReplicas") + kNegative,
         std::string("status.unavailableReplicas") + kNegative,
         std::string("status.terminatingReplicas") + kNegative,
         std::string("status.collisionCount") + kNegative,
         "status.collisionCount: Invalid value: -1: cannot be decremented"}},
       {{R"(status={"replicas":1,"updatedReplicas":2,"readyReplicas":3,"availableReplicas":4})"},
        {"status.updatedReplicas: Invalid value: 2: cannot be greater than status.replicas",
         "status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas",
         "status.availableReplicas: Invalid value: 4: cannot be greater than status.replicas",
         "status.availableReplicas: Invalid value: 4: cannot be greater than readyReplicas",
         "status.collisionCount: Invalid value: 0: cannot be decremented"}}},
      [&](const std::string& json) {
        return Texts(ValidateDeploymentStatusUpdate(Load<Deployment>(json), old_deployment));
      });
}

}  // namespace
}  // namespace podium::api
