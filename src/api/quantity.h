// Quantity: an amount of a resource, such as 500m CPU or 1Gi memory (upstream's
// k8s.io/apimachinery/pkg/api/resource, type Quantity).
//
// Text: [+-] digits[.digits] suffix, with a suffix of one of three families:
//   kBinarySI         Ki Mi Gi Ti Pi Ei        powers of 1024
//   kDecimalSI        n u m "" k M G T P E     powers of 1000
//   kDecimalExponent  e3, E-6                  powers of ten
// The family of the input is kept. The canonical text has no fraction, the largest suffix that
// leaves an integer, and no '+':
//   1.5 → 1500m     1024Mi → 1Gi     0.5Gi → 512Mi     1.5e3 → 1500     0.1n → 1n     +1000 → 1k
// BinarySI values that are below 1024 or have a fraction are written as DecimalSI: 1.5Ki → 1536,
// 0.5Ki → 512, 0.001Ki → 1024m.
//
// Arithmetic is exact: a value is a whole number of nano units. Finer parts are rounded away from
// zero when parsed; BinarySI is capped at 2^63-1, as upstream. Every other value and result is
// capped at 10^29, where upstream has no limit (nor bounded cost).
//
// A quantity is a plain value of 24 bytes.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::api {

class Quantity {
 public:
  enum class Format : uint8_t { kDecimalSI, kBinarySI, kDecimalExponent };

  // Powers of ten, for ScaledValue and RoundUp.
  enum Scale : int {
    kNano = -9,
    kMicro = -6,
    kMilli = -3,
    kOne = 0,
    kKilo = 3,
    kMega = 6,
    kGiga = 9,
    kTera = 12,
    kPeta = 15,
    kExa = 18,
  };

  // Zero.
  Quantity() = default;

  // kInvalidArgument with upstream's message. No white space is allowed. As upstream, a missing
  // number counts as 0 ("Ki", "-").
  static Result<Quantity> Parse(std::string_view text);
  // `text` must be valid: for constants of the program and for tests.
  static Quantity Must(std::string_view text);

  static Quantity FromInt(int64_t value, Format format = Format::kDecimalSI);
  static Quantity FromMilli(int64_t milli, Format format = Format::kDecimalSI);
  // value * 10^scale; scale is kNano or greater.
  static Quantity FromScaled(int64_t value, int scale, Format format = Format::kDecimalSI);

  Format format() const { return format_; }

  // The canonical text.
  std::string String() const;
  void AppendTo(std::string* out) const;

  bool IsZero() const { return low_ == 0 && high_ == 0; }
  // -1, 0 or 1.
  int Sign() const { return high_ < 0 ? -1 : IsZero() ? 0 : 1; }
  // By value: 1000m == 1 == 1e0.
  int Cmp(const Quantity& other) const;
  int CmpInt(int64_t other) const { return Cmp(FromInt(other)); }
  friend bool operator==(const Quantity& a, const Quantity& b) {
    return a.low_ == b.low_ && a.high_ == b.high_;
  }
  friend std::strong_ordering operator<=>(const Quantity& a, const Quantity& b) {
    return a.Cmp(b) <=> 0;
  }

  // Zero takes the other's format, so that sums that start from Quantity() look like their terms.
  void Add(const Quantity& other);
  void Sub(const Quantity& other);
  void Neg();
  void Mul(int64_t factor);

  // The value in units of 10^scale, rounded away from zero; the nearest int64_t when out of range.
  int64_t ScaledValue(int scale) const;
  int64_t Value() const { return ScaledValue(kOne); }
  int64_t MilliValue() const { return ScaledValue(kMilli); }
  // Rounds away from zero to a multiple of 10^scale; false when that changed the value.
  bool RoundUp(int scale);
  double AsDouble() const;

 private:
  // A signed 128-bit count of nano units, in two words so that a Quantity aligns to 8 bytes.
  uint64_t low_ = 0;
  int64_t high_ = 0;
  Format format_ = Format::kDecimalSI;

  friend struct QuantityBits;
};

extern const reflect::Type kQuantityType;

}  // namespace podium::api

template <>
inline const podium::reflect::Type& podium::reflect::TypeOf<podium::api::Quantity>() {
  return podium::api::kQuantityType;
}
