#include "api/cron_schedule.h"

#include <gtest/gtest.h>

namespace podium::api {
namespace {

constexpr uint64_t Bits(std::initializer_list<int> values) {
  uint64_t bits = 0;
  for (int value : values) bits |= uint64_t{1} << value;
  return bits;
}

TEST(CronSchedule, Fields) {
  const Result<CronSchedule> schedule = CronSchedule::Parse("*/15 8-18/5 1,15,31 feb-APR 1-5");
  ASSERT_TRUE(schedule.ok()) << schedule.error().message();
  EXPECT_EQ(schedule->minutes, Bits({0, 15, 30, 45}));
  EXPECT_EQ(schedule->hours, Bits({8, 13, 18}));
  EXPECT_EQ(schedule->days_of_month, Bits({1, 15, 31}));
  EXPECT_EQ(schedule->months, Bits({2, 3, 4}));
  EXPECT_EQ(schedule->days_of_week, Bits({1, 2, 3, 4, 5}));
  EXPECT_FALSE(schedule->any_day_of_month);
  EXPECT_FALSE(schedule->any_day_of_week);
  EXPECT_FALSE(schedule->every_seconds);
  EXPECT_FALSE(schedule->time_zone);
}

TEST(CronSchedule, Stars) {
  const Result<CronSchedule> schedule = CronSchedule::Parse(" 5/20  ?\t*/1 * */2 ");
  ASSERT_TRUE(schedule.ok()) << schedule.error().message();
  EXPECT_EQ(schedule->minutes, Bits({5, 25, 45}));
  EXPECT_EQ(schedule->hours, (uint64_t{1} << 24) - 1);
  EXPECT_EQ(schedule->days_of_month, ((uint64_t{1} << 32) - 1) & ~uint64_t{1});
  EXPECT_EQ(schedule->months, ((uint64_t{1} << 13) - 1) & ~uint64_t{1});
  EXPECT_EQ(schedule->days_of_week, Bits({0, 2, 4, 6}));
  EXPECT_TRUE(schedule->any_day_of_month);
  EXPECT_FALSE(schedule->any_day_of_week) << "a step makes a choice of days";
}

TEST(CronSchedule, Descriptors) {
  struct Case {
    const char* text;
    const char* same_as;
  };
  for (const auto& [text, same_as] :
       {Case{"@yearly", "0 0 1 1 *"}, Case{"@annually", "0 0 1 1 *"}, Case{"@monthly", "0 0 1 * *"},
        Case{"@weekly", "0 0 * * 0"}, Case{"@daily", "0 0 * * *"}, Case{"@midnight", "0 0 * * *"},
        Case{"@hourly", "0 * * * *"}}) {
    const Result<CronSchedule> schedule = CronSchedule::Parse(text);
    const Result<CronSchedule> other = CronSchedule::Parse(same_as);
    ASSERT_TRUE(schedule.ok() && other.ok()) << text;
    EXPECT_EQ(schedule->minutes, other->minutes) << text;
    EXPECT_EQ(schedule->hours, other->hours) << text;
    EXPECT_EQ(schedule->days_of_month, other->days_of_month) << text;
    EXPECT_EQ(schedule->months, other->months) << text;
    EXPECT_EQ(schedule->days_of_week, other->days_of_week) << text;
  }
}

// All that Unicode calls white space.
TEST(CronSchedule, Space) {
  for (const char* text : {"0\u00a00\u20031\u30001 *", "\u0085 0 0 1 1 *\u2028",
                           "TZ=UTC \u00a00 0 1 1 *", "TZ=UTC @yearly ", "TZ=UTC  @yearly\u00a0"}) {
    const Result<CronSchedule> schedule = CronSchedule::Parse(text);
    ASSERT_TRUE(schedule.ok()) << text << ": " << schedule.error().message();
    EXPECT_EQ(schedule->months, Bits({1})) << text;
  }
  for (const char* text : {"@yearly ", " @yearly", "0\u200b0 1 1 *", "TZ=UTC\u00a00 0 1 1 *"}) {
    EXPECT_FALSE(CronSchedule::Parse(text).ok()) << text;
  }
}

TEST(CronSchedule, Every) {
  struct Case {
    const char* text;
    int64_t seconds;
  };
  for (const auto& [text, seconds] :
       {Case{"@every 1h30m", 5400}, Case{"@every 1500ms", 1}, Case{"@every 1ms", 1},
        Case{"@every 0s", 1}, Case{"@every -5m", 1}}) {
    const Result<CronSchedule> schedule = CronSchedule::Parse(text);
    ASSERT_TRUE(schedule.ok()) << text;
    EXPECT_EQ(schedule->every_seconds, seconds) << text;
  }
}

TEST(CronSchedule, TimeZone) {
  for (const char* text : {"TZ=Europe/Zurich 0 0 * * *", "CRON_TZ=Europe/Zurich   @daily",
                           "CRON_TZ=Europe/Zurich 0 0 * * *"}) {
    const Result<CronSchedule> schedule = CronSchedule::Parse(text);
    ASSERT_TRUE(schedule.ok()) << schedule.error().message();
    EXPECT_EQ(schedule->time_zone, "Europe/Zurich");
    EXPECT_EQ(schedule->hours, 1u);
  }
  EXPECT_TRUE(CronSchedule::Parse("TZ= 0 0 * * *").ok());
  EXPECT_TRUE(CronSchedule::Parse("TZ=Local 0 0 * * *").ok());
}

TEST(CronSchedule, Errors) {
  struct Case {
    const char* text;
    const char* problem;
  };
  for (const auto& [text, problem] : {
           Case{"", "empty spec string"},
           Case{" ", "expected exactly 5 fields, found 0: []"},
           Case{"error", "expected exactly 5 fields, found 1: [error]"},
           Case{"0 0 * * * *", "expected exactly 5 fields, found 6: [0 0 * * * *]"},
           Case{"x * * * *",
                "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"},
           Case{"-5 * * * *",
                "failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax"},
           Case{"*/-5 * * * *", "negative number (-5) not allowed: -5"},
           Case{"60 * * * *", "end of range (60) above maximum (59): 60"},
           Case{"* 24 * * *", "end of range (24) above maximum (23): 24"},
           Case{"* * 0 * *", "beginning of range (0) below minimum (1): 0"},
           Case{"* * 32 * *", "end of range (32) above maximum (31): 32"},
           Case{"* * * 0 *", "beginning of range (0) below minimum (1): 0"},
           Case{"* * * 13 *", "end of range (13) above maximum (12): 13"},
           Case{"* * * * 7", "end of range (7) above maximum (6): 7"},
           Case{"* * * * fri-mon", "beginning of range (5) beyond end of range (1): fri-mon"},
           Case{"* * * * jan",
                "failed to parse int from jan: strconv.Atoi: parsing \"jan\": invalid syntax"},
           Case{"1-2-3 * * * *", "too many hyphens: 1-2-3"},
           Case{"1/2/3 * * * *", "too many slashes: 1/2/3"},
           Case{"*/0 * * * *", "step of range should be a positive number: */0"},
           Case{"1,99 * * * *", "end of range (99) above maximum (59): 99"},
           Case{"@never", "unrecognized descriptor: @never"},
           Case{"@every x", "failed to parse duration @every x: time: invalid duration \"x\""},
           Case{"TZ=Mars/Base 0 0 * * *",
                "provided bad location Mars/Base: unknown time zone Mars/Base"},
           Case{"TZ=../etc 0 0 * * *", "provided bad location ../etc: time: invalid location name"},
           Case{"TZ=/etc 0 0 * * *", "provided bad location /etc: time: invalid location name"},
           Case{"TZ=UTC ", "expected exactly 5 fields, found 0: []"},
           Case{"TZ=UTC",
                "invalid schedule format: runtime error: slice bounds out of range [:-1]"},
       }) {
    const Result<CronSchedule> schedule = CronSchedule::Parse(text);
    ASSERT_FALSE(schedule.ok()) << text;
    EXPECT_EQ(schedule.error().message(), problem) << text;
  }
  // Nothing between commas is nothing at all, as upstream.
  EXPECT_TRUE(CronSchedule::Parse(", 1,,2 * * *").ok());
}

}  // namespace
}  // namespace podium::api
