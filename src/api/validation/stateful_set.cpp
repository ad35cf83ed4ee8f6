#include "api/validation/stateful_set.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/claims.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/pod_template.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

using apps::v1::StatefulSet;
using apps::v1::StatefulSetSpec;

// What an update does not check again.
struct SpecOptions {
  const PodValidationOptions& pod;
  bool check_service_name = true;
  bool check_claim_templates = true;
  bool check_pod_template = true;
};

// Upstream's internal types have no JSON names: their fields print as in Go.
std::string RollingUpdateAsUpstreamPrints(
    const apps::v1::RollingUpdateStatefulSetStrategy& update) {
  return "{\"Partition\":" + std::to_string(update.partition.value_or(0)) +
         ",\"MaxUnavailable\":" + field::BadValue(update.maxUnavailable).text() + "}";
}

field::BadValue StrategyAsUpstreamPrints(const apps::v1::StatefulSetUpdateStrategy& strategy) {
  return field::BadValue::Json(
      "{\"Type\":" + NamedString(strategy.type).text() + ",\"RollingUpdate\":" +
      (strategy.rollingUpdate ? RollingUpdateAsUpstreamPrints(*strategy.rollingUpdate) : "null") +
      "}");
}

void CheckRollingUpdate(const apps::v1::RollingUpdateStatefulSetStrategy& update,
                        const field::Path& path, field::ErrorList* errors) {
  CheckNonnegative(update.partition, path.Child("partition"), errors);
  if (!update.maxUnavailable) return;
  const field::Path unavailable = path.Child("maxUnavailable");
  CheckIntOrPercent(update.maxUnavailable, unavailable, errors);
  if (IntOrPercentValue(update.maxUnavailable) == 0) {
    errors->Add(field::Invalid(unavailable, *update.maxUnavailable, "cannot be 0"));
  }
  CheckAtMost100Percent(update.maxUnavailable, unavailable, errors);
}

