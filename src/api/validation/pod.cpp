#include "api/validation/pod.h"

#include "api/names.h"
#include "api/types/core_v1.h"
#include "api/validation/common.h"
#include "api/validation/containers.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/pod_template.h"

namespace podium::api {

using core::v1::Pod;
using core::v1::PodSpec;
using field::ErrorList;
using field::Path;
using reflect::Box;
using reflect::List;

namespace {

// Tokens are made for a service account.
ErrorList ValidateTokenVolumes(const PodSpec& spec, const Path& path) {
  ErrorList errors;
  if (!spec.serviceAccountName.empty() || !spec.serviceAccount.empty()) return errors;
  for (size_t i = 0; i < spec.volumes.size(); ++i) {
    if (!spec.volumes[i].projected) continue;
    Path volume = path.Index(i);
    Path projected = volume.Child("projected");
    Path sources = projected.Child("sources");
    for (size_t j = 0; j < spec.volumes[i].projected->sources.size(); ++j) {
      if (!spec.volumes[i].projected->sources[j].serviceAccountToken) continue;
      Path source = sources.Index(j);
      errors.Add(field::Forbidden(source.Child("serviceAccountToken"),
                                  "must not be specified when serviceAccountName is not set"));
    }
  }
  return errors;
}

void MergeKeys(const List<std::string>& keys, std::string_view op,
               const reflect::Map<std::string>& labels, Box<meta::v1::LabelSelector>* selector) {
  // A missing selector matches nothing, and stays so.
  if (!*selector) return;
  for (const std::string& key : keys) {
    auto label = labels.find(key);
    if (label == labels.end()) continue;
    (*selector)->matchExpressions.push_back(
        {.key = key, .operator_ = std::string(op), .values = {label->second}});
  }
}

void MergeTerm(const reflect::Map<std::string>& labels, core::v1::PodAffinityTerm* term) {
  MergeKeys(term->matchLabelKeys, "In", labels, &term->labelSelector);
  MergeKeys(term->mismatchLabelKeys, "NotIn", labels, &term->labelSelector);
}

template <class PodAffinity>
void MergeTerms(const reflect::Map<std::string>& labels, Box<PodAffinity>* affinity) {
  if (!*affinity) return;
  for (auto& term : (*affinity)->requiredDuringSchedulingIgnoredDuringExecution) {
    MergeTerm(labels, &term);
  }
  for (auto& weighted : (*affinity)->preferredDuringSchedulingIgnoredDuringExecution) {
    MergeTerm(labels, &weighted.podAffinityTerm);
  }
}

}  // namespace

void MergeMatchLabelKeys(Pod* pod) {
  const reflect::Map<std::string>& labels = pod->metadata.labels;
  if (pod->spec.affinity) {
    MergeTerms(labels, &pod->spec.affinity->podAffinity);
    MergeTerms(labels, &pod->spec.affinity->podAntiAffinity);
  }
  for (core::v1::TopologySpreadConstraint& constraint : pod->spec.topologySpreadConstraints) {
    MergeKeys(constraint.matchLabelKeys, "In", labels, &constraint.labelSelector);
  }
}

ErrorList ValidatePodMetadataAndSpec(const Pod& pod, const PodValidationOptions& options) {
  Path meta("metadata");
  Path spec("spec");
  ErrorList errors = ValidateObjectMeta(pod.metadata, Scope::kNamespaced, NameIsDNSSubdomain, meta);
  errors.Append(ValidatePodSpecificAnnotations(pod.metadata.annotations, pod.spec,
                                               meta.Child("annotations"), options));
  errors.Append(ValidatePodSpec(pod.spec, &pod.metadata, spec, options));
  errors.Append(ValidateTokenVolumes(pod.spec, spec.Child("volumes")));
  errors.Append(ValidateContainersOnlyForPod(pod.spec.containers, spec.Child("containers")));
  errors.Append(
      ValidateContainersOnlyForPod(pod.spec.initContainers, spec.Child("initContainers")));
  return errors;
}

ErrorList ValidatePodCreate(const Pod& pod, const PodValidationOptions& options) {
  ErrorList errors = ValidatePodMetadataAndSpec(pod, options);
  Path spec("spec");
  if (!pod.spec.ephemeralContainers.empty()) {
    errors.Add(field::Forbidden(spec.Child("ephemeralContainers"), "cannot be set on create"));
  }
  if (!pod.spec.nodeName.empty() && !pod.spec.schedulingGates.empty()) {
    errors.Add(field::Forbidden(spec.Child("nodeName"),
                                "cannot be set until all schedulingGates have been cleared"));
  }
  errors.Append(ValidateProfilesMatchAnnotations(pod.metadata.annotations, pod.spec, spec));
  return errors;
}

ErrorList ValidatePodBinding(const core::v1::Binding& binding) {
  ErrorList errors;
  Path target("target");
  if (!IsOneOf(binding.target.kind, {"", "Node"})) {
    errors.Add(field::NotSupported(target.Child("kind"), binding.target.kind, {"Node", "<empty>"}));
  }
  if (binding.target.name.empty()) errors.Add(field::Required(target.Child("name"), ""));
  return errors;
}

}  // namespace podium::api
