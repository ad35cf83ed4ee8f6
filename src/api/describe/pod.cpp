// Pods, and templates for pods.
#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/describe/parts.h"
#include "api/describe/sorted.h"
#include "api/printed_text.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/resources.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: the parts of a pod, named once

// One to a line, by key.
void WriteTolerations(std::string_view title, const reflect::List<Toleration>& tolerations,
                      DescribeWriter* out) {
  out->Write(0, title, ":\t");
  if (tolerations.empty()) return out->EndLine(kNone);
  const auto sorted = Sorted(tolerations, std::mem_fn(&Toleration::key));
  for (const Toleration* each : sorted) {
    if (each != sorted.front()) out->Write(0, "\t");
    std::string text = each->key;
    if (!each->value.empty()) text += '=' + each->value;
    if (!each->effect.empty()) text += ':' + each->effect;
    if (each->operator_ == "Exists" && each->value.empty()) {
      text += text.empty() ? "op=Exists" : " op=Exists";
    }
    if (each->tolerationSeconds) text += " for " + std::to_string(*each->tolerationSeconds) + 's';
    out->Line(0, text);
  }
}

// One to a line, by topology key. `indent` stands before the first one.
void WriteSpreadConstraints(const reflect::List<TopologySpreadConstraint>& constraints,
                            std::string_view indent, DescribeWriter* out) {
  if (constraints.empty()) return;
  const auto sorted = Sorted(constraints, std::mem_fn(&TopologySpreadConstraint::topologyKey));
  out->Write(0, indent, "Topology Spread Constraints:\t");
  for (const TopologySpreadConstraint* each : sorted) {
    if (each != sorted.front()) out->Write(0, indent, "\t");
    out->Write(0, each->topologyKey, ":", each->whenUnsatisfiable, " when max skew ", each->maxSkew,
               " is exceeded");
    if (each->labelSelector) {
      out->Write(0, " for selector ", SelectorText(each->labelSelector.get()));
    }
    out->Line(0);
  }
}

void WriteSchedulingGroup(const reflect::Box<PodSchedulingGroup>& group, std::string_view indent,
                          DescribeWriter* out) {
  if (!group) return;
  out->Line(0, indent, "SchedulingGroup:");
  out->Line(1, "PodGroupName:\t", group->podGroupName.value_or(""));
}

void WritePlace(const Pod& pod, const Scene& scene, DescribeWriter* out) {
  const PodSpec& spec = pod.spec;
  out->Line(0, "Name:\t", pod.metadata.name);
  out->Line(0, "Namespace:\t", pod.metadata.namespace_);
  if (spec.priority) out->Line(0, "Priority:\t", *spec.priority);
  if (!spec.priorityClassName.empty()) {
    out->Line(0, "Priority Class Name:\t", spec.priorityClassName);
  }
  if (spec.runtimeClassName && !spec.runtimeClassName->empty()) {
    out->Line(0, "Runtime Class Name:\t", *spec.runtimeClassName);
  }
  if (!spec.serviceAccountName.empty()) out->Line(0, "Service Account:\t", spec.serviceAccountName);
  if (spec.nodeName.empty()) {
    out->Line(0, "Node:\t", kNone);
  } else {
    out->Line(0, "Node:\t", spec.nodeName, "/", pod.status.hostIP);
  }
  if (pod.status.startTime) out->Line(0, "Start Time:\t", scene.Date(*pod.status.startTime));
  WriteLabels("Labels", pod.metadata.labels, out);
  WriteAnnotations("Annotations", pod.metadata.annotations, out);
}

void WriteState(const Pod& pod, const Scene& scene, DescribeWriter* out) {
  const PodStatus& status = pod.status;
  const bool ended = status.phase == "Failed" || status.phase == "Succeeded";
  if (pod.metadata.deletionTimestamp && !ended) {
    out->Line(0, "Status:\tTerminating (lasts ", scene.Ago(*pod.metadata.deletionTimestamp), ")");
    out->Line(0, "Termination Grace Period:\t", pod.metadata.deletionGracePeriodSeconds.value_or(0),
              "s");
  } else {
    out->Line(0, "Status:\t", status.phase);
  }
  if (!status.reason.empty()) out->Line(0, "Reason:\t", status.reason);
  if (!status.message.empty()) out->Line(0, "Message:\t", status.message);
  if (pod.spec.securityContext && pod.spec.securityContext->seccompProfile) {
    const SeccompProfile& profile = *pod.spec.securityContext->seccompProfile;
    out->Line(0, "SeccompProfile:\t", profile.type);
    if (profile.type == "Localhost") {
      out->Line(0, "LocalhostProfile:\t", profile.localhostProfile.value_or(""));
    }
  }
  out->Line(0, "IP:\t", status.podIP);
  out->Line(0, "IPs:", status.podIPs.empty() ? "\t<none>" : "");
  for (const PodIP& each : status.podIPs) out->Line(1, "IP:\t", each.ip);
  WriteControlledBy(pod.metadata, out);
  if (!status.nominatedNodeName.empty()) {
    out->Line(0, "NominatedNodeName:\t", status.nominatedNodeName);
  }
}

