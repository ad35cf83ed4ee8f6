// Duration's text, as Go's time.ParseDuration and Duration.String have it.
#include <algorithm>

#include "api/time.h"
#include "base/ascii.h"
#include "reflect/go_text.h"

namespace podium::api {
namespace {

// Magnitudes reach 2^63, that of the smallest int64_t.
constexpr uint64_t kMaxMagnitude = uint64_t{1} << 63;

struct Unit {
  std::string_view name;
  uint64_t nanos;
};
constexpr Unit kUnits[] = {
    {"ns", 1},          {"us", 1'000},        {"\u00b5s", 1'000},  // micro sign
    {"\u03bcs", 1'000},                                            // Greek mu
    {"ms", 1'000'000},  {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

Error Invalid(std::string_view text) {
  return Error(Code::kInvalidArgument, "time: invalid duration " + reflect::GoQuoted(text));
}

// Takes leading digits off; false when they exceed kMaxMagnitude.
bool TakeWhole(std::string_view* rest, uint64_t* value) {
  *value = 0;
  for (; !rest->empty() && IsDigit(rest->front()); rest->remove_prefix(1)) {
    if (*value > kMaxMagnitude / 10) return false;
    *value = *value * 10 + static_cast<uint64_t>(rest->front() - '0');
    if (*value > kMaxMagnitude) return false;
  }
  return true;
}

// Takes the digits of a fraction: value / scale. What does not fit is cut off.
void TakeFraction(std::string_view* rest, uint64_t* value, double* scale) {
  bool full = false;
  for (; !rest->empty() && IsDigit(rest->front()); rest->remove_prefix(1)) {
    if (full || *value > (kMaxMagnitude - 1) / 10) {
      full = true;
      continue;
    }
    uint64_t next = *value * 10 + static_cast<uint64_t>(rest->front() - '0');
    if (next > kMaxMagnitude) {
      full = true;
      continue;
    }
    *value = next;
    *scale *= 10;
  }
}

// Takes one number with its unit off, in nanoseconds. `text` is the whole, for errors.
Result<uint64_t> TakeTerm(std::string_view* rest, std::string_view text) {
  if (rest->front() != '.' && !IsDigit(rest->front())) return Invalid(text);
  size_t before = rest->size();
  uint64_t value = 0;
  if (!TakeWhole(rest, &value)) return Invalid(text);
  bool digits = rest->size() != before;
  uint64_t fraction = 0;
  double scale = 1;
  if (rest->starts_with('.')) {
    rest->remove_prefix(1);
    before = rest->size();
    TakeFraction(rest, &fraction, &scale);
    digits |= rest->size() != before;
  }
  if (!digits) return Invalid(text);

  std::string_view name = rest->substr(0, rest->find_first_of(".0123456789"));
  if (name.empty()) {
    return Error(Code::kInvalidArgument,
                 "time: missing unit in duration " + reflect::GoQuoted(text));
  }
  rest->remove_prefix(name.size());
  const Unit* unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == std::end(kUnits)) {
    return Error(Code::kInvalidArgument, "time: unknown unit " + reflect::GoQuoted(name) +
                                             " in duration " + reflect::GoQuoted(text));
  }
  if (value > kMaxMagnitude / unit->nanos) return Invalid(text);
  value *= unit->nanos;
  if (fraction > 0) {
    // In floating point, as Go does it, to come to the same nanosecond.
    value += static_cast<uint64_t>(static_cast<double>(fraction) *
                                   (static_cast<double>(unit->nanos) / scale));
    if (value > kMaxMagnitude) return Invalid(text);
  }
  return value;
}

// The digits of value / 10^places without trailing zeros.
std::string WithPoint(uint64_t value, int places) {
  std::string fraction;
  for (; places > 0; --places, value /= 10) {
    char digit = static_cast<char>('0' + value % 10);
    if (digit != '0' || !fraction.empty()) fraction.insert(fraction.begin(), digit);
  }
  std::string whole = std::to_string(value);
  return fraction.empty() ? whole : whole + "." + fraction;
}

}  // namespace

Result<Duration> Duration::Parse(std::string_view text) {
  std::string_view rest = text;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return Duration();
  if (rest.empty()) return Invalid(text);
  uint64_t sum = 0;
  while (!rest.empty()) {
    TRY(uint64_t term, TakeTerm(&rest, text));
    // Neither exceeds 2^63, so the sum fits.
    sum += term;
    if (sum < term || sum > kMaxMagnitude) return Invalid(text);
  }
  if (negative) return FromNanos(static_cast<int64_t>(-sum));
  if (sum == kMaxMagnitude) return Invalid(text);
  return FromNanos(static_cast<int64_t>(sum));
}

std::string Duration::String() const {
  if (nanos_ == 0) return "0s";
  std::string out = nanos_ < 0 ? "-" : "";
  uint64_t value = nanos_ < 0 ? -static_cast<uint64_t>(nanos_) : static_cast<uint64_t>(nanos_);
  if (value < 1'000) return out + std::to_string(value) + "ns";
  if (value < 1'000'000) return out + WithPoint(value, 3) + "\u00b5s";
  if (value < 1'000'000'000) return out + WithPoint(value, 6) + "ms";
  constexpr uint64_t kMinute = 60'000'000'000;
  uint64_t minutes = value / kMinute;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  return out + WithPoint(value % kMinute, 9) + "s";
}

}  // namespace podium::api
