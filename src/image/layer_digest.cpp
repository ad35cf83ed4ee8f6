#include "image/layer_digest.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "linux/path.h"
#include "linux/tree_walk.h"

namespace podium::image {
namespace {

constexpr size_t kChunk = size_t{64} << 10;

void Add(Hasher* hasher, uint64_t number) {
  char bytes[8];
  std::memcpy(bytes, &number, sizeof bytes);
  hasher->Update({bytes, sizeof bytes});
}

// With its length: two strings never read as two others.
void Add(Hasher* hasher, std::string_view text) {
  Add(hasher, text.size());
  hasher->Update(text);
}

// Those that unpacking makes; the host may give others of its own (security.selinux, security.ima).
bool IsOfLayer(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("trusted.overlay.") ||
         name.starts_with("system.posix_acl_") || name == "security.capability";
}

Result<std::vector<std::string>> XattrNames(const std::string& path) {
  std::vector<std::string> names;
  char list[XATTR_LIST_MAX];
  const ssize_t size = llistxattr(path.c_str(), list, sizeof list);
  if (size < 0) {
    if (errno == ENOTSUP) return names;
    return Error::FromErrno(errno, "listxattr");
  }
  for (std::string_view rest(list, static_cast<size_t>(size)); !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (IsOfLayer(name)) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// The entry is named by its folder's descriptor: no path is too long.
Result<void> AddXattrs(int folder, const std::string& name, Hasher* hasher) {
  const std::string path = "/proc/self/fd/" + std::to_string(folder) + '/' + name;
  TRY(const std::vector<std::string> names, XattrNames(path));
  Add(hasher, names.size());
  for (const std::string& each : names) {
    char value[XATTR_SIZE_MAX];
    const ssize_t size = lgetxattr(path.c_str(), each.c_str(), value, sizeof value);
    if (size < 0) return Error::FromErrno(errno, "getxattr");
    Add(hasher, each);
    Add(hasher, std::string_view(value, static_cast<size_t>(size)));
  }
  return {};
}

Result<void> AddEntry(const kernel::TreeEntry& entry, Hasher* hasher) {
  const struct stat& status = entry.status;
  Add(hasher, entry.path);
  for (const uint64_t number :
       {uint64_t{status.st_mode}, uint64_t{status.st_uid}, uint64_t{status.st_gid},
        static_cast<uint64_t>(status.st_mtim.tv_sec), static_cast<uint64_t>(status.st_mtim.tv_nsec),
        uint64_t{status.st_rdev}}) {
    Add(hasher, number);
  }
  // Of folders they belong to the file system.
  if (!S_ISDIR(status.st_mode)) {
    Add(hasher, uint64_t{status.st_nlink});
    Add(hasher, static_cast<uint64_t>(status.st_size));
  }
  if (S_ISLNK(status.st_mode)) {
    char target[PATH_MAX];
    const ssize_t size = readlinkat(entry.folder, entry.name.c_str(), target, sizeof target);
    if (size < 0) return Error::FromErrno(errno, entry.path);
    Add(hasher, std::string_view(target, static_cast<size_t>(size)));
  }
  return AddXattrs(entry.folder, entry.name, hasher);
}

Result<size_t> ReadAt(int file, uint64_t offset, char* buffer, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count =
        pread(file, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, "reading");
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

bool AllZero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

class ContentsHasher {
 public:
  explicit ContentsHasher(const ContentsOptions& options) : options_(options) {}

  Result<void> Visit(const kernel::TreeEntry& entry) {
    if (!S_ISREG(entry.status.st_mode)) return {};
    if (entry.status.st_nlink > 1 && !seen_.insert(entry.status.st_ino).second) return {};
    TRY(const UniqueFd file, kernel::OpenWithoutLinks(entry.folder, entry.name, O_RDONLY));
    Add(&hasher_, entry.path);
    auto added = AddFile(file.get());
    return added.ok() ? added : std::move(added).error().WithContext(entry.path);
  }
  Digest Finish() { return hasher_.Finish(); }

 private:
  // What is zero counts as a hole, and a hole as nothing.
  Result<void> AddFile(int file) {
    if (options_.from_disk) (void)posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    uint64_t offset = 0;
    while (true) {
      const off_t data = lseek(file, static_cast<off_t>(offset), SEEK_DATA);
      if (data < 0 && errno == ENXIO) return {};
      if (data < 0) return Error::FromErrno(errno, "seeking");
      offset = static_cast<uint64_t>(data) / kChunk * kChunk;
      TRY(const size_t size, ReadAt(file, offset, buffer_.data(), buffer_.size()));
      if (size == 0) return {};
      const std::string_view bytes(buffer_.data(), size);
      if (!AllZero(bytes)) {
        Add(&hasher_, offset);
        Add(&hasher_, bytes);
      }
      offset += size;
      done_ += size;
      if (options_.progress && !options_.progress(done_)) {
        return Error(Code::kCancelled, "reading the layer was cancelled");
      }
    }
  }

  const ContentsOptions& options_;
  Hasher hasher_;
  std::set<ino_t> seen_;  // of those with several names
  std::vector<char> buffer_ = std::vector<char>(kChunk);
  uint64_t done_ = 0;
};

}  // namespace

Result<Digest> DigestOfEntries(int folder) {
  Hasher hasher;
  struct stat status{};
  if (fstat(folder, &status) != 0) return Error::FromErrno(errno, "a layer's folder");
  TRY_VOID(AddEntry({folder, ".", "", status}, &hasher));
  TRY_VOID(kernel::WalkTree(
      folder, [&](const kernel::TreeEntry& entry) { return AddEntry(entry, &hasher); }));
  return hasher.Finish();
}

Result<Digest> DigestOfContents(int folder, const ContentsOptions& options) {
  ContentsHasher hasher(options);
  TRY_VOID(kernel::WalkTree(folder,
                            [&](const kernel::TreeEntry& entry) { return hasher.Visit(entry); }));
  return hasher.Finish();
}

}  // namespace podium::image
