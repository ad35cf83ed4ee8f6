#include "image/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "base/unique_fd.h"
#include "linux/path.h"

namespace podium::image {
namespace {

// How many folders of one folder are remembered at a time; then it is read again.
constexpr size_t kMaxRemembered = 65536;

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

bool IsDotOrDots(std::string_view name) { return name == "." || name == ".."; }

Error Failed(std::string_view path) {
  return Error::FromErrno(errno, "removing " + std::string(path));
}

// Removes what is no folder; appends the paths of those that are.
Result<void> RemoveFiles(int root, const std::string& path, std::vector<std::string>* folders) {
  TRY(UniqueFd fd, kernel::OpenWithoutLinks(root, path, O_RDONLY | O_DIRECTORY));
  const int number = fd.get();
  const std::unique_ptr<DIR, CloseDir> dir(fdopendir(number));
  if (!dir) return Failed(path);
  fd.release();  // the stream's now
  size_t found = 0;
  while (found < kMaxRemembered) {
    errno = 0;
    const dirent* entry = readdir(dir.get());  // NOLINT(concurrency-mt-unsafe): a stream of ours
    if (!entry) return errno == 0 ? Result<void>() : Failed(path);
    if (IsDotOrDots(entry->d_name)) continue;
    if (unlinkat(number, entry->d_name, 0) == 0) continue;
    if (errno != EISDIR) return Failed(path + '/' + entry->d_name);
    // Most often it is empty, or becomes so.
    if (unlinkat(number, entry->d_name, AT_REMOVEDIR) == 0) continue;
    if (errno != ENOTEMPTY && errno != EEXIST) return Failed(path + '/' + entry->d_name);
    folders->push_back(path == "." ? entry->d_name : path + '/' + entry->d_name);
    ++found;
  }
  return {};
}

}  // namespace

Result<void> RemoveContents(int folder) {
  // A folder is read, its folders are emptied and removed, and then it is read again.
  std::vector<std::string> stack{"."};
  while (!stack.empty()) {
    const std::string path = stack.back();
    const size_t size = stack.size();
    TRY_VOID(RemoveFiles(folder, path, &stack));
    if (stack.size() > size) continue;
    stack.pop_back();
    if (path != "." && unlinkat(folder, path.c_str(), AT_REMOVEDIR) != 0) return Failed(path);
  }
  return {};
}

Result<void> RemoveTree(int folder, const std::string& name) {
  if (unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR) return Failed(name);
  if (unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0) return {};
  if (errno != ENOTEMPTY && errno != EEXIST) return Failed(name);
  {
    const UniqueFd inside(
        openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inside) return Failed(name);
    TRY_VOID(RemoveContents(inside.get()));
  }
  if (unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) return Failed(name);
  return {};
}

}  // namespace podium::image
