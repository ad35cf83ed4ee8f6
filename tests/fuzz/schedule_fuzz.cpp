// Schedules of CronJobs, and Go's view of JSON in Secrets: no input crashes them, and what a
// schedule accepts lies within its fields' bounds.
#include <cstdint>
#include <string_view>

#include "api/cron_schedule.h"
#include "api/go_json.h"
#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)podium::api::GoJsonObjectProblem(text);
  const auto schedule = podium::api::CronSchedule::Parse(text);
  if (!schedule.ok()) return 0;
  const bool in_bounds = schedule->minutes >> 60 == 0 && schedule->hours >> 24 == 0 &&
                         schedule->days_of_month >> 32 == 0 && (schedule->days_of_month & 1) == 0 &&
                         schedule->months >> 13 == 0 && (schedule->months & 1) == 0 &&
                         schedule->days_of_week >> 7 == 0;
  podium::fuzz::Require(in_bounds && schedule->every_seconds.value_or(1) >= 1);
  return 0;
}
