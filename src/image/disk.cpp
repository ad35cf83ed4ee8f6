#include "image/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.h"
#include "linux/path.h"

namespace podium::image {
namespace {

Error Failed(const std::string& what) { return Error::FromErrno(errno, what); }

}  // namespace

Result<void> MakePrivateFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return Failed("making " + path);
}

Result<void> SyncFolder(const std::string& path) {
  const UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fsync(folder.get()) != 0) return Failed("writing " + path + " to disk");
  return {};
}

Result<void> ReplaceFile(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  const UniqueFd file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return Failed("opening " + temporary);
  TRY_VOID(kernel::WriteAll(file.get(), bytes));
  if (fsync(file.get()) != 0) return Failed("writing " + temporary + " to disk");
  if (rename(temporary.c_str(), path.c_str()) != 0) return Failed("renaming to " + path);
  return SyncFolder(path.substr(0, path.rfind('/')));
}

Result<DiskSpace> SpaceOf(const std::string& path) {
  struct statvfs status{};
  if (statvfs(path.c_str(), &status) != 0) return Failed(path);
  DiskSpace space;
  space.capacity_bytes = uint64_t{status.f_blocks} * status.f_frsize;
  space.available_bytes = uint64_t{status.f_bavail} * status.f_frsize;
  space.inodes = status.f_files;
  space.inodes_free = status.f_ffree;
  return space;
}

}  // namespace podium::image
