// Pods, nodes, and what makes pods.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "api/labels.h"
#include "api/pod_row.h"
#include "api/table/cells.h"
#include "api/types/apps_v1.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/batch_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace core::v1;   // NOLINT: the kinds of three groups, named once
using namespace apps::v1;   // NOLINT: likewise
using namespace batch::v1;  // NOLINT: likewise

std::string Of(int64_t some, int64_t all) {
  return std::to_string(some) + '/' + std::to_string(all);
}

void MakePod(const Pod& pod, Cells* cells) {
  const PodRow row = RowOf(pod, cells->now());
  for (const std::string* cell :
       {&row.name, &row.ready, &row.status, &row.restarts, &row.age, &row.ip, &row.node}) {
    cells->Text(*cell);
  }
  cells->Text(pod.status.nominatedNodeName, kNone);
  if (pod.spec.readinessGates.empty()) return cells->Text(kNone);
  // The first condition of a type is the one that counts.
  std::map<std::string_view, bool> holds;
  for (const PodCondition& condition : pod.status.conditions) {
    holds.try_emplace(condition.type, condition.status == "True");
  }
  const auto is_true = [&](const PodReadinessGate& gate) {
    const auto found = holds.find(gate.conditionType);
    return found != holds.end() && found->second;
  };
  cells->Text(Of(std::ranges::count_if(pod.spec.readinessGates, is_true),
                 static_cast<int64_t>(pod.spec.readinessGates.size())));
}

std::string_view AddressOf(const Node& node, std::string_view type) {
  const auto found = std::ranges::find(node.status.addresses, type, &NodeAddress::type);
  return found == node.status.addresses.end() ? kNone : found->address;
}

// The last condition of the type is the one that counts.
std::string StatusOf(const Node& node) {
  std::string status = "Unknown";
  for (const NodeCondition& condition : node.status.conditions) {
    if (condition.type == "Ready") status = condition.status == "True" ? "Ready" : "NotReady";
  }
  return node.spec.unschedulable ? status + ",SchedulingDisabled" : status;
}

void MakeNode(const Node& node, Cells* cells) {
  cells->Text(node.metadata.name);
  cells->Text(StatusOf(node));
  cells->Text(RolesOf(node), kNone);
  cells->Age(node.metadata);
  cells->Text(node.status.nodeInfo.kubeletVersion);
  cells->Text(AddressOf(node, "InternalIP"));
  cells->Text(AddressOf(node, "ExternalIP"));
  cells->Text(node.status.nodeInfo.osImage, kUnknown);
  cells->Text(node.status.nodeInfo.kernelVersion, kUnknown);
  cells->Text(node.status.nodeInfo.containerRuntimeVersion, kUnknown);
}

void MakePodTemplate(const PodTemplate& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Containers(object.template_.spec);
  cells->Text(LabelsText(object.template_.metadata.labels));
}

// Desired, current and ready; then the template, or none.
template <class T>
void Replicated(const T& object, const PodSpec* pod, const std::string& selector, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(object.spec.replicas.value_or(0));
  cells->Number(object.status.replicas);
  cells->Number(object.status.readyReplicas);
  cells->Age(object.metadata);
  cells->Containers(pod ? *pod : PodSpec());
  cells->Text(selector);
}

void MakeReplicationController(const ReplicationController& object, Cells* cells) {
  const PodSpec* pod = object.spec.template_.has_value() ? &object.spec.template_->spec : nullptr;
  Replicated(object, pod, LabelsText(object.spec.selector), cells);
}

void MakeReplicaSet(const ReplicaSet& object, Cells* cells) {
  Replicated(object, &object.spec.template_.spec, SelectorText(object.spec.selector.get()), cells);
}

void MakeDeployment(const Deployment& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(Of(object.status.readyReplicas, object.spec.replicas.value_or(0)));
  cells->Number(object.status.updatedReplicas);
  cells->Number(object.status.availableReplicas);
  cells->Age(object.metadata);
  cells->Containers(object.spec.template_.spec);
  const auto selector = labels::LabelSelectorAsSelector(object.spec.selector);
  cells->Text(selector.ok() ? selector->String() : "<invalid>");
}

void MakeStatefulSet(const StatefulSet& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(Of(object.status.readyReplicas, object.spec.replicas.value_or(0)));
  cells->Age(object.metadata);
  cells->Containers(object.spec.template_.spec);
}

