#include "cli/copy_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <ranges>
#include <utility>

#include "cli/copy_paths.h"
#include "linux/path.h"

namespace podium::cli {
namespace {

TarMember MemberOf(const std::string& name, const struct stat& status) {
  return {.name = name,
          .mode = status.st_mode & 07777,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .mtime = status.st_mtim.tv_sec};
}

Result<std::string> LinkOf(const std::string& path) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return PathError("readlink", path, errno);
  return std::string(target.data(), static_cast<size_t>(size));
}

}  // namespace

CopySource::CopySource(std::string path, std::string name, Skipped skipped)
    : skipped_(std::move(skipped)) {
  left_.push_back({.path = std::move(path), .name = std::move(name)});
}

Result<void> CopySource::BeginFolder(const Place& place, TarMember member) {
  const auto folder = kernel::OpenPath(place.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!folder.ok()) return PathError("open", place.path, folder.error().os_errno());
  TRY(const std::vector<std::string> names, kernel::ListFolder(folder->get()));
  if (names.empty()) {
    member.type = TarMember::Type::kFolder;
    feed_.Put(member);
  }
  for (const std::string& name : names | std::views::reverse) {
    left_.push_back({.path = JoinPaths(place.path, name), .name = JoinPaths(place.name, name)});
  }
  return {};
}

Result<void> CopySource::Begin(const Place& place) {
  struct stat status{};
  if (lstat(place.path.c_str(), &status) != 0) return PathError("lstat", place.path, errno);
  TarMember member = MemberOf(place.name, status);
  if (S_ISDIR(status.st_mode)) return BeginFolder(place, std::move(member));
  if (S_ISLNK(status.st_mode)) {
    member.type = TarMember::Type::kSymlink;
    TRY(member.link, LinkOf(place.path));
    feed_.Put(member);
    return {};
  }
  if (!S_ISREG(status.st_mode)) {
    skipped_(place.path);
    return {};
  }
  auto file = kernel::OpenPath(place.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!file.ok()) return PathError("open", place.path, file.error().os_errno());
  // What was opened is what is sent, whatever the name meant before.
  if (fstat(file->get(), &status) != 0) return PathError("stat", place.path, errno);
  if (!S_ISREG(status.st_mode)) {
    skipped_(place.path);
    return {};
  }
  member = MemberOf(place.name, status);
  member.size = static_cast<uint64_t>(status.st_size);
  feed_.Put(member, *std::move(file));
  return {};
}

Result<size_t> CopySource::Read(std::span<char> buffer) {
  while (feed_.idle() && !ended_) {
    if (left_.empty()) {
      ended_ = true;
      feed_.End();
      break;
    }
    const Place place = std::move(left_.back());
    left_.pop_back();
    TRY_VOID(Begin(place));
  }
  return feed_.Read(buffer);
}

}  // namespace podium::cli
