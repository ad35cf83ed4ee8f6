#include "api/validation/deployment.h"

#include <string_view>

#include "api/names.h"
#include "api/validation/object_meta.h"
#include "api/validation/replica_set.h"
#include "api/validation/workloads.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

using apps::v1::Deployment;

void CheckRollingUpdate(const apps::v1::RollingUpdateDeployment& update, const field::Path& path,
                        field::ErrorList* errors) {
  const field::Path unavailable = path.Child("maxUnavailable");
  CheckIntOrPercent(update.maxUnavailable, unavailable, errors);
  CheckIntOrPercent(update.maxSurge, path.Child("maxSurge"), errors);
  if (IntOrPercentValue(update.maxUnavailable) == 0 && IntOrPercentValue(update.maxSurge) == 0) {
    errors->Add(field::Invalid(unavailable, update.maxUnavailable.value_or(IntOrString{}),
                               "may not be 0 when `maxSurge` is 0"));
  }
  CheckAtMost100Percent(update.maxUnavailable, unavailable, errors);
}

void CheckStrategy(const apps::v1::DeploymentStrategy& strategy, const field::Path& path,
                   field::ErrorList* errors) {
  const field::Path rolling = path.Child("rollingUpdate");
  if (strategy.type == "Recreate") {
    if (strategy.rollingUpdate) {
      errors->Add(
          field::Forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'"));
    }
  } else if (strategy.type == "RollingUpdate") {
    if (strategy.rollingUpdate) {
      CheckRollingUpdate(*strategy.rollingUpdate, rolling, errors);
    } else {
      errors->Add(field::Required(rolling, "this should be defaulted and never be nil"));
    }
  } else {
    errors->Add(field::NotSupported(path, StrategyAsUpstreamPrints(strategy),
                                    {"Recreate", "RollingUpdate"}));
  }
}

// Clients of versions before v1 ask for a rollback in spec.rollbackTo, which v1 keeps as an
// annotation.
void CheckRollback(const meta::v1::ObjectMeta& metadata, const field::Path& path,
                   field::ErrorList* errors) {
  const auto revision = metadata.annotations.find("deprecated.deployment.rollback.to");
  if (revision == metadata.annotations.end()) return;
  const Result<int64_t> number = reflect::ParseGoInt(revision->second);
  if (number.ok()) CheckNonnegative(*number, path.Child("version"), errors);
}

void CheckSpec(const Deployment& deployment, const field::Path& path,
               const PodValidationOptions& options, field::ErrorList* errors) {
  const apps::v1::DeploymentSpec& spec = deployment.spec;
  CheckNonnegative(spec.replicas, path.Child("replicas"), errors);
  CheckReplicaSetTemplate(spec.selector, spec.template_, path, options, errors);
  CheckStrategy(spec.strategy, path.Child("strategy"), errors);
  CheckNonnegative(spec.minReadySeconds, path.Child("minReadySeconds"), errors);
  CheckNonnegative(spec.revisionHistoryLimit, path.Child("revisionHistoryLimit"), errors);
  CheckRollback(deployment.metadata, path.Child("rollback"), errors);
  if (spec.progressDeadlineSeconds) {
    const field::Path deadline = path.Child("progressDeadlineSeconds");
    CheckNonnegative(*spec.progressDeadlineSeconds, deadline, errors);
    if (*spec.progressDeadlineSeconds <= spec.minReadySeconds) {
      errors->Add(field::Invalid(deadline, *spec.progressDeadlineSeconds,
                                 "must be greater than minReadySeconds"));
    }
  }
}

}  // namespace

field::ErrorList ValidateDeployment(const Deployment& deployment) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(deployment.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, root.Child("metadata"));
  CheckSpec(deployment, root.Child("spec"), PodValidationOptionsForTemplate(nullptr), &errors);
  return errors;
}

field::ErrorList ValidateDeploymentUpdate(const Deployment& deployment,
                                          const Deployment& old_deployment) {
  const field::Path root;
  const field::Path spec = root.Child("spec");
  field::ErrorList errors = ValidateObjectMetaUpdate(deployment.metadata, old_deployment.metadata,
                                                     root.Child("metadata"));
  CheckSpec(deployment, spec, PodValidationOptionsForTemplate(&old_deployment.spec.template_),
            &errors);
  CheckImmutable(deployment.spec.selector == old_deployment.spec.selector, deployment.spec.selector,
                 spec.Child("selector"), &errors);
  return errors;
}

field::ErrorList ValidateDeploymentStatusUpdate(const Deployment& deployment,
                                                const Deployment& old_deployment) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMetaUpdate(deployment.metadata, old_deployment.metadata,
                                                     root.Child("metadata"));
  const field::Path path = root.Child("status");
  const auto& status = deployment.status;
  CheckNonnegative(status.observedGeneration, path.Child("observedGeneration"), &errors);
  CheckNonnegative(status.replicas, path.Child("replicas"), &errors);
  CheckNonnegative(status.updatedReplicas, path.Child("updatedReplicas"), &errors);
  CheckNonnegative(status.readyReplicas, path.Child("readyReplicas"), &errors);
  CheckNonnegative(status.availableReplicas, path.Child("availableReplicas"), &errors);
  CheckNonnegative(status.unavailableReplicas, path.Child("unavailableReplicas"), &errors);
  CheckNonnegative(status.terminatingReplicas, path.Child("terminatingReplicas"), &errors);
  CheckNonnegative(status.collisionCount, path.Child("collisionCount"), &errors);
  constexpr std::string_view kReplicas = "cannot be greater than status.replicas";
  CheckNotGreater(status.updatedReplicas, status.replicas, kReplicas, path.Child("updatedReplicas"),
                  &errors);
  CheckNotGreater(status.readyReplicas, status.replicas, kReplicas, path.Child("readyReplicas"),
                  &errors);
  CheckNotGreater(status.availableReplicas, status.replicas, kReplicas,
                  path.Child("availableReplicas"), &errors);
  CheckNotGreater(status.availableReplicas, status.readyReplicas,
                  "cannot be greater than readyReplicas", path.Child("availableReplicas"), &errors);
  CheckCollisionCount(status.collisionCount, old_deployment.status.collisionCount,
                      path.Child("collisionCount"), &errors);
  return errors;
}

}  // namespace podium::api
