#include "api/validation/workloads.h"

#include <string>

#include "api/names.h"
#include "api/validation/common.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

bool IsPercent(const IntOrString& value) {
  return value.is_string() && IsValidPercent(value.str_val).empty();
}

field::BadValue Printed(const std::optional<IntOrString>& value) {
  return field::BadValue(value.value_or(IntOrString{}));
}

}  // namespace

field::ErrorList ValidateWorkloadSelector(const reflect::Box<meta::v1::LabelSelector>& selector,
                                          const field::Path& path, std::string_view empty_detail) {
  field::ErrorList errors;
  if (!selector) {
    errors.Add(field::Required(path, ""));
    return errors;
  }
  errors.Append(ValidateLabelSelector(*selector, path));
  if (selector->matchLabels.empty() && selector->matchExpressions.empty()) {
    errors.Add(field::Invalid(path, selector, empty_detail));
  }
  return errors;
}

void CheckTemplateLabels(bool matches, const core::v1::PodTemplateSpec& pod_template,
                         const field::Path& path, field::ErrorList* errors) {
  if (matches) return;
  errors->Add(field::Invalid(path.Child("metadata").Child("labels"), pod_template.metadata.labels,
                             "`selector` does not match template `labels`"));
}

void CheckRunsForever(const core::v1::PodSpec& spec, const field::Path& path, std::string_view kind,
                      field::ErrorList* errors) {
  if (spec.restartPolicy != "Always") {
    errors->Add(field::NotSupported(path.Child("restartPolicy"), NamedString(spec.restartPolicy),
                                    {"Always"}));
  }
  if (spec.activeDeadlineSeconds) {
    errors->Add(
        field::Forbidden(path.Child("activeDeadlineSeconds"),
                         "activeDeadlineSeconds in " + std::string(kind) + " is not Supported"));
  }
}

void CheckNonnegative(int64_t value, const field::Path& path, field::ErrorList* errors) {
  if (value < 0) errors->Append(ValidateNonnegativeField(value, path));
}

void CheckIntOrPercent(const std::optional<IntOrString>& value, const field::Path& path,
                       field::ErrorList* errors) {
  if (!value) return;
  if (!value->is_string()) {
    CheckNonnegative(value->int_val, path, errors);
  } else if (!IsPercent(*value)) {
    errors->AddInvalid(path, *value, IsValidPercent(value->str_val));
  }
}

int64_t IntOrPercentValue(const std::optional<IntOrString>& value) {
  if (!value) return 0;
  if (!IsPercent(*value)) return value->IntValue();
  return reflect::GoIntOrNearest(value->str_val.substr(0, value->str_val.size() - 1));
}

void CheckAtMost100Percent(const std::optional<IntOrString>& value, const field::Path& path,
                           field::ErrorList* errors) {
  if (!value || !IsPercent(*value) || IntOrPercentValue(value) <= 100) return;
  errors->Add(field::Invalid(path, Printed(value), "must not be greater than 100%"));
}

void CheckImmutable(bool same, const field::BadValue& value, const field::Path& path,
                    field::ErrorList* errors) {
  if (!same) errors->Add(field::Invalid(path, value, kFieldImmutable));
}

void CheckNotGreater(int64_t value, int64_t limit, std::string_view detail, const field::Path& path,
                     field::ErrorList* errors) {
  if (value > limit) errors->Add(field::Invalid(path, value, detail));
}

void CheckCollisionCount(const std::optional<int32_t>& value, const std::optional<int32_t>& old,
                         const field::Path& path, field::ErrorList* errors) {
  if (!old || (value && *value >= *old)) return;
  errors->Add(field::Invalid(path, value.value_or(0), "cannot be decremented"));
}

}  // namespace podium::api
