#include "image/layer_tree.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "linux/path.h"

namespace podium::image {
namespace {

constexpr mode_t kImpliedMode = 0755;  // of folders that the archive has no entry for

Error Failed(std::string_view what) { return Error::FromErrno(errno, what); }

}  // namespace

bool IsWhiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

Result<UniqueFd> LayerTree::OpenFolder(std::string_view path) const {
  return kernel::OpenInRoot(root_, path.empty() ? "." : std::string(path), O_RDONLY | O_DIRECTORY);
}

// A part of a path: what is there, made where there is nothing. `prefix` is the path up to its end.
Result<UniqueFd> LayerTree::MakeFolder(int parent, const std::string& name,
                                       std::string_view prefix) const {
  auto folder = kernel::OpenWithoutLinks(parent, name, O_RDONLY | O_DIRECTORY);
  if (folder.ok()) return folder;
  struct stat status{};
  const bool there = fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && S_ISLNK(status.st_mode)) {
    folder = OpenFolder(prefix);
    if (folder.ok()) return folder;
  }
  // What lower layers have of this name is hidden, and now there is a folder of this layer.
  const bool whiteout = there && IsWhiteout(status);
  if (there && !whiteout) {
    return Error(Code::kInvalidArgument,
                 '"' + std::string(prefix) + "\" is no folder, but something lies in it");
  }
  struct stat before{};
  if (fstat(parent, &before) != 0) return Failed(prefix);
  if (whiteout && unlinkat(parent, name.c_str(), 0) != 0) return Failed(name);
  if (mkdirat(parent, name.c_str(), kImpliedMode) != 0) return Failed(name);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  if (futimens(parent, times) != 0) return Failed(prefix);
  TRY(UniqueFd made, kernel::OpenWithoutLinks(parent, name, O_RDONLY | O_DIRECTORY));
  if (fchmod(made.get(), kImpliedMode) != 0) return Failed(name);
  if (whiteout) TRY_VOID(MakeOpaque(made.get()));
  return made;
}

Result<UniqueFd> LayerTree::MakeFolders(std::string_view path) const {
  TRY(UniqueFd folder, OpenFolder(""));
  for (size_t end = 0; end < path.size();) {
    const size_t start = end == 0 ? 0 : end + 1;
    end = std::min(path.find('/', start), path.size());
    const std::string name(path.substr(start, end - start));
    TRY(folder, MakeFolder(folder.get(), name, path.substr(0, end)));
  }
  return folder;
}

Result<void> LayerTree::Enter(std::string_view folder) {
  if (folder_ && path_ == folder) return {};
  TRY_VOID(Leave());
  auto opened = OpenFolder(folder);
  if (!opened.ok()) opened = MakeFolders(folder);
  TRY(folder_, std::move(opened));
  struct stat status{};
  if (fstat(folder_.get(), &status) != 0) return Failed(folder);
  times_[0] = status.st_atim;
  times_[1] = status.st_mtim;
  path_ = folder;
  at_root_ = folder.empty();
  return {};
}

Result<void> LayerTree::Leave() {
  if (!folder_) return {};
  if (futimens(folder_.get(), times_) != 0) return Failed(path_);
  folder_.reset();
  return {};
}

Result<LayerTree::Found> LayerTree::Look(const std::string& name) const {
  struct stat status{};
  if (fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return Found::kNothing;
    return Failed(name);
  }
  if (S_ISDIR(status.st_mode)) return Found::kFolder;
  return IsWhiteout(status) ? Found::kWhiteout : Found::kOther;
}

Result<LayerTree::Found> LayerTree::Vacate(const std::string& name, bool keep_folder) {
  TRY(const Found found, Look(name));
  if (found == Found::kNothing || (found == Found::kFolder && keep_folder)) return found;
  TRY_VOID(kernel::RemoveTree(folder_.get(), name));
  return found;
}

Result<void> LayerTree::MakeOpaque(int folder) const {
  const char* name = privileged_ ? "trusted.overlay.opaque" : "user.overlay.opaque";
  if (fsetxattr(folder, name, "y", 1, 0) != 0) return Failed("marking a folder as opaque");
  return {};
}

Result<void> LayerTree::MakeWhiteout(const std::string& name) const {
  // Needs no privilege since Linux 5.8.
  if (mknodat(folder_.get(), name.c_str(), S_IFCHR, makedev(0, 0)) != 0) return Failed(name);
  return {};
}

Result<LayerTree::Place> LayerTree::Locate(std::string_view path) const {
  const size_t slash = path.rfind('/');
  const bool nested = slash != std::string_view::npos;
  TRY(UniqueFd folder, OpenFolder(nested ? path.substr(0, slash) : ""));
  return Place{std::move(folder), std::string(nested ? path.substr(slash + 1) : path)};
}

}  // namespace podium::image
