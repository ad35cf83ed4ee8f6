// Options about the end of the machine: how long its pods may take. Named after the fields of a
// kubelet's configuration (release 1.36), which has them in its file alone, with its words where
// one is wrong.
#pragma once

#include <span>

#include "base/result.h"
#include "cli/command.h"
#include "node/shutdown/shutdown_groups.h"

namespace podium::commands {

// --shutdown-grace-period, --shutdown-grace-period-critical-pods,
// --shutdown-grace-period-by-pod-priority.
std::span<const cli::Option> ShutdownOptionTable();

// Empty where none is given. kInvalidArgument.
Result<node::ShutdownGraces> ReadShutdownGraces(const cli::Invocation& invocation);

}  // namespace podium::commands
