// IntOrString: a field that takes a number or a string, such as a port or a percentage (upstream's
// k8s.io/apimachinery/pkg/util/intstr). JSON is the bare integer or string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::api {

struct IntOrString {
  enum class Type : int64_t { kInt = 0, kString = 1 };

  Type type = Type::kInt;
  int32_t int_val = 0;  // of kInt
  std::string str_val;  // of kString

  static IntOrString FromInt(int32_t value) { return {Type::kInt, value, {}}; }
  static IntOrString FromString(std::string value) { return {Type::kString, 0, std::move(value)}; }
  // An integer where the text is one that fits, else the text.
  static IntOrString Parse(std::string_view text);

  bool is_string() const { return type == Type::kString; }
  // Int 0.
  bool IsZero() const { return type == Type::kInt && int_val == 0 && str_val.empty(); }
  // The text, or the integer in decimal.
  std::string String() const;
  // The integer; of a string, what Go's Atoi makes of it: 0 where it is no number.
  int64_t IntValue() const;

  friend bool operator==(const IntOrString&, const IntOrString&) = default;
};

enum class Rounding { kUp, kDown };

// The integer itself, or that percentage of `total`: "25%" of 10 is 3 rounded up, 2 down. Strings
// other than percentages are kInvalidArgument. Upstream: GetScaledValueFromIntOrPercent.
Result<int64_t> ScaledValueFromIntOrPercent(const IntOrString& value, int64_t total,
                                            Rounding rounding);

extern const reflect::Type kIntOrStringType;

}  // namespace podium::api

template <>
inline const podium::reflect::Type& podium::reflect::TypeOf<podium::api::IntOrString>() {
  return podium::api::kIntOrStringType;
}
