#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"
#include "api/types/core_v1.h"
#include "api/validation/cron_job.h"
#include "api/validation/daemon_set.h"
#include "api/validation/deployment.h"
#include "api/validation/job.h"
#include "api/validation/kind_rules.h"
#include "api/validation/pod.h"
#include "api/validation/pod_template_object.h"
#include "api/validation/replica_set.h"
#include "api/validation/replication_controller.h"
#include "api/validation/stateful_set.h"
#include "reflect/copy.h"

namespace podium::api {

using core::v1::Pod;
using field::ErrorList;

namespace {

ErrorList CreatePreparedPod(const void* pod) {
  PodValidationOptions options = PodValidationOptionsFor(nullptr, nullptr);
  options.resource_is_pod = true;
  return ValidatePodCreate(*static_cast<const Pod*>(pod), options);
}

ErrorList CreatePod(const Pod& pod) {
  Pod prepared = reflect::Copy(pod);
  MergeMatchLabelKeys(&prepared);
  return CreatePreparedPod(&prepared);
}

template <ErrorList (*update)(const Pod&, const Pod&, const PodValidationOptions&)>
ErrorList UpdatePod(const Pod& pod, const Pod& old_pod) {
  PodValidationOptions options = PodValidationOptionsFor(&old_pod.spec, &old_pod.metadata);
  options.resource_is_pod = true;
  return update(pod, old_pod, options);
}

KindRules PodRules() {
  KindRules rules = Rules<Pod, CreatePod, UpdatePod<ValidatePodUpdate>>();
  rules.create_prepared = CreatePreparedPod;
  return rules;
}

}  // namespace

std::span<const KindRules> WorkloadRules() {
  using namespace apps::v1;   // NOLINT: nine kinds, named once
  using namespace batch::v1;  // NOLINT: likewise
  using core::v1::ReplicationController;
  static const KindRules kRules[] = {
      PodRules(),
      Subresource<Pod, UpdatePod<ValidatePodStatusUpdate>>("status"),
      Subresource<Pod, UpdatePod<ValidatePodEphemeralContainersUpdate>>("ephemeralcontainers"),
      Subresource<Pod, UpdatePod<ValidatePodResize>>("resize"),
      Request<core::v1::Binding, ValidatePodBinding>(),
      Rules<core::v1::PodTemplate, ValidatePodTemplate, ValidatePodTemplateUpdate>(),
      Rules<ReplicationController, ValidateReplicationController,
            ValidateReplicationControllerUpdate>(),
      Subresource<ReplicationController, ValidateReplicationControllerStatusUpdate>("status"),
      Rules<ReplicaSet, ValidateReplicaSet, ValidateReplicaSetUpdate>(),
      Subresource<ReplicaSet, ValidateReplicaSetStatusUpdate>("status"),
      Rules<Deployment, ValidateDeployment, ValidateDeploymentUpdate>(),
      Subresource<Deployment, ValidateDeploymentStatusUpdate>("status"),
      Rules<DaemonSet, ValidateDaemonSet, ValidateDaemonSetUpdate>(),
      Subresource<DaemonSet, ValidateDaemonSetStatusUpdate>("status"),
      Rules<StatefulSet, ValidateStatefulSet, ValidateStatefulSetUpdate>(),
      Subresource<StatefulSet, ValidateStatefulSetStatusUpdate>("status"),
      Rules<Job, ValidateJob, ValidateJobUpdate>(),
      Subresource<Job, ValidateJobStatusUpdate>("status"),
      Rules<CronJob, ValidateCronJob, ValidateCronJobUpdate>(),
      Rules<batch::v1beta1::CronJob, ValidateCronJob, ValidateCronJobUpdate>(),
  };
  return kRules;
}

}  // namespace podium::api
