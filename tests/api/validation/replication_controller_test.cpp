#include "api/validation/replication_controller.h"

#include "api/validation/workload_cases.h"

namespace podium::api {
namespace {

using core::v1::ReplicationController;

constexpr char kController[] = R"({
  "metadata": {"name": "d", "namespace": "n", "resourceVersion": "1"},
  "spec": {"replicas": 1, "selector": {"a": "b"},
           "template": {"metadata": {"labels": {"a": "b", "c": "d"}},
                        "spec": {"containers": [{"name": "c", "image": "i"}]}}}})";

std::vector<std::string> Create(const std::string& json) {
  return Texts(ValidateReplicationController(Load<ReplicationController>(json)));
}

TEST(ReplicationController, Create) {
  ExpectErrors(kController, RunsForeverCases("ReplicationController"), Create);
  ExpectErrors(
      kController,
      {{{}, {}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"spec.replicas=-1", "spec.minReadySeconds=-1"},
        {std::string("spec.minReadySeconds") + kNegative,
         std::string("spec.replicas") + kNegative}},
       {{"spec.selector", "spec.template.metadata.labels"}, {"spec.selector: Required value"}},
       {{"spec.template"}, {"spec.template: Required value"}}},
      Create);
}

TEST(ReplicationController, Replicas) {
  auto controller = Load<ReplicationController>(kController);
  controller.spec.replicas.reset();
  EXPECT_THAT(Texts(ValidateReplicationController(controller)),
              ::testing::ElementsAre("spec.replicas: Required value"));
}

TEST(ReplicationController, Update) {
  const auto update = [](const std::string& old_json) {
    return [old_controller = Load<ReplicationController>(old_json)](const std::string& json) {
      return Texts(
          ValidateReplicationControllerUpdate(Load<ReplicationController>(json), old_controller));
    };
  };
  const std::string mismatch =
      "spec.template.metadata.labels: Invalid value: {\"a\":\"b\",\"c\":\"d\"}: `selector` does "
      "not "
      "match template `labels`";
  ExpectErrors(kController,
               {{{"spec.replicas=3"}, {}},
                {{"spec.selector={\"c\":\"d\"}"}, {}},
                {{"spec.selector={\"a\":\"c\"}"}, {mismatch}},
                {{"metadata.name=\"e\"", "spec.replicas=-1"},
                 {"metadata.name: Invalid value: \"e\": field is immutable",
                  std::string("spec.replicas") + kNegative}}},
               update(kController));

  const std::string key = "metadata.annotations['non-convertible.kubernetes.io/spec.selector']";
  ExpectErrors(kController,
               {{{"spec.replicas=3"}, {}},
                {{"spec.selector={\"c\":\"d\"}"},
                 {"spec.selector: Invalid value: {\"c\":\"d\"}: cannot update non-convertible "
                  "selector"}}},
               update(Edited(kController, {key + "=\"x\""})));
  ExpectErrors(kController, {{{}, {"other: Not found: \"x\": unknown non-convertible field"}}},
               update(Edited(kController,
                             {"metadata.annotations['non-convertible.kubernetes.io/other']=\"x\"",
                              "metadata.annotations['non-convertible.kubernetes.io']=\"y\"",
                              "metadata.annotations['a/selector']=\"z\""})));
}

TEST(ReplicationController, Status) {
  const auto old_controller = Load<ReplicationController>(kController);
  ExpectErrors(
      kController,
      {{{R"(status={"replicas":3,"fullyLabeledReplicas":3,"readyReplicas":2,"availableReplicas":1,"observedGeneration":1})"},
        {}},
       {{R"(status={"replicas":-1,"fullyLabeledReplicas":-1,"readyReplicas":-1,"availableReplicas":-1,"observedGeneration":-1})"},
        {std::string("status.replicas") + kNegative,
         std::string("status.fullyLabeledReplicas") + kNegative,
         std::string("status.readyReplicas") + kNegative,
         std::string("status.availableReplicas") + kNegative,
         std::string("status.observedGeneration") + kNegative}},
       {{R"(status={"replicas":1,"fullyLabeledReplicas":2,"readyReplicas":3,"availableReplicas":4})"},
        {"status.fullyLabeledReplicas: Invalid value: 2: cannot be greater than status.replicas",
         "status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas",
         "status.availableReplicas: Invalid value: 4: cannot be greater than status.replicas",
         "status.availableReplicas: Invalid value: 4: cannot be greater than readyReplicas"}}},
      [&](const std::string& json) {
        return Texts(ValidateReplicationControllerStatusUpdate(Load<ReplicationController>(json),
                                                               old_controller));
      });
}

}  // namespace
}  // namespace podium::api
