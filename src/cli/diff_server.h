// kubectl diff (upstream's k8s.io/kubectl/pkg/cmd/diff, release 1.32): what apply would change, as
// a server says that tries it; shown by diff(1), or by the program in KUBECTL_EXTERNAL_DIFF. The
// messages are upstream's.
#pragma once

#include "cli/command.h"

namespace podium::cli {

// The status is that of the program: 1 says that there are differences; errors have 2.
Outcome DiffWithServer(const Invocation& invocation, const Streams& streams);

}  // namespace podium::cli
