#include "api/validation/policy.h"

#include <set>
#include <string_view>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "api/validation/workloads.h"
#include "base/ascii.h"

namespace podium::api {

using field::ErrorList;
using field::Path;

namespace {

// [A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?
bool IsReason(std::string_view text) {
  const auto is_letter = [](char c) { return IsLetterOrDigit(c) && !IsDigit(c); };
  if (text.empty() || !is_letter(text.front())) return false;
  for (char c : text) {
    if (!IsLetterOrDigit(c) && c != '_' && c != ',' && c != ':') return false;
  }
  return IsLetterOrDigit(text.back()) || text.back() == '_';
}

template <class Spec>
ErrorList ValidateSpec(const Spec& spec, bool allow_invalid_label_values) {
  ErrorList errors;
  const Path path("spec");
  if (spec.minAvailable && spec.maxUnavailable) {
    errors.Add(field::Invalid(path, UnversionedValue(spec),
                              "minAvailable and maxUnavailable cannot be both set"));
  }
  CheckIntOrPercent(spec.minAvailable, path.Child("minAvailable"), &errors);
  CheckAtMost100Percent(spec.minAvailable, path.Child("minAvailable"), &errors);
  CheckIntOrPercent(spec.maxUnavailable, path.Child("maxUnavailable"), &errors);
  CheckAtMost100Percent(spec.maxUnavailable, path.Child("maxUnavailable"), &errors);
  if (spec.selector) {
    errors.Append(
        ValidateLabelSelector(*spec.selector, path.Child("selector"),
                              {.allow_invalid_label_values = allow_invalid_label_values}));
  }
  const auto& eviction = spec.unhealthyPodEvictionPolicy;
  if (eviction && !IsOneOf(*eviction, {"AlwaysAllow", "IfHealthyBudget"})) {
    errors.Add(field::NotSupported(path.Child("unhealthyPodEvictionPolicy"), NamedString(eviction),
                                   {"AlwaysAllow", "IfHealthyBudget"}));
  }
  return errors;
}

// The registry looks at the metadata when the rest is right.
template <class Budget>
ErrorList Validate(const Budget& budget) {
  ErrorList errors = ValidateSpec(budget.spec, false);
  if (!errors.empty()) return errors;
  return ValidateGenericObjectMeta(budget.metadata, Scope::kNamespaced, NameIsPathSegment,
                                   Path("metadata"));
}

template <class Budget>
ErrorList ValidateChange(const Budget& budget, const Budget& old_budget) {
  ErrorList errors =
      ValidateGenericObjectMetaUpdate(budget.metadata, old_budget.metadata, Path("metadata"));
  const auto& selector = old_budget.spec.selector;
  errors.Append(ValidateSpec(budget.spec, selector && HasInvalidLabelValue(*selector)));
  return errors;
}

template <class Budget>
ErrorList ValidateStatus(const Budget& budget, const Budget& old_budget) {
  ErrorList errors =
      ValidateGenericObjectMetaUpdate(budget.metadata, old_budget.metadata, Path("metadata"));
  errors.Append(ValidateConditions(budget.status.conditions, Path("status").Child("conditions")));
  return errors;
}

}  // namespace

ErrorList ValidateConditions(const reflect::List<meta::v1::Condition>& conditions,
                             const Path& path) {
  constexpr size_t kMaxReason = 1024;
  constexpr size_t kMaxMessage = 32768;
  ErrorList errors;
  std::set<std::string_view> types;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const meta::v1::Condition& condition = conditions[i];
    const Path at = path.Index(i);
    if (!types.insert(condition.type).second) {
      errors.Add(field::Duplicate(at.Child("type"), condition.type));
    }
    errors.AddInvalid(at.Child("type"), condition.type, IsQualifiedName(condition.type));
    if (!IsOneOf(condition.status, {"False", "True", "Unknown"})) {
      errors.Add(field::NotSupported(at.Child("status"), NamedString(condition.status),
                                     {"False", "True", "Unknown"}));
    }
    if (condition.observedGeneration < 0) {
      errors.Add(field::Invalid(at.Child("observedGeneration"), condition.observedGeneration,
                                "must be greater than or equal to zero"));
    }
    if (condition.lastTransitionTime.IsZero()) {
      errors.Add(field::Required(at.Child("lastTransitionTime"), "must be set"));
    }
    const Path reason = at.Child("reason");
    if (condition.reason.empty()) {
      errors.Add(field::Required(reason, "must be set"));
    } else if (!IsReason(condition.reason)) {
      errors.Add(field::Invalid(
          reason, condition.reason,
          RegexError("a condition reason must start with alphabetic character, optionally "
                     "followed by a string of alphanumeric characters or '_,:', and must end with "
                     "an alphanumeric character or '_'",
                     "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?",
                     {"my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"})));
    }
    if (condition.reason.size() > kMaxReason) errors.Add(field::TooLong(reason, kMaxReason));
    if (condition.message.size() > kMaxMessage) {
      errors.Add(field::TooLong(at.Child("message"), kMaxMessage));
    }
  }
  return errors;
}

ErrorList ValidatePodDisruptionBudget(const policy::v1::PodDisruptionBudget& budget) {
  return Validate(budget);
}

ErrorList ValidatePodDisruptionBudgetUpdate(const policy::v1::PodDisruptionBudget& budget,
                                            const policy::v1::PodDisruptionBudget& old_budget) {
  return ValidateChange(budget, old_budget);
}

ErrorList ValidatePodDisruptionBudgetStatusUpdate(
    const policy::v1::PodDisruptionBudget& budget,
    const policy::v1::PodDisruptionBudget& old_budget) {
  ErrorList errors = ValidateStatus(budget, old_budget);
  const Path path("status");
  const auto& status = budget.status;
  CheckNonnegative(status.disruptionsAllowed, path.Child("disruptionsAllowed"), &errors);
  CheckNonnegative(status.currentHealthy, path.Child("currentHealthy"), &errors);
  CheckNonnegative(status.desiredHealthy, path.Child("desiredHealthy"), &errors);
  CheckNonnegative(status.expectedPods, path.Child("expectedPods"), &errors);
  return errors;
}

ErrorList ValidatePodDisruptionBudget(const policy::v1beta1::PodDisruptionBudget& budget) {
  return Validate(budget);
}

ErrorList ValidatePodDisruptionBudgetUpdate(
    const policy::v1beta1::PodDisruptionBudget& budget,
    const policy::v1beta1::PodDisruptionBudget& old_budget) {
  return ValidateChange(budget, old_budget);
}

// What v1 says of the counters was never said of this version.
ErrorList ValidatePodDisruptionBudgetStatusUpdate(
    const policy::v1beta1::PodDisruptionBudget& budget,
    const policy::v1beta1::PodDisruptionBudget& old_budget) {
  return ValidateStatus(budget, old_budget);
}

}  // namespace podium::api
