#include "api/validation/daemon_set.h"

#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using apps::v1::DaemonSet;

constexpr char kSet[] = R"({
  "metadata": {"name": "d", "namespace": "n", "resourceVersion": "1"},
  "spec": {"selector": {"matchLabels": {"a": "b"}},
           "template": {"metadata": {"labels": {"a": "b", "c": "d"}},
                        "spec": {"containers": [{"name": "c", "image": "i"}]}}}})";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateDaemonSet(Load<DaemonSet>(json)));
}

TEST(DaemonSet, Create) {
  ExpectErrors(kSet, RunsForeverCases("DaemonSet"), Create);
  const std::string mismatch =
      "spec.template.metadata.labels: Invalid value: {\"a\":\"b\",\"c\":\"d\"}: `selector` does "
      "not "
      "match template `labels`";
  ExpectErrors(
      kSet,
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"spec.minReadySeconds=-1", "spec.revisionHistoryLimit=-1"},
        {std::string("spec.minReadySeconds") + kNegative,
         std::string("spec.revisionHistoryLimit") + kNegative}},
       // An absent selector selects nothing, and nobody says that it is required.
       {{"spec.selector"}, {mismatch}},
       {{"spec.selector={}"},
        {"spec.selector: Invalid value: {}: empty selector is invalid for daemonset"}},
       {{R"(spec.selector.matchExpressions=[{"key":"a","operator":"X"}])"},
        {"spec.selector.matchExpressions[0].operator: Invalid value: \"X\": not a valid selector "
         "operator"}}},
      Create);
}

TEST(DaemonSet, Strategy) {
  const std::string rolling = "spec.updateStrategy.rollingUpdate";
  ExpectErrors(
      kSet,
      {{{"spec.updateStrategy.type=\"OnDelete\""}, {}},
       {{rolling + R"(={"maxUnavailable":0,"maxSurge":"100%"})"}, {}},
       {{"spec.updateStrategy.type=\"X\""},
        {"spec.updateStrategy: Unsupported value: {\"Type\":\"X\",\"RollingUpdate\":null}: "
         "supported values: \"RollingUpdate\", \"OnDelete\""}},
       {{rolling + R"(={"maxUnavailable":1,"maxSurge":1})"},
        {rolling + ".maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"}},
       {{rolling + R"(={"maxUnavailable":0,"maxSurge":"0%"})"},
        {rolling + ".maxUnavailable: Required value: cannot be 0 when maxSurge is 0"}},
       {{rolling + R"(={"maxUnavailable":"101%","maxSurge":"x"})"},
        {rolling +
             ".maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string "
             "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is "
             "'[0-9]+%')",
         rolling + ".maxUnavailable: Invalid value: \"101%\": must not be greater than 100%"}},
       {{rolling + R"(={"maxUnavailable":-1,"maxSurge":"101%"})"},
        {rolling + ".maxUnavailable" + kNegative,
         rolling + ".maxSurge: Invalid value: \"101%\": must not be greater than 100%",
         rolling + ".maxSurge: Invalid value: \"101%\": may not be set when maxUnavailable is "
                   "non-zero"}}},
      Create);
}

TEST(DaemonSet, StrategyWithoutDefaults) {
  auto set = Load<DaemonSet>(kSet);
  set.spec.updateStrategy.rollingUpdate.reset();
  EXPECT_THAT(Texts(ValidateDaemonSet(set)),
              ::testing::ElementsAre("spec.updateStrategy.rollingUpdate: Required value"));
}

TEST(DaemonSet, Update) {
  const auto old_set = Load<DaemonSet>(kSet);
  const std::string negative = std::string("spec.minReadySeconds") + kNegative;
  ExpectErrors(
      kSet,
      {{{"spec.minReadySeconds=3", "spec.template.spec.containers[0].image=\"j\""}, {}},
       // What must stay is told before what is wrong with the new spec, which is told once.
       {{R"(spec.selector={"matchLabels":{"c":"d"}})", "spec.minReadySeconds=-1"},
        {"spec.selector: Invalid value: {\"matchLabels\":{\"c\":\"d\"}}: field is immutable",
         negative}},
       {{"metadata.name=\"e\"", "spec.minReadySeconds=-1"},
        {"metadata.name: Invalid value: \"e\": field is immutable", negative}}},
      [&](const std::string& json) {
        return Texts(ValidateDaemonSetUpdate(Load<DaemonSet>(json), old_set));
      });
}

TEST(DaemonSet, BadSelectorValuesStay) {
  const std::string old_json = Edited(
      kSet, {R"(spec.selector.matchExpressions=[{"key":"c","operator":"NotIn","values":["-"]}])"});
  EXPECT_THAT(Create(old_json), ::testing::SizeIs(1));
  const auto old_set = Load<DaemonSet>(old_json);
  EXPECT_THAT(Texts(ValidateDaemonSetUpdate(old_set, old_set)), ::testing::IsEmpty());
}

TEST(DaemonSet, Status) {
  const auto old_set = Load<DaemonSet>(Edited(kSet, {"status.collisionCount=1"}));
  ExpectErrors(
      kSet,
      {{{R"(status={"currentNumberScheduled":1,"numberMisscheduled":1,"desiredNumberScheduled":1,"numberReady":1,"collisionCount":1})"},
        {}},
       {{R"(status={"currentNumberScheduled":-1,"numberMisscheduled":-1,"desiredNumberScheduled":-1,"numberReady":-1,"observedGeneration":-1,"updatedNumberScheduled":-1,"numberAvailable":-1,"numberUnavailable":-1,"collisionCount":-1})"},
        {std::string("status.currentNumberScheduled") + kNegative,
         std::string("status.numberMisscheduled") + kNegative,
         std::string("status.desiredNumberScheduled") + kNegative,
         std::string("status.numberReady") + kNegative,
         std::string("status.observedGeneration") + kNegative,
         std::string("status.updatedNumberScheduled") + kNegative,
         std::string("status.numberAvailable") + kNegative,
         std::string("status.numberUnavailable") + kNegative,
         std::string("status.collisionCount") + kNegative,
         "status.collisionCount: Invalid value: -1: cannot be decremented"}}},
      [&](const std::string& json) {
        return Texts(ValidateDaemonSetStatusUpdate(Load<DaemonSet>(json), old_set));
      });
}

}  // namespace
}  // namespace podium::api
