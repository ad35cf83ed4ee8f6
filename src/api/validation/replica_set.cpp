#include "api/validation/replica_set.h"

#include "api/names.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod_template.h"
#include "api/validation/workloads.h"

namespace podium::api {
namespace {

using apps::v1::ReplicaSet;

void CheckSpec(const apps::v1::ReplicaSetSpec& spec, const field::Path& path,
               const PodValidationOptions& options, field::ErrorList* errors) {
  CheckNonnegative(spec.replicas, path.Child("replicas"), errors);
  CheckNonnegative(spec.minReadySeconds, path.Child("minReadySeconds"), errors);
  CheckReplicaSetTemplate(spec.selector, spec.template_, path, options, errors);
}

}  // namespace

void CheckReplicaSetTemplate(const reflect::Box<meta::v1::LabelSelector>& selector,
                             const core::v1::PodTemplateSpec& pod_template, const field::Path& path,
                             const PodValidationOptions& options, field::ErrorList* errors) {
  const field::Path selector_path = path.Child("selector");
  // The text says deployment of a ReplicaSet too, as upstream's does.
  errors->Append(ValidateWorkloadSelector(selector, selector_path,
                                          "empty selector is invalid for deployment"));
  const TemplateSelector labels(selector);
  if (!labels.valid()) {
    errors->Add(field::Invalid(selector_path, selector, "invalid label selector"));
    return;
  }
  const field::Path template_path = path.Child("template");
  CheckTemplateLabels(labels.MatchesAll() || labels.Matches(pod_template.metadata.labels),
                      pod_template, template_path, errors);
  errors->Append(ValidatePodTemplateSpec(pod_template, template_path, options));
  CheckRunsForever(pod_template.spec, template_path.Child("spec"), "ReplicaSet", errors);
}

field::ErrorList ValidateReplicaSet(const ReplicaSet& replica_set) {
  const field::Path root;
  field::ErrorList errors = ValidateObjectMeta(replica_set.metadata, Scope::kNamespaced,
                                               NameIsDNSSubdomain, root.Child("metadata"));
  CheckSpec(replica_set.spec, root.Child("spec"), PodValidationOptionsForTemplate(nullptr),
            &errors);
  return errors;
}

field::ErrorList ValidateReplicaSetUpdate(const ReplicaSet& replica_set,
                                          const ReplicaSet& old_set) {
  const field::Path root;
  const field::Path spec = root.Child("spec");
  field::ErrorList errors =
      ValidateObjectMetaUpdate(replica_set.metadata, old_set.metadata, root.Child("metadata"));
  CheckSpec(replica_set.spec, spec, PodValidationOptionsForTemplate(&old_set.spec.template_),
            &errors);
  CheckImmutable(replica_set.spec.selector == old_set.spec.selector, replica_set.spec.selector,
                 spec.Child("selector"), &errors);
  return errors;
}

field::ErrorList ValidateReplicaSetStatusUpdate(const ReplicaSet& replica_set,
                                                const ReplicaSet& old_set) {
  const field::Path root;
  field::ErrorList errors =
      ValidateObjectMetaUpdate(replica_set.metadata, old_set.metadata, root.Child("metadata"));
  const field::Path path = root.Child("status");
  const auto& status = replica_set.status;
  CheckReplicaCounters(status, path, &errors);
  CheckNonnegative(status.terminatingReplicas, path.Child("terminatingReplicas"), &errors);
  CheckReplicaLimits(status, path, &errors);
  return errors;
}

}  // namespace podium::api
