#include "runtime/shim/own_root.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

#include "runtime/plan_layout.h"
#include "runtime/shim/syscalls.h"

namespace podium::runtime::shim {
namespace {

constexpr int kDetach = 2;  // MNT_DETACH
constexpr unsigned kAtRecursive = 0x8000;
constexpr uint64_t kPrivate = 1U << 18;  // MS_PRIVATE

struct Device {
  const char* path;
  uint8_t major, minor;
};
constexpr const char* kLabelled[] = {"/empty", "/shm"};
constexpr const char* kFolders[] = {"root", "empty", "dev", "shm", "proc", "sys"};
constexpr Device kDevices[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
                               {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};

// A new tmpfs, detached; or minus errno.
long NewTmpfs(const char* size, const char* inodes, const char* mode, unsigned attributes) {
  const long fs = sys::Fsopen("tmpfs");
  if (fs < 0) return fs;
  const int fd = static_cast<int>(fs);
  long result = sys::Fsconfig(fd, FSCONFIG_SET_STRING, "source", "podium");
  if (result >= 0) result = sys::Fsconfig(fd, FSCONFIG_SET_STRING, "size", size);
  if (result >= 0 && inodes != nullptr) {
    result = sys::Fsconfig(fd, FSCONFIG_SET_STRING, "nr_inodes", inodes);
  }
  if (result >= 0) result = sys::Fsconfig(fd, FSCONFIG_SET_STRING, "mode", mode);
  if (result >= 0) result = sys::Fsconfig(fd, FSCONFIG_CMD_CREATE, nullptr, nullptr);
  if (result >= 0) result = sys::Fsmount(fd, attributes);
  sys::Close(fd);
  return result;
}

long Fill(int root) {
  for (const char* folder : kFolders) {
    const long result = sys::Mkdirat(root, folder, 0755);
    if (result < 0) return result;
  }
  for (const Device& device : kDevices) {
    const long result = sys::Mknodat(root, device.path, sys::kCharacterDevice | 0666,
                                     device.minor | unsigned{device.major} << 8);
    if (result < 0) return result;
  }
  const mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID,
                                .attr_clr = 0,
                                .propagation = 0,
                                .userns_fd = 0};
  return sys::MountSetattr(root, AT_EMPTY_PATH, read_only);
}

// The new root over the old one, then in its place. In an initial ramdisk there is no place to
// pivot from; there the old root stays below, out of reach of all that has no CAP_SYS_ADMIN here.
long Enter(int root) {
  long result = sys::MoveMount(root, AT_FDCWD, "/", 0);
  if (result >= 0) result = sys::Fchdir(root);
  if (result < 0) return result;
  result = sys::PivotRoot(".", ".");
  if (result == -EINVAL) {
    result = sys::Call(__NR_chroot, ".");
  } else if (result >= 0) {
    result = sys::Umount2(".", kDetach);
  }
  return result < 0 ? result : sys::Chdir("/");
}

}  // namespace

int EnterOwnRoot() {
  long result = sys::Unshare(CLONE_NEWNS);
  if (result < 0) return static_cast<int>(-result);
  const mount_attr alone = {.attr_set = 0, .attr_clr = 0, .propagation = kPrivate, .userns_fd = 0};
  const long old_root = sys::Openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC);
  result = old_root < 0
               ? old_root
               : sys::MountSetattr(static_cast<int>(old_root), AT_EMPTY_PATH | kAtRecursive, alone);
  sys::Close(static_cast<int>(old_root));
  if (result < 0) return static_cast<int>(-result);
  const long root = NewTmpfs("64k", "32", "0755", MOUNT_ATTR_NOSUID);
  if (root < 0) return static_cast<int>(-root);
  result = Fill(static_cast<int>(root));
  if (result >= 0) result = Enter(static_cast<int>(root));
  sys::Close(static_cast<int>(root));
  return result < 0 ? static_cast<int>(-result) : 0;
}

int LabelOwnRoot(std::string_view label) {
  const long opened = sys::Openat(AT_FDCWD, "/", O_PATH | O_CLOEXEC);
  if (opened < 0) return static_cast<int>(-opened);
  const int root = static_cast<int>(opened);
  mount_attr change = {
      .attr_set = 0, .attr_clr = MOUNT_ATTR_RDONLY, .propagation = 0, .userns_fd = 0};
  long result = sys::MountSetattr(root, AT_EMPTY_PATH, change);
  // With its NUL, as the kernel gives labels. A name in our own root is what we made.
  const auto set = [&](const char* path) {
    if (result >= 0)
      result = sys::Lsetxattr(path, kSelinuxAttribute, label.data(), label.size() + 1);
  };
  if (result >= 0) result = sys::Fchdir(root);
  for (const char* path : kLabelled) set(path);
  for (const Device& device : kDevices) set(device.path);
  change = {.attr_set = MOUNT_ATTR_RDONLY, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
  const long closed = sys::MountSetattr(root, AT_EMPTY_PATH, change);
  sys::Close(root);
  if (result >= 0) result = closed;
  return result < 0 ? static_cast<int>(-result) : 0;
}

int AttachProc(int mount) {
  const long result = sys::MoveMount(mount, AT_FDCWD, "/proc", 0);
  return result < 0 ? static_cast<int>(-result) : 0;
}

int MountShm(uint64_t bytes) {
  char size[21];
  char* to = size + sizeof(size) - 1;
  *to = '\0';
  do {
    *--to = static_cast<char>('0' + bytes % 10);
    bytes /= 10;
  } while (bytes > 0);
  const long mount =
      NewTmpfs(to, nullptr, "1777", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (mount < 0) return static_cast<int>(-mount);
  const long result = sys::MoveMount(static_cast<int>(mount), AT_FDCWD, "/shm", 0);
  sys::Close(static_cast<int>(mount));
  return result < 0 ? static_cast<int>(-result) : 0;
}

}  // namespace podium::runtime::shim
