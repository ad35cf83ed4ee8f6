#include "linux/path.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "linux/folder_stream.h"

namespace podium::kernel {
namespace {

// A rename at the same time makes RESOLVE_BENEATH give up with EAGAIN. Who renames all the time is
// an attacker.
constexpr int kMaxRaces = 1000;
constexpr size_t kReadSize = size_t{64} << 10;

Result<UniqueFd> OpenAt2(int folder, const std::string& path, int flags, mode_t mode,
                         uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  for (int i = 0;; ++i) {
    const long fd = syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno == EINTR || (errno == EAGAIN && i < kMaxRaces)) continue;
    return Error::FromErrno(errno, path);
  }
}

}  // namespace

Result<UniqueFd> OpenPath(const std::string& path, int flags, mode_t mode) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return Error::FromErrno(errno, path);
  return fd;
}

Result<UniqueFd> OpenInRoot(int root, const std::string& path, int flags, mode_t mode) {
  return OpenAt2(root, path, flags, mode, RESOLVE_IN_ROOT);
}

Result<UniqueFd> OpenBeneath(int folder, const std::string& path, int flags, mode_t mode) {
  return OpenAt2(folder, path, flags, mode, RESOLVE_BENEATH);
}

Result<UniqueFd> OpenWithoutLinks(int folder, const std::string& path, int flags, mode_t mode) {
  return OpenAt2(folder, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

Result<UniqueFd> Reopen(int fd, int flags) {
  return OpenPath("/proc/self/fd/" + std::to_string(fd), flags);
}

Result<UniqueFd> MakeFolders(const std::string& path, mode_t mode) {
  // Most often only the last one is missing, or none.
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) {
    return OpenPath(path, O_RDONLY | O_DIRECTORY);
  }
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string above = path.substr(0, end);
    if (mkdir(above.c_str(), mode) != 0 && errno != EEXIST && errno != EROFS) {
      return Error::FromErrno(errno, above);
    }
  }
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return Error::FromErrno(errno, path);
  return OpenPath(path, O_RDONLY | O_DIRECTORY);
}

Result<UniqueFd> MakeFoldersInRoot(int root, const std::string& path, mode_t mode, uid_t uid,
                                   gid_t gid) {
  auto whole = OpenInRoot(root, path, O_PATH | O_DIRECTORY);
  if (whole.ok() || whole.error().os_errno() != ENOENT) return whole;
  // The part that is there is resolved with its links; below it nothing exists, so there is none.
  std::string there = path;
  while (there.ends_with('/')) there.pop_back();
  std::vector<std::string> missing;
  UniqueFd folder;
  while (true) {
    const size_t slash = there.rfind('/');
    missing.push_back(there.substr(slash == std::string::npos ? 0 : slash + 1));
    there = slash == std::string::npos ? "" : there.substr(0, slash);
    auto opened = OpenInRoot(root, there.empty() ? "/" : there, O_PATH | O_DIRECTORY);
    if (opened.ok()) {
      folder = *std::move(opened);
      break;
    }
    if (opened.error().os_errno() != ENOENT || there.empty()) return opened;
  }
  for (; !missing.empty(); missing.pop_back()) {
    const std::string& name = missing.back();
    if (name.empty() || name == ".") continue;
    if (name == "..") return Error(Code::kInvalidArgument, path + ": \"..\" below what is missing");
    if (mkdirat(folder.get(), name.c_str(), mode) == 0) {
      TRY(folder, OpenWithoutLinks(folder.get(), name, O_PATH | O_DIRECTORY));
      // Not by mkdir's own mode, which the umask cuts, nor by a name.
      if (fchownat(folder.get(), "", uid, gid, AT_EMPTY_PATH) != 0) {
        return Error::FromErrno(errno, path);
      }
    } else if (errno == EEXIST) {
      TRY(folder, OpenWithoutLinks(folder.get(), name, O_PATH | O_DIRECTORY));
    } else {
      return Error::FromErrno(errno, path);
    }
  }
  return folder;
}

Result<std::string> ReadDescriptor(int fd, size_t max_size) {
  std::string text;
  while (true) {
    const size_t before = text.size();
    // One byte more than allowed tells a file that is too large.
    const size_t want = std::min(kReadSize, max_size + 1 - before);
    text.resize(before + want);
    const ssize_t count = read(fd, text.data() + before, want);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, "read");
    if (text.size() > max_size) {
      return Error(Code::kResourceExhausted, "more than " + std::to_string(max_size) + " bytes");
    }
    if (count == 0) return text;
  }
}

Result<std::string> ReadFile(int folder, const std::string& path, size_t max_size) {
  const UniqueFd file(openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Error::FromErrno(errno, path);
  auto text = ReadDescriptor(file.get(), max_size);
  if (!text.ok()) return std::move(text).error().WithContext(path);
  return text;
}

Result<void> WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, "write");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Result<void> ReplaceFile(int folder, const std::string& name, std::string_view bytes, mode_t mode) {
  static std::atomic<uint64_t> counter = 0;
  const std::string fresh =
      '.' + name + '.' + std::to_string(getpid()) + '.' + std::to_string(counter++);
  UniqueFd file(
      openat(folder, fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return Error::FromErrno(errno, name);
  Result<void> done = WriteAll(file.get(), bytes);
  if (done.ok() && (fchmod(file.get(), mode) != 0 ||
                    renameat(folder, fresh.c_str(), folder, name.c_str()) != 0)) {
    done = Error::FromErrno(errno, name);
  }
  if (!done.ok()) unlinkat(folder, fresh.c_str(), 0);
  return done;
}

Result<std::vector<std::string>> ListFolder(int folder) {
  constexpr char kReading[] = "reading a folder";
  TRY(FolderStream stream, FolderStream::Open(folder, kReading));
  std::vector<std::string> names;
  int error = 0;
  while (const dirent* entry = stream.Next(&error)) names.emplace_back(entry->d_name);
  if (error != 0) return Error::FromErrno(error, kReading);
  std::ranges::sort(names);
  return names;
}

Result<int64_t> FileSystemType(int fd) {
  struct statfs status{};
  if (fstatfs(fd, &status) != 0) return Error::FromErrno(errno, "fstatfs");
  return static_cast<int64_t>(status.f_type);
}

}  // namespace podium::kernel
