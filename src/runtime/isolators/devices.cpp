// /dev: the nodes that every container has, those that the configuration names, and for the
// privileged all that the machine has. Permission to use them is the cgroup's (cgroups.cpp).
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "linux/path.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

constexpr uint32_t kNodeMode = 0666;
constexpr int kMaxDepth = 8;

struct Node {
  const char* name;
  uint32_t major;
  uint32_t minor;
};
constexpr Node kNodes[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                           {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

struct Link {
  const char* name;
  const char* content;
};
constexpr Link kLinks[] = {{"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
                           {"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
                           {"/dev/ptmx", "pts/ptmx"},          {"/dev/core", "/proc/kcore"}};

// What every container's /dev has of its own, and what runc leaves out with it.
bool IsMadeAnyway(std::string_view name) {
  constexpr std::string_view kOthers[] = {"pts",  "shm",  "mqueue",      "console",
                                          "ptmx", ".lxc", ".lxd-mounts", ".udev"};
  return std::ranges::find(kOthers, name) != std::end(kOthers) ||
         std::ranges::any_of(kNodes, [&](const Node& node) {
           return name == std::string_view(node.name).substr(std::string_view("/dev/").size());
         });
}

shim::MountStep NodeStep(const std::string& path, const struct stat& status) {
  shim::MountStep step{.kind = shim::MountKind::kDevice, .target = path};
  step.flags = shim::kMountMakeTarget;
  step.mode = status.st_mode;
  step.uid = status.st_uid;
  step.gid = status.st_gid;
  step.major = major(status.st_rdev);
  step.minor = minor(status.st_rdev);
  return step;
}

// One device of the host under the container's name.
Result<void> AddDevice(const ContainerContext& context, int fd, const std::string& path,
                       const std::string& permissions, Draft* draft) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return Error::FromErrno(errno, path);
  if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return Error(Code::kInvalidArgument, "not a device node: " + path);
  }
  if (context.user_namespace >= 0 || !context.host.limits_devices) {
    // A user namespace cannot make nodes, but may use those it is given; and where a root shows no
    // devices, what is mounted on it may be one.
    TRY(kernel::Mount mount, kernel::Mount::Clone(fd, false));
    shim::MountStep step{.kind = shim::MountKind::kAttach, .target = path};
    step.flags = shim::kMountMakeTarget;
    step.descriptor = draft->Add(std::move(mount).Release());
    draft->device_steps.push_back(std::move(step));
  } else {
    draft->device_steps.push_back(NodeStep(path, status));
  }
  if (!draft->limits.devices) draft->limits.devices.emplace();
  draft->limits.devices->push_back({.allow = true,
                                    .type = S_ISCHR(status.st_mode) ? 'c' : 'b',
                                    .major = static_cast<int64_t>(major(status.st_rdev)),
                                    .minor = static_cast<int64_t>(minor(status.st_rdev)),
                                    .access = permissions});
  return {};
}

Result<std::string> CheckPermissions(const std::string& permissions) {
  if (permissions.empty()) return std::string("rwm");
  if (permissions.find_first_not_of("rwm") != std::string::npos) {
    return Error(Code::kInvalidArgument, "invalid device permissions \"" + permissions + '"');
  }
  return permissions;
}

// A folder stands for the devices in it, at any depth.
Result<void> AddFolder(const ContainerContext& context, int folder, const std::string& path,
                       const std::string& permissions, int depth, Draft* draft) {
  if (depth > kMaxDepth) return {};
  TRY(const std::vector<std::string> names, kernel::ListFolder(folder));
  for (const std::string& name : names) {
    if (depth == 0 && IsMadeAnyway(name)) continue;
    struct stat status{};
    if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const bool is_folder = S_ISDIR(status.st_mode);
    if (!is_folder && !S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) continue;
    const std::string inside = std::string(path).append("/").append(name);
    const auto fd =
        kernel::OpenWithoutLinks(folder, name, is_folder ? O_RDONLY | O_DIRECTORY : O_PATH);
    if (!fd.ok()) continue;  // gone since it was listed
    if (is_folder) {
      TRY_VOID(AddFolder(context, fd->get(), inside, permissions, depth + 1, draft));
    } else {
      TRY_VOID(AddDevice(context, fd->get(), inside, permissions, draft));
    }
  }
  return {};
}

Result<void> AddConfigured(const ContainerContext& context, const cri::Device& device,
                           Draft* draft) {
  if (!device.container_path.starts_with('/')) {
    return Error(Code::kInvalidArgument,
                 "device path \"" + device.container_path + "\" is not absolute");
  }
  TRY(const std::string permissions, CheckPermissions(device.permissions));
  TRY(const UniqueFd fd, kernel::OpenPath(device.host_path, O_PATH));
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return Error::FromErrno(errno, device.host_path);
  if (!S_ISDIR(status.st_mode)) {
    return AddDevice(context, fd.get(), device.container_path, permissions, draft);
  }
  TRY(const UniqueFd folder, kernel::Reopen(fd.get(), O_RDONLY | O_DIRECTORY));
  return AddFolder(context, folder.get(), device.container_path, permissions, 1, draft);
}

}  // namespace

Result<void> PrepareDevices(const ContainerContext& context, Draft* draft) {
  const bool privileged = SecurityOf(context.config).privileged;
  for (const Node& node : kNodes) {
    struct stat status{};
    status.st_mode = S_IFCHR | kNodeMode;
    status.st_rdev = makedev(node.major, node.minor);
    draft->device_steps.push_back(NodeStep(node.name, status));
  }
  for (const Link& link : kLinks) {
    draft->device_steps.push_back(
        {.kind = shim::MountKind::kSymlink, .target = link.name, .source = link.content});
  }
  if (privileged) {
    TRY(const UniqueFd dev, kernel::OpenPath("/dev", O_RDONLY | O_DIRECTORY));
    TRY_VOID(AddFolder(context, dev.get(), "/dev", "rwm", 0, draft));
  }
  for (const cri::Device& device : context.config.devices) {
    TRY_VOID(AddConfigured(context, device, draft));
  }
  return {};
}

}  // namespace podium::runtime
