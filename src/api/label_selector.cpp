// Label selectors as objects carry them: the API's struct, not the text.
#include "api/labels.h"
#include "api/names.h"
#include "api/types/meta_v1.h"
#include "reflect/go_text.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using meta::v1::LabelSelector;
using meta::v1::LabelSelectorRequirement;

namespace labels {
namespace {

Result<Operator> OperatorOf(std::string_view name) {
  if (name == "In") return Operator::kIn;
  if (name == "NotIn") return Operator::kNotIn;
  if (name == "Exists") return Operator::kExists;
  if (name == "DoesNotExist") return Operator::kDoesNotExist;
  return Error(Code::kInvalidArgument,
               reflect::GoQuoted(name) + " is not a valid label selector operator");
}

}  // namespace

Result<Selector> LabelSelectorAsSelector(const LabelSelector* selector) {
  if (!selector) return Selector::Nothing();
  std::vector<Requirement> requirements;
  for (const auto& [key, value] : selector->matchLabels) {
    TRY(Requirement requirement, Requirement::Create(key, Operator::kEquals, {value}));
    requirements.push_back(std::move(requirement));
  }
  for (const LabelSelectorRequirement& expression : selector->matchExpressions) {
    TRY(Operator op, OperatorOf(expression.operator_));
    TRY(Requirement requirement, Requirement::Create(expression.key, op, expression.values));
    requirements.push_back(std::move(requirement));
  }
  Selector result;
  result.Add(std::move(requirements));
  return result;
}

}  // namespace labels

ErrorList ValidateLabelSelector(const LabelSelector& selector, const Path& path,
                                const LabelSelectorOptions& options) {
  ErrorList errors = ValidateLabels(selector.matchLabels, path.Child("matchLabels"));
  Path expressions = path.Child("matchExpressions");
  for (size_t i = 0; i < selector.matchExpressions.size(); ++i) {
    errors.Append(ValidateLabelSelectorRequirement(selector.matchExpressions[i],
                                                   expressions.Index(i), options));
  }
  return errors;
}

ErrorList ValidateLabelSelectorRequirement(const LabelSelectorRequirement& requirement,
                                           const Path& path, const LabelSelectorOptions& options) {
  ErrorList errors;
  const std::string& op = requirement.operator_;
  const bool has_values = !requirement.values.empty();
  Path values = path.Child("values");
  if (op == "In" || op == "NotIn") {
    if (!has_values) {
      errors.Add(field::Required(values, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (has_values) {
      errors.Add(field::Forbidden(
          values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (!options.allow_unknown_operator) {
    errors.Add(
        field::Invalid(path.Child("operator"), std::optional(op), "not a valid selector operator"));
  }
  errors.Append(ValidateLabelName(requirement.key, path.Child("key")));
  if (options.allow_invalid_label_values) return errors;
  for (size_t i = 0; i < requirement.values.size(); ++i) {
    const std::string& value = requirement.values[i];
    errors.AddInvalid(values.Index(i), value, IsValidLabelValue(value));
  }
  return errors;
}

bool HasInvalidLabelValue(const LabelSelector& selector) {
  for (const LabelSelectorRequirement& expression : selector.matchExpressions) {
    for (const std::string& value : expression.values) {
      if (!IsValidLabelValue(value).empty()) return true;
    }
  }
  return false;
}

}  // namespace podium::api
