#include "api/time_zones.h"

#include <gtest/gtest.h>

namespace podium::api {
namespace {

TEST(TimeZones, Known) {
  for (const char* name :
       {"UTC", "GMT+0", "EST5EDT", "Factory", "CET", "Zulu", "Africa/Abidjan", "Europe/Zurich",
        "America/Argentina/Buenos_Aires", "America/North_Dakota/New_Salem", "Asia/Kolkata",
        "Asia/Calcutta", "Etc/GMT-14", "US/Pacific", "Pacific/Wallis"}) {
    EXPECT_TRUE(IsTimeZone(name)) << name;
  }
}

TEST(TimeZones, Unknown) {
  for (const char* name :
       {"", "utc", "Europe", "Europe/", "/Europe", "europe/zurich", "Europe/Zur", "Europe/urich",
        "Europe/Zurich ", "Europe/Zurich Volgograd", "America/Argentina", "Mars/Base", "Local",
        "Zurich", "UTC/UTC", "America/Argentina/Buenos", " ", "Etc/ GMT"}) {
    EXPECT_FALSE(IsTimeZone(name)) << name;
  }
}

}  // namespace
}  // namespace podium::api
