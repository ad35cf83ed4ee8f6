// Schedules of CronJobs, as upstream's servers read them (github.com/robfig/cron/v3, its standard
// parser):
//
//   [TZ=zone | CRON_TZ=zone] minute hour day-of-month month day-of-week
//   [TZ=zone | CRON_TZ=zone] @yearly @annually @monthly @weekly @daily @midnight @hourly
//   @every 1h30m
//
// A field is a list of ranges: *, ?, 5, 1-5, mon-fri, */15, 10/5 (to the end), 8-18/2. Months and
// days of the week have names of three letters; Sunday is 0, and 7 is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::api {

struct CronSchedule {
  // Bit n stands for the value n; days of the month and months count from 1.
  uint64_t minutes = 0;
  uint64_t hours = 0;
  uint64_t days_of_month = 0;
  uint64_t months = 0;
  uint64_t days_of_week = 0;
  // The field was * or ?: then the other kind of day decides alone; otherwise either is enough.
  bool any_day_of_month = false;
  bool any_day_of_week = false;
  // Of @every: whole seconds, one at least; the fields above are not used.
  std::optional<int64_t> every_seconds;
  // Of TZ= or CRON_TZ=.
  std::optional<std::string> time_zone;

  // Errors are kInvalidArgument with upstream's words.
  static Result<CronSchedule> Parse(std::string_view text);
};

}  // namespace podium::api
