#include "api/validation/daemon_set.h"

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod_template.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

using apps::v1::DaemonSet;

void CheckRollingUpdate(const apps::v1::RollingUpdateDaemonSet& update, const field::Path& path,
                        field::ErrorList* errors) {
  const field::Path unavailable = path.Child("maxUnavailable");
  const field::Path surge = path.Child("maxSurge");
  CheckIntOrPercent(update.maxUnavailable, unavailable, errors);
  CheckIntOrPercent(update.maxSurge, surge, errors);
  CheckAtMost100Percent(update.maxUnavailable, unavailable, errors);
  CheckAtMost100Percent(update.maxSurge, surge, errors);
  const bool has_unavailable = IntOrPercentValue(update.maxUnavailable) != 0;
  const bool has_surge = IntOrPercentValue(update.maxSurge) != 0;
  if (has_unavailable && has_surge) {
    errors->Add(
        field::Invalid(surge, *update.maxSurge, "may not be set when maxUnavailable is non-zero"));
  } else if (!has_unavailable && !has_surge) {
    errors->Add(field::Required(unavailable, "cannot be 0 when maxSurge is 0"));
  }
}

void CheckStrategy(const apps::v1::DaemonSetUpdateStrategy& strategy, const field::Path& path,
                   field::ErrorList* errors) {
  if (strategy.type == "OnDelete") return;
  if (strategy.type != "RollingUpdate") {
    errors->Add(field::NotSupported(path, StrategyAsUpstreamPrints(strategy),
                                    {"RollingUpdate", "OnDelete"}));
  } else if (!strategy.rollingUpdate) {
    errors->Add(field::Required(path.Child("rollingUpdate"), ""));
  } else {
    CheckRollingUpdate(*strategy.rollingUpdate, path.Child("rollingUpdate"), errors);
  }
}

void CheckSpec(const apps::v1::DaemonSetSpec& spec, const field::Path& path,
               const PodValidationOptions& options, field::ErrorList* errors) {
  const field::Path selector_path = path.Child("selector");
  const field::Path template_path = path.Child("template");
  if (spec.selector) {
    errors->Append(ValidateLabelSelector(
        *spec.selector, selector_path,
        {.allow_invalid_label_values = options.allow_invalid_label_value_in_selector}));
  }
  const TemplateSelector selector(spec.selector);
  CheckTemplateLabels(!selector.valid() || selector.Matches(spec.template_.metadata.labels),
                      spec.template_, template_path, errors);
  if (spec.selector && spec.selector->matchLabels.empty() &&
      spec.selector->matchExpressions.empty()) {
    errors->Add(
        field::Invalid(selector_path, spec.selector, "empty selector is invalid for daemonset"));
  }
  errors->Append(ValidatePodTemplateSpec(spec.template_, template_path, options));
  CheckRunsForever(spec.template_.spec, template_path.Child("spec"), "DaemonSet", errors);
  CheckNonnegative(spec.minReadySeconds, path.Child("minReadySeconds"), errors);
  CheckStrategy(spec.updateStrategy, path.Child("updateStrategy"), errors);
  CheckNonnegative(spec.revisionHistoryLimit, path.Child("revisionHistoryLimit"), errors);
}

}  // namespace

field::ErrorList ValidateDaemonSet(const DaemonSet& daemon_set) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(daemon_set.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, root.Child("metadata"));
  CheckSpec(daemon_set.spec, root.Child("spec"), PodValidationOptionsForTemplate(nullptr), &errors);
  return errors;
}

field::ErrorList ValidateDaemonSetUpdate(const DaemonSet& daemon_set, const DaemonSet& old_set) {
  PodValidationOptions options = PodValidationOptionsForTemplate(&old_set.spec.template_);
  options.allow_invalid_label_value_in_selector |=
      old_set.spec.selector && HasInvalidLabelValue(*old_set.spec.selector);
  const field::Path root;
  const field::Path spec = root.Child("spec");
  field::ErrorList errors =
      ValidateObjectMetaUpdate(daemon_set.metadata, old_set.metadata, root.Child("metadata"));
  CheckImmutable(daemon_set.spec.selector == old_set.spec.selector, daemon_set.spec.selector,
                 spec.Child("selector"), &errors);
  CheckSpec(daemon_set.spec, spec, options, &errors);
  return errors;
}

field::ErrorList ValidateDaemonSetStatusUpdate(const DaemonSet& daemon_set,
                                               const DaemonSet& old_set) {
  const field::Path root;
  field::ErrorList errors =
      ValidateObjectMetaUpdate(daemon_set.metadata, old_set.metadata, root.Child("metadata"));
  const field::Path path = root.Child("status");
  const auto& status = daemon_set.status;
  CheckNonnegative(status.currentNumberScheduled, path.Child("currentNumberScheduled"), &errors);
  CheckNonnegative(status.numberMisscheduled, path.Child("numberMisscheduled"), &errors);
  CheckNonnegative(status.desiredNumberScheduled, path.Child("desiredNumberScheduled"), &errors);
  CheckNonnegative(status.numberReady, path.Child("numberReady"), &errors);
  CheckNonnegative(status.observedGeneration, path.Child("observedGeneration"), &errors);
  CheckNonnegative(status.updatedNumberScheduled, path.Child("updatedNumberScheduled"), &errors);
  CheckNonnegative(status.numberAvailable, path.Child("numberAvailable"), &errors);
  CheckNonnegative(status.numberUnavailable, path.Child("numberUnavailable"), &errors);
  CheckNonnegative(status.collisionCount, path.Child("collisionCount"), &errors);
  CheckCollisionCount(status.collisionCount, old_set.status.collisionCount,
                      path.Child("collisionCount"), &errors);
  return errors;
}

}  // namespace podium::api
