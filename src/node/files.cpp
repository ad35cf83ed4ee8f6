#include "node/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/unique_fd.h"

namespace podium::node {
namespace {

Result<void> WriteAll(int fd, std::string_view content, const std::string& path) {
  auto done = kernel::WriteAll(fd, content);
  if (!done.ok()) return std::move(done).error().WithContext(path);
  return {};
}

Result<void> SetMode(int fd, mode_t mode, const std::string& path) {
  // Whatever the umask.
  if (fchmod(fd, mode) != 0) return Error::FromErrno(errno, "chmod " + path);
  return {};
}

}  // namespace

Result<void> WriteFile(const std::string& path, std::string_view content, mode_t mode) {
  const std::string draft = path + ".new";
  UniqueFd fd(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return Error::FromErrno(errno, "open " + draft);
  TRY_VOID(SetMode(fd.get(), mode, draft));
  TRY_VOID(WriteAll(fd.get(), content, draft));
  if (rename(draft.c_str(), path.c_str()) != 0) return Error::FromErrno(errno, "rename " + path);
  return {};
}

Result<void> WriteInPlace(const std::string& path, std::string_view content, mode_t mode) {
  auto before = ReadSmallFile(path, content.size() + 1);
  if (before.ok() && *before == content) return {};
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return Error::FromErrno(errno, "open " + path);
  TRY_VOID(SetMode(fd.get(), mode, path));
  return WriteAll(fd.get(), content, path);
}

Result<std::string> ReadSmallFile(const std::string& path, size_t max_size) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Error::FromErrno(errno, "open " + path);
  std::string out;
  char piece[16 << 10];
  while (out.size() <= max_size) {
    const ssize_t got = read(fd.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::FromErrno(errno, "read " + path);
    if (got == 0) return out;
    out.append(piece, static_cast<size_t>(got));
  }
  return Error(Code::kResourceExhausted, path + " is too large");
}

Result<void> MakeFolders(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT) return Error::FromErrno(errno, "mkdir " + path);
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) return Error::FromErrno(ENOENT, "mkdir " + path);
  TRY_VOID(MakeFolders(path.substr(0, slash), 0755));
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return Error::FromErrno(errno, "mkdir " + path);
}

Result<void> RemoveTree(const std::string& path, const kernel::GoOn& go_on) {
  auto removed = kernel::RemoveTree(AT_FDCWD, path, go_on);
  if (!removed.ok()) return std::move(removed).error().WithContext("remove " + path);
  return {};
}

}  // namespace podium::node
