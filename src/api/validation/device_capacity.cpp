// What may be asked for of a capacity that several claims share.
#include <cstdint>
#include <string>

#include "api/validation/device_parts.h"

namespace podium::api {

using field::ErrorList;
using field::Path;
using resource::v1::CapacityRequestPolicy;
using resource::v1::CapacityRequestPolicyRange;

namespace {

void AddInvalid(const Path& path, const Quantity& value, const std::string& detail,
                ErrorList* errors) {
  errors->Add(field::Invalid(path, value.String(), detail));
}

void CheckValues(const reflect::List<Quantity>& values, const Quantity& value,
                 const Quantity& capacity, const Path& path, ErrorList* errors) {
  constexpr size_t kMost = 10;
  for (size_t i = 1; i < values.size(); ++i) {
    if (values[i - 1] <= values[i]) continue;
    AddInvalid(path.Index(i), values[i], "values must be sorted in ascending order", errors);
  }
  bool found = false;
  // They differ when rounded up to whole numbers, which is what upstream compares and prints.
  const auto key = [](const Quantity& each) { return each.Value(); };
  const auto show = [](const Quantity& each) { return std::to_string(each.Value()); };
  CheckSet(
      values, kMost, path, errors,
      [&](const Quantity& each, const Path& at) {
        if (each > capacity) {
          AddInvalid(at, each, "option is larger than capacity value: " + capacity.String(),
                     errors);
        }
        found = found || each == value;
      },
      key, show);
  if (!found) {
    AddInvalid(path, value, "default value is not valid according to the requestPolicy", errors);
  }
}

// Whole steps lead from `min` to `value`; in whole numbers, rounded up, as upstream counts.
void CheckOnStep(const Quantity& value, const Quantity& min, const Quantity& step, const Path& path,
                 ErrorList* errors) {
  const auto way = static_cast<int64_t>(static_cast<uint64_t>(value.Value()) -
                                        static_cast<uint64_t>(min.Value()));
  if (way % step.Value() == 0) return;
  AddInvalid(
      path, value,
      "value is not a multiple of a given step (" + step.String() + ") from (" + min.String() + ")",
      errors);
}

void CheckStep(const CapacityRequestPolicyRange& range, const Quantity& value,
               const Quantity& capacity, const Path& path, ErrorList* errors) {
  const Quantity& step = *range.step;
  if (step.Sign() <= 0) {
    AddInvalid(path, step, "must be greater than zero", errors);
    return;
  }
  Quantity first = *range.min;
  first.Add(step);
  if (first > capacity) {
    AddInvalid(
        path, step,
        "one step " + first.String() + " is larger than capacity value: " + capacity.String(),
        errors);
  }
  CheckOnStep(value, *range.min, step, path, errors);
  if (range.max) CheckOnStep(*range.max, *range.min, step, path, errors);
}

void CheckRange(const CapacityRequestPolicyRange& range, const Quantity& value,
                const Quantity& capacity, const Path& path, ErrorList* errors) {
  const Path min = path.Child("min");
  const Path max = path.Child("max");
  if (!range.min) {
    errors->Add(field::Required(min, "required when validRange is defined"));
    return;
  }
  if (*range.min > capacity) {
    AddInvalid(min, *range.min, "min is larger than capacity value: " + capacity.String(), errors);
  }
  if (value < *range.min) {
    AddInvalid(min, value, "default is less than min: " + range.min->String(), errors);
  }
  if (range.max) {
    if (*range.min > *range.max) {
      AddInvalid(max, *range.min, "min is larger than max: " + range.max->String(), errors);
    }
    if (*range.max > capacity) {
      AddInvalid(max, *range.max, "max is larger than capacity value: " + capacity.String(),
                 errors);
    }
    if (value > *range.max) {
      AddInvalid(max, value, "default is more than max: " + range.max->String(), errors);
    }
  }
  if (range.step) CheckStep(range, value, capacity, path.Child("step"), errors);
}

}  // namespace

void CheckRequestPolicy(const Quantity& capacity, const CapacityRequestPolicy& policy,
                        const Path& path, ErrorList* errors) {
  if (!policy.validValues.empty() && policy.validRange) {
    errors->Add(field::Forbidden(path,
                                 "exactly one policy can be specified, cannot specify "
                                 "\"validValues\" and \"validRange\" at the same time"));
  } else if (!policy.validValues.empty()) {
    if (policy.default_) {
      CheckValues(policy.validValues, *policy.default_, capacity, path.Child("validValues"),
                  errors);
    } else {
      errors->Add(field::Required(path.Child("default"), "required when validValues is defined"));
    }
  } else if (policy.validRange) {
    if (policy.default_) {
      CheckRange(*policy.validRange, *policy.default_, capacity, path.Child("validRange"), errors);
    } else {
      errors->Add(field::Required(path.Child("default"), "required when validRange is defined"));
    }
  }
}

}  // namespace podium::api
