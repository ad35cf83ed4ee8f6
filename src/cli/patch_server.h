// kubectl patch of a server's objects (upstream's k8s.io/kubectl/pkg/cmd/patch, release 1.32). The
// messages are upstream's.
#pragma once

#include "cli/command.h"

namespace podium::cli {

Outcome PatchOnServer(const Invocation& invocation, const Streams& streams);

}  // namespace podium::cli
