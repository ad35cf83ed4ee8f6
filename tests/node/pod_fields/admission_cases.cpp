// What a node looks at before it takes a pod, and what may change of one that runs.
#include <string>
#include <vector>

#include "node/admission.h"
#include "node/pod_fields/field_cases.h"
#include "node/resize.h"

namespace podium::node::pod_fields {

std::string Admitted(PodRun& run) {
  v1::Node node;
  node.metadata.name = "node7";
  node.metadata.labels = {{"kubernetes.io/os", "linux"}, {"zone", "a"}};
  for (const char* resource : {"cpu", "memory", "pods", "ephemeral-storage"}) {
    node.status.allocatable[resource] = api::Quantity::Must("8Gi");
  }
  v1::Taint& taint = node.spec.taints.emplace_back();
  taint.key = "old";
  taint.value = "very";
  taint.effect = "NoExecute";
  const auto sysctls = SysctlRules::Of({});
  const AdmissionInput::Pods none;
  const Admission out =
      AdmitPod({.pod = run.pod, .others = none, .node = &node, .sysctls = *sysctls});
  return out.refusal ? out.refusal->reason : "taken";
}

namespace {

const std::string kTolerates = "tolerations: [{operator: Exists}], ";
const std::string kRest = "containers: [{name: a}]";

// By a term of its required node affinity.
FieldCase Affinity(const std::string& field, const std::string& term, const std::string& expected) {
  return {.field = "NodeSelector.nodeSelectorTerms." + field,
          .spec = kTolerates +
                  "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                  "{nodeSelectorTerms: [" +
                  term + "]}}}, " + kRest,
          .look = Admitted,
          .expected = expected};
}

FieldCase Tolerates(const std::string& field, const std::string& toleration,
                    const std::string& expected) {
  return {.field = "Toleration." + field,
          .spec = "tolerations: [{" + toleration + "}], " + kRest,
          .look = Admitted,
          .expected = expected};
}

// Whether container a, which has 32Mi, is restarted for what it should have.
std::string Resized(PodRun& run) {
  if (run.pod.spec.containers.empty()) return "no container";
  v1::ResourceRequirements has;
  has.limits["memory"] = has.requests["memory"] = api::Quantity::Must("32Mi");
  return ResizeNeedsRestart(run.pod.spec.containers[0], has) ? "restarted" : "changed in place";
}

}  // namespace

std::vector<FieldCase> AdmissionCases() {
  const std::string outside = "{matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}";
  const std::string another =
      "{matchFields: [{key: metadata.name, operator: NotIn, values: [node7]}]}";
  const std::string resize =
      "containers: [{name: a, resources: {limits: {memory: 64Mi}}, resizePolicy: [{resourceName: "
      "memory, restartPolicy: RestartContainer}]}]";
  return {
      {"PodSpec.nodeSelector", kTolerates + "nodeSelector: {zone: b}, " + kRest, Admitted,
       "NodeAffinity"},
      // An expression without one of its parts matches nothing, or is none.
      Affinity("matchExpressions.key",
               "{matchExpressions: [{key: zone, operator: In, values: [a]}]}", "taken"),
      Affinity("matchExpressions.operator",
               "{matchExpressions: [{key: zone, operator: In, values: [a]}]}", "taken"),
      Affinity("matchExpressions.values", outside, "NodeAffinity"),
      Affinity("matchFields.key",
               "{matchFields: [{key: metadata.name, operator: In, values: [node7]}]}", "taken"),
      Affinity("matchFields.operator",
               "{matchFields: [{key: metadata.name, operator: In, values: [node7]}]}", "taken"),
      Affinity("matchFields.values", another, "NodeAffinity"),
      Tolerates("key", "key: old, operator: Equal, value: very, effect: NoExecute", "taken"),
      Tolerates("operator", "key: old, operator: Exists, effect: NoExecute", "taken"),
      Tolerates("value", "key: old, operator: Equal, value: very, effect: NoExecute", "taken"),
      Tolerates("effect", "key: old, operator: Exists, effect: NoSchedule", "TaintToleration"),
      {"ContainerResizePolicy.resourceName", resize, Resized, "restarted"},
      {"ContainerResizePolicy.restartPolicy", resize, Resized, "restarted"},
  };
}

}  // namespace podium::node::pod_fields
