// The names of the IANA time zone database, as CronJobs use them.
//
// Upstream's servers carry the database with them (Go's time/tzdata) and know its names whatever
// the host has installed. So do we: the names of release 2025b, aliases included.
#pragma once

#include <string_view>

namespace podium::api {

// Europe/Zurich, UTC, EST5EDT; upper and lower case matter.
bool IsTimeZone(std::string_view name);

}  // namespace podium::api
