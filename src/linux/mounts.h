// Mounts as descriptors (open_tree, fsopen, fsmount, move_mount of Linux 5.2, mount_setattr of
// 5.12): a Mount is detached, visible nowhere, until it is attached; dropped, it is unmounted.
// Nothing here mounts by path in a place that others can change.
//
// Threads: any. A Mount is not for two threads at once.
#pragma once

#include <linux/mount.h>  // MOUNT_ATTR_*

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// key and value; an empty value is a flag.
using MountOptions = std::vector<std::pair<std::string, std::string>>;

struct MountAttributes {
  uint64_t set = 0;  // MOUNT_ATTR_*
  uint64_t clear = 0;
  uint64_t propagation = 0;  // 0: as it is; MS_PRIVATE, MS_SLAVE, MS_SHARED
  int user_namespace = -1;   // ids on disk are seen through its mappings (Linux 5.12); -1: as is
  bool recursive = false;
};

class Mount {
 public:
  Mount() = default;

  // What `fd` (O_PATH will do) stands for: a bind mount of a file or folder.
  static Result<Mount> Clone(int fd, bool recursive);
  // A new file system. The kernel's own words about what it does not like are in the error.
  static Result<Mount> New(const std::string& type, const MountOptions& options,
                           uint64_t attributes = 0);

  // One that another call or process has made.
  static Mount Adopt(UniqueFd fd) { return Mount(std::move(fd)); }

  Result<void> SetAttributes(const MountAttributes& attributes);
  // On top of `place`, a folder or file as the mounted thing is.
  Result<void> Attach(int place);

  // A folder or file like any other, to open below and so on; to be sent to another process, too.
  int fd() const { return fd_.get(); }
  UniqueFd Release() && { return std::move(fd_); }
  explicit operator bool() const { return static_cast<bool>(fd_); }

 private:
  explicit Mount(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// A container's root: layers below, a writable one on top.
struct Overlay {
  std::vector<int> layers;  // folders, the lowest first; at least one
  // Holds the folders "upper" and "work", the latter empty; -1: the whole is read-only.
  int writable = -1;
  // Nothing is synced to disk, not even by fsync, and after a crash of the machine the upper layer
  // is not used again (Linux 5.10).
  bool is_volatile = false;
  // As seen through this user namespace's mappings; -1: as they are. Linux 5.19.
  int user_namespace = -1;
  // SELinux: all files of it have this label, whatever the layers say. "": what they say.
  std::string context = {};
};

enum class OverlayMethod {
  kAny,
  kDescriptors,  // fsconfig, one lower layer at a time: Linux 6.7
  // mount(2) in a mount namespace of a thread's own, with layers named /proc/self/fd/N: a page of
  // options holds more than two hundred. Needs a folder /sys to work in; it stays as it is.
  kThread,
};

Result<Mount> MountOverlay(const Overlay& overlay, OverlayMethod method = OverlayMethod::kAny);

// Unmounts what is at the path, if anything, lazily; links are not followed.
Result<void> Unmount(const std::string& path);
// Unmounts, lazily and the newest first, all that is mounted below the folder at `path` in this
// mount namespace; what is mounted on the folder itself stays. Whoever may write there may name and
// move what is inside: each mount is opened without following a link, and the one that was opened
// goes, no other. No error where there is no such folder.
Result<void> UnmountBelow(const std::string& path);

// A path as mountinfo has it ("/a\040b"), as it is.
std::string PlainMountPath(std::string_view text);

}  // namespace podium::kernel
