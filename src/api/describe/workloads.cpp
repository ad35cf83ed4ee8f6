// What makes pods: sets of them, Deployments, Jobs.
#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/describe/parts.h"
#include "api/pod_row.h"
#include "api/printed_text.h"
#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "base/text.h"
#include "reflect/copy.h"

namespace podium::api {
namespace {

using namespace apps::v1;   // NOLINT: the kinds of three groups, named once
using namespace batch::v1;  // NOLINT: likewise
using core::v1::Pod;
using core::v1::PodTemplateSpec;
using core::v1::ReplicationController;
using meta::v1::ObjectMeta;

bool IsControlledBy(const ObjectMeta& object, const ObjectMeta& owner) {
  const auto* controller = ControllerOf(object);
  return controller != nullptr && controller->uid == owner.uid;
}

// A selector that selects nothing has no text, and a list without a selector's text has all.
bool IsListed(const labels::Selector& selector, const ObjectMeta& metadata) {
  return selector.String().empty() || selector.Matches(metadata.labels);
}

// "1 Running / 0 Waiting / 0 Succeeded / 0 Failed", of the pods that this object controls.
void WritePodsStatus(const ObjectMeta& owner, const labels::Selector& selector, const Scene& scene,
                     DescribeWriter* out) {
  const std::vector<const Pod*> pods = scene.List<Pod>(owner.namespace_);
  const auto count = [&](std::string_view phase) {
    return std::ranges::count_if(pods, [&](const Pod* pod) {
      return pod->status.phase == phase && IsListed(selector, pod->metadata) &&
             IsControlledBy(pod->metadata, owner);
    });
  };
  out->Line(0, "Pods Status:\t", count("Running"), " Running / ", count("Pending"), " Waiting / ",
            count("Succeeded"), " Succeeded / ", count("Failed"), " Failed");
}

template <class Condition>
void WriteConditions(const reflect::List<Condition>& conditions, DescribeWriter* out) {
  if (conditions.empty()) return;
  out->Line(0, "Conditions:\n  Type\tStatus\tReason");
  out->Line(1, "----\t------\t------");
  for (const Condition& each : conditions) {
    out->Line(1, each.type, " \t", each.status, "\t", each.reason);
  }
}

void WriteReplicas(int32_t current, const std::optional<int32_t>& desired, DescribeWriter* out) {
  out->Line(0, "Replicas:\t", current, " current / ", desired.value_or(0), " desired");
}

Result<void> DescribeReplicaSet(const ReplicaSet& set, const Scene& scene, DescribeWriter* out) {
  TRY(const auto selector, labels::LabelSelectorAsSelector(set.spec.selector));
  out->Line(0, "Name:\t", set.metadata.name);
  out->Line(0, "Namespace:\t", set.metadata.namespace_);
  out->Line(0, "Selector:\t", SelectorText(set.spec.selector.get()));
  WriteLabels("Labels", set.metadata.labels, out);
  WriteAnnotations("Annotations", set.metadata.annotations, out);
  WriteControlledBy(set.metadata, out);
  WriteReplicas(set.status.replicas, set.spec.replicas, out);
  WritePodsStatus(set.metadata, selector, scene, out);
  WritePodTemplate(set.spec.template_, scene, out);
  WriteConditions(set.status.conditions, out);
  WriteEventsOf("ReplicaSet", set.metadata, scene, out);
  return {};
}

Result<void> DescribeReplicationController(const ReplicationController& set, const Scene& scene,
                                           DescribeWriter* out) {
  out->Line(0, "Name:\t", set.metadata.name);
  out->Line(0, "Namespace:\t", set.metadata.namespace_);
  out->Line(0, "Selector:\t", LabelsText(set.spec.selector));
  WriteLabels("Labels", set.metadata.labels, out);
  WriteAnnotations("Annotations", set.metadata.annotations, out);
  WriteReplicas(set.status.replicas, set.spec.replicas, out);
  WritePodsStatus(set.metadata, labels::Selector::FromSet(set.spec.selector), scene, out);
  if (set.spec.template_) {
    WritePodTemplate(*set.spec.template_, scene, out);
  } else {
    out->Line(0, "Pod Template:");
    out->Write(1, kUnset);
  }
  WriteConditions(set.status.conditions, out);
  WriteEventsOf("ReplicationController", set.metadata, scene, out);
  return {};
}

// Equal but for the label that Deployments add.
bool IsSameTemplate(const PodTemplateSpec& a, const PodTemplateSpec& b) {
  constexpr std::string_view kHash = "pod-template-hash";
  const auto without_hash = [&](const PodTemplateSpec& from) {
    PodTemplateSpec copy = reflect::Copy(from);
    if (const auto found = copy.metadata.labels.find(kHash); found != copy.metadata.labels.end()) {
      copy.metadata.labels.erase(found);
    }
    return copy;
  };
  return reflect::Equal(without_hash(a), without_hash(b));
}

std::string ReplicaSetText(const ReplicaSet& set) {
  return set.metadata.name + " (" + std::to_string(set.status.replicas) + '/' +
         std::to_string(set.spec.replicas.value_or(0)) + " replicas created)";
}

// The oldest set that has the Deployment's template is the new one; the others are old.
void WriteReplicaSets(const Deployment& deployment, const labels::Selector& selector,
                      const Scene& scene, DescribeWriter* out) {
  std::vector<const ReplicaSet*> sets = scene.List<ReplicaSet>(deployment.metadata.namespace_);
  std::erase_if(sets, [&](const ReplicaSet* set) {
    return !IsListed(selector, set->metadata) ||
           !IsControlledBy(set->metadata, deployment.metadata);
  });
  if (sets.empty()) return;
  std::ranges::sort(sets, {}, [](const ReplicaSet* set) {
    return std::tuple(set->metadata.creationTimestamp, std::string_view(set->metadata.name));
  });
  const auto newest = std::ranges::find_if(sets, [&](const ReplicaSet* set) {
    return IsSameTemplate(set->spec.template_, deployment.spec.template_);
  });
  std::vector<std::string> old;
  for (auto set = sets.begin(); set != sets.end(); ++set) {
    if (set != newest) old.push_back(ReplicaSetText(**set));
  }
  out->Line(0, "OldReplicaSets:\t", old.empty() ? std::string(kNone) : Join(old, ", "));
  out->Line(0, "NewReplicaSet:\t",
            newest == sets.end() ? std::string(kNone) : ReplicaSetText(**newest));
}

// Upstream prints a pointer that may be null.
std::string TextOf(const std::optional<IntOrString>& value) {
  return value ? value->String() : "<nil>";
}

Result<void> DescribeDeployment(const Deployment& deployment, const Scene& scene,
                                DescribeWriter* out) {
  const DeploymentSpec& spec = deployment.spec;
  const DeploymentStatus& status = deployment.status;
  TRY(const auto selector, labels::LabelSelectorAsSelector(spec.selector));
  out->Line(0, "Name:\t", deployment.metadata.name);
  out->Line(0, "Namespace:\t", deployment.metadata.namespace_);
  out->Line(0, "CreationTimestamp:\t", scene.Date(deployment.metadata.creationTimestamp));
  WriteLabels("Labels", deployment.metadata.labels, out);
  WriteAnnotations("Annotations", deployment.metadata.annotations, out);
  out->Line(0, "Selector:\t", selector.String());
  out->Line(0, "Replicas:\t", spec.replicas.value_or(0), " desired | ", status.updatedReplicas,
            " updated | ", status.replicas, " total | ", status.availableReplicas, " available | ",
            status.unavailableReplicas, " unavailable");
  out->Line(0, "StrategyType:\t", spec.strategy.type);
  out->Line(0, "MinReadySeconds:\t", spec.minReadySeconds);
  if (const auto& update = spec.strategy.rollingUpdate) {
    out->Line(0, "RollingUpdateStrategy:\t", TextOf(update->maxUnavailable), " max unavailable, ",
              TextOf(update->maxSurge), " max surge");
  }
  WritePodTemplate(spec.template_, scene, out);
  WriteConditions(status.conditions, out);
  WriteReplicaSets(deployment, selector, scene, out);
  WriteEventsOf("Deployment", deployment.metadata, scene, out);
  return {};
}

void WriteClaimTemplates(const reflect::List<core::v1::PersistentVolumeClaim>& templates,
                         DescribeWriter* out) {
  if (templates.empty()) return out->Line(0, "Volume Claims:\t", kNone);
  out->Line(0, "Volume Claims:");
  for (const auto& each : templates) {
    const auto storage = each.spec.resources.requests.find("storage");
    out->Line(1, "Name:\t", each.metadata.name);
    out->Line(1, "StorageClass:\t",
              StorageClassOf(each.metadata, each.spec.storageClassName ? *each.spec.storageClassName
                                                                       : std::string_view()));
    WriteLabels("Labels", each.metadata.labels, out, "  ");
    WriteLabels("Annotations", each.metadata.annotations, out, "  ");
    out->Line(
        1, "Capacity:\t",
        storage == each.spec.resources.requests.end() ? "<default>" : storage->second.String());
    out->Line(1, "Access Modes:\t", GoText(each.spec.accessModes));
  }
}

Result<void> DescribeStatefulSet(const StatefulSet& set, const Scene& scene, DescribeWriter* out) {
  TRY(const auto selector, labels::LabelSelectorAsSelector(set.spec.selector));
  out->Line(0, "Name:\t", set.metadata.name);
  out->Line(0, "Namespace:\t", set.metadata.namespace_);
  out->Line(0, "CreationTimestamp:\t", scene.Date(set.metadata.creationTimestamp));
  out->Line(0, "Selector:\t", selector.String());
  WriteLabels("Labels", set.metadata.labels, out);
  WriteAnnotations("Annotations", set.metadata.annotations, out);
  out->Line(0, "Replicas:\t", set.spec.replicas.value_or(0), " desired | ", set.status.replicas,
            " total");
  out->Line(0, "Update Strategy:\t", set.spec.updateStrategy.type);
  if (const auto& update = set.spec.updateStrategy.rollingUpdate; update && update->partition) {
    out->Line(1, "Partition:\t", *update->partition);
    if (update->maxUnavailable) {
      out->Line(1, "MaxUnavailable:\t", update->maxUnavailable->String());
    }
  }
  WritePodsStatus(set.metadata, selector, scene, out);
  WritePodTemplate(set.spec.template_, scene, out);
  WriteClaimTemplates(set.spec.volumeClaimTemplates, out);
  WriteEventsOf("StatefulSet", set.metadata, scene, out);
  return {};
}

Result<void> DescribeDaemonSet(const DaemonSet& set, const Scene& scene, DescribeWriter* out) {
  TRY(const auto selector, labels::LabelSelectorAsSelector(set.spec.selector));
  const DaemonSetStatus& status = set.status;
  out->Line(0, "Name:\t", set.metadata.name);
  out->Line(0, "Namespace:\t", set.metadata.namespace_);
  out->Line(0, "Selector:\t", selector.String());
  out->Line(0, "Node-Selector:\t", LabelsText(set.spec.template_.spec.nodeSelector));
  WriteLabels("Labels", set.metadata.labels, out);
  WriteAnnotations("Annotations", set.metadata.annotations, out);
  out->Line(0, "Desired Number of Nodes Scheduled: ", status.desiredNumberScheduled);
  out->Line(0, "Current Number of Nodes Scheduled: ", status.currentNumberScheduled);
  out->Line(0, "Number of Nodes Scheduled with Up-to-date Pods: ", status.updatedNumberScheduled);
  out->Line(0, "Number of Nodes Scheduled with Available Pods: ", status.numberAvailable);
  out->Line(0, "Number of Nodes Misscheduled: ", status.numberMisscheduled);
  WritePodsStatus(set.metadata, selector, scene, out);
  WritePodTemplate(set.spec.template_, scene, out);
  WriteEventsOf("DaemonSet", set.metadata, scene, out);
  return {};
}

void WriteSelector(const reflect::Box<meta::v1::LabelSelector>& selector, DescribeWriter* out) {
  const auto read = labels::LabelSelectorAsSelector(selector);
  out->Line(0, "Selector:\t",
            read.ok() ? read->String() : "Failed to get selector: " + read.error().message());
}

template <class T>
void WriteIfSet(std::string_view title, const std::optional<T>& value, DescribeWriter* out,
                std::string_view unit = {}) {
  if (value) out->Line(0, title, ":\t", *value, unit);
}

template <class T>
void WriteOrUnset(std::string_view title, const std::optional<T>& value, DescribeWriter* out,
                  std::string_view unit = {}) {
  if (!value) return out->Line(0, title, ":\t", kUnset);
  out->Line(0, title, ":\t", *value, unit);
}

// Cut off at a comma, behind fifty characters.
std::string IndexesText(const std::string& indexes) {
  constexpr size_t kMost = 50;
  if (indexes.empty()) return std::string(kNone);
  const size_t comma = indexes.find(',', kMost);
  return comma == std::string::npos ? indexes : indexes.substr(0, comma + 1) + "...";
}

void WriteTimes(const Job& job, const Scene& scene, DescribeWriter* out) {
  const auto& [start, end] = std::tie(job.status.startTime, job.status.completionTime);
  if (start) out->Line(0, "Start Time:\t", scene.Date(*start));
  if (end) out->Line(0, "Completed At:\t", scene.Date(*end));
  if (start && end) {
    out->Line(0, "Duration:\t", HumanDuration(end->unix_seconds() - start->unix_seconds()));
  }
}

Result<void> DescribeJob(const Job& job, const Scene& scene, DescribeWriter* out) {
  const JobSpec& spec = job.spec;
  const JobStatus& status = job.status;
  out->Line(0, "Name:\t", job.metadata.name);
  out->Line(0, "Namespace:\t", job.metadata.namespace_);
  WriteSelector(spec.selector, out);
  WriteLabels("Labels", job.metadata.labels, out);
  WriteAnnotations("Annotations", job.metadata.annotations, out);
  WriteControlledBy(job.metadata, out);
  WriteIfSet("Parallelism", spec.parallelism, out);
  WriteOrUnset("Completions", spec.completions, out);
  WriteIfSet("Completion Mode", spec.completionMode, out);
  WriteIfSet("Suspend", spec.suspend, out);
  WriteIfSet("Backoff Limit", spec.backoffLimit, out);
  WriteIfSet("TTL Seconds After Finished", spec.ttlSecondsAfterFinished, out);
  WriteTimes(job, scene, out);
  WriteIfSet("Active Deadline Seconds", spec.activeDeadlineSeconds, out, "s");
  const std::string ready =
      status.ready ? " (" + std::to_string(*status.ready) + " Ready)" : std::string();
  out->Line(0, "Pods Statuses:\t", status.active, " Active", ready, " / ", status.succeeded,
            " Succeeded / ", status.failed, " Failed");
  if (spec.completionMode == "Indexed") {
    out->Line(0, "Completed Indexes:\t", IndexesText(status.completedIndexes));
  }
  WritePodTemplate(spec.template_, scene, out);
  WriteEventsOf("Job", job.metadata, scene, out);
  return {};
}

void WriteJobTemplate(const JobSpec& spec, const Scene& scene, DescribeWriter* out) {
  if (spec.selector) {
    WriteSelector(spec.selector, out);
  } else {
    out->Line(0, "Selector:\t", kUnset);
  }
  WriteOrUnset("Parallelism", spec.parallelism, out);
  WriteOrUnset("Completions", spec.completions, out);
  WriteIfSet("Active Deadline Seconds", spec.activeDeadlineSeconds, out, "s");
  WritePodTemplate(spec.template_, scene, out);
}

Result<void> DescribeCronJob(const CronJob& job, const Scene& scene, DescribeWriter* out) {
  const CronJobSpec& spec = job.spec;
  WriteMetadata(job.metadata, out);
  out->Line(0, "Schedule:\t", spec.schedule);
  out->Line(0, "Concurrency Policy:\t", spec.concurrencyPolicy);
  out->Line(0, "Suspend:\t", !spec.suspend ? kUnset : *spec.suspend ? "True" : "False");
  WriteOrUnset("Time Zone", spec.timeZone, out);
  WriteOrUnset("Successful Job History Limit", spec.successfulJobsHistoryLimit, out);
  WriteOrUnset("Failed Job History Limit", spec.failedJobsHistoryLimit, out);
  WriteOrUnset("Starting Deadline Seconds", spec.startingDeadlineSeconds, out, "s");
  WriteJobTemplate(spec.jobTemplate.spec, scene, out);
  const auto& last = job.status.lastScheduleTime;
  out->Line(0, "Last Schedule Time:\t", last ? scene.Date(*last) : std::string(kUnset));
  std::vector<std::string> active;
  for (const auto& each : job.status.active) active.push_back(each.name);
  out->Line(0, "Active Jobs:\t", active.empty() ? std::string(kNone) : Join(active, ", "));
  WriteEventsOf("CronJob", job.metadata, scene, out);
  return {};
}

}  // namespace

std::span<const Describer> WorkloadDescribers() {
  static const Describer kDescribers[] = {
      DescriberOf<CronJob, DescribeCronJob>(),
      DescriberOf<DaemonSet, DescribeDaemonSet>(),
      DescriberOf<Deployment, DescribeDeployment>(),
      DescriberOf<Job, DescribeJob>(),
      DescriberOf<ReplicaSet, DescribeReplicaSet>(),
      DescriberOf<ReplicationController, DescribeReplicationController>(),
      DescriberOf<StatefulSet, DescribeStatefulSet>(),
  };
  return kDescribers;
}

}  // namespace podium::api