void CheckUpdateStrategy(const apps::v1::StatefulSetUpdateStrategy& strategy,
                         const field::Path& path, field::ErrorList* errors) {
  const field::Path rolling = path.Child("rollingUpdate");
  if (strategy.type.empty()) {
    errors->Add(field::Required(path, ""));
  } else if (strategy.type == "OnDelete") {
    if (strategy.rollingUpdate) {
      errors->Add(field::Invalid(
          rolling, field::BadValue::Json(RollingUpdateAsUpstreamPrints(*strategy.rollingUpdate)),
          "only allowed for updateStrategy 'RollingUpdate'"));
    }
  } else if (strategy.type == "RollingUpdate") {
    if (strategy.rollingUpdate) CheckRollingUpdate(*strategy.rollingUpdate, rolling, errors);
  } else {
    errors->Add(field::Invalid(path, StrategyAsUpstreamPrints(strategy),
                               "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

void CheckRetention(const apps::v1::StatefulSetPersistentVolumeClaimRetentionPolicy& policy,
                    const field::Path& path, field::ErrorList* errors) {
  const auto check = [&](const std::string& value, std::string_view name) {
    if (IsOneOf(value, {"Retain", "Delete"})) return;
    errors->Add(field::NotSupported(path.Child(name), NamedString(value), {"Retain", "Delete"}));
  };
  check(policy.whenDeleted, "whenDeleted");
  check(policy.whenScaled, "whenScaled");
}

// The template as its pods will be: hostname and subdomain come from the controller, and the
// volumes of the claim templates go before those that they do not replace.
core::v1::PodTemplateSpec TemplateOfPods(const StatefulSetSpec& spec) {
  core::v1::PodTemplateSpec pod_template = spec.template_;
  pod_template.spec.subdomain.clear();
  pod_template.spec.hostname.clear();
  reflect::List<core::v1::Volume> volumes;
  std::set<std::string_view> claims;
  for (const auto& claim : spec.volumeClaimTemplates) {
    if (!claims.insert(claim.metadata.name).second) continue;
    core::v1::Volume& volume = volumes.emplace_back();
    volume.name = claim.metadata.name;
    volume.persistentVolumeClaim.emplace().claimName = claim.metadata.name;
  }
  for (core::v1::Volume& volume : pod_template.spec.volumes) {
    if (!claims.contains(volume.name)) volumes.push_back(std::move(volume));
  }
  pod_template.spec.volumes = std::move(volumes);
  return pod_template;
}

void CheckTemplate(const StatefulSetSpec& spec, const TemplateSelector& selector,
                   const field::Path& path, const SpecOptions& options, field::ErrorList* errors) {
  const core::v1::PodTemplateSpec pod_template = TemplateOfPods(spec);
  const meta::v1::ObjectMeta& metadata = pod_template.metadata;
  CheckTemplateLabels(selector.MatchesAll() || selector.Matches(metadata.labels), pod_template,
                      path, errors);
  if (options.check_pod_template) {
    errors->Append(ValidatePodTemplateSpec(pod_template, path, options.pod));
  }
  // Upstream checks these once more, and in any case.
  const field::Path annotations = path.Child("annotations");
  errors->Append(ValidateLabels(metadata.labels, path.Child("labels")));
  errors->Append(ValidateAnnotations(metadata.annotations, annotations));
  errors->Append(ValidatePodSpecificAnnotations(metadata.annotations, pod_template.spec,
                                                annotations, options.pod));
}

void CheckSpec(const StatefulSetSpec& spec, const field::Path& path, const SpecOptions& options,
               field::ErrorList* errors) {
  const field::Path management = path.Child("podManagementPolicy");
  if (spec.podManagementPolicy.empty()) {
    errors->Add(field::Required(management, ""));
  } else if (!IsOneOf(spec.podManagementPolicy, {"OrderedReady", "Parallel"})) {
    errors->Add(field::Invalid(management, NamedString(spec.podManagementPolicy),
                               "must be 'OrderedReady' or 'Parallel'"));
  }
  CheckUpdateStrategy(spec.updateStrategy, path.Child("updateStrategy"), errors);
  if (spec.persistentVolumeClaimRetentionPolicy) {
    CheckRetention(*spec.persistentVolumeClaimRetentionPolicy,
                   path.Child("persistentVolumeClaimRetentionPolicy"), errors);
  }
  if (options.check_claim_templates) {
    const field::Path claims = path.Child("volumeClaimTemplates");
    for (size_t i = 0; i < spec.volumeClaimTemplates.size(); ++i) {
      errors->Append(ValidatePersistentVolumeClaimSpec(spec.volumeClaimTemplates[i].spec,
                                                       claims.Index(i).Child("spec")));
    }
  }
  CheckNonnegative(spec.replicas, path.Child("replicas"), errors);
  CheckNonnegative(spec.minReadySeconds, path.Child("minReadySeconds"), errors);
  if (spec.ordinals) CheckNonnegative(spec.ordinals->start, path.Child("ordinals.start"), errors);
  if (options.check_service_name && !spec.serviceName.empty()) {
    errors->Append(ValidateDNS1123Label(spec.serviceName, path.Child("serviceName")));
  }

  errors->Append(ValidateWorkloadSelector(spec.selector, path.Child("selector"),
                                          "empty selector is invalid for statefulset"));
  const TemplateSelector selector(spec.selector);
  if (selector.valid()) {
    CheckTemplate(spec, selector, path.Child("template"), options, errors);
  } else {
    errors->Add(field::Invalid(path.Child("selector"), spec.selector, ""));
  }
  CheckRunsForever(spec.template_.spec, path.Child("template").Child("spec"), "StatefulSet",
                   errors);
}

// Whether the specs differ in a field that cannot be updated.
bool ChangesFixedFields(const StatefulSetSpec& spec, const StatefulSetSpec& old_spec) {
  StatefulSetSpec same = spec;
  same.replicas = old_spec.replicas;
  same.template_ = old_spec.template_;
  same.updateStrategy = old_spec.updateStrategy;
  same.minReadySeconds = old_spec.minReadySeconds;
  same.ordinals = old_spec.ordinals;
  same.revisionHistoryLimit = old_spec.revisionHistoryLimit;
  same.persistentVolumeClaimRetentionPolicy = old_spec.persistentVolumeClaimRetentionPolicy;
  // Claim templates are of one kind, whether they say so or not.
  const size_t claims =
      std::min(same.volumeClaimTemplates.size(), old_spec.volumeClaimTemplates.size());
  for (size_t i = 0; i < claims; ++i) {
    same.volumeClaimTemplates[i].apiVersion = old_spec.volumeClaimTemplates[i].apiVersion;
    same.volumeClaimTemplates[i].kind = old_spec.volumeClaimTemplates[i].kind;
  }
  return !reflect::EqualObjects(reflect::TypeOf<StatefulSetSpec>(), &same, &old_spec);
}

}  // namespace

field::ErrorList ValidateStatefulSet(const StatefulSet& stateful_set) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(stateful_set.metadata, Scope::kNamespaced,
                                               NameIsDNSLabel, root.Child("metadata"));
  CheckSpec(stateful_set.spec, root.Child("spec"),
            SpecOptions{.pod = PodValidationOptionsForTemplate(nullptr)}, &errors);
  return errors;
}

field::ErrorList ValidateStatefulSetUpdate(const StatefulSet& stateful_set,
                                           const StatefulSet& old_set) {
  const field::Path root;
  const field::Path spec = root.Child("spec");
  field::ErrorList errors =
      ValidateObjectMetaUpdate(stateful_set.metadata, old_set.metadata, root.Child("metadata"));
  const PodValidationOptions pod_options = PodValidationOptionsForTemplate(&old_set.spec.template_);
  SpecOptions options{
      .pod = pod_options, .check_service_name = false, .check_claim_templates = false};
  field::ErrorList old_errors;
  CheckSpec(old_set.spec, spec, options, &old_errors);
  options.check_pod_template = old_errors.empty();
  CheckSpec(stateful_set.spec, spec, options, &errors);
  if (ChangesFixedFields(stateful_set.spec, old_set.spec)) {
    errors.Add(field::Forbidden(
        spec,
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
        "'minReadySeconds' are forbidden"));
  }
  return errors;
}

field::ErrorList ValidateStatefulSetStatusUpdate(const StatefulSet& stateful_set,
                                                 const StatefulSet& old_set) {
  const field::Path root;
  const field::Path path = root.Child("status");
  const auto& status = stateful_set.status;
  field::ErrorList errors;
  CheckNonnegative(status.replicas, path.Child("replicas"), &errors);
  CheckNonnegative(status.readyReplicas, path.Child("readyReplicas"), &errors);
  CheckNonnegative(status.currentReplicas, path.Child("currentReplicas"), &errors);
  CheckNonnegative(status.updatedReplicas, path.Child("updatedReplicas"), &errors);
  CheckNonnegative(status.availableReplicas, path.Child("availableReplicas"), &errors);
  CheckNonnegative(status.observedGeneration, path.Child("observedGeneration"), &errors);
  CheckNonnegative(status.collisionCount, path.Child("collisionCount"), &errors);
  constexpr std::string_view kReplicas = "cannot be greater than status.replicas";
  CheckNotGreater(status.readyReplicas, status.replicas, kReplicas, path.Child("readyReplicas"),
                  &errors);
  CheckNotGreater(status.currentReplicas, status.replicas, kReplicas, path.Child("currentReplicas"),
                  &errors);
  CheckNotGreater(status.updatedReplicas, status.replicas, kReplicas, path.Child("updatedReplicas"),
                  &errors);
  CheckNotGreater(status.availableReplicas, status.replicas, kReplicas,
                  path.Child("availableReplicas"), &errors);
  CheckNotGreater(status.availableReplicas, status.readyReplicas,
                  "cannot be greater than status.readyReplicas", path.Child("availableReplicas"),
                  &errors);
  errors.Append(
      ValidateObjectMetaUpdate(stateful_set.metadata, old_set.metadata, root.Child("metadata")));
  CheckCollisionCount(status.collisionCount, old_set.status.collisionCount,
                      path.Child("collisionCount"), &errors);
  return errors;
}

}  // namespace podium::api
