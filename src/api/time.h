// Points in time and spans of time as the API writes them (upstream's
// k8s.io/apimachinery/pkg/apis/meta/v1, types Time, MicroTime, Duration).
//
//   Time       2006-01-02T15:04:05Z          whole seconds, UTC; fractions are cut off when read
//   MicroTime  2006-01-02T15:04:05.000000Z   whole microseconds, UTC
//   Duration   1h2m3.5s                      nanoseconds, in Go's notation
//
// A default Time or MicroTime is the zero time, 0001-01-01T00:00:00Z, which JSON writes as null.
// Years run from 0 to 9999, in the proleptic Gregorian calendar; others are refused when read.
// Messages of Parse are Go's, as upstream's users see them. All are plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reflect/type.h"

namespace podium::api {

// Of 0001-01-01T00:00:00Z.
inline constexpr int64_t kZeroTimeUnixSeconds = -62135596800;

class Time {
 public:
  // The zero time.
  constexpr Time() = default;
  // `seconds` within years 0 to 9999.
  static constexpr Time FromUnix(int64_t seconds) { return Time(seconds); }
  // RFC 3339 with any offset; a fraction is cut off.
  static Result<Time> Parse(std::string_view text);

  constexpr int64_t unix_seconds() const { return unix_seconds_; }
  constexpr bool IsZero() const { return unix_seconds_ == kZeroTimeUnixSeconds; }
  // The zero time too is written out.
  std::string String() const;
  friend constexpr auto operator<=>(const Time&, const Time&) = default;

 private:
  constexpr explicit Time(int64_t seconds) : unix_seconds_(seconds) {}

  int64_t unix_seconds_ = kZeroTimeUnixSeconds;
};

class MicroTime {
 public:
  // The zero time.
  constexpr MicroTime() = default;
  // `micros` since 1970, within years 0 to 9999.
  static constexpr MicroTime FromUnixMicros(int64_t micros) { return MicroTime(micros); }
  // RFC 3339 with any offset and exactly six fraction digits, as upstream.
  static Result<MicroTime> Parse(std::string_view text);

  constexpr int64_t unix_micros() const { return unix_micros_; }
  constexpr bool IsZero() const { return unix_micros_ == kZeroTimeUnixSeconds * 1'000'000; }
  std::string String() const;
  friend constexpr auto operator<=>(const MicroTime&, const MicroTime&) = default;

 private:
  constexpr explicit MicroTime(int64_t micros) : unix_micros_(micros) {}

  int64_t unix_micros_ = kZeroTimeUnixSeconds * 1'000'000;
};

class Duration {
 public:
  constexpr Duration() = default;
  static constexpr Duration FromNanos(int64_t nanos) { return Duration(nanos); }
  static constexpr Duration FromSeconds(int64_t seconds) {
    return Duration(seconds * 1'000'000'000);
  }
  // Decimal numbers with units, [+-]: 1h15m30.918s, 1.5h, 300ms, 0. Units ns, us (µs), ms, s, m, h.
  static Result<Duration> Parse(std::string_view text);

  constexpr int64_t nanos() const { return nanos_; }
  constexpr bool IsZero() const { return nanos_ == 0; }
  // 1h0m0s, 1.5s, 2ms, 0s.
  std::string String() const;
  friend constexpr auto operator<=>(const Duration&, const Duration&) = default;

 private:
  constexpr explicit Duration(int64_t nanos) : nanos_(nanos) {}

  int64_t nanos_ = 0;
};

extern const reflect::Type kTimeType;
extern const reflect::Type kMicroTimeType;
extern const reflect::Type kDurationType;

}  // namespace podium::api

template <>
inline const podium::reflect::Type& podium::reflect::TypeOf<podium::api::Time>() {
  return podium::api::kTimeType;
}
template <>
inline const podium::reflect::Type& podium::reflect::TypeOf<podium::api::MicroTime>() {
  return podium::api::kMicroTimeType;
}
template <>
inline const podium::reflect::Type& podium::reflect::TypeOf<podium::api::Duration>() {
  return podium::api::kDurationType;
}
