// What a node looks at before it takes a pod, and what may change of one that runs.
#include <string>
#include <vector>

#include "node/admission.h"
#include "node/pod_fields/field_cases.h"
#include "node/resize.h"

namespace podium::node::pod_fields {

namespace {

// By a node of this name, in this zone, with a taint of this key.
std::string AdmittedBy(const v1::Pod& pod, const char* name, const char* zone, const char* taint) {
  v1::Node node;
  node.metadata.name = name;
  node.metadata.labels = {{"kubernetes.io/os", "linux"}, {"zone", zone}};
  for (const char* resource : {"cpu", "memory", "pods", "ephemeral-storage"}) {
    node.status.allocatable[resource] = api::Quantity::Must("8Gi");
  }
  v1::Taint& its = node.spec.taints.emplace_back();
  its.key = taint;
  its.value = "very";
  its.effect = "NoExecute";
  const auto sysctls = SysctlRules::Of({});
  const AdmissionInput::Pods none;
  const Admission out = AdmitPod({.pod = pod, .others = none, .node = &node, .sysctls = *sysctls});
  return out.refusal ? out.refusal->reason : "taken";
}

}  // namespace

// By two nodes, so that a pod that asks for nothing is seen to be taken by both.
std::string Admitted(PodRun& run) {
  return AdmittedBy(run.pod, "node7", "a", "old") + " " +
         AdmittedBy(run.pod, "node8", "b", "other");
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
  const std::string inside = "{matchExpressions: [{key: zone, operator: In, values: [a]}]}";
  const std::string named = "{matchFields: [{key: metadata.name, operator: In, values: [node7]}]}";
  const std::string first = "taken NodeAffinity";
  const std::string equal = "key: old, operator: Equal, value: very, effect: NoExecute";
  const std::string resize =
      "containers: [{name: a, resources: {limits: {memory: 64Mi}}, resizePolicy: [{resourceName: "
      "memory, restartPolicy: RestartContainer}]}]";
  return {
      {"PodSpec.nodeSelector", kTolerates + "nodeSelector: {zone: a}, " + kRest, Admitted, first},
      // An expression without one of its parts matches nothing, or is none.
      Affinity("matchExpressions.key", inside, first),
      Affinity("matchExpressions.operator", inside, first),
      Affinity("matchExpressions.values", inside, first),
      Affinity("matchFields.key", named, first),
      Affinity("matchFields.operator", named, first),
      Affinity("matchFields.values", named, first),
      Tolerates("key", equal, "taken TaintToleration"),
      Tolerates("operator", "key: old, operator: Exists, effect: NoExecute",
                "taken TaintToleration"),
      Tolerates("value", equal, "taken TaintToleration"),
      // One of another effect does not help.
      Tolerates("effect",
                "key: old, operator: Exists, effect: NoExecute}, {key: other, operator: Exists, "
                "effect: NoSchedule",
                "taken TaintToleration"),
      {"ContainerResizePolicy.resourceName", resize, Resized, "restarted"},
      {"ContainerResizePolicy.restartPolicy", resize, Resized, "restarted"},
  };
}

}  // namespace podium::node::pod_fields
