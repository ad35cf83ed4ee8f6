// Reads tar archives entry by entry, in one pass and in memory that does not depend on the archive:
// v7, ustar, pax (long names, large numbers, times with nanoseconds, xattrs, sparse files), GNU
// (long names, base-256 numbers, sparse files) and star.
//
// Nothing of an entry is trusted or changed here, but that numbers and sizes are in range and that
// no text has a NUL byte in it: names may be absolute, have "..", or be of any bytes. Where
// archives can be read in two ways, they are read as Go's archive/tar does, with which registries,
// scanners and containerd read them: global pax headers change nothing, links have no data, one
// block of zeros alone is an error.
// Source: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Tar Internals".
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/byte_source.h"

namespace podium::image {

// What an extended header may have, names and all.
inline constexpr size_t kMaxTarHeader = size_t{1} << 20;
// PATH_MAX: nobody could open what has a longer name.
inline constexpr size_t kMaxTarName = 4096;
inline constexpr size_t kMaxSparsePieces = size_t{1} << 18;

struct TarEntry {
  enum class Type {
    kFile,
    kDirectory,
    kSymlink,
    kHardLink,
    kCharacterDevice,
    kBlockDevice,
    kFifo,
  };

  Type type = Type::kFile;
  std::string path;   // as it stands in the archive
  std::string link;   // of links
  uint32_t mode = 0;  // permissions, set-id bits and the sticky bit
  uint64_t uid = 0;
  uint64_t gid = 0;
  uint64_t size = 0;  // of a file, with its holes
  timespec mtime{};
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;  // by name, in order of appearance
};

// A part of a file's data that stands in the archive; what is between parts is a hole.
struct TarPiece {
  uint64_t offset = 0;  // in the file
  std::string_view bytes;
};

class TarReader {
 public:
  explicit TarReader(ByteSource& source);

  // The next entry; what was not read of the one before is passed over. False at the end of the
  // archive. kInvalidArgument when this is no tar archive or one that is damaged.
  Result<bool> Next(TarEntry* entry);

  // The next part of the entry's data, valid until the next call. False when there is no more.
  Result<bool> NextPiece(TarPiece* piece);

 private:
  struct Extent {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  // What extended headers say about the entry that follows them.
  struct Extended;

  Result<std::string_view> Fill(size_t count);
  Result<void> Skip(uint64_t count);
  Result<bool> ReadBlock(std::string* block);
  Result<std::string> ReadSmall(uint64_t size, const char* what);
  Result<bool> ReadHeader(TarEntry* entry, Extended* extended);
  Result<void> ReadPax(std::string_view records, Extended* extended);
  Result<void> Complete(const std::string& block, Extended* extended, TarEntry* entry);
  Result<void> ReadOldSparse(const std::string& block, TarEntry* entry);
  Result<void> ReadSparseTable(uint64_t* stored);
  Result<void> CheckSparse(uint64_t size, uint64_t stored) const;

  ByteSource& source_;
  std::vector<char> buffer_;
  size_t at_ = 0;
  size_t end_ = 0;
  bool source_ended_ = false;
  bool ended_ = false;

  uint64_t data_left_ = 0;       // of the entry, in the archive
  uint64_t padding_ = 0;         // behind it
  std::vector<Extent> extents_;  // of a sparse file; else empty
  size_t extent_ = 0;            // the current one
  uint64_t done_ = 0;            // of the current extent, or of the file
  bool sparse_ = false;
};

}  // namespace podium::image
