// Looking at everything in a folder, of any depth and size, with two descriptors.
//
// Threads: any.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "base/result.h"

namespace podium::kernel {

struct TreeEntry {
  int folder;               // open, and has the entry
  const std::string& name;  // in that folder
  const std::string& path;  // below the top
  const struct stat& status;
};

// Visits every entry below `folder`: those of a folder in the order of their names' bytes, and then
// what its folders have. No link is followed. An error of `visit` ends the walk and is passed on;
// kUnsupported (EXDEV) where another file system begins, kConflict when the tree is moved
// meanwhile.
Result<void> WalkTree(int folder, const std::function<Result<void>(const TreeEntry&)>& visit);

}  // namespace podium::kernel
