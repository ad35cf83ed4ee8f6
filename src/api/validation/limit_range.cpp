#include <fmt/format.h>

#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "api/names.h"
#include "api/resource_names.h"
#include "api/validation/common.h"
#include "api/validation/object_meta.h"
#include "api/validation/resource_quota.h"
#include "api/validation/resources.h"

namespace podium::api {

using core::v1::LimitRange;
using core::v1::LimitRangeItem;
using field::ErrorList;
using field::Path;

namespace {

using Amounts = reflect::Map<Quantity>;

// What an item says of one resource; null where it says nothing.
struct Row {
  const std::string& name;
  const Quantity* min;
  const Quantity* max;
  const Quantity* default_limit;
  const Quantity* default_request;
  const Quantity* ratio;
};

const Quantity* Find(const Amounts& amounts, const std::string& name) {
  const auto found = amounts.find(name);
  return found == amounts.end() ? nullptr : &found->second;
}

void CheckType(const std::string& type, const Path& path, ErrorList* errors) {
  const Messages messages = IsQualifiedName(type);
  errors->AddInvalid(path, NamedString(type), messages);
  if (messages.empty() && !type.contains('/') &&
      !IsOneOf(type, {"Pod", "Container", "PersistentVolumeClaim"})) {
    errors->Add(field::Invalid(path, NamedString(type),
                               "must be a standard limit type or fully qualified"));
  }
}

// `low` is not above `high`; the error shows `shown` at `path`.
void CheckOrder(const Quantity* low, std::string_view low_name, const Quantity* high,
                std::string_view high_name, const Quantity* shown, const Path& path,
                ErrorList* errors) {
  if (!low || !high || *low <= *high) return;
  errors->Add(field::Invalid(path, field::BadValue::Of(*shown),
                             fmt::format("{} value {} is greater than {} value {}", low_name,
                                         low->String(), high_name, high->String())));
}

void CheckRatio(const Row& row, const Path& path, ErrorList* errors) {
  if (!row.ratio) return;
  if (*row.ratio < Quantity::FromInt(1)) {
    errors->Add(field::Invalid(path, field::BadValue::Of(*row.ratio),
                               fmt::format("ratio {} is less than 1", row.ratio->String())));
  }
  if (!row.min || !row.max) return;
  // In thousandths where all three fit.
  constexpr int64_t kMaxMilli = std::numeric_limits<int64_t>::max() / 1000;
  const bool fine = row.ratio->Value() < kMaxMilli && row.min->Value() < kMaxMilli &&
                    row.max->Value() < kMaxMilli;
  const auto number = [&](const Quantity& value) {
    return static_cast<double>(fine ? value.MilliValue() : value.Value());
  };
  const double ratio = fine ? number(*row.ratio) / 1000 : number(*row.ratio);
  const double limit = row.min->IsZero() ? std::numeric_limits<double>::infinity()
                                         : number(*row.max) / number(*row.min);
  if (ratio > limit) {
    errors->Add(field::Invalid(
        path, field::BadValue::Of(*row.ratio),
        fmt::format("ratio {} is greater than max/min = {:f}", row.ratio->String(), limit)));
  }
}

void CheckRow(const Row& row, const Path& path, ErrorList* errors) {
  const Path min = path.Child("min");
  const Path request = path.Child("defaultRequest");
  const Path limit = path.Child("default");
  const Path ratio = path.Child("maxLimitRequestRatio");
  const Path request_at = request.Key(row.name);
  const Path limit_at = limit.Key(row.name);
  CheckOrder(row.min, "min", row.max, "max", row.min, min.Key(row.name), errors);
  CheckOrder(row.min, "min", row.default_request, "default request", row.default_request,
             request_at, errors);
  CheckOrder(row.default_request, "default request", row.max, "max", row.default_request,
             request_at, errors);
  CheckOrder(row.default_request, "default request", row.default_limit, "default limit",
             row.default_request, request_at, errors);
  CheckOrder(row.min, "min", row.default_limit, "default", row.min, limit_at, errors);
  CheckOrder(row.default_limit, "default", row.max, "max", row.max, limit_at, errors);
  CheckRatio(row, ratio.Key(row.name), errors);
  if (!IsOvercommitAllowed(row.name) && row.default_limit && row.default_request &&
      *row.default_limit != *row.default_request) {
    errors->Add(field::Invalid(
        request_at, field::BadValue::Of(*row.default_request),
        fmt::format("default value {} must equal to defaultRequest value {} "
                    "in {}",
                    row.default_limit->String(), row.default_request->String(), row.name)));
  }
}

void CheckItem(const LimitRangeItem& item, const Path& path, ErrorList* errors) {
  std::set<std::string> names;
  const auto check_names = [&](const Amounts& amounts, std::string_view list) {
    const Path list_path = path.Child(list);
    for (const auto& [name, value] : amounts) {
      errors->Append(IsOneOf(item.type, {"Pod", "Container"})
                         ? ValidateContainerResourceName(name, list_path.Key(name))
                         : ValidateResourceName(name, list_path.Key(name)));
      names.insert(name);
    }
  };
  check_names(item.max, "max");
  check_names(item.min, "min");
  const bool is_pod = item.type == "Pod";
  if (is_pod) {
    const auto forbid = [&](const Amounts& amounts, std::string_view list) {
      if (amounts.empty()) return;
      errors->Add(field::Forbidden(path.Child(list), "may not be specified when `type` is 'Pod'"));
    };
    forbid(item.default_, "default");
    forbid(item.defaultRequest, "defaultRequest");
  } else {
    check_names(item.default_, "default");
    check_names(item.defaultRequest, "defaultRequest");
  }
  if (item.type == "PersistentVolumeClaim" && !item.min.contains("storage") &&
      !item.max.contains("storage")) {
    errors->Add(
        field::Required(path.Child("limits"),
                        "either minimum or maximum storage value is required, but neither was "
                        "provided"));
  }
  check_names(item.maxLimitRequestRatio, "maxLimitRequestRatio");
  for (const std::string& name : names) {
    CheckRow({.name = name,
              .min = Find(item.min, name),
              .max = Find(item.max, name),
              .default_limit = is_pod ? nullptr : Find(item.default_, name),
              .default_request = is_pod ? nullptr : Find(item.defaultRequest, name),
              .ratio = Find(item.maxLimitRequestRatio, name)},
             path, errors);
  }
}

}  // namespace

ErrorList ValidateLimitRange(const LimitRange& range) {
  ErrorList errors =
      ValidateObjectMeta(range.metadata, Scope::kNamespaced, NameIsDNSSubdomain, Path("metadata"));
  std::set<std::string_view> types;
  const Path spec("spec");
  const Path limits = spec.Child("limits");
  for (size_t i = 0; i < range.spec.limits.size(); ++i) {
    const LimitRangeItem& item = range.spec.limits[i];
    const Path at = limits.Index(i);
    CheckType(item.type, at.Child("type"), &errors);
    if (!types.insert(item.type).second) {
      errors.Add(field::Duplicate(at.Child("type"), NamedString(item.type)));
    }
    CheckItem(item, at, &errors);
  }
  return errors;
}

// The registry does not compare the metadata.
ErrorList ValidateLimitRangeUpdate(const LimitRange& range, const LimitRange&) {
  return ValidateLimitRange(range);
}

}  // namespace podium::api
