// Ending, stopping and watching all processes of one folder. Of this room only.
#pragma once

#include <string>

#include "base/result.h"
#include "linux/cgroup.h"
#include "linux/cgroup_tree.h"

namespace podium::kernel {

// v2: all below too, by cgroup.kill (Linux 5.14). Returns when there is none left.
Result<void> KillUnified(int folder, Deadline deadline);

// Any tree: stops them first where the folder has a freezer of v1, so that none escapes by forking;
// then signals, until there is none left.
Result<void> KillBySignals(int folder, Deadline deadline);

Result<void> FreezeUnified(int folder, Deadline deadline);
// kUnsupported where the folder has no freezer.
Result<void> FreezeV1(int folder, Deadline deadline);

// A file of v2 whose changes wake poll().
Result<CgroupWatch> WatchFile(int folder, const std::string& file);

}  // namespace podium::kernel
