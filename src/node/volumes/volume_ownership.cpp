#include "node/volumes/volume_ownership.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "linux/path.h"

namespace podium::node {
namespace {

constexpr mode_t kFileMode = 0660;
constexpr mode_t kFolderMode = S_ISGID | 0770;

Error Failed(const char* what) { return Error::FromErrno(errno, what); }

// `fd`: O_PATH.
Result<void> GiveOne(int fd, const struct stat& status, gid_t group) {
  if (fchownat(fd, "", static_cast<uid_t>(-1), group, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
    return Failed("changing the group of a file of the volume");
  }
  if (S_ISLNK(status.st_mode)) return {};
  const mode_t more = S_ISDIR(status.st_mode) ? kFolderMode : kFileMode;
  // By the descriptor: the name may mean something else by now.
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (chmod(path.c_str(), (status.st_mode & 07777) | more) != 0) {
    return Failed("changing the mode of a file of the volume");
  }
  return {};
}

// A descriptor for each level: deeper than the process may have is an error.
Result<void> GiveTree(int fd, gid_t group) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return Failed("looking at a file of the volume");
  if (S_ISDIR(status.st_mode)) {
    TRY(const UniqueFd folder, kernel::Reopen(fd, O_RDONLY | O_DIRECTORY));
    TRY(const auto names, kernel::ListFolder(folder.get()));
    for (const std::string& name : names) {
      const UniqueFd one(openat(folder.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      if (!one && errno == ENOENT) continue;
      if (!one) return Failed("opening a file of the volume");
      TRY_VOID(GiveTree(one.get(), group));
    }
  }
  return GiveOne(fd, status, group);
}

bool IsOfGroup(const struct stat& status, gid_t group) {
  return status.st_gid == group && S_ISDIR(status.st_mode) &&
         (status.st_mode & kFolderMode) == kFolderMode;
}

}  // namespace

Result<void> GiveToGroup(int folder, int64_t group, GroupChangePolicy policy) {
  const auto gid = static_cast<gid_t>(group);
  if (policy == GroupChangePolicy::kOnRootMismatch) {
    struct stat status{};
    if (fstat(folder, &status) != 0) return Failed("looking at the volume");
    if (IsOfGroup(status, gid)) return {};
  }
  return GiveTree(folder, gid);
}

}  // namespace podium::node
