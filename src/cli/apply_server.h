// kubectl apply against a server (upstream's k8s.io/kubectl/pkg/cmd/apply, release 1.32): by the
// server (--server-side), or by three-way patches of what was applied last, which stands in an
// annotation. The messages are upstream's.
#pragma once

#include <span>

#include "cli/command.h"

namespace podium::cli {

Outcome ApplyToServer(const Invocation& invocation, const Streams& streams);

// apply view-last-applied, set-last-applied, edit-last-applied.
std::span<const Command> LastAppliedCommands();

}  // namespace podium::cli
