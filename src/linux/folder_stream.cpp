#include "linux/folder_stream.h"

#include <fcntl.h>

#include <cerrno>
#include <string_view>

#include "base/unique_fd.h"

namespace podium::kernel {

Result<FolderStream> FolderStream::Open(int folder, const std::string& what) {
  UniqueFd fd(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* const stream = fd ? fdopendir(fd.get()) : nullptr;
  if (!stream) return Error::FromErrno(errno, what);
  (void)fd.release();  // the stream's now
  return FolderStream(stream);
}

const dirent* FolderStream::Next(int* error) {
  while (true) {
    errno = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream has one reader
    const dirent* entry = readdir(stream_.get());
    *error = entry ? 0 : errno;
    if (!entry) return nullptr;
    const std::string_view name(&entry->d_name[0]);
    if (name != "." && name != "..") return entry;
  }
}

}  // namespace podium::kernel
