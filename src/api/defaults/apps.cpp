// apps, batch and autoscaling.
#include <array>
#include <limits>

#include "api/defaults/rules.h"
#include "api/int_or_string.h"
#include "api/types/apps_v1.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/autoscaling_v2.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"

namespace podium::api::defaults {
namespace {

using namespace apps::v1;

void DefaultDeployment(Deployment& deployment) {
  DeploymentSpec& spec = deployment.spec;
  SetIfUnset(spec.replicas, 1);
  SetIfEmpty(spec.strategy.type, "RollingUpdate");
  if (spec.strategy.type == "RollingUpdate") {
    RollingUpdateDeployment& update = spec.strategy.rollingUpdate.ensure();
    SetIfUnset(update.maxUnavailable, IntOrString::FromString("25%"));
    SetIfUnset(update.maxSurge, IntOrString::FromString("25%"));
  }
  SetIfUnset(spec.revisionHistoryLimit, 10);
  SetIfUnset(spec.progressDeadlineSeconds, 600);
  DefaultPodSpec(spec.template_.spec);
}

void DefaultReplicaSet(ReplicaSet& set) {
  SetIfUnset(set.spec.replicas, 1);
  DefaultPodSpec(set.spec.template_.spec);
}

void DefaultDaemonSet(DaemonSet& set) {
  DaemonSetSpec& spec = set.spec;
  SetIfEmpty(spec.updateStrategy.type, "RollingUpdate");
  if (spec.updateStrategy.type == "RollingUpdate") {
    RollingUpdateDaemonSet& update = spec.updateStrategy.rollingUpdate.ensure();
    SetIfUnset(update.maxUnavailable, IntOrString::FromInt(1));
    SetIfUnset(update.maxSurge, IntOrString::FromInt(0));
  }
  SetIfUnset(spec.revisionHistoryLimit, 10);
  DefaultPodSpec(spec.template_.spec);
}

void DefaultStatefulSet(StatefulSet& set) {
  StatefulSetSpec& spec = set.spec;
  SetIfEmpty(spec.podManagementPolicy, "OrderedReady");
  StatefulSetUpdateStrategy& strategy = spec.updateStrategy;
  // A strategy that was named without rollingUpdate stays without.
  if (strategy.type.empty()) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate.ensure();
  }
  if (strategy.type == "RollingUpdate" && strategy.rollingUpdate) {
    SetIfUnset(strategy.rollingUpdate->partition, 0);
    SetIfUnset(strategy.rollingUpdate->maxUnavailable, IntOrString::FromInt(1));
  }
  auto& retention = spec.persistentVolumeClaimRetentionPolicy.ensure();
  SetIfEmpty(retention.whenDeleted, "Retain");
  SetIfEmpty(retention.whenScaled, "Retain");
  SetIfUnset(spec.replicas, 1);
  SetIfUnset(spec.revisionHistoryLimit, 10);
  DefaultPodSpec(spec.template_.spec);
  for (core::v1::PersistentVolumeClaim& claim : spec.volumeClaimTemplates) {
    DefaultPersistentVolumeClaim(claim);
  }
}

// What a Job and the template of a CronJob share.
void DefaultJobSpec(batch::v1::JobSpec& spec) {
  if (spec.podFailurePolicy) {
    for (auto& rule : spec.podFailurePolicy->rules) {
      for (auto& pattern : rule.onPodConditions) SetIfEmpty(pattern.status, "True");
    }
  }
  DefaultPodSpec(spec.template_.spec);
}

void DefaultJob(batch::v1::Job& job) {
  batch::v1::JobSpec& spec = job.spec;
  // A number of parallel pods without completions means a work queue; nothing at all means one.
  if (!spec.completions && !spec.parallelism) spec.completions = 1;
  SetIfUnset(spec.parallelism, 1);
  SetIfUnset(spec.backoffLimit,
             spec.backoffLimitPerIndex ? std::numeric_limits<int32_t>::max() : 6);
  if (job.metadata.labels.empty()) job.metadata.labels = spec.template_.metadata.labels;
  SetIfUnset(spec.completionMode, "NonIndexed");
  SetIfUnset(spec.suspend, false);
  SetIfUnset(spec.podReplacementPolicy, spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed");
  SetIfUnset(spec.manualSelector, false);
  DefaultJobSpec(spec);
}

// batch/v1 and batch/v1beta1, which shares v1's JobTemplateSpec or has one like it.
template <class CronJob>
void DefaultCronJob(CronJob& job) {
  SetIfEmpty(job.spec.concurrencyPolicy, "Allow");
  SetIfUnset(job.spec.suspend, false);
  SetIfUnset(job.spec.successfulJobsHistoryLimit, 3);
  SetIfUnset(job.spec.failedJobsHistoryLimit, 1);
  DefaultJobSpec(job.spec.jobTemplate.spec);
}

void DefaultAutoscalerV1(autoscaling::v1::HorizontalPodAutoscaler& autoscaler) {
  SetIfUnset(autoscaler.spec.minReplicas, 1);
}

void DefaultAutoscalerV2(autoscaling::v2::HorizontalPodAutoscaler& autoscaler) {
  constexpr int32_t kCpuPercent = 80;
  autoscaling::v2::HorizontalPodAutoscalerSpec& spec = autoscaler.spec;
  SetIfUnset(spec.minReplicas, 1);
  if (spec.metrics.empty()) {
    autoscaling::v2::MetricSpec& metric = spec.metrics.emplace_back();
    metric.type = "Resource";
    autoscaling::v2::ResourceMetricSource& source = metric.resource.emplace();
    source.name = "cpu";
    source.target.type = "Utilization";
    source.target.averageUtilization = kCpuPercent;
  }
  if (!spec.behavior) return;
  autoscaling::v2::HPAScalingRules& up = spec.behavior->scaleUp.ensure();
  SetIfUnset(up.stabilizationWindowSeconds, 0);
  SetIfUnset(up.selectPolicy, "Max");
  if (up.policies.empty()) {
    up.policies = {{.type = "Pods", .value = 4, .periodSeconds = 15},
                   {.type = "Percent", .value = 100, .periodSeconds = 15}};
  }
  // The window of scaling down is a setting of the controller.
  autoscaling::v2::HPAScalingRules& down = spec.behavior->scaleDown.ensure();
  SetIfUnset(down.selectPolicy, "Max");
  if (down.policies.empty()) {
    down.policies = {{.type = "Percent", .value = 100, .periodSeconds = 15}};
  }
}

}  // namespace

std::span<const Kind> AppsKinds() {
  static const std::array kKinds = {
      KindOf<Deployment, DefaultDeployment>(),
      KindOf<ReplicaSet, DefaultReplicaSet>(),
      KindOf<DaemonSet, DefaultDaemonSet>(),
      KindOf<StatefulSet, DefaultStatefulSet>(),
      KindOf<batch::v1::Job, DefaultJob>(),
      KindOf<batch::v1::CronJob, DefaultCronJob<batch::v1::CronJob>>(),
      KindOf<batch::v1beta1::CronJob, DefaultCronJob<batch::v1beta1::CronJob>>(),
      KindOf<autoscaling::v1::HorizontalPodAutoscaler, DefaultAutoscalerV1>(),
      KindOf<autoscaling::v2::HorizontalPodAutoscaler, DefaultAutoscalerV2>(),
  };
  return kKinds;
}

}  // namespace podium::api::defaults
