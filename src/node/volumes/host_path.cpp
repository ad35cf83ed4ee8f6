#include "node/volumes/host_path.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "linux/path.h"

namespace podium::node {
namespace {

constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0644;

struct HostPathType {
  std::string_view name;
  mode_t format;  // S_IF*
  const char* not_one;
};
constexpr HostPathType kTypes[] = {
    {"DirectoryOrCreate", S_IFDIR, "is not a directory"},
    {"Directory", S_IFDIR, "is not a directory"},
    {"FileOrCreate", S_IFREG, "is not a file"},
    {"File", S_IFREG, "is not a file"},
    {"Socket", S_IFSOCK, "is not a socket file"},
    {"CharDevice", S_IFCHR, "is not a character device"},
    {"BlockDevice", S_IFBLK, "is not a block device"},
};

bool IsMissing(const Error& error) { return error.os_errno() == ENOENT; }

Result<UniqueFd> MakeFile(const std::string& path) {
  // Another may make it first, which is as good.
  auto made = kernel::OpenPath(path, O_WRONLY | O_CREAT, kFileMode);
  if (!made.ok()) return std::move(made).error();
  return kernel::OpenPath(path, O_PATH);
}

bool GoesUp(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..") ||
         path.find("/../") != std::string_view::npos;
}

}  // namespace

Result<UniqueFd> OpenHostPath(const v1::HostPathVolumeSource& source) {
  const std::string& path = source.path;
  if (GoesUp(path)) {
    return Error(Code::kInvalidArgument, "invalid HostPath `" + path + "`: must not contain '..'");
  }
  const std::string type = source.type.value_or("");
  auto found = kernel::OpenPath(path, O_PATH);
  if (!found.ok() && IsMissing(found.error())) {
    if (type.empty() || type == "DirectoryOrCreate") {
      return kernel::MakeFolders(path, kFolderMode);
    }
    if (type == "FileOrCreate") return MakeFile(path);
  }
  if (type.empty()) return found;
  for (const HostPathType& each : kTypes) {
    if (each.name != type) continue;
    struct stat status{};
    if (found.ok() && fstat(found->get(), &status) == 0 &&
        (status.st_mode & S_IFMT) == each.format) {
      return found;
    }
    return Error(Code::kInvalidArgument,
                 "hostPath type check failed: " + path + " " + each.not_one);
  }
  return Error(Code::kInvalidArgument, type + " is an invalid volume type");
}

}  // namespace podium::node
