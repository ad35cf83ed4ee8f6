// How objects are deleted, as options say it: of delete, and of apply, which deletes with --prune
// and --force (upstream's k8s.io/kubectl/pkg/cmd/delete/delete_flags.go).
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.h"
#include "cli/command.h"
#include "cli/server_writes.h"

namespace podium::cli {

inline constexpr Option kCascadeOption = {
    .name = "cascade",
    .value = "HOW",
    .help =
        "what becomes of the objects that a deleted one owns: background (they go after it), "
        "foreground (before it) or orphan (they stay)",
    .implied = "background"};

// --cascade; "Background", "Foreground" or "Orphan".
Result<const char*> PropagationOf(const Invocation& invocation, const Streams& streams);
// --grace-period; -1 where it says none.
Result<int64_t> GracePeriodOf(const Invocation& invocation);
// --timeout; a week where it says none.
Result<std::chrono::nanoseconds> DeletionTimeoutOf(const Invocation& invocation);

}  // namespace podium::cli
