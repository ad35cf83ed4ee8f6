// Numbers as text, the way Go writes and reads them, so that what we print is what upstream prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace podium::reflect {

// Appends the shortest digits that read back as the same double. `value` is finite.
//
// As encoding/json: 0.000001, 100000000000000000000, 1e+21, 1e-7.
void AppendFloatJson(double value, std::string* out);
// As strconv.FormatFloat(value, 'g', -1, 64), which fmt and go-yaml use: 1e-05, 1e+06, 123456.
// Infinities and NaN are +Inf, -Inf, NaN.
void AppendFloatGeneral(double value, std::string* out);
// The same with the digits of a 32-bit float.
void AppendFloatGeneral(float value, std::string* out);

// Reads decimal floating-point text (digits, one point, exponent, sign). Nothing else may stand
// around it. Empty when the text is no number or its magnitude is too large; too small reads as 0.
std::optional<double> ReadFloat(std::string_view text);

// A JSON number as upstream's untyped objects hold it: an integer when the text is one and fits 64
// bits, else a double.
struct Number {
  bool is_integer = false;
  int64_t integer = 0;
  double floating = 0;

  // The value, rounded when it is a large integer.
  double AsDouble() const { return is_integer ? static_cast<double>(integer) : floating; }
};

// `text` is a valid JSON number; one that overflows a double reads as infinity.
Number ReadJsonNumber(std::string_view text);

}  // namespace podium::reflect
