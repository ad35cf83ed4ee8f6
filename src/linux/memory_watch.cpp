#include "linux/memory_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "linux/cgroup_files.h"
#include "linux/cgroup_mounts.h"
#include "linux/path.h"

namespace podium::kernel {
namespace {

constexpr const char* kUsage = "memory.usage_in_bytes";
// Somebody has waited for a tenth of a second, of two: the shortest window that needs no privilege
// is two seconds.
constexpr std::string_view kStall = "some 100000 2000000";

Result<UniqueFd> OpenIn(const CgroupMount& mount, std::string_view path) {
  TRY(const UniqueFd top, OpenCgroupMount(mount));
  return OpenCgroup(top.get(), std::string(path));
}

Result<MemoryWatch> WatchMark(int folder, uint64_t growth) {
  const auto usage = ReadCgroupNumber(folder, kUsage);
  if (!usage) return Error(Code::kUnsupported, "the kernel does not say how much is used");
  UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return Error::FromErrno(errno, "eventfd");
  TRY(const UniqueFd file, OpenCgroupFile(folder, kUsage, O_RDONLY));
  // The mark goes with the eventfd.
  TRY_VOID(WriteCgroupFile(folder, "cgroup.event_control",
                           std::to_string(event.get()) + " " + std::to_string(file.get()) + " " +
                               std::to_string(*usage + growth)));
  return MemoryWatch{.watch = {.fd = std::move(event), .events = POLLIN}, .lasting = false};
}

Result<MemoryWatch> WatchStalls(UniqueFd file) {
  // With its final NUL, as the kernel wants it.
  const std::string text(kStall);
  if (write(file.get(), text.c_str(), text.size() + 1) < 0) {
    return Error::FromErrno(errno, "memory.pressure");
  }
  return MemoryWatch{.watch = {.fd = std::move(file), .events = POLLPRI}, .lasting = true};
}

}  // namespace

Result<MemoryWatch> WatchMemoryGrowth(std::string_view path, uint64_t growth) {
  TRY(const auto mounts, CgroupMounts());
  const auto v1 = std::ranges::find_if(mounts, [](const CgroupMount& mount) {
    return std::ranges::find(mount.controllers, "memory") != mount.controllers.end();
  });
  if (v1 != mounts.end()) {
    TRY(const UniqueFd folder, OpenIn(*v1, path));
    return WatchMark(folder.get(), growth);
  }
  if (path.empty()) {
    TRY(UniqueFd file, OpenPath("/proc/pressure/memory", O_RDWR | O_NONBLOCK));
    return WatchStalls(std::move(file));
  }
  const auto v2 = std::ranges::find_if(mounts, &CgroupMount::unified);
  if (v2 == mounts.end()) return Error(Code::kUnsupported, "there are no cgroups");
  TRY(const UniqueFd folder, OpenIn(*v2, path));
  TRY(UniqueFd file, OpenCgroupFile(folder.get(), "memory.pressure", O_RDWR | O_NONBLOCK));
  return WatchStalls(std::move(file));
}

}  // namespace podium::kernel
