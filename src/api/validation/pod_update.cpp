// Changes of a pod that is there: of the main resource and of its ephemeral containers.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "api/names.h"
#include "api/types/core_v1.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod.h"
#include "api/validation/pod_annotations.h"
#include "api/validation/scheduling.h"
#include "api/validation/unversioned_json.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"

namespace podium::api {

using core::v1::Affinity;
using core::v1::Container;
using core::v1::EphemeralContainer;
using core::v1::NodeAffinity;
using core::v1::NodeSelectorRequirement;
using core::v1::NodeSelectorTerm;
using core::v1::Pod;
using core::v1::PodSchedulingGate;
using core::v1::PodSpec;
using core::v1::Toleration;
using field::ErrorList;
using field::Path;
using reflect::Box;
using reflect::List;

namespace {

constexpr std::string_view kUpdatableFields =
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

// What of an update is checked; a pod that adds or removes containers is not looked at further.
struct Checked {
  ErrorList errors;
  bool stop = false;
};

Checked ValidateImages(const List<Container>& containers, const List<Container>& old,
                       const Path& path) {
  Checked checked;
  if (containers.size() != old.size()) {
    checked.errors.Add(field::Forbidden(path, "pod updates may not add or remove containers"));
    checked.stop = true;
    return checked;
  }
  for (size_t i = 0; i < containers.size(); ++i) {
    Path at = path.Index(i);
    const std::string& image = containers[i].image;
    if (image.empty()) checked.errors.Add(field::Required(at.Child("image"), ""));
    if (HasOuterSpace(image)) {
      checked.errors.Add(
          field::Invalid(at.Child("image"), image, "must not have leading or trailing whitespace"));
    }
  }
  return checked;
}

// A deadline may be set, and it may come nearer.
Checked ValidateDeadline(const std::optional<int64_t>& seconds, const std::optional<int64_t>& old,
                         const Path& path) {
  Checked checked;
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (!seconds) {
    if (old) {
      checked.errors.Add(
          field::Invalid(path, nullptr, "must not update from a positive integer to nil value"));
    }
  } else if (*seconds < 0 || *seconds > kMax) {
    checked.errors.Add(field::Invalid(path, *seconds, InclusiveRangeError(0, kMax)));
    checked.stop = true;
  } else if (old && *old < *seconds) {
    checked.errors.Add(
        field::Invalid(path, *seconds, "must be less than or equal to previous value"));
    checked.stop = true;
  }
  return checked;
}

// All of a toleration but its seconds, which may change.
auto Tolerated(const Toleration& toleration) {
  return std::tie(toleration.key, toleration.operator_, toleration.value, toleration.effect);
}

ErrorList ValidateOnlyAddedTolerations(const List<Toleration>& tolerations,
                                       const List<Toleration>& old, const Path& path,
                                       const PodValidationOptions& options) {
  ErrorList errors;
  std::set<decltype(Tolerated(Toleration()))> kept;
  for (const Toleration& each : tolerations) kept.insert(Tolerated(each));
  if (!std::ranges::all_of(
          old, [&](const Toleration& each) { return kept.contains(Tolerated(each)); })) {
    errors.Add(field::Forbidden(
        path, "existing toleration can not be modified except its tolerationSeconds"));
    return errors;
  }
  return ValidateTolerations(tolerations, path, options);
}

ErrorList ValidateOnlyDeletedGates(const List<PodSchedulingGate>& gates,
                                   const List<PodSchedulingGate>& old, const Path& path) {
  ErrorList errors;
  reflect::Map<size_t> added;
  for (size_t i = 0; i < gates.size(); ++i) added[gates[i].name] = i;
  for (const PodSchedulingGate& gate : old) added.erase(gate.name);
  for (const auto& [name, index] : added) {
    Path at = path.Index(index);
    errors.Add(field::Forbidden(
        at.Child("name"),
        fmt::format("only deletion is allowed, but found new scheduling gate '{}'", name)));
  }
  return errors;
}

ErrorList ValidateNodeSelectorMutation(const reflect::Map<std::string>& selector,
                                       const reflect::Map<std::string>& old, const Path& path) {
  ErrorList errors;
  bool kept = std::ranges::all_of(old, [&](const auto& label) {
    auto found = selector.find(label.first);
    return found != selector.end() && found->second == label.second;
  });
  if (!kept) {
    errors.Add(field::Invalid(
        path, selector,
        "only additions to spec.nodeSelector are allowed (no mutations or deletions)"));
  }
  return errors;
}

bool StartsWith(const List<NodeSelectorRequirement>& list,
                const List<NodeSelectorRequirement>& start) {
  return list.size() >= start.size() &&
         std::equal(start.begin(), start.end(), list.begin(),
                    [](const auto& a, const auto& b) { return reflect::Equal(a, b); });
}

// Terms are alternatives, requirements of a term hold together: only further requirements narrow
// the choice. A term without requirements matches nothing, and must stay so.
bool OnlyAdds(const NodeSelectorTerm& term, const NodeSelectorTerm& old) {
  if (old.matchExpressions.empty() && old.matchFields.empty()) {
    return term.matchExpressions.empty() && term.matchFields.empty();
  }
  return StartsWith(term.matchExpressions, old.matchExpressions) &&
         StartsWith(term.matchFields, old.matchFields);
}

ErrorList ValidateNodeAffinityMutation(const NodeAffinity* affinity, const NodeAffinity* old,
                                       const Path& path) {
  ErrorList errors;
  if (!old || !old->requiredDuringSchedulingIgnoredDuringExecution) return errors;
  const auto& old_terms = old->requiredDuringSchedulingIgnoredDuringExecution->nodeSelectorTerms;
  List<NodeSelectorTerm> terms;
  if (affinity && affinity->requiredDuringSchedulingIgnoredDuringExecution) {
    terms = affinity->requiredDuringSchedulingIgnoredDuringExecution->nodeSelectorTerms;
  }
  Path required = path.Child("requiredDuringSchedulingIgnoredDuringExecution");
  Path terms_path = required.Child("nodeSelectorTerms");
  if (!old_terms.empty() && old_terms.size() != terms.size()) {
    errors.Add(
        field::Invalid(terms_path, UnversionedValue(terms),
                       "no additions/deletions to non-empty NodeSelectorTerms list are allowed"));
    return errors;
  }
  for (size_t i = 0; i < old_terms.size(); ++i) {
    if (OnlyAdds(terms[i], old_terms[i])) continue;
    errors.Add(field::Invalid(terms_path.Index(i), UnversionedValue(terms[i]),
                              "only additions are allowed (no mutations or deletions)"));
  }
  return errors;
}

const NodeAffinity* NodeAffinityOf(const PodSpec& spec) {
  return spec.affinity ? spec.affinity->nodeAffinity.get() : nullptr;
}

bool SameAffinity(const NodeAffinity* a, const NodeAffinity* b) {
  return a && b ? reflect::Equal(*a, *b) : a == b;
}

// A pod that the scheduler has not seen yet may be narrowed down. Checks that, and takes the old
// values over into `munged`.
ErrorList ValidateGatedPod(const PodSpec& old, const Path& path, PodSpec* munged) {
  ErrorList errors;
  if (munged->nodeSelector != old.nodeSelector) {
    errors.Append(ValidateNodeSelectorMutation(munged->nodeSelector, old.nodeSelector,
                                               path.Child("nodeSelector")));
    munged->nodeSelector = old.nodeSelector;
  }
  const NodeAffinity* old_affinity = NodeAffinityOf(old);
  const NodeAffinity* affinity = NodeAffinityOf(*munged);
  if (SameAffinity(affinity, old_affinity)) return errors;
  Path affinity_path = path.Child("affinity");
  errors.Append(
      ValidateNodeAffinityMutation(affinity, old_affinity, affinity_path.Child("nodeAffinity")));
  bool only_node_affinity =
      munged->affinity && !munged->affinity->podAffinity && !munged->affinity->podAntiAffinity;
  if (!old.affinity && only_node_affinity) {
    munged->affinity.reset();
  } else {
    Box<NodeAffinity>& slot = munged->affinity.ensure().nodeAffinity;
    if (old_affinity) {
      slot = *old_affinity;
    } else {
      slot.reset();
    }
  }
  return errors;
}

void TakeImages(const List<Container>& from, List<Container>* to) {
  for (size_t i = 0; i < from.size(); ++i) (*to)[i].image = from[i].image;
}

// The new spec with every field that may change as it was before.
PodSpec Munge(const PodSpec& spec, const PodSpec& old) {
  PodSpec munged = reflect::Copy(spec);
  TakeImages(old.containers, &munged.containers);
  TakeImages(old.initContainers, &munged.initContainers);
  munged.activeDeadlineSeconds = old.activeDeadlineSeconds;
  munged.schedulingGates = old.schedulingGates;
  munged.tolerations = old.tolerations;
  if (old.terminationGracePeriodSeconds.value_or(0) < 0 &&
      munged.terminationGracePeriodSeconds == 1) {
    munged.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
  }
  return munged;
}

}  // namespace

PodSpec ComparablePodSpec(const PodSpec& spec) {
  PodSpec out = reflect::Copy(spec);
  if (out.serviceAccountName.empty()) out.serviceAccountName = out.serviceAccount;
  out.serviceAccount.clear();
  if (!out.securityContext) out.securityContext.emplace();
  return out;
}

ErrorList ValidatePodUpdate(const Pod& new_pod, const Pod& old_pod,
                            const PodValidationOptions& options) {
  Path meta("metadata");
  Path spec_path("spec");
  ErrorList errors = ValidateObjectMetaUpdate(new_pod.metadata, old_pod.metadata, meta);
  errors.Append(ValidatePodMetadataAndSpec(new_pod, options));
  errors.Append(
      ValidatePodSpecificAnnotationUpdates(new_pod, old_pod, meta.Child("annotations"), options));
  const PodSpec spec = ComparablePodSpec(new_pod.spec);
  const PodSpec old = ComparablePodSpec(old_pod.spec);
  auto stops = [&](Checked checked) {
    errors.Append(std::move(checked.errors));
    return checked.stop;
  };
  if (stops(ValidateImages(spec.containers, old.containers, spec_path.Child("containers")))) {
    return errors;
  }
  if (stops(ValidateImages(spec.initContainers, old.initContainers,
                           spec_path.Child("initContainers")))) {
    return errors;
  }
  if (stops(ValidateDeadline(spec.activeDeadlineSeconds, old.activeDeadlineSeconds,
                             spec_path.Child("activeDeadlineSeconds")))) {
    return errors;
  }
  errors.Append(ValidateOnlyAddedTolerations(spec.tolerations, old.tolerations,
                                             spec_path.Child("tolerations"), options));
  errors.Append(ValidateOnlyDeletedGates(spec.schedulingGates, old.schedulingGates,
                                         spec_path.Child("schedulingGates")));
  if (reflect::Equal(spec, old)) return errors;

  PodSpec munged = Munge(spec, old);
  if (!old.schedulingGates.empty()) errors.Append(ValidateGatedPod(old, spec_path, &munged));
  if (!reflect::Equal(munged, old)) {
    errors.Add(field::Forbidden(spec_path,
                                fmt::format("pod updates may not change fields other than {}\n{}",
                                            kUpdatableFields, UnversionedDiff(old, munged))));
  }
  return errors;
}

ErrorList ValidatePodEphemeralContainersUpdate(const Pod& new_pod, const Pod& old_pod,
                                               const PodValidationOptions& options) {
  Path meta("metadata");
  ErrorList errors = ValidateObjectMetaUpdate(new_pod.metadata, old_pod.metadata, meta);
  errors.Append(ValidatePodMetadataAndSpec(new_pod, options));
  errors.Append(
      ValidatePodSpecificAnnotationUpdates(new_pod, old_pod, meta.Child("annotations"), options));
  if (old_pod.metadata.annotations.contains(kMirrorPodAnnotation)) {
    return {field::Forbidden(Path(""), "static pods do not support ephemeral containers")};
  }

  reflect::Map<const EphemeralContainer*> by_name;
  for (const EphemeralContainer& container : new_pod.spec.ephemeralContainers) {
    by_name[container.name] = &container;
  }
  Path spec("spec");
  Path path = spec.Child("ephemeralContainers");
  for (const EphemeralContainer& old : old_pod.spec.ephemeralContainers) {
    auto found = by_name.find(old.name);
    std::string quoted = reflect::GoQuoted(old.name);
    if (found == by_name.end()) {
      errors.Add(field::Forbidden(
          path, fmt::format("existing ephemeral containers {} may not be removed\n", quoted)));
    } else if (!reflect::Equal(old, *found->second)) {
      errors.Add(field::Forbidden(
          path, fmt::format("existing ephemeral containers {} may not be changed\n{}", quoted,
                            UnversionedDiff(old, *found->second))));
    }
  }
  return errors;
}

}  // namespace podium::api
