// The names of the IANA time zone database, as CronJobs use them.
//
// Upstream's servers carry the database with them (Go's time/tzdata) and know its names whatever
// the host has installed. So do we: the names of release 2025b, aliases included.
#pragma once

#include <string_view>

#include "base/result.h"

namespace podium::api {

// Whether Go's time.LoadLocation finds a zone: Europe/Zurich, UTC, EST5EDT; upper and lower case
// matter. "" and Local are found as well, being no names of the database but Go's own. An error is
// kInvalidArgument in Go's words.
Result<void> CheckLocation(std::string_view name);

}  // namespace podium::api
