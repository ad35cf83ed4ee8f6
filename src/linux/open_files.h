// How many files this process may have open. Shells and init systems begin with 1,024, which is
// for programs that use select(2): an agent or a server needs more, and what they start does not.
// (Go's programs do the same.)
//
// Threads: any.
#pragma once

#include <sys/types.h>

namespace podium::kernel {

// From now on as many as it ever may: the soft limit becomes the hard one.
void RaiseOpenFiles();

// Gives a child that was just started, and not reaped, the soft limit that this process had before
// it was raised. Spawn does so; a program may begin before it has happened.
void RestoreOpenFiles(pid_t child);

}  // namespace podium::kernel
