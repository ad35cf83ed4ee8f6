// Writes tar archives of regular files and folders, as ustar, in order and without seeking: what
// exported images are made of. The same input gives the same bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "image/byte_source.h"

namespace podium::image {

class TarWriter {
 public:
  // Writes to `fd`, a file, pipe or socket, which stays the caller's.
  explicit TarWriter(int fd) : fd_(fd) {}

  // Names have at most 100 bytes; others are kInvalidArgument.
  Result<void> Folder(std::string_view name);
  Result<void> File(std::string_view name, std::string_view bytes);
  // kDataLoss when the source has not exactly `size` bytes.
  Result<void> File(std::string_view name, uint64_t size, ByteSource& source);
  // The end of the archive. Nothing may follow.
  Result<void> Finish();

 private:
  Result<void> Header(std::string_view name, char type, uint32_t mode, uint64_t size);

  int fd_;
};

}  // namespace podium::image
