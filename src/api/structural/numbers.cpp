#include "api/structural/numbers.h"

#include <cmath>

namespace podium::api {

using reflect::JsonValue;
using reflect::Number;

std::string DoubleText(double value) {
  std::string out;
  reflect::AppendFloatGeneral(value, &out);
  return out;
}

std::string NumberText(const Number& number) {
  return number.is_integer ? std::to_string(number.integer) : DoubleText(number.floating);
}

int64_t Whole(double value) {
  if (value >= 9223372036854775807.0) return INT64_MAX;
  if (value <= -9223372036854775808.0) return INT64_MIN;
  return static_cast<int64_t>(value);
}

bool IsNearlyWhole(double value) {
  constexpr double kMost = 9007199254740991.0;
  if (std::isnan(value) || value < -kMost || value > kMost) return false;
  const double whole = std::trunc(value);
  if (whole == value) return true;
  if (whole == 0) return false;
  return std::abs(value - whole) / (std::abs(value) + std::abs(whole)) < 1e-9;
}

bool EqualsEnumValue(const JsonValue& value, const JsonValue& allowed) {
  if (value.is_number() && allowed.is_number()) {
    const Number a = reflect::ReadJsonNumber(value.number());
    const Number b = reflect::ReadJsonNumber(allowed.number());
    if (b.is_integer) return (a.is_integer ? a.integer : Whole(a.floating)) == b.integer;
    return a.AsDouble() == b.floating;
  }
  return !allowed.is_null() && Equivalent(value, allowed);
}

}  // namespace podium::api
