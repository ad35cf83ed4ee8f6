// The agent as a process of its own: how a command finds it, and starts one where there is none.
#pragma once

#include "base/instance.h"
#include "base/result.h"

namespace podium::commands {

// What `podium agent` hears from who starts it.
inline constexpr char kReadyOption[] = "ready-fd";
inline constexpr char kUntilIdleOption[] = "until-idle";

// Returns when an agent of this instance serves its socket: the one that is there, or one that is
// started, in a session of its own, and lives until no pod is left. What it says goes to
// RUN/agent.log; the end of that is the error's message when it does not come up.
Result<void> EnsureAgent(const Instance& instance);

}  // namespace podium::commands
