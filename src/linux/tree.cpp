// Walks through trees that others have made: of any depth and any size. One folder is open at a
// time. The way back up is "..", and it must lead to the folder that the walk came from; so a tree
// that is moved about meanwhile ends the walk, and leads it nowhere.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "linux/folder_stream.h"
#include "linux/path.h"
#include "linux/tree_walk.h"

namespace podium::kernel {
namespace {

// Of one folder, how many folders in it RemoveTree remembers; the others it finds when it looks
// again.
constexpr size_t kMaxRemembered = 500;

Result<struct stat> StatOf(int fd, const std::string& name) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return Error::FromErrno(errno, name);
  return status;
}

// The folder where the walk stands, and the way back to where it began.
class Walk {
 public:
  static Result<Walk> From(int at, const std::string& name) {
    Walk walk;
    TRY_VOID(walk.Enter(at, name));
    return walk;
  }

  int fd() const { return fd_.get(); }
  bool at_top() const { return way_.size() == 1; }

  // kUnsupported (EXDEV) for what is on another file system than the top.
  Result<void> Down(const std::string& name) { return Enter(fd_.get(), name); }

  Result<void> Up() {
    const Place above = way_[way_.size() - 2];
    UniqueFd fd(openat(fd_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return Error::FromErrno(errno, "..");
    TRY(const struct stat status, StatOf(fd.get(), ".."));
    if (status.st_ino != above.inode || status.st_dev != above.device) {
      return Error(Code::kConflict, "the tree was moved while it was walked through");
    }
    fd_ = std::move(fd);
    way_.pop_back();
    return {};
  }

  // Calls visit(name) for every entry until it says no.
  template <class Visit>
  Result<void> List(Visit visit) {
    constexpr char kListing[] = "listing a folder";
    TRY(FolderStream stream, FolderStream::Open(fd_.get(), kListing));
    int error = 0;
    while (const dirent* entry = stream.Next(&error)) {
      if (!visit(entry->d_name)) return {};
    }
    if (error != 0) return Error::FromErrno(error, kListing);
    return {};
  }

 private:
  struct Place {
    ino_t inode;
    dev_t device;
  };

  Result<void> Enter(int at, const std::string& name) {
    UniqueFd fd(openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return Error::FromErrno(errno, name);
    TRY(const struct stat status, StatOf(fd.get(), name));
    if (!way_.empty() && status.st_dev != way_.front().device) {
      return Error::FromErrno(EXDEV, name);
    }
    fd_ = std::move(fd);
    way_.push_back({status.st_ino, status.st_dev});
    return {};
  }

  UniqueFd fd_;
  std::vector<Place> way_;  // the folder itself last
};

// Whether it is gone; false for a folder with something in it.
Result<bool> RemoveEntry(int at, const char* name) {
  if (unlinkat(at, name, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR && errno != EPERM) return Error::FromErrno(errno, name);
  const int first = errno;
  if (unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
  if (errno == ENOTEMPTY || errno == EEXIST) return false;
  // Not a folder: then it is the first failure that counts (a file that is immutable).
  return Error::FromErrno(errno == ENOTDIR ? first : errno, name);
}

// Empties the folder of what is no folder with something in it; `folders` are those.
Result<void> RemoveFiles(Walk* walk, const GoOn& go_on, std::vector<std::string>* folders) {
  folders->clear();
  Result<void> failed;
  TRY_VOID(walk->List([&](const char* name) {
    if (go_on && !go_on()) {
      failed = Error(Code::kCancelled, "removing a folder was broken off");
      return false;
    }
    auto removed = RemoveEntry(walk->fd(), name);
    if (!removed.ok()) {
      failed = std::move(removed).error();
      return false;
    }
    if (!*removed) folders->emplace_back(name);
    return folders->size() < kMaxRemembered;
  }));
  return failed;
}

Result<void> Empty(Walk* walk, const GoOn& go_on) {
  std::vector<std::string> names;                 // of the folders on the way, the top left out
  std::vector<std::vector<std::string>> waiting;  // beside each folder on the way, itself included
  std::vector<std::string> folders;
  TRY_VOID(RemoveFiles(walk, go_on, &folders));
  while (true) {
    if (!folders.empty()) {
      names.push_back(std::move(folders.back()));
      folders.pop_back();
      waiting.push_back(std::exchange(folders, {}));
      TRY_VOID(walk->Down(names.back()));
      TRY_VOID(RemoveFiles(walk, go_on, &folders));
      continue;
    }
    if (walk->at_top()) return {};
    TRY_VOID(walk->Up());
    // If it is not empty, more than was remembered was in it: it is found again.
    TRY_VOID(RemoveEntry(walk->fd(), names.back().c_str()));
    names.pop_back();
    folders = std::move(waiting.back());
    waiting.pop_back();
    if (folders.empty()) TRY_VOID(RemoveFiles(walk, go_on, &folders));
  }
}

}  // namespace

Result<void> RemoveTree(int folder, const std::string& name, const GoOn& go_on) {
  TRY(const bool gone, RemoveEntry(folder, name.c_str()));
  if (gone) return {};
  {
    TRY(Walk walk, Walk::From(folder, name));
    TRY_VOID(Empty(&walk, go_on));
  }
  TRY(const bool emptied, RemoveEntry(folder, name.c_str()));
  if (!emptied) return Error::FromErrno(ENOTEMPTY, name);
  return {};
}

Result<void> RemoveContents(int folder) {
  TRY(Walk walk, Walk::From(folder, "."));
  return Empty(&walk, {});
}

namespace {

// Visits what is in the folder where the walk stands; its folders, the last first.
Result<std::vector<std::string>> VisitFolder(
    Walk* walk, const std::string& prefix,
    const std::function<Result<void>(const TreeEntry&)>& visit) {
  std::vector<std::string> names;
  TRY_VOID(walk->List([&](const char* name) {
    names.emplace_back(name);
    return true;
  }));
  std::ranges::sort(names);
  std::vector<std::string> folders;
  for (const std::string& name : names) {
    struct stat status{};
    if (fstatat(walk->fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::FromErrno(errno, prefix + name);
    }
    TRY_VOID(visit({walk->fd(), name, prefix + name, status}));
    if (S_ISDIR(status.st_mode)) folders.push_back(name);
  }
  std::ranges::reverse(folders);
  return folders;
}

}  // namespace

Result<void> WalkTree(int folder, const std::function<Result<void>(const TreeEntry&)>& visit) {
  TRY(Walk walk, Walk::From(folder, "."));
  std::string prefix;
  std::vector<size_t> lengths;                    // of the prefix, by level
  std::vector<std::vector<std::string>> waiting;  // folders still to be entered, by level
  TRY(std::vector<std::string> first, VisitFolder(&walk, prefix, visit));
  waiting.push_back(std::move(first));
  while (true) {
    if (!waiting.back().empty()) {
      const std::string name = std::move(waiting.back().back());
      waiting.back().pop_back();
      TRY_VOID(walk.Down(name));
      lengths.push_back(prefix.size());
      prefix += name + '/';
      TRY(std::vector<std::string> folders, VisitFolder(&walk, prefix, visit));
      waiting.push_back(std::move(folders));
    } else if (walk.at_top()) {
      return {};
    } else {
      TRY_VOID(walk.Up());
      waiting.pop_back();
      prefix.resize(lengths.back());
      lengths.pop_back();
    }
  }
}

Result<TreeUsage> UsageOf(int folder) {
  TRY(Walk walk, Walk::From(folder, "."));
  TRY(const struct stat top, StatOf(folder, "."));
  TreeUsage usage{.bytes = static_cast<uint64_t>(top.st_blocks) * 512, .inodes = 1};
  std::vector<std::vector<std::string>> waiting(1);  // folders still to be entered, by level
  const auto add = [&] {
    return walk.List([&](const char* name) {
      struct stat status{};
      if (fstatat(walk.fd(), name, &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
      if (status.st_dev != top.st_dev) return true;
      // A file of several names is counted in parts: all of them are below the same mount.
      const bool folder_entry = S_ISDIR(status.st_mode);
      const uint64_t names = folder_entry ? 1 : std::max<uint64_t>(status.st_nlink, 1);
      usage.bytes += static_cast<uint64_t>(status.st_blocks) * 512 / names;
      ++usage.inodes;
      if (S_ISDIR(status.st_mode)) waiting.back().emplace_back(name);
      return true;
    });
  };
  TRY_VOID(add());
  while (true) {
    if (!waiting.back().empty()) {
      const std::string name = std::move(waiting.back().back());
      waiting.back().pop_back();
      // It may be gone by now, or be something else.
      if (!walk.Down(name).ok()) continue;
      waiting.emplace_back();
      TRY_VOID(add());
    } else if (walk.at_top()) {
      return usage;
    } else {
      TRY_VOID(walk.Up());
      waiting.pop_back();
    }
  }
}

}  // namespace podium::kernel
