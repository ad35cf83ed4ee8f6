#include <algorithm>
#include <set>
#include <string>

#include "api/validation/common.h"
#include "api/validation/job_indexes.h"
#include "api/validation/job_spec.h"
#include "api/validation/workloads.h"
#include "base/text.h"

namespace podium::api {
namespace {

using batch::v1::JobSpec;

constexpr size_t kMaxFailureRules = 20;
constexpr size_t kMaxExitCodes = 255;
constexpr size_t kMaxConditionPatterns = 20;
constexpr size_t kMaxSuccessRules = 20;
constexpr size_t kMaxSucceededIndexesBytes = size_t{64} * 1024;

void CheckTooMany(size_t size, size_t max, const field::Path& path, field::ErrorList* errors) {
  if (size > max) errors->Add(field::TooMany(path, int64_t(size), int64_t(max)));
}

using ContainerNames = std::set<std::string_view>;

ContainerNames NamesOf(const core::v1::PodSpec& spec) {
  ContainerNames names;
  for (const core::v1::Container& container : spec.containers) names.insert(container.name);
  for (const core::v1::Container& container : spec.initContainers) names.insert(container.name);
  return names;
}

// A list of exit codes as messages print it.
field::BadValue Printed(const reflect::Nullable<reflect::List<int32_t>>& codes) {
  if (codes.is_null()) return field::BadValue(nullptr);
  const auto text_of = [](int32_t code) { return std::to_string(code); };
  return field::BadValue::Json("[" + Join(codes, ",", text_of) + "]");
}

void CheckExitCodes(const batch::v1::PodFailurePolicyOnExitCodesRequirement& requirement,
                    const ContainerNames& containers, const field::Path& path,
                    field::ErrorList* errors) {
  const field::Path operator_path = path.Child("operator");
  if (requirement.operator_.empty()) {
    errors->Add(field::Required(operator_path, "valid values: [\"In\" \"NotIn\"]"));
  } else if (!IsOneOf(requirement.operator_, {"In", "NotIn"})) {
    errors->Add(
        field::NotSupported(operator_path, NamedString(requirement.operator_), {"In", "NotIn"}));
  }
  if (requirement.containerName && !containers.contains(*requirement.containerName)) {
    errors->Add(
        field::Invalid(path.Child("containerName"), *requirement.containerName,
                       "must be one of the container or initContainer names in the pod template"));
  }
  const field::Path values = path.Child("values");
  if (requirement.values.empty()) {
    errors->Add(
        field::Invalid(values, Printed(requirement.values), "at least one value is required"));
  }
  CheckTooMany(requirement.values.size(), kMaxExitCodes, values, errors);
  std::set<int32_t> seen;
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    const int32_t code = requirement.values[i];
    if (requirement.operator_ == "In" && code == 0) {
      errors->Add(field::Invalid(values.Index(i), code, "must not be 0 for the In operator"));
    }
    if (!seen.insert(code).second) errors->Add(field::Duplicate(values.Index(i), code));
  }
  if (!std::ranges::is_sorted(requirement.values)) {
    errors->Add(field::Invalid(values, Printed(requirement.values), "must be ordered"));
  }
}

void CheckConditionPatterns(
    const reflect::List<batch::v1::PodFailurePolicyOnPodConditionsPattern>& patterns,
    const field::Path& path, field::ErrorList* errors) {
  CheckTooMany(patterns.size(), kMaxConditionPatterns, path, errors);
  for (size_t i = 0; i < patterns.size(); ++i) {
    const field::Path pattern = path.Index(i);
    const field::Path status = pattern.Child("status");
    errors->Append(ValidateQualifiedName(patterns[i].type, pattern.Child("type")));
    if (patterns[i].status.empty()) {
      errors->Add(field::Required(status, "valid values: [\"False\" \"True\" \"Unknown\"]"));
    } else if (!IsOneOf(patterns[i].status, {"False", "True", "Unknown"})) {
      errors->Add(field::NotSupported(status, NamedString(patterns[i].status),
                                      {"False", "True", "Unknown"}));
    }
  }
}

void CheckFailureRule(const batch::v1::PodFailurePolicyRule& rule, const JobSpec& spec,
                      const ContainerNames& containers, const field::Path& path,
                      field::ErrorList* errors) {
  const field::Path action = path.Child("action");
  if (rule.action.empty()) {
    errors->Add(
        field::Required(action, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]"));
  } else if (rule.action == "FailIndex") {
    if (!spec.backoffLimitPerIndex) {
      errors->Add(field::Invalid(action, NamedString(rule.action),
                                 "requires the backoffLimitPerIndex to be set"));
    }
  } else if (!IsOneOf(rule.action, {"Count", "FailJob", "Ignore"})) {
    errors->Add(field::NotSupported(action, NamedString(rule.action),
                                    {"Count", "FailIndex", "FailJob", "Ignore"}));
  }
  if (rule.onExitCodes) {
    CheckExitCodes(*rule.onExitCodes, containers, path.Child("onExitCodes"), errors);
  }
  const bool has_patterns = !rule.onPodConditions.empty();
  if (has_patterns) {
    CheckConditionPatterns(rule.onPodConditions, path.Child("onPodConditions"), errors);
  }
  if (rule.onExitCodes && has_patterns) {
    errors->Add(field::Invalid(path, field::BadValue::Omitted(),
                               "specifying both OnExitCodes and OnPodConditions is not supported"));
  }
  if (!rule.onExitCodes && !has_patterns) {
    errors->Add(field::Invalid(path, field::BadValue::Omitted(),
                               "specifying one of OnExitCodes and OnPodConditions is required"));
  }
}

void CheckSuccessRule(const batch::v1::SuccessPolicyRule& rule, const JobSpec& spec,
                      const field::Path& path, field::ErrorList* errors) {
  if (!rule.succeededCount && !rule.succeededIndexes) {
    errors->Add(field::Required(
        path, "at least one of succeededCount or succeededIndexes must be specified"));
  }
  // An indexed Job without completions has its error already; there is nothing to compare with.
  if (!spec.completions) return;
  const int32_t completions = *spec.completions;
  int32_t indexes = 0;
  if (rule.succeededIndexes) {
    const field::Path indexes_path = path.Child("succeededIndexes");
    if (rule.succeededIndexes->size() > kMaxSucceededIndexesBytes) {
      errors->Add(field::TooLong(indexes_path, kMaxSucceededIndexesBytes));
    }
    const Result<int32_t> count = CountIndexes(*rule.succeededIndexes, completions);
    if (count.ok()) {
      indexes = *count;
    } else {
      errors->Add(field::Invalid(indexes_path, *rule.succeededIndexes,
                                 "error parsing succeededIndexes: " + count.error().message()));
    }
  }
  if (!rule.succeededCount) return;
  const int32_t count = *rule.succeededCount;
  const field::Path count_path = path.Child("succeededCount");
  CheckNonnegative(count, count_path, errors);
  if (count > completions) {
    errors->Add(field::Invalid(count_path, count,
                               "must be less than or equal to " + std::to_string(completions) +
                                   " (the number of specified completions)"));
  }
  if (rule.succeededIndexes && count > indexes) {
    errors->Add(
        field::Invalid(count_path, count,
                       "must be less than or equal to " + std::to_string(indexes) +
                           " (the number of indexes in the specified succeededIndexes field)"));
  }
}

}  // namespace

void CheckPodFailurePolicy(const JobSpec& spec, const field::Path& path, field::ErrorList* errors) {
  const auto& rules = spec.podFailurePolicy->rules;
  const field::Path rules_path = path.Child("rules");
  CheckTooMany(rules.size(), kMaxFailureRules, rules_path, errors);
  const ContainerNames containers = NamesOf(spec.template_.spec);
  for (size_t i = 0; i < rules.size(); ++i) {
    CheckFailureRule(rules[i], spec, containers, rules_path.Index(i), errors);
  }
}

void CheckSuccessPolicy(const JobSpec& spec, const field::Path& path, field::ErrorList* errors) {
  const auto& rules = spec.successPolicy->rules;
  const field::Path rules_path = path.Child("rules");
  if (rules.empty()) {
    errors->Add(field::Required(
        rules_path, "at least one rules must be specified when the successPolicy is specified"));
  }
  CheckTooMany(rules.size(), kMaxSuccessRules, rules_path, errors);
  for (size_t i = 0; i < rules.size(); ++i) {
    CheckSuccessRule(rules[i], spec, rules_path.Index(i), errors);
  }
}

}  // namespace podium::api
