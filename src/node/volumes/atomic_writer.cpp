#include "node/volumes/atomic_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "linux/path.h"

namespace podium::node {
namespace {

constexpr char kData[] = "..data";
constexpr char kNewData[] = "..data_tmp";
constexpr mode_t kFolderMode = 0755;
// What a volume's group may do with read-only content, and its folders' bits.
constexpr mode_t kGroupRead = 0440;
constexpr mode_t kGroupFolder = S_ISGID | 0110;
// A payload comes from objects of at most 3 MiB.
constexpr size_t kMaxFileBytes = size_t{8} << 20;

std::string_view FirstPart(std::string_view path) { return path.substr(0, path.find('/')); }

Result<void> CheckPath(std::string_view path) {
  const auto bad = [&](std::string_view why) {
    return Error(Code::kInvalidArgument,
                 "invalid path " + std::string(path) + ": " + std::string(why));
  };
  if (path.empty()) return bad("must not be empty");
  if (path.starts_with('/')) return bad("must be relative");
  if (path.size() >= PATH_MAX) return bad("must be shorter than 4096 characters");
  if (path.starts_with("..")) return bad("must not start with '..'");
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part == "..") return bad("must not contain '..'");
    if (part.size() > NAME_MAX) return bad("has a name of more than 255 characters");
    at = end + 1;
  }
  return {};
}

std::optional<std::string> ReadLink(int folder, const char* name) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = readlinkat(folder, name, target.data(), target.size());
  if (size <= 0 || static_cast<size_t>(size) == target.size()) return std::nullopt;
  return std::string(target.data(), static_cast<size_t>(size));
}

class Writer {
 public:
  Writer(int folder, const Payload& payload, std::optional<int64_t> group)
      : folder_(folder), payload_(payload), group_(group) {}

  // Whether the folder holds exactly these files.
  bool UpToDate() {
    const auto current = ReadLink(folder_, kData);
    if (!current) return false;
    auto files = kernel::OpenWithoutLinks(folder_, *current, O_RDONLY | O_DIRECTORY);
    if (!files.ok()) return false;
    size_t count = 0;
    return SameFiles(files->get(), "", &count) && count == payload_.size() && NothingElse(*current);
  }

  Result<void> WriteFiles(const std::string& name) {
    name_ = name;
    if (mkdirat(folder_, name.c_str(), kFolderMode) != 0) return Failed("making", name);
    TRY(files_, kernel::OpenWithoutLinks(folder_, name, O_RDONLY | O_DIRECTORY));
    TRY_VOID(SetFolderOwner(files_.get()));
    for (const auto& [path, file] : payload_) TRY_VOID(WriteFile(path, file));
    return {};
  }

  Result<void> Switch() {
    unlinkat(folder_, kNewData, 0);  // of a crash
    if (symlinkat(name_.c_str(), folder_, kNewData) != 0) return Failed("making", kNewData);
    if (renameat(folder_, kNewData, folder_, kData) != 0) return Failed("renaming to", kData);
    return {};
  }

  Result<void> MakeLinks() {
    for (const std::string& name : Names()) {
      const std::string target = std::string(kData) + "/" + name;
      if (symlinkat(target.c_str(), folder_, name.c_str()) != 0 && errno != EEXIST) {
        return Failed("linking", name);
      }
    }
    return {};
  }

  // Links to what is gone, and folders of earlier contents.
  Result<void> RemoveOld() {
    const std::set<std::string> names = Names();
    TRY(const std::vector<std::string> present, kernel::ListFolder(folder_));
    for (const std::string& name : present) {
      if (name == kData || name == name_ || names.contains(name)) continue;
      TRY_VOID(kernel::RemoveTree(folder_, name));
    }
    return {};
  }

  void Abandon() {
    if (!name_.empty()) (void)kernel::RemoveTree(folder_, name_).ok();
  }

 private:
  static Error Failed(std::string_view what, std::string_view name) {
    return Error::FromErrno(errno, std::string(what) + " " + std::string(name));
  }

