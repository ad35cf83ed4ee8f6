#include "cli/copy_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "cli/copy_paths.h"
#include "linux/path.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using Type = image::TarEntry::Type;
using reflect::GoQuoted;

constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0666;
constexpr size_t kCopySize = size_t{64} << 10;

// Of the kernel's answer to a path below the destination.
Error AtPath(const char* call, const Error& error, const std::string& path) {
  if (error.os_errno() == EXDEV) {
    return {Code::kPermissionDenied, path + ": a link leads out of the destination here"};
  }
  return PathError(call, path, error.os_errno());
}

// The file ends at `size`, also where its last part is a hole.
Result<void> EndAt(int file, uint64_t written, uint64_t size, const std::string& path) {
  if (written >= size || ftruncate(file, static_cast<off_t>(size)) == 0) return {};
  return PathError("truncate", path, errno);
}

Result<void> CopyBytes(int from, int to) {
  std::array<char, kCopySize> buffer;
  while (true) {
    const ssize_t size = read(from, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Error::FromErrno(errno, "reading");
    if (size == 0) return {};
    TRY_VOID(kernel::WriteAll(to, {buffer.data(), static_cast<size_t>(size)}));
  }
}

}  // namespace

CopyTarget::CopyTarget(std::string prefix, std::string destination, std::string hint, Warn warn)
    : prefix_(std::move(prefix)),
      destination_(std::move(destination)),
      hint_(std::move(hint)),
      warn_(std::move(warn)) {}

std::string CopyTarget::PathOf(std::string_view below) const {
  return JoinPaths(destination_, below);
}

Result<int> CopyTarget::Root() {
  if (!root_) {
    TRY(root_, kernel::MakeFolders(destination_, kFolderMode));
  }
  return root_.get();
}

Result<std::optional<std::string>> CopyTarget::Below(std::string_view name) const {
  while (name.starts_with("./")) name.remove_prefix(2);
  if (name == ".") name = "";
  if (!name.starts_with(prefix_)) return Error(Code::kInvalidArgument, "tar contents corrupted");
  return PathBelow(name.substr(prefix_.size()));
}

Result<void> CopyTarget::MakeFolder(const std::string& below) {
  TRY(const int root, Root());
  if (below.empty() || below == ".") return {};
  if (kernel::OpenBeneath(root, below, O_PATH | O_DIRECTORY).ok()) return {};
  UniqueFd above;
  for (size_t begin = 0; begin <= below.size();) {
    const size_t end = std::min(below.find('/', begin), below.size());
    const std::string name = below.substr(begin, end - begin);
    const std::string path = below.substr(0, end);
    if (mkdirat(above ? above.get() : root, name.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return PathError("mkdir", PathOf(path), errno);
    }
    auto folder = kernel::OpenBeneath(root, path, O_PATH | O_DIRECTORY);
    if (!folder.ok()) return AtPath("mkdir", folder.error(), PathOf(path));
    above = *std::move(folder);
    begin = end + 1;
  }
  return {};
}

Result<UniqueFd> CopyTarget::MakeFile(const std::string& below) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  if (below.empty()) {
    TRY_VOID(kernel::MakeFolders(FolderOf(destination_), kFolderMode));
    auto file = kernel::OpenPath(destination_, kFlags, kFileMode);
    if (!file.ok()) return PathError("open", destination_, file.error().os_errno());
    return file;
  }
  TRY_VOID(MakeFolder(FolderOf(below)));
  TRY(const int root, Root());
  // A pipe there would wait for a reader.
  auto file = kernel::OpenBeneath(root, below, kFlags | O_NONBLOCK | O_NOCTTY, kFileMode);
  if (!file.ok()) return AtPath("open", file.error(), PathOf(below));
  return file;
}

Result<void> CopyTarget::TakeFile(image::TarReader& tar, const image::TarEntry& entry,
                                  const std::string& below) {
  TRY(const UniqueFd file, MakeFile(below));
  image::TarPiece piece;
  uint64_t written = 0;
  while (true) {
    TRY(const bool more, tar.NextPiece(&piece));
    if (!more) break;
    if (piece.offset != written &&
        lseek(file.get(), static_cast<off_t>(piece.offset), SEEK_SET) < 0) {
      return PathError("seek", PathOf(below), errno);
    }
    auto done = kernel::WriteAll(file.get(), piece.bytes);
    if (!done.ok()) return PathError("write", PathOf(below), done.error().os_errno());
    written = piece.offset + piece.bytes.size();
  }
  return EndAt(file.get(), written, entry.size, PathOf(below));
}

Result<void> CopyTarget::TakeHardLink(const image::TarEntry& entry, const std::string& below) {
  const auto pass_over = [&] {
    warn_("warning: skipping hard link: " + GoQuoted(PathOf(below)) + " -> " +
          GoQuoted(entry.link));
  };
  const auto other = Below(entry.link);
  if (!other.ok() || !*other || (*other)->empty() || **other == below) {
    pass_over();
    return {};
  }
  TRY(const int root, Root());
  const auto from = kernel::OpenWithoutLinks(root, **other, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status{};
  if (!from.ok() || fstat(from->get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    pass_over();
    return {};
  }
  // Of two names of one file the second would empty the first.
  struct stat there{};
  const auto same = kernel::OpenBeneath(root, below, O_PATH);
  if (same.ok() && fstat(same->get(), &there) == 0 && there.st_dev == status.st_dev &&
      there.st_ino == status.st_ino) {
    return {};
  }
  TRY(const UniqueFd file, MakeFile(below));
  return CopyBytes(from->get(), file.get());
}

Result<void> CopyTarget::TakeMember(image::TarReader& tar, const image::TarEntry& entry) {
  TRY(const auto below, Below(entry.path));
  if (!below) {
    const std::string_view rest = std::string_view(entry.path).substr(prefix_.size());
    warn_("warning: file " + GoQuoted(PathOf(rest)) + " is outside target destination, skipping");
    return {};
  }
  switch (entry.type) {
    case Type::kDirectory:
      return MakeFolder(*below);
    case Type::kFile:
      return TakeFile(tar, entry, *below);
    case Type::kHardLink:
      return TakeHardLink(entry, *below);
    case Type::kSymlink:
      warn_("warning: skipping symlink: " + GoQuoted(PathOf(*below)) + " -> " +
            GoQuoted(entry.link) + std::exchange(hint_, {}));
      return {};
    default:
      warn_("warning: skipping " + GoQuoted(PathOf(*below)) + ": a device or a pipe");
      return {};
  }
}

Result<void> CopyTarget::Take(image::ByteSource& source) {
  image::TarReader tar(source);
  image::TarEntry entry;
  while (true) {
    TRY(const bool more, tar.Next(&entry));
    if (!more) return {};
    TRY_VOID(TakeMember(tar, entry));
  }
}

}  // namespace podium::cli
