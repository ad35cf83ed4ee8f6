// The entries of a folder one by one, in no order; for who needs more than the names that
// kernel::ListFolder has, or not all of them. Private to linux.
//
// Threads: one.
#pragma once

#include <dirent.h>

#include <string>

#include "base/owned.h"
#include "base/result.h"

namespace podium::kernel {

class FolderStream {
 public:
  // On a descriptor of its own: the position in the folder belongs to a descriptor. `what` is what
  // errors say.
  static Result<FolderStream> Open(int folder, const std::string& what);

  int fd() const { return dirfd(stream_.get()); }
  // "." and ".." left out; lives until the next call. Null at the end, with *error 0, and where
  // the folder cannot be read further, with errno in *error.
  const dirent* Next(int* error);

 private:
  explicit FolderStream(DIR* stream) : stream_(stream) {}

  Owned<DIR, closedir> stream_;
};

}  // namespace podium::kernel
