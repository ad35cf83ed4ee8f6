// Paths that others may change while they are used, and files that must be whole.
//
// A path from an image, a volume or a container is resolved once, by the kernel, into a descriptor
// (openat2 of Linux 5.6), and only the descriptor is used from then on: nothing is checked by name
// and used by name (CVE-2017-1002101, CVE-2021-25741, CVE-2021-30465). Links of /proc (fd/N, root,
// cwd) are never followed, because they lead out of everything (CVE-2024-21626).
//
// Threads: any. Descriptors returned are close-on-exec.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// By name, as the process sees it; for paths that belong to us or to the administrator.
Result<UniqueFd> OpenPath(const std::string& path, int flags, mode_t mode = 0);

// As a process whose root is `root` would: absolute links and ".." stay inside. A mount inside is
// crossed.
Result<UniqueFd> OpenInRoot(int root, const std::string& path, int flags, mode_t mode = 0);

// `path` is relative; a link or ".." that leaves `folder` is kPermissionDenied (EXDEV), one inside
// is followed.
Result<UniqueFd> OpenBeneath(int folder, const std::string& path, int flags, mode_t mode = 0);

// As OpenBeneath, and no component may be a link at all (ELOOP).
Result<UniqueFd> OpenWithoutLinks(int folder, const std::string& path, int flags, mode_t mode = 0);

// The same file as `fd`, opened anew: turns an O_PATH descriptor into one to read from. Needs
// /proc.
Result<UniqueFd> Reopen(int fd, int flags);

// The folder at `path`, made with those above it where they are missing. For our own paths.
Result<UniqueFd> MakeFolders(const std::string& path, mode_t mode);
// The folder `path` as a process in `root` would see it; what is missing is made, inside, with the
// mode and owner given.
Result<UniqueFd> MakeFoldersInRoot(int root, const std::string& path, mode_t mode, uid_t uid,
                                   gid_t gid);

// kResourceExhausted when it is larger than `max_size`. `folder` may be AT_FDCWD.
Result<std::string> ReadFile(int folder, const std::string& path, size_t max_size);
Result<std::string> ReadDescriptor(int fd, size_t max_size);
Result<void> WriteAll(int fd, std::string_view bytes);

// The file has the old or the new content at any moment, also for who comes after kill -9. It is
// not fsynced: what is kept over a crash of the machine has more to do.
Result<void> ReplaceFile(int folder, const std::string& name, std::string_view bytes, mode_t mode);

// The names in a folder, "." and ".." left out, sorted.
Result<std::vector<std::string>> ListFolder(int folder);

// Removes `name` and all below it. Links are removed, never followed; what is on another file
// system is not entered and makes it fail (EXDEV, or EBUSY for a mount). No error where there is
// nothing. Takes any depth, with two descriptors: containers make trees that no path could name.
// `go_on`, if there is one, is asked before every entry: kCancelled as soon as it says no.
using GoOn = std::function<bool()>;
Result<void> RemoveTree(int folder, const std::string& name, const GoOn& go_on = {});
// The same of all that is in the folder, which itself stays.
Result<void> RemoveContents(int folder);

// Below `folder` (bytes as allocated, and inodes), without crossing file systems. What vanishes
// meanwhile is not counted.
struct TreeUsage {
  uint64_t bytes = 0;
  uint64_t inodes = 0;
};
Result<TreeUsage> UsageOf(int folder);

// f_type of statfs(2): PROC_SUPER_MAGIC and so on.
Result<int64_t> FileSystemType(int fd);

}  // namespace podium::kernel