void WriteConditions(const Pod& pod, DescribeWriter* out) {
  const auto& conditions = pod.status.conditions;
  if (!pod.spec.readinessGates.empty()) out->Line(0, "Readiness Gates:\n  Type\tStatus");
  for (const PodReadinessGate& gate : pod.spec.readinessGates) {
    const auto found = std::ranges::find(conditions, gate.conditionType, &PodCondition::type);
    out->Line(1, gate.conditionType, " \t",
              found == conditions.end() ? kNone : std::string_view(found->status), " ");
  }
  if (!conditions.empty()) out->Line(0, "Conditions:\n  Type\tStatus");
  for (const PodCondition& each : conditions) {
    out->Line(1, each.type, " \t", each.status, " ");
  }
}

// A mirror pod's events are of the pod that it mirrors; and of any kind, as upstream asks for them.
void WritePodEvents(const Pod& pod, const Scene& scene, DescribeWriter* out) {
  const auto mirrored = pod.metadata.annotations.find(kMirrorPodAnnotation);
  const bool is_mirror = mirrored != pod.metadata.annotations.end();
  WriteEvents(scene.Events({.name = pod.metadata.name,
                            .namespace_ = pod.metadata.namespace_,
                            .kind = {},
                            .uid = is_mirror ? mirrored->second : pod.metadata.uid}),
              scene, out);
}

Result<void> DescribePod(const Pod& pod, const Scene& scene, DescribeWriter* out) {
  const PodSpec& spec = pod.spec;
  const PodStatus& status = pod.status;
  WritePlace(pod, scene, out);
  WriteState(pod, scene, out);
  if (spec.resources) {
    out->Line(0, "Resources:");
    WriteResources(*spec.resources, 1, out);
  }
  if (!spec.initContainers.empty()) {
    WriteContainers("Init Containers", spec.initContainers, status.initContainerStatuses, &pod,
                    false, scene, out);
  }
  WriteContainers("Containers", spec.containers, status.containerStatuses, &pod, false, scene, out);
  if (!spec.ephemeralContainers.empty()) {
    WriteContainers("Ephemeral Containers", spec.ephemeralContainers,
                    status.ephemeralContainerStatuses, &pod, false, scene, out);
  }
  WriteConditions(pod, out);
  WriteVolumes(spec.volumes, false, out);
  out->Line(0, "QoS Class:\t",
            status.qosClass.empty() ? ComputePodQos(spec) : std::string_view(status.qosClass));
  WriteLabels("Node-Selectors", spec.nodeSelector, out);
  WriteTolerations("Tolerations", spec.tolerations, out);
  WriteSpreadConstraints(spec.topologySpreadConstraints, "", out);
  WriteSchedulingGroup(spec.schedulingGroup, "", out);
  WritePodEvents(pod, scene, out);
  return {};
}

}  // namespace

void WritePodTemplate(const PodTemplateSpec& pod_template, const Scene& scene,
                      DescribeWriter* out) {
  const PodSpec& spec = pod_template.spec;
  out->Line(0, "Pod Template:");
  WriteLabels("  Labels", pod_template.metadata.labels, out);
  if (!pod_template.metadata.annotations.empty()) {
    WriteAnnotations("  Annotations", pod_template.metadata.annotations, out);
  }
  if (!spec.serviceAccountName.empty()) out->Line(1, "Service Account:\t", spec.serviceAccountName);
  if (!spec.initContainers.empty()) {
    WriteContainers("Init Containers", spec.initContainers, {}, nullptr, true, scene, out);
  }
  WriteContainers("Containers", spec.containers, {}, nullptr, true, scene, out);
  WriteVolumes(spec.volumes, true, out);
  WriteSpreadConstraints(spec.topologySpreadConstraints, "  ", out);
  if (!spec.priorityClassName.empty()) {
    out->Line(1, "Priority Class Name:\t", spec.priorityClassName);
  }
  WriteLabels("  Node-Selectors", spec.nodeSelector, out);
  WriteTolerations("  Tolerations", spec.tolerations, out);
  WriteSchedulingGroup(spec.schedulingGroup, "  ", out);
}

std::span<const Describer> PodDescribers() {
  static const Describer kDescribers[] = {DescriberOf<Pod, DescribePod>()};
  return kDescribers;
}

}  // namespace podium::api
