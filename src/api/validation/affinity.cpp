// Node affinity, and affinity between pods.

#include <algorithm>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/scheduling.h"

namespace podium::api {

using core::v1::Affinity;
using core::v1::NodeAffinity;
using core::v1::NodeSelector;
using core::v1::NodeSelectorRequirement;
using core::v1::NodeSelectorTerm;
using core::v1::PodAffinityTerm;
using field::ErrorList;
using field::Path;
using reflect::Box;

namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

ErrorList ValidateRequirement(const NodeSelectorRequirement& requirement,
                              bool allow_invalid_label_values, const Path& path) {
  ErrorList errors;
  const std::string& op = requirement.operator_;
  Path values = path.Child("values");
  if (IsOneOf(op, {"In", "NotIn"})) {
    if (requirement.values.empty()) {
      errors.Add(field::Required(values, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (IsOneOf(op, {"Exists", "DoesNotExist"})) {
    if (!requirement.values.empty()) {
      errors.Add(field::Forbidden(
          values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (IsOneOf(op, {"Gt", "Lt"})) {
    if (requirement.values.size() != 1) {
      errors.Add(field::Required(values,
                                 "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else {
    errors.Add(
        field::Invalid(path.Child("operator"), NamedString(op), "not a valid selector operator"));
  }
  errors.Append(ValidateLabelName(requirement.key, path.Child("key")));
  if (allow_invalid_label_values) return errors;
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    errors.AddInvalid(values.Index(i), requirement.values[i],
                      IsValidLabelValue(requirement.values[i]));
  }
  return errors;
}

ErrorList ValidateFieldRequirement(const NodeSelectorRequirement& requirement, const Path& path) {
  ErrorList errors;
  Path values = path.Child("values");
  if (!IsOneOf(requirement.operator_, {"In", "NotIn"})) {
    errors.Add(field::Invalid(path.Child("operator"), NamedString(requirement.operator_),
                              "not a valid selector operator"));
  } else if (requirement.values.size() != 1) {
    errors.Add(field::Required(
        values,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  }
  if (requirement.key != "metadata.name") {
    errors.Add(
        field::Invalid(path.Child("key"), requirement.key, "not a valid field selector key"));
    return errors;
  }
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    errors.AddInvalid(values.Index(i), requirement.values[i],
                      NameIsDNSSubdomain(requirement.values[i], false));
  }
  return errors;
}

ErrorList ValidateTerm(const NodeSelectorTerm& term, bool allow_invalid_label_values,
                       const Path& path) {
  ErrorList errors;
  Path expressions = path.Child("matchExpressions");
  for (size_t i = 0; i < term.matchExpressions.size(); ++i) {
    errors.Append(ValidateRequirement(term.matchExpressions[i], allow_invalid_label_values,
                                      expressions.Index(i)));
  }
  Path fields = path.Child("matchFields");
  for (size_t i = 0; i < term.matchFields.size(); ++i) {
    errors.Append(ValidateFieldRequirement(term.matchFields[i], fields.Index(i)));
  }
  return errors;
}

ErrorList ValidateWeight(int32_t weight, const Path& path) {
  ErrorList errors;
  if (weight <= 0 || weight > 100) {
    errors.Add(field::Invalid(path.Child("weight"), weight, "must be in the range 1-100"));
  }
  return errors;
}

ErrorList ValidateNodeAffinity(const NodeAffinity& affinity, const Path& path,
                               const PodValidationOptions& options) {
  ErrorList errors;
  if (const auto& required = affinity.requiredDuringSchedulingIgnoredDuringExecution) {
    errors.Append(ValidateNodeSelector(*required,
                                       options.allow_invalid_label_value_in_required_node_affinity,
                                       path.Child(kRequired)));
  }
  const auto& preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution;
  Path preferred_path = path.Child(kPreferred);
  for (size_t i = 0; i < preferred.size(); ++i) {
    Path at = preferred_path.Index(i);
    errors.Append(ValidateWeight(preferred[i].weight, at));
    // A preference may name values that no label has: it is just not met.
    errors.Append(ValidateTerm(preferred[i].preference, true, at.Child("preference")));
  }
  return errors;
}

ErrorList ValidatePodTerm(const PodAffinityTerm& term, const Path& path,
                          const PodValidationOptions& options) {
  ErrorList errors;
  errors.Append(
      ValidatePodAffinityTermSelectors(term, options.allow_invalid_label_value_in_selector, path));
  for (const std::string& name : term.namespaces) {
    errors.AddInvalid(path.Child("namespace"), name, NameIsDNSLabel(name, false));
  }
  errors.Append(ValidateMatchLabelKeysAndMismatchLabelKeys(
      term.matchLabelKeys, term.mismatchLabelKeys, term.labelSelector, path));
  Path key = path.Child("topologyKey");
  if (term.topologyKey.empty()) errors.Add(field::Required(key, "can not be empty"));
  errors.Append(ValidateLabelName(term.topologyKey, key));
  return errors;
}

// Affinity and anti-affinity look alike.
template <class PodAffinity>
ErrorList ValidatePodAffinity(const PodAffinity& affinity, const Path& path,
                              const PodValidationOptions& options) {
  ErrorList errors;
  const auto& required = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  Path required_path = path.Child(kRequired);
  for (size_t i = 0; i < required.size(); ++i) {
    errors.Append(ValidatePodTerm(required[i], required_path.Index(i), options));
  }
  const auto& preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution;
  Path preferred_path = path.Child(kPreferred);
  for (size_t i = 0; i < preferred.size(); ++i) {
    Path at = preferred_path.Index(i);
    errors.Append(ValidateWeight(preferred[i].weight, at));
    errors.Append(
        ValidatePodTerm(preferred[i].podAffinityTerm, at.Child("podAffinityTerm"), options));
  }
  return errors;
}

}  // namespace

ErrorList ValidateNodeSelector(const NodeSelector& selector, bool allow_invalid_label_values,
                               const Path& path) {
  ErrorList errors;
  Path terms = path.Child("nodeSelectorTerms");
  if (selector.nodeSelectorTerms.empty()) {
    errors.Add(field::Required(terms, "must have at least one node selector term"));
  }
  for (size_t i = 0; i < selector.nodeSelectorTerms.size(); ++i) {
    errors.Append(
        ValidateTerm(selector.nodeSelectorTerms[i], allow_invalid_label_values, terms.Index(i)));
  }
  return errors;
}

ErrorList ValidatePodAffinityTermSelectors(const PodAffinityTerm& term,
                                           bool allow_invalid_label_values, const Path& path) {
  ErrorList errors;
  LabelSelectorOptions options{.allow_invalid_label_values = allow_invalid_label_values};
  if (term.labelSelector) {
    errors.Append(ValidateLabelSelector(*term.labelSelector, path.Child("labelSelector"), options));
  }
  if (term.namespaceSelector) {
    errors.Append(
        ValidateLabelSelector(*term.namespaceSelector, path.Child("namespaceSelector"), options));
  }
  return errors;
}

bool HasInvalidLabelValue(const NodeSelector& selector) {
  return std::ranges::any_of(selector.nodeSelectorTerms, [](const NodeSelectorTerm& term) {
    return std::ranges::any_of(term.matchExpressions, [](const NodeSelectorRequirement& each) {
      return std::ranges::any_of(
          each.values, [](const std::string& value) { return !IsValidLabelValue(value).empty(); });
    });
  });
}

ErrorList ValidateAffinity(const Box<Affinity>& affinity, const Path& path,
                           const PodValidationOptions& options) {
  ErrorList errors;
  if (!affinity) return errors;
  if (affinity->nodeAffinity) {
    errors.Append(
        ValidateNodeAffinity(*affinity->nodeAffinity, path.Child("nodeAffinity"), options));
  }
  if (affinity->podAffinity) {
    errors.Append(ValidatePodAffinity(*affinity->podAffinity, path.Child("podAffinity"), options));
  }
  if (affinity->podAntiAffinity) {
    errors.Append(
        ValidatePodAffinity(*affinity->podAntiAffinity, path.Child("podAntiAffinity"), options));
  }
  return errors;
}

}  // namespace podium::api
