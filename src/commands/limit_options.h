// Options about what pods may use without having asked for it: processes, swap, and memory that is
// near. A kubelet has some of them in its configuration alone (memorySwap.swapBehavior,
// failSwapOn).
#pragma once

#include <span>

#include "base/result.h"
#include "cli/command.h"
#include "commands/node_options.h"

namespace podium::commands {

// --pod-max-pids, --memory-swap-behavior, --fail-swap-on, --memory-manager-policy,
// --topology-manager-policy.
std::span<const cli::Option> LimitOptionTable();

// kInvalidArgument; kUnsupported for what is not offered.
Result<void> ReadLimitOptions(const cli::Invocation& invocation, NodeOptions* options);

}  // namespace podium::commands
