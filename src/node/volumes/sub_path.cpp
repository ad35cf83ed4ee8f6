#include "node/volumes/sub_path.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "linux/path.h"

namespace podium::node {
namespace {

Result<UniqueFd> Open(int volume, const std::string& path) {
  return kernel::OpenBeneath(volume, path, O_PATH);
}

// One folder, below one that is open. Another may make it, or put something else in its place:
// whatever is there when it is opened is opened without following links.
Result<UniqueFd> MakeFolder(int parent, const std::string& name, mode_t mode) {
  if (mkdirat(parent, name.c_str(), mode) != 0) {
    if (errno != EEXIST) return Error::FromErrno(errno, "making " + name);
    return kernel::OpenWithoutLinks(parent, name, O_PATH);
  }
  TRY(UniqueFd made, kernel::OpenWithoutLinks(parent, name, O_RDONLY | O_DIRECTORY));
  // Apart from the umask.
  if (fchmod(made.get(), mode) != 0) return Error::FromErrno(errno, "changing the mode of " + name);
  return made;
}

}  // namespace

Result<UniqueFd> OpenSubPath(int volume, const std::string& path) {
  if (path.empty() || path == ".") return Open(volume, ".");
  auto whole = Open(volume, path);
  if (whole.ok() || whole.error().os_errno() != ENOENT) return whole;
  struct stat status{};
  if (fstat(volume, &status) != 0) return Error::FromErrno(errno, "looking at the volume");
  const mode_t mode = status.st_mode & 07777;
  TRY(UniqueFd folder, Open(volume, "."));
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || name == ".") continue;
    // Relative to the volume, so that links on the way are held to it.
    auto next = Open(volume, path.substr(0, end));
    if (!next.ok() && next.error().os_errno() == ENOENT) {
      next = MakeFolder(folder.get(), name, mode);
    }
    if (!next.ok()) return next;
    folder = *std::move(next);
  }
  return folder;
}

}  // namespace podium::node
