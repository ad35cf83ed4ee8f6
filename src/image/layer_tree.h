// A layer's folder while it is being filled. Names come from outside: every path is resolved by the
// kernel as if the folder were the root of the file system (openat2, RESOLVE_IN_ROOT, Linux 5.6),
// so that neither "..", nor a link made before, nor an absolute one leads out of it; everything
// else is relative to open folders and follows no link.
//
// One thread. Nobody else may change the folder meanwhile.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::image {

class LayerTree {
 public:
  // `root` is an open folder and stays the caller's. `privileged`: opaque folders are marked with
  // trusted.overlay.opaque, otherwise with user.overlay.opaque (mount option userxattr).
  LayerTree(int root, bool privileged) : root_(root), privileged_(privileged) {}

  // Goes into a folder, which is made where it is missing. What is created next is created there.
  // Folders keep the times that they had when they were entered, whatever is created in them.
  Result<void> Enter(std::string_view folder);
  // Goes out of the folder, which gets its times back. Needed at the end, too.
  Result<void> Leave();
  // Where Enter went.
  int folder() const { return folder_.get(); }
  bool at_root() const { return at_root_; }

  // Makes room for what is to get this name: whatever has it is removed. With `keep_folder`, a
  // folder stays. Returns what was there.
  enum class Found { kNothing, kFolder, kWhiteout, kOther };
  Result<Found> Vacate(const std::string& name, bool keep_folder);
  Result<Found> Look(const std::string& name) const;

  // Hides what lower layers have below a folder or of a name.
  Result<void> MakeOpaque(int folder) const;
  Result<void> MakeWhiteout(const std::string& name) const;

  // A path's folder and last name, for hard links to it. kNotFound.
  struct Place {
    UniqueFd folder;
    std::string name;
  };
  Result<Place> Locate(std::string_view path) const;

 private:
  Result<UniqueFd> OpenFolder(std::string_view path) const;
  Result<UniqueFd> MakeFolder(int parent, const std::string& name, std::string_view prefix) const;
  Result<UniqueFd> MakeFolders(std::string_view path) const;

  int root_;
  bool privileged_;
  std::string path_;
  UniqueFd folder_;
  bool at_root_ = false;
  timespec times_[2]{};
};

// Whether it is overlayfs's mark of a removed name: a character device 0/0.
bool IsWhiteout(const struct stat& status);

}  // namespace podium::image
