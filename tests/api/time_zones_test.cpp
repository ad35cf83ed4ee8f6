#include "api/time_zones.h"

#include <gtest/gtest.h>

namespace podium::api {
namespace {

TEST(TimeZones, Known) {
  for (const char* name :
       {"UTC", "GMT+0", "EST5EDT", "Factory", "CET", "Zulu", "Africa/Abidjan", "Europe/Zurich",
        "America/Argentina/Buenos_Aires", "America/North_Dakota/New_Salem", "Asia/Kolkata",
        "Asia/Calcutta", "Etc/GMT-14", "US/Pacific", "Pacific/Wallis", "", "Local"}) {
    EXPECT_TRUE(CheckLocation(name).ok()) << name;
  }
}

TEST(TimeZones, Unknown) {
  for (const char* name :
       {"utc", "Europe", "Europe/", "europe/zurich", "Europe/Zur", "Europe/urich", "Europe/Zurich ",
        "Europe/Zurich Volgograd", "America/Argentina", "Mars/Base", "Zurich", "UTC/UTC",
        "America/Argentina/Buenos", " ", "Etc/ GMT"}) {
    const Result<void> found = CheckLocation(name);
    ASSERT_FALSE(found.ok()) << name;
    EXPECT_EQ(found.error().message(), "unknown time zone " + std::string(name));
  }
}

// Names that could lead out of the database are not looked up.
TEST(TimeZones, NoNames) {
  for (const char* name :
       {"/Europe/Zurich", "\\Europe", "..", "../etc", "Europe/..", "Europe/A..B"}) {
    const Result<void> found = CheckLocation(name);
    ASSERT_FALSE(found.ok()) << name;
    EXPECT_EQ(found.error().message(), "time: invalid location name");
  }
}

}  // namespace
}  // namespace podium::api
