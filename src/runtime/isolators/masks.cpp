// What of /proc and /sys is hidden or read-only. The lists are the configuration's: kubelets send
// the default ones unless procMount is Unmasked, and nothing is added here (as containerd).
#include <linux/magic.h>

#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

// Which file system a path must be on for the step to mean what it says (CVE-2025-31133): with a
// link or another mount in its place nothing is done, and the container does not start.
uint32_t FileSystemOf(const std::string& path) {
  if (path.starts_with("/proc/")) return PROC_SUPER_MAGIC;
  if (path.starts_with("/sys/") && !path.starts_with("/sys/fs/cgroup")) return SYSFS_MAGIC;
  return 0;
}

void AddStep(shim::MountKind kind, const std::string& path, Draft* draft) {
  shim::MountStep step{.kind = kind, .target = path};
  step.file_system = FileSystemOf(path);
  draft->plan.mounts.push_back(std::move(step));
}

}  // namespace

Result<void> PrepareMasks(const ContainerContext& context, Draft* draft) {
  const auto& security = SecurityOf(context.config);
  if (security.readonly_rootfs) draft->plan.flags |= shim::kPlanReadOnlyRoot;
  if (security.privileged) return {};
  for (const auto* paths : {&security.masked_paths, &security.readonly_paths}) {
    for (const std::string& path : *paths) {
      if (!path.starts_with('/')) {
        return Error(Code::kInvalidArgument,
                     "masked or read-only path \"" + path + "\" is not absolute");
      }
    }
  }
  for (const std::string& path : security.readonly_paths) {
    AddStep(shim::MountKind::kReadOnly, path, draft);
  }
  for (const std::string& path : security.masked_paths) {
    AddStep(shim::MountKind::kMask, path, draft);
  }
  return {};
}

}  // namespace podium::runtime
