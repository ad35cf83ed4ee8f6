// How objects are deleted, as options say it: of delete, and of apply, which deletes with --prune
// and --force (upstream's k8s.io/kubectl/pkg/cmd/delete/delete_flags.go).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

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

inline constexpr Option kGracePeriodOption = {
    .name = "grace-period",
    .value = "SECONDS",
    .help = "time that a pod has to end; its own if not given, 0 only with --force"};
inline constexpr Option kForceOption = {
    .name = "force",
    .help = "take pods out of the API at once, whether or not their processes have ended"};

// --cascade; "Background", "Foreground" or "Orphan".
Result<const char*> PropagationOf(const Invocation& invocation, const Streams& streams);
// --grace-period; -1 where it says none.
Result<int64_t> GracePeriodOf(const Invocation& invocation);
// --timeout; a week where it says none.
Result<std::chrono::nanoseconds> DeletionTimeoutOf(const Invocation& invocation);

// What delete and run ask a server for, by --grace-period, --force and --now; none is the objects'
// own.
Result<std::optional<int64_t>> DeletionGraceOf(const Invocation& invocation);

// Deletes it, and keeps in item->object which one it was, for a Waiter that waits until it is gone;
// nothing of it where that failed: then any of its name is meant.
Result<void> DeleteNoted(Writer& writer, const Deletion& deletion, Selected* item);
// `pod "web" deleted`, as a line.
std::string DeletionLine(const Selected& item, const Deletion& deletion, DryRun dry_run);

}  // namespace podium::cli
