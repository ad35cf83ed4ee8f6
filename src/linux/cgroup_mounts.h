// Where the trees of cgroups are mounted. Of this room only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

struct CgroupMount {
  std::string path;
  bool unified = false;                  // v2
  std::vector<std::string> controllers;  // v1: what the tree is for; empty for a named one
};

// The cgroup mounts of a mountinfo file (proc_pid_mountinfo(5)), in its order. Each controller of
// v1 once, and v2 once: what is mounted again later is left out.
std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo);

// Those of this process.
Result<std::vector<CgroupMount>> CgroupMounts();

// Opens the top folder of a mount. kNotFound where something else stands there: it is mounted over.
Result<UniqueFd> OpenCgroupMount(const CgroupMount& mount);

}  // namespace podium::kernel