void MakeDaemonSet(const DaemonSet& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(object.status.desiredNumberScheduled);
  cells->Number(object.status.currentNumberScheduled);
  cells->Number(object.status.numberReady);
  cells->Number(object.status.updatedNumberScheduled);
  cells->Number(object.status.numberAvailable);
  cells->Text(LabelsText(object.spec.template_.spec.nodeSelector));
  cells->Age(object.metadata);
  cells->Containers(object.spec.template_.spec);
  cells->Text(SelectorText(object.spec.selector.get()));
}

void MakeControllerRevision(const ControllerRevision& object, Cells* cells) {
  cells->Text(object.metadata.name);
  const auto owner = std::ranges::find_if(object.metadata.ownerReferences, [](const auto& each) {
    return each.controller.value_or(false);
  });
  if (owner == object.metadata.ownerReferences.end()) {
    cells->Text(kNone);
  } else {
    const size_t slash = owner->apiVersion.find('/');
    const std::string group =
        slash == std::string::npos ? "" : '.' + owner->apiVersion.substr(0, slash);
    const std::string kind = LowerCase(owner->kind + group);
    cells->Text(kind.empty() ? owner->name : kind + '/' + owner->name);
  }
  cells->Number(object.revision);
  cells->Age(object.metadata);
}

// The first condition of the type is the one that counts.
bool Holds(const Job& job, std::string_view condition) {
  const auto found = std::ranges::find(job.status.conditions, condition, &JobCondition::type);
  return found != job.status.conditions.end() && found->status == "True";
}

std::string_view StatusOf(const Job& job) {
  for (const char* condition : {"Complete", "Failed"}) {
    if (Holds(job, condition)) return condition;
  }
  if (job.metadata.deletionTimestamp) return "Terminating";
  for (const char* condition : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (Holds(job, condition)) return condition;
  }
  return "Running";
}

void MakeJob(const Job& job, Cells* cells) {
  cells->Text(job.metadata.name);
  cells->Text(StatusOf(job));
  const int32_t parallelism = job.spec.parallelism.value_or(0);
  std::string completions = Of(job.status.succeeded, job.spec.completions.value_or(1));
  if (!job.spec.completions && parallelism > 1) completions += " of " + std::to_string(parallelism);
  cells->Text(completions);
  if (job.status.startTime) {
    const Time end = job.status.completionTime.value_or(cells->now());
    cells->Text(HumanDuration(end.unix_seconds() - job.status.startTime->unix_seconds()));
  } else {
    cells->Text("");
  }
  cells->Age(job.metadata);
  cells->Containers(job.spec.template_.spec);
  cells->Text(SelectorText(job.spec.selector.get()));
}

void MakeCronJob(const CronJob& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Text(object.spec.schedule);
  cells->Text(object.spec.timeZone, kNone);
  cells->Text(!object.spec.suspend ? kUnset : *object.spec.suspend ? "True" : "False");
  cells->Number(static_cast<int64_t>(object.status.active.size()));
  if (object.status.lastScheduleTime) {
    cells->Since(*object.status.lastScheduleTime);
  } else {
    cells->Text(kNone);
  }
  cells->Age(object.metadata);
  cells->Containers(object.spec.jobTemplate.spec.template_.spec);
  cells->Text(SelectorText(object.spec.jobTemplate.spec.selector.get()));
}

void MakeScale(const autoscaling::v1::Scale& object, Cells* cells) {
  cells->Text(object.metadata.name);
  cells->Number(object.spec.replicas);
  cells->Number(object.status.replicas);
  cells->Age(object.metadata);
}

}  // namespace

std::span<const CellMaker> WorkloadCells() {
  static const CellMaker kMakers[] = {
      Maker<Pod, MakePod>(),
      Maker<Node, MakeNode>(),
      Maker<PodTemplate, MakePodTemplate>(),
      Maker<ReplicationController, MakeReplicationController>(),
      Maker<ReplicaSet, MakeReplicaSet>(),
      Maker<Deployment, MakeDeployment>(),
      Maker<StatefulSet, MakeStatefulSet>(),
      Maker<DaemonSet, MakeDaemonSet>(),
      Maker<ControllerRevision, MakeControllerRevision>(),
      Maker<Job, MakeJob>(),
      Maker<CronJob, MakeCronJob>(),
      Maker<autoscaling::v1::Scale, MakeScale>(),
  };
  return kMakers;
}

}  // namespace podium::api
