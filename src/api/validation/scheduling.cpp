#include "api/validation/scheduling.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "base/text.h"
#include "reflect/go_text.h"

namespace podium::api {

using core::v1::PodSchedulingGate;
using core::v1::Toleration;
using core::v1::TopologySpreadConstraint;
using field::ErrorList;
using field::Path;
using meta::v1::LabelSelector;
using reflect::Box;
using reflect::List;

namespace {

// A decimal integer in its shortest form, and one that Go reads.
ErrorList ValidateComparedValue(const std::string& value, const Path& path) {
  ErrorList errors;
  std::string_view digits = value;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  bool canonical = value == "0" || (!digits.empty() && !digits.starts_with('0') &&
                                    digits.find_first_not_of("0123456789") == digits.npos);
  if (!canonical) {
    errors.Add(field::Invalid(
        path, value,
        value.empty() ? "must be non-empty" : "must be a valid decimal integer in canonical form"));
  }
  if (Result<int64_t> number = reflect::ParseGoInt(value); !number.ok()) {
    // Upstream calls the other of Go's two functions.
    constexpr std::string_view kAtoi = "strconv.Atoi";
    std::string message = number.error().message();
    errors.Add(field::Invalid(path, value, message.replace(0, kAtoi.size(), "strconv.ParseInt")));
  }
  return errors;
}

ErrorList ValidateTolerationValue(const Toleration& toleration, const Path& path,
                                  const PodValidationOptions& options) {
  ErrorList errors;
  const std::string& op = toleration.operator_;
  const std::string& value = toleration.value;
  Path op_path = path.Child("operator");
  if (op == "Equal" || op.empty()) {
    std::vector<std::string> problems = IsValidLabelValue(value);
    if (!problems.empty()) {
      errors.Add(field::Invalid(op_path, value, Join(problems, ";")));
    }
  } else if (op == "Exists") {
    if (!value.empty()) {
      errors.Add(field::Invalid(op_path, value, "value must be empty when `operator` is 'Exists'"));
    }
  } else if (op != "Lt" && op != "Gt") {
    errors.Add(field::NotSupported(op_path, NamedString(op), {"Equal", "Exists"}));
  } else if (!options.allow_taint_toleration_comparison_operators) {
    errors.Add(field::NotSupported(op_path, NamedString(op), {"Equal", "Exists", "Lt", "Gt"}));
  } else {
    errors.Append(ValidateComparedValue(value, path.Child("value")));
  }
  return errors;
}

ErrorList ValidateToleration(const Toleration& toleration, const Path& path,
                             const PodValidationOptions& options) {
  ErrorList errors;
  if (!toleration.key.empty()) {
    errors.Append(ValidateLabelName(toleration.key, path.Child("key")));
  } else if (toleration.operator_ != "Exists") {
    errors.Add(field::Invalid(path.Child("operator"), NamedString(toleration.operator_),
                              "operator must be Exists when `key` is empty, which means \"match "
                              "all values and all keys\""));
  }
  if (toleration.tolerationSeconds && toleration.effect != "NoExecute") {
    errors.Add(field::Invalid(path.Child("effect"), NamedString(toleration.effect),
                              "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  errors.Append(ValidateTolerationValue(toleration, path, options));
  if (!toleration.effect.empty() &&
      !IsOneOf(toleration.effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"})) {
    errors.Add(field::NotSupported(path.Child("effect"), NamedString(toleration.effect),
                                   {"NoSchedule", "PreferNoSchedule", "NoExecute"}));
  }
  return errors;
}

ErrorList ValidateLabelKeys(const List<std::string>& keys, const Box<LabelSelector>& selector,
                            const Path& path) {
  ErrorList errors;
  if (keys.empty()) return errors;
  if (!selector) {
    errors.Add(field::Forbidden(path, "must not be specified when labelSelector is not set"));
    return errors;
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    errors.Append(ValidateLabelName(keys[i], path.Index(i)));
  }
  return errors;
}

// The rule before matchLabelKeys were merged into the selector.
ErrorList ValidateUnmergedMatchLabelKeys(const TopologySpreadConstraint& constraint,
                                         const Path& path) {
  ErrorList errors;
  if (constraint.matchLabelKeys.empty()) return errors;
  std::set<std::string_view> selector_keys;
  if (constraint.labelSelector) {
    for (const auto& [key, value] : constraint.labelSelector->matchLabels) {
      selector_keys.insert(key);
    }
    for (const auto& expression : constraint.labelSelector->matchExpressions) {
      selector_keys.insert(expression.key);
    }
  } else {
    errors.Add(field::Forbidden(path, "must not be specified when labelSelector is not set"));
  }
  for (size_t i = 0; i < constraint.matchLabelKeys.size(); ++i) {
    const std::string& key = constraint.matchLabelKeys[i];
    errors.Append(ValidateLabelName(key, path.Index(i)));
    if (selector_keys.contains(key)) {
      errors.Add(
          field::Invalid(path.Index(i), key, "exists in both matchLabelKeys and labelSelector"));
    }
  }
  return errors;
}

ErrorList ValidateSpreadLabelKeys(const TopologySpreadConstraint& constraint, const Path& path,
                                  const PodValidationOptions& options) {
  // An object that is there may keep breaking the rule of the release that made it.
  bool merged = options.allow_match_label_keys_in_pod_topology_spread &&
                (options.allow_match_label_keys_in_pod_topology_spread_selector_merge
                     ? !options.old_pod_violates_match_label_keys_validation
                     : options.old_pod_violates_legacy_match_label_keys_validation);
  return merged ? ValidateMatchLabelKeysAndMismatchLabelKeys(constraint.matchLabelKeys, {},
                                                             constraint.labelSelector, path)
                : ValidateUnmergedMatchLabelKeys(constraint, path.Child("matchLabelKeys"));
}

ErrorList ValidateNodePolicy(const std::optional<std::string>& policy, const Path& path) {
  ErrorList errors;
  if (policy && !IsOneOf(*policy, {"Honor", "Ignore"})) {
    errors.Add(field::NotSupported(path, NamedString(*policy), {"Honor", "Ignore"}));
  }
  return errors;
}

ErrorList ValidateMinDomains(const TopologySpreadConstraint& constraint, const Path& path) {
  ErrorList errors;
  if (!constraint.minDomains) return errors;
  errors.Append(ValidatePositiveField(*constraint.minDomains, path));
  if (constraint.whenUnsatisfiable != "DoNotSchedule") {
    errors.Add(field::Invalid(
        path, *constraint.minDomains,
        fmt::format("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}",
                    constraint.whenUnsatisfiable)));
  }
  return errors;
}

// Two constraints may not have the same.
using SpreadKey = std::pair<std::string_view, std::string_view>;
SpreadKey SpreadKeyOf(const TopologySpreadConstraint& constraint) {
  return {constraint.topologyKey, constraint.whenUnsatisfiable};
}

// `comes_again`: a later one has its key.
ErrorList ValidateSpreadConstraint(const TopologySpreadConstraint& constraint, bool comes_again,
                                   const Path& path, const PodValidationOptions& options) {
  ErrorList errors;
  errors.Append(ValidatePositiveField(constraint.maxSkew, path.Child("maxSkew")));
  if (constraint.topologyKey.empty()) {
    errors.Add(field::Required(path.Child("topologyKey"), "can not be empty"));
  }
  if (!IsOneOf(constraint.whenUnsatisfiable, {"DoNotSchedule", "ScheduleAnyway"})) {
    errors.Add(field::NotSupported(path.Child("whenUnsatisfiable"),
                                   NamedString(constraint.whenUnsatisfiable),
                                   {"DoNotSchedule", "ScheduleAnyway"}));
  }
  if (comes_again) {
    errors.Add(field::Duplicate(
        path.Child("{topologyKey, whenUnsatisfiable}"),
        fmt::format("{{{}, {}}}", constraint.topologyKey, constraint.whenUnsatisfiable)));
  }
  errors.Append(ValidateMinDomains(constraint, path.Child("minDomains")));
  errors.Append(
      ValidateNodePolicy(constraint.nodeAffinityPolicy, path.Child("nodeAffinityPolicy")));
  errors.Append(ValidateNodePolicy(constraint.nodeTaintsPolicy, path.Child("nodeTaintsPolicy")));
  errors.Append(ValidateSpreadLabelKeys(constraint, path, options));
  if (!options.allow_invalid_topology_spread_constraint_label_selector &&
      constraint.labelSelector) {
    errors.Append(ValidateLabelSelector(*constraint.labelSelector, path.Child("labelSelector")));
  }
  return errors;
}

}  // namespace

ErrorList ValidateTolerations(const List<Toleration>& tolerations, const Path& path,
                              const PodValidationOptions& options) {
  ErrorList errors;
  for (size_t i = 0; i < tolerations.size(); ++i) {
    errors.Append(ValidateToleration(tolerations[i], path.Index(i), options));
  }
  return errors;
}

ErrorList ValidateTopologySpreadConstraints(const List<TopologySpreadConstraint>& constraints,
                                            const Path& path, const PodValidationOptions& options) {
  ErrorList errors;
  std::map<SpreadKey, size_t> last;
  for (size_t i = 0; i < constraints.size(); ++i) last[SpreadKeyOf(constraints[i])] = i;
  for (size_t i = 0; i < constraints.size(); ++i) {
    const bool comes_again = last.at(SpreadKeyOf(constraints[i])) > i;
    errors.Append(ValidateSpreadConstraint(constraints[i], comes_again, path.Index(i), options));
  }
  return errors;
}

ErrorList ValidateMatchLabelKeysAndMismatchLabelKeys(const List<std::string>& match_keys,
                                                     const List<std::string>& mismatch_keys,
                                                     const Box<LabelSelector>& selector,
                                                     const Path& path) {
  ErrorList errors;
  errors.Append(ValidateLabelKeys(match_keys, selector, path.Child("matchLabelKeys")));
  errors.Append(ValidateLabelKeys(mismatch_keys, selector, path.Child("mismatchLabelKeys")));
  if (selector) {
    // Each key of matchLabelKeys has been merged into the selector as one expression; another
    // before it is the user's.
    reflect::Map<size_t> index_of;
    for (size_t i = 0; i < match_keys.size(); ++i) index_of[match_keys[i]] = i;
    std::set<std::string_view> seen;
    for (const auto& [key, value] : selector->matchLabels) seen.insert(key);
    for (const auto& expression : selector->matchExpressions) {
      auto found = index_of.find(expression.key);
      if (found != index_of.end() && seen.contains(expression.key)) {
        errors.Add(field::Invalid(path.Index(found->second), expression.key,
                                  "exists in both matchLabelKeys and labelSelector"));
      }
      seen.insert(expression.key);
    }
  }
  std::set<std::string_view> mismatches(mismatch_keys.begin(), mismatch_keys.end());
  Path match_path = path.Child("matchLabelKeys");
  for (size_t i = 0; i < match_keys.size(); ++i) {
    if (!mismatches.contains(match_keys[i])) continue;
    errors.Add(field::Invalid(match_path.Index(i), match_keys[i],
                              "exists in both matchLabelKeys and mismatchLabelKeys"));
  }
  return errors;
}

ErrorList ValidateSchedulingGates(const List<PodSchedulingGate>& gates, const Path& path) {
  ErrorList errors;
  std::set<std::string_view> names;
  for (size_t i = 0; i < gates.size(); ++i) {
    errors.Append(ValidateQualifiedName(gates[i].name, path.Index(i)));
    if (!names.insert(gates[i].name).second) {
      errors.Add(field::Duplicate(path.Index(i), gates[i].name));
    }
  }
  return errors;
}

ErrorList ValidateReadinessGates(const List<core::v1::PodReadinessGate>& gates, const Path& path) {
  ErrorList errors;
  for (size_t i = 0; i < gates.size(); ++i) {
    Path at = path.Index(i);
    errors.Append(ValidateQualifiedName(gates[i].conditionType, at.Child("conditionType")));
  }
  return errors;
}

ErrorList ValidateSchedulingGroup(const core::v1::PodSchedulingGroup& group, const Path& path) {
  ErrorList errors;
  Path at = path.Child("podGroupName");
  if (!group.podGroupName) {
    errors.Add(field::Invalid(at, nullptr, "must specify one of: `podGroupName`"));
  } else {
    errors.AddInvalid(at, *group.podGroupName, NameIsDNSSubdomain(*group.podGroupName, false));
  }
  return errors;
}

}  // namespace podium::api
