// One mounted tree of cgroups: folders made, opened and removed in it. Of this room only.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "linux/cgroup_controllers.h"

namespace podium::kernel {

using Deadline = std::chrono::steady_clock::time_point;

class CgroupTree {
 public:
  // Paths begin at the mount.
  bool whole() const { return root_.empty(); }
  // `root`: the segments of the folder that everything is below. v1: `controllers` are those of the
  // tree. v2: those that it offers.
  CgroupTree(UniqueFd mount, bool unified, std::vector<std::string> root,
             std::vector<std::string> controllers)
      : mount_(std::move(mount)),
        unified_(unified),
        root_(std::move(root)),
        controllers_(std::move(controllers)) {}

  bool unified() const { return unified_; }
  bool Has(std::string_view controller) const;

  // Makes the folder and those above it; v2: with the controllers switched on above it, v1: with
  // processors and memory nodes for each new one. True if the last one was not there.
  Result<bool> Make(std::span<const std::string> path) const;

  // kNotFound.
  Result<UniqueFd> Open(std::span<const std::string> path) const;
  // The nearest one above that is there, if it is not itself; not above the root. kNotFound.
  Result<UniqueFd> OpenNearest(std::span<const std::string> path) const;

  // Removes the folder and all below it. Waits for processes that are still leaving.
  // `had_processes`: whether the folder itself ever had one; those below may have.
  Result<void> Remove(std::span<const std::string> path, bool had_processes,
                      Deadline deadline) const;
  // Removes the folder alone, if nothing is in it.
  void RemoveEmpty(std::span<const std::string> path) const;

  // Puts the processes of `from`, a folder of another tree, into this tree's folder of the same
  // path, and those below into folders of the same names.
  Result<void> Adopt(std::span<const std::string> path, int from) const;

 private:
  std::string Path(std::span<const std::string> path) const;
  Result<void> Prepare(int parent) const;
  bool OffersAll(int parent) const;
  // As Make; nothing when the folders above are not as they should be.
  Result<std::optional<bool>> MakeLast(std::span<const std::string> path) const;

  UniqueFd mount_;
  bool unified_;
  std::vector<std::string> root_;
  std::vector<std::string> controllers_;
};

// The processes of a folder and of all below it.
Result<std::vector<pid_t>> ProcessesBelow(int folder);

// Waits a moment, a longer one each time (1 to 20 ms). False when the deadline is over.
class Patience {
 public:
  explicit Patience(Deadline deadline) : deadline_(deadline) {}
  bool Wait();

 private:
  Deadline deadline_;
  std::chrono::milliseconds pause_{1};
};

}  // namespace podium::kernel
