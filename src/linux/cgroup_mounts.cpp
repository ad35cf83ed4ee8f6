#include "linux/cgroup_mounts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "linux/cgroup_files.h"
#include "linux/mounts.h"

namespace podium::kernel {
namespace {

// The controllers of v1 that are used here; net_cls, perf_event and others limit nothing of ours.
constexpr std::array<std::string_view, 9> kControllers = {
    "blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory", "pids"};

std::vector<std::string> ControllersOf(std::string_view options, std::set<std::string>* taken) {
  std::vector<std::string> controllers;
  while (!options.empty()) {
    const size_t end = std::min(options.find(','), options.size());
    const std::string_view option = options.substr(0, end);
    if (std::ranges::find(kControllers, option) != kControllers.end() &&
        taken->insert(std::string(option)).second) {
      controllers.emplace_back(option);
    }
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return controllers;
}

}  // namespace

std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo) {
  // "31 23 0:28 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct": the
  // fields before the dash vary in number.
  constexpr size_t kPathField = 4;
  std::vector<CgroupMount> mounts;
  std::set<std::string> taken;
  bool unified = false;
  for (const std::string_view line : CgroupLines(mountinfo)) {
    const std::vector<std::string_view> fields = CgroupWords(line);
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() <= kPathField || fields.end() - dash < 4) continue;
    CgroupMount mount{
        .path = PlainMountPath(fields[kPathField]), .unified = false, .controllers = {}};
    if (dash[1] == "cgroup2" && !unified) {
      unified = mount.unified = true;
    } else if (dash[1] == "cgroup") {
      mount.controllers = ControllersOf(dash[3], &taken);
      if (mount.controllers.empty()) continue;
    } else {
      continue;
    }
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Result<std::vector<CgroupMount>> CgroupMounts() {
  TRY(const std::string text, ReadCgroupFile(AT_FDCWD, "/proc/self/mountinfo"));
  return ParseCgroupMounts(text);
}

Result<UniqueFd> OpenCgroupMount(const CgroupMount& mount) {
  UniqueFd folder(open(mount.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct statfs status{};
  if (!folder || fstatfs(folder.get(), &status) != 0) {
    return Error::FromErrno(errno, "opening " + mount.path);
  }
  const auto expected = mount.unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC;
  if (status.f_type != expected) {
    return Error(Code::kNotFound, "no cgroups at " + mount.path + ": it is mounted over");
  }
  return folder;
}

}  // namespace podium::kernel
