#include "reflect/number_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace podium::reflect {
namespace {

// The shortest decimal form of a value: 0.d1d2d3... times ten to the power `point`.
struct Decimal {
  char digits[32];
  int count = 0;
  int point = 0;
  bool negative = false;
};

template <class Float>
Decimal ShortestDecimal(Float value) {
  Decimal decimal;
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  const char* at = text;
  if (*at == '-') {
    decimal.negative = true;
    ++at;
  }
  for (; at != end.ptr && *at != 'e'; ++at) {
    if (*at != '.') decimal.digits[decimal.count++] = *at;
  }
  int exponent = 0;
  ++at;
  if (*at == '+') ++at;
  std::from_chars(at, end.ptr, exponent);
  decimal.point = exponent + 1;
  if (decimal.count == 1 && decimal.digits[0] == '0') decimal.point = 1;
  return decimal;
}

void AppendFixed(const Decimal& decimal, std::string* out) {
  if (decimal.point <= 0) {
    *out += "0.";
    out->append(static_cast<size_t>(-decimal.point), '0');
    out->append(decimal.digits, static_cast<size_t>(decimal.count));
    return;
  }
  for (int i = 0; i < decimal.count || i < decimal.point; ++i) {
    if (i == decimal.point) *out += '.';
    *out += i < decimal.count ? decimal.digits[i] : '0';
  }
}

// `min_exponent_digits`: Go pads the exponent to two digits; encoding/json takes the zero of a
// negative one away again.
void AppendScientific(const Decimal& decimal, int min_exponent_digits, std::string* out) {
  *out += decimal.digits[0];
  if (decimal.count > 1) {
    *out += '.';
    out->append(decimal.digits + 1, static_cast<size_t>(decimal.count - 1));
  }
  int exponent = decimal.point - 1;
  *out += 'e';
  *out += exponent < 0 ? '-' : '+';
  exponent = std::abs(exponent);
  if (exponent < 10 && min_exponent_digits > 1) *out += '0';
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, exponent);
  out->append(digits, end.ptr);
}

template <class Float>
void AppendGeneral(Float value, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    *out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  const Decimal decimal = ShortestDecimal(value);
  if (decimal.negative) *out += '-';
  const int exponent = decimal.point - 1;
  if (exponent < -4 || exponent >= 6) {
    AppendScientific(decimal, 2, out);
  } else {
    AppendFixed(decimal, out);
  }
}

}  // namespace

void AppendFloatJson(double value, std::string* out) {
  const Decimal decimal = ShortestDecimal(value);
  if (decimal.negative) *out += '-';
  const double magnitude = std::fabs(value);
  if (magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)) {
    AppendScientific(decimal, decimal.point - 1 < 0 ? 1 : 2, out);
  } else {
    AppendFixed(decimal, out);
  }
}

void AppendFloatGeneral(double value, std::string* out) { AppendGeneral(value, out); }
void AppendFloatGeneral(float value, std::string* out) { AppendGeneral(value, out); }

std::optional<double> ReadFloat(std::string_view text) {
  const char* first = text.data();
  const char* last = first + text.size();
  if (first != last && *first == '+') {
    ++first;
    if (first != last && *first == '-') return {};
  }
  // from_chars also knows names, which have no place here.
  for (char c : text) {
    if ((c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-') return {};
  }
  double value = 0;
  const auto read = std::from_chars(first, last, value);
  if (read.ptr != last) return {};
  if (read.ec == std::errc{}) return value;
  if (read.ec != std::errc::result_out_of_range) return {};
  // Too large or too small; only strtod tells which.
  value = std::strtod(std::string(first, last).c_str(), nullptr);
  if (std::fabs(value) > 1) return {};
  return value;
}

Number ReadJsonNumber(std::string_view text) {
  Number number;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number.integer);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) {
    number.is_integer = true;
    return number;
  }
  number.integer = 0;
  const double infinity = std::numeric_limits<double>::infinity();
  number.floating = ReadFloat(text).value_or(text.starts_with('-') ? -infinity : infinity);
  return number;
}

}  // namespace podium::reflect