  // What stands in the folder itself.
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& [path, file] : payload_) names.emplace(FirstPart(path));
    return names;
  }

  // All links are there, and neither others nor an earlier content.
  bool NothingElse(const std::string& current) const {
    const std::set<std::string> names = Names();
    auto present = kernel::ListFolder(folder_);
    if (!present.ok()) return false;
    size_t links = 0;
    for (const std::string& name : *present) {
      if (name == kData || name == current) continue;
      if (!names.contains(name)) return false;
      ++links;
    }
    return links == names.size();
  }

  bool SameFiles(int folder, const std::string& prefix, size_t* count) {
    auto names = kernel::ListFolder(folder);
    if (!names.ok()) return false;
    for (const std::string& name : *names) {
      auto file = kernel::OpenWithoutLinks(folder, name, O_RDONLY | O_NONBLOCK);
      struct stat status;
      if (!file.ok() || fstat(file->get(), &status) != 0) return false;
      if (S_ISDIR(status.st_mode)) {
        if (!SameFiles(file->get(), prefix + name + "/", count)) return false;
        continue;
      }
      const auto wanted = payload_.find(prefix + name);
      if (wanted == payload_.end() || !SameFile(file->get(), status, wanted->second)) return false;
      ++*count;
    }
    return true;
  }

  bool SameFile(int fd, const struct stat& status, const VolumeFile& file) const {
    const mode_t mode = file.mode | (group_ ? kGroupRead : 0);
    if ((status.st_mode & 07777) != mode) return false;
    if (group_ && status.st_gid != static_cast<gid_t>(*group_)) return false;
    if (file.owner && status.st_uid != static_cast<uid_t>(*file.owner)) return false;
    auto data = kernel::ReadDescriptor(fd, kMaxFileBytes);
    return data.ok() && *data == file.data;
  }

  Result<void> WriteFile(const std::string& path, const VolumeFile& file) {
    TRY(const UniqueFd parent, MakeParents(path));
    const std::string name = path.substr(path.rfind('/') + 1);
    const UniqueFd fd(openat(parent.get(), name.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return Failed("making", path);
    TRY_VOID(kernel::WriteAll(fd.get(), file.data));
    return SetOwner(fd.get(), file.owner, file.mode | (group_ ? kGroupRead : 0));
  }

  // The folder of the path, made where parts of it are missing.
  Result<UniqueFd> MakeParents(const std::string& path) {
    UniqueFd folder(fcntl(files_.get(), F_DUPFD_CLOEXEC, 0));
    if (!folder) return Failed("opening", path);
    for (size_t at = 0, end; (end = path.find('/', at)) != std::string::npos; at = end + 1) {
      const std::string part = path.substr(at, end - at);
      if (part.empty() || part == ".") continue;
      const bool made = mkdirat(folder.get(), part.c_str(), kFolderMode) == 0;
      if (!made && errno != EEXIST) return Failed("making", path);
      TRY(UniqueFd next, kernel::OpenWithoutLinks(folder.get(), part, O_RDONLY | O_DIRECTORY));
      if (made) TRY_VOID(SetFolderOwner(next.get()));
      folder = std::move(next);
    }
    return folder;
  }

  Result<void> SetFolderOwner(int fd) const {
    return SetOwner(fd, std::nullopt, kFolderMode | (group_ ? kGroupRead | kGroupFolder : 0));
  }

  // The owner, the volume's group, and the mode apart from the umask.
  Result<void> SetOwner(int fd, std::optional<int64_t> owner, mode_t mode) const {
    const auto uid = static_cast<uid_t>(owner.value_or(-1));
    const auto gid = static_cast<gid_t>(group_.value_or(-1));
    if ((owner || group_) && fchown(fd, uid, gid) != 0) {
      return Failed("changing the owner of", name_);
    }
    if (fchmod(fd, mode) != 0) return Failed("changing the mode of", name_);
    return {};
  }

  int folder_;
  const Payload& payload_;
  std::optional<int64_t> group_;
  std::string name_;  // of the folder of these files
  UniqueFd files_;
};

// "..2026_11_21_20_45_00.1936478529"
std::string FolderName(const Clock& clock) {
  const time_t seconds = clock.Now() / kNanosPerSecond;
  struct tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text;
  const size_t size = strftime(text.data(), text.size(), "..%Y_%m_%d_%H_%M_%S.", &parts);
  return std::string(text.data(), size) + std::to_string(std::random_device()());
}

}  // namespace

Result<bool> WriteAtomically(int folder, const Payload& payload, std::optional<int64_t> group,
                             const Clock& clock) {
  for (const auto& [path, file] : payload) TRY_VOID(CheckPath(path));
  Writer writer(folder, payload, group);
  if (writer.UpToDate()) return false;
  if (auto written = writer.WriteFiles(FolderName(clock)); !written.ok()) {
    writer.Abandon();
    return std::move(written).error();
  }
  if (auto switched = writer.Switch(); !switched.ok()) {
    writer.Abandon();
    return std::move(switched).error();
  }
  TRY_VOID(writer.MakeLinks());
  TRY_VOID(writer.RemoveOld());
  return true;
}

}  // namespace podium::node
