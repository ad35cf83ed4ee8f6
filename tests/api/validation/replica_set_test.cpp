#include "api/validation/replica_set.h"

#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using apps::v1::ReplicaSet;

constexpr char kSet[] = R"({
  "metadata": {"name": "d", "namespace": "n", "resourceVersion": "1"},
  "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}},
           "template": {"metadata": {"labels": {"a": "b", "c": "d"}},
                        "spec": {"containers": [{"name": "c", "image": "i"}]}}}})";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateReplicaSet(Load<ReplicaSet>(json)));
}

TEST(ReplicaSet, Create) {
  ExpectErrors(kSet, RunsForeverCases("ReplicaSet"), Create);
  ExpectErrors(
      kSet,
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"spec.replicas=-1", "spec.minReadySeconds=-1"},
        {std::string("spec.replicas") + kNegative,
         std::string("spec.minReadySeconds") + kNegative}},
       {{"spec.selector"},
        {"spec.selector: Required value",
         "spec.template.metadata.labels: Invalid value: {\"a\":\"b\",\"c\":\"d\"}: `selector` does "
         "not match template `labels`"}},
       {{"spec.selector={}"},
        {"spec.selector: Invalid value: {}: empty selector is invalid for deployment"}},
       {{R"(spec.selector={"matchExpressions":[{"key":"a","operator":"In"}]})"},
        {"spec.selector.matchExpressions[0].values: Required value: must be specified when "
         "`operator` is 'In' or 'NotIn'",
         "spec.selector: Invalid value: "
         "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\"}]}"
         ": invalid label selector"}}},
      Create);
}

TEST(ReplicaSet, Update) {
  const auto old_set = Load<ReplicaSet>(kSet);
  const std::string immutable =
      "spec.selector: Invalid value: {\"matchLabels\":{\"c\":\"d\"}}: field is immutable";
  ExpectErrors(kSet,
               {{{"spec.replicas=3", "spec.template.spec.containers[0].image=\"j\""}, {}},
                // What must stay is told after what is wrong with the new spec, which is told once.
                {{R"(spec.selector={"matchLabels":{"c":"d"}})", "spec.replicas=-1"},
                 {std::string("spec.replicas") + kNegative, immutable}},
                {{"metadata.name=\"e\"", "spec.replicas=-1"},
                 {"metadata.name: Invalid value: \"e\": field is immutable",
                  std::string("spec.replicas") + kNegative}}},
               [&](const std::string& json) {
                 return Texts(ValidateReplicaSetUpdate(Load<ReplicaSet>(json), old_set));
               });
}

TEST(ReplicaSet, Status) {
  const auto old_set = Load<ReplicaSet>(kSet);
  ExpectErrors(
      kSet,
      {{{R"(status={"replicas":3,"fullyLabeledReplicas":3,"readyReplicas":2,"availableReplicas":1,"terminatingReplicas":9})"},
        {}},
       {{R"(status={"replicas":-1,"fullyLabeledReplicas":-1,"readyReplicas":-1,"availableReplicas":-1,"observedGeneration":-1,"terminatingReplicas":-1})"},
        {std::string("status.replicas") + kNegative,
         std::string("status.fullyLabeledReplicas") + kNegative,
         std::string("status.readyReplicas") + kNegative,
         std::string("status.availableReplicas") + kNegative,
         std::string("status.observedGeneration") + kNegative,
         std::string("status.terminatingReplicas") + kNegative}},
       {{R"(status={"replicas":1,"fullyLabeledReplicas":2,"readyReplicas":3,"availableReplicas":4})"},
        {"status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas",
         "status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas",
         "status.availableReplicas: Invalid value: 4: cannot be greater than status.replicas",
         "status.availableReplicas: Invalid value: 4: cannot be greater than readyReplicas"}}},
      [&](const std::string& json) {
        return Texts(ValidateReplicaSetStatusUpdate(Load<ReplicaSet>(json), old_set));
      });
}

}  // namespace
}  // namespace podium::api
