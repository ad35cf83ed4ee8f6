#include "api/cron_schedule.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "api/time.h"
#include "api/time_zones.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/go_trim.h"

namespace podium::api {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

struct Bounds {
  int64_t min;
  int64_t max;
  std::span<const std::string_view> names;  // of min and up
};

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

constexpr Bounds kMinuteBounds{0, 59, {}};
constexpr Bounds kHourBounds{0, 23, {}};
constexpr Bounds kDayOfMonthBounds{1, 31, {}};
constexpr Bounds kMonthBounds{1, 12, kMonths};
constexpr Bounds kDayOfWeekBounds{0, 6, kDays};

Error Problem(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

// Between white space, without empty ones.
std::vector<std::string_view> Fields(std::string_view text) {
  std::vector<std::string_view> fields;
  std::optional<size_t> start;
  reflect::ForEachRune(text, [&](size_t at, char32_t rune) {
    if (!reflect::IsGoSpace(rune)) {
      if (!start) start = at;
    } else if (start) {
      fields.push_back(text.substr(*start, at - *start));
      start.reset();
    }
  });
  if (start) fields.push_back(text.substr(*start));
  return fields;
}

Result<int64_t> ParseNumber(std::string_view text) {
  const Result<int64_t> number = reflect::ParseGoInt(text);
  if (!number.ok()) {
    return Problem("failed to parse int from " + std::string(text) + ": " +
                   number.error().message());
  }
  if (*number < 0) {
    return Problem("negative number (" + std::to_string(*number) +
                   ") not allowed: " + std::string(text));
  }
  return *number;
}

Result<int64_t> ParseNumberOrName(std::string_view text, const Bounds& bounds) {
  const auto same = [&](std::string_view name) { return EqualsIgnoringCase(text, name); };
  const auto found = std::ranges::find_if(bounds.names, same);
  if (found != bounds.names.end()) return bounds.min + (found - bounds.names.begin());
  return ParseNumber(text);
}

struct Range {
  int64_t start = 0;
  int64_t end = 0;
  int64_t step = 1;
  bool any = false;
};

Result<void> CheckRange(const Range& range, const Bounds& bounds, std::string_view text) {
  const std::string start = std::to_string(range.start);
  const std::string end = std::to_string(range.end);
  const std::string of = ": " + std::string(text);
  if (range.start < bounds.min) {
    return Problem("beginning of range (" + start + ") below minimum (" +
                   std::to_string(bounds.min) + ")" + of);
  }
  if (range.end > bounds.max) {
    return Problem("end of range (" + end + ") above maximum (" + std::to_string(bounds.max) + ")" +
                   of);
  }
  if (range.start > range.end) {
    return Problem("beginning of range (" + start + ") beyond end of range (" + end + ")" + of);
  }
  if (range.step == 0) return Problem("step of range should be a positive number" + of);
  return {};
}

// *, 5, 1-5, each with /step or without.
Result<Range> ParseRange(std::string_view text, const Bounds& bounds) {
  const std::vector<std::string_view> parts = Split(text, '/');
  const std::vector<std::string_view> ends = Split(parts[0], '-');
  Range range;
  if (ends[0] == "*" || ends[0] == "?") {
    // What follows a hyphen is not looked at.
    range = {.start = bounds.min, .end = bounds.max, .any = true};
  } else {
    TRY(range.start, ParseNumberOrName(ends[0], bounds));
    if (ends.size() > 2) return Problem("too many hyphens: " + std::string(text));
    range.end = range.start;
    if (ends.size() == 2) {
      TRY(range.end, ParseNumberOrName(ends[1], bounds));
    }
  }
  if (parts.size() > 2) return Problem("too many slashes: " + std::string(text));
  if (parts.size() == 2) {
    TRY(range.step, ParseNumber(parts[1]));
    if (ends.size() == 1) range.end = bounds.max;
    if (range.step > 1) range.any = false;
  }
  TRY_VOID(CheckRange(range, bounds, text));
  return range;
}

struct Field {
  uint64_t bits = 0;
  bool any = false;
};

Result<Field> ParseField(std::string_view text, const Bounds& bounds) {
  Field field;
  for (std::string_view part : Split(text, ',')) {
    if (part.empty()) continue;
    TRY(const Range range, ParseRange(part, bounds));
    field.any |= range.any;
    for (int64_t value = range.start; value <= range.end;) {
      field.bits |= uint64_t{1} << value;
      if (range.step > range.end - value) break;
      value += range.step;
    }
  }
  return field;
}

Result<CronSchedule> ParseFields(std::string_view text) {
  const std::vector<std::string_view> fields = Fields(text);
  if (fields.size() != 5) {
    return Problem("expected exactly 5 fields, found " + std::to_string(fields.size()) + ": [" +
                   Join(fields, " ") + "]");
  }
  TRY(const Field minute, ParseField(fields[0], kMinuteBounds));
  TRY(const Field hour, ParseField(fields[1], kHourBounds));
  TRY(const Field day_of_month, ParseField(fields[2], kDayOfMonthBounds));
  TRY(const Field month, ParseField(fields[3], kMonthBounds));
  TRY(const Field day_of_week, ParseField(fields[4], kDayOfWeekBounds));
  CronSchedule schedule;
  schedule.minutes = minute.bits;
  schedule.hours = hour.bits;
  schedule.days_of_month = day_of_month.bits;
  schedule.months = month.bits;
  schedule.days_of_week = day_of_week.bits;
  schedule.any_day_of_month = day_of_month.any;
  schedule.any_day_of_week = day_of_week.any;
  return schedule;
}

Result<CronSchedule> ParseDescriptor(std::string_view text) {
  struct Descriptor {
    std::string_view name;
    std::string_view fields;
  };
  constexpr std::array<Descriptor, 7> kDescriptors = {{{"@yearly", "0 0 1 1 *"},
                                                       {"@annually", "0 0 1 1 *"},
                                                       {"@monthly", "0 0 1 * *"},
                                                       {"@weekly", "0 0 * * 0"},
                                                       {"@daily", "0 0 * * *"},
                                                       {"@midnight", "0 0 * * *"},
                                                       {"@hourly", "0 * * * *"}}};
  const auto found = std::ranges::find(kDescriptors, text, &Descriptor::name);
  if (found != kDescriptors.end()) return ParseFields(found->fields);
  constexpr std::string_view kEvery = "@every ";
  if (!text.starts_with(kEvery)) return Problem("unrecognized descriptor: " + std::string(text));
  const Result<Duration> every = Duration::Parse(text.substr(kEvery.size()));
  if (!every.ok()) {
    return Problem("failed to parse duration " + std::string(text) + ": " +
                   every.error().message());
  }
  CronSchedule schedule;
  schedule.every_seconds = std::max<int64_t>(every->nanos() / kNanosPerSecond, 1);
  return schedule;
}

Result<void> CheckZone(std::string_view zone) {
  const Result<void> found = CheckLocation(zone);
  if (found.ok()) return {};
  return Problem("provided bad location " + std::string(zone) + ": " + found.error().message());
}

}  // namespace

Result<CronSchedule> CronSchedule::Parse(std::string_view text) {
  if (text.empty()) return Problem("empty spec string");
  std::optional<std::string> zone;
  if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
    const size_t space = text.find(' ');
    // Upstream's parser panics here, and its caller reports the panic.
    if (space == text.npos) {
      return Problem("invalid schedule format: runtime error: slice bounds out of range [:-1]");
    }
    const size_t start = text.find('=') + 1;
    zone = std::string(text.substr(start, space - start));
    TRY_VOID(CheckZone(*zone));
    text = reflect::TrimGoSpace(text.substr(space));
  }
  TRY(CronSchedule schedule, text.starts_with('@') ? ParseDescriptor(text) : ParseFields(text));
  schedule.time_zone = std::move(zone);
  return schedule;
}

}  // namespace podium::api
