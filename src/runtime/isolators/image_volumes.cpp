// VOLUMEs of an image that nobody mounts something at: a folder of the container's own with a copy
// of what the image has there, as containerd does. The image's path is resolved in its root
// (CVE-2022-23648): "/../../etc" is the image's own /etc.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "linux/path.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

constexpr int kMaxDepth = 256;
constexpr size_t kBufferSize = size_t{128} << 10;
constexpr size_t kMaxAttributes = 65536;

Result<void> CopyOwner(int target, const struct stat& status) {
  if (fchown(target, status.st_uid, status.st_gid) != 0 ||
      fchmod(target, status.st_mode & 07777) != 0) {
    return Error::FromErrno(errno, "copying an owner");
  }
  return {};
}

// Capabilities of files and the like. What a file system does not have is not missed.
void CopyAttributes(int source, int target) {
  std::string names(kMaxAttributes, '\0');
  const ssize_t size = flistxattr(source, names.data(), names.size());
  if (size <= 0) return;
  std::string value(kMaxAttributes, '\0');
  for (const char* name = names.data(); name < names.data() + size;
       name += std::char_traits<char>::length(name) + 1) {
    const std::string_view attribute = name;
    // What the overlay shows as a label is the container's, and is set at its mount.
    if (attribute.starts_with("trusted.overlay.") || attribute == shim::kSelinuxAttribute) continue;
    const ssize_t count = fgetxattr(source, name, value.data(), value.size());
    if (count >= 0) fsetxattr(target, name, value.data(), static_cast<size_t>(count), 0);
  }
}

Result<void> CopyFile(int from, int to, const std::string& name, const struct stat& status) {
  TRY(const UniqueFd source,
      kernel::OpenWithoutLinks(from, name, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  UniqueFd target(
      openat(to, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!target) return Error::FromErrno(errno, name);
  std::vector<char> buffer(kBufferSize);
  while (true) {
    const ssize_t count = read(source.get(), buffer.data(), buffer.size());
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, name);
    TRY_VOID(kernel::WriteAll(target.get(), {buffer.data(), static_cast<size_t>(count)}));
  }
  TRY_VOID(CopyOwner(target.get(), status));
  CopyAttributes(source.get(), target.get());
  return {};
}

Result<void> CopyFolder(int from, int to, int depth);

Result<void> CopyEntry(int from, int to, const std::string& name, int depth) {
  struct stat status{};
  if (fstatat(from, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return Error::FromErrno(errno, name);
  }
  if (S_ISREG(status.st_mode)) return CopyFile(from, to, name, status);
  if (S_ISLNK(status.st_mode)) {
    char content[PATH_MAX];
    const ssize_t size = readlinkat(from, name.c_str(), content, sizeof content - 1);
    if (size < 0) return Error::FromErrno(errno, name);
    content[size] = '\0';
    if (symlinkat(content, to, name.c_str()) != 0 ||
        fchownat(to, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::FromErrno(errno, name);
    }
    return {};
  }
  if (!S_ISDIR(status.st_mode)) {
    if (S_ISSOCK(status.st_mode)) return {};
    if (mknodat(to, name.c_str(), status.st_mode, status.st_rdev) != 0 ||
        fchownat(to, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::FromErrno(errno, name);
    }
    return {};
  }
  if (mkdirat(to, name.c_str(), 0700) != 0) return Error::FromErrno(errno, name);
  TRY(const UniqueFd source, kernel::OpenWithoutLinks(from, name, O_RDONLY | O_DIRECTORY));
  TRY(const UniqueFd target, kernel::OpenWithoutLinks(to, name, O_RDONLY | O_DIRECTORY));
  return CopyFolder(source.get(), target.get(), depth + 1);
}

// Into a new folder: contents, then owner and mode.
Result<void> CopyFolder(int from, int to, int depth) {
  if (depth > kMaxDepth) return Error(Code::kResourceExhausted, "a volume is too deep");
  struct stat status{};
  if (fstat(from, &status) != 0) return Error::FromErrno(errno, "fstat");
  TRY(const std::vector<std::string> names, kernel::ListFolder(from));
  for (const std::string& name : names) TRY_VOID(CopyEntry(from, to, name, depth));
  TRY_VOID(CopyOwner(to, status));
  CopyAttributes(from, to);
  return {};
}

}  // namespace

Result<std::vector<cri::Mount>> ImageVolumes(const ContainerContext& context, Draft* draft) {
  std::vector<cri::Mount> mounts;
  size_t number = 0;
  for (const auto& [path, unused] : context.image.document.config.Volumes) {
    const bool taken = std::ranges::any_of(context.config.mounts, [&](const cri::Mount& mount) {
      return mount.container_path == path || mount.container_path + '/' == path;
    });
    if (taken) continue;
    const std::string absolute = path.starts_with('/') ? path : '/' + path;
    const std::string folder = context.container_folder + "/volumes/" + std::to_string(number++);
    TRY(const UniqueFd target, kernel::MakeFolders(folder, 0755));
    const auto source = kernel::OpenInRoot(draft->root.fd(), absolute, O_RDONLY | O_DIRECTORY);
    if (source.ok()) {
      auto copied = CopyFolder(source->get(), target.get(), 0);
      if (!copied.ok()) return std::move(copied).error().WithContext("copying volume " + path);
    } else if (source.error().code() != Code::kNotFound) {
      return Error(Code::kInvalidArgument, "volume " + path + " of the image is no folder");
    }
    cri::Mount mount;
    mount.container_path = absolute;
    mount.host_path = folder;
    mount.selinux_relabel = true;
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

}  // namespace podium::runtime
