// Bytes that are read once, from the beginning: of a file, of a compressed stream, of a thread that
// reads ahead. What tar archives are read from.
//
// Sources are used by one thread at a time. A source built on another must not outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/digest.h"

namespace podium::image {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills some of the buffer, which is not empty, and says how much; 0 at the end and ever after.
  virtual Result<size_t> Read(std::span<char> buffer) = 0;
};

// A file, pipe or socket, from where it stands. The descriptor stays the caller's.
class FdSource : public ByteSource {
 public:
  explicit FdSource(int fd) : fd_(fd) {}
  Result<size_t> Read(std::span<char> buffer) override;

 private:
  int fd_;
};

// The bytes of a string, which must live as long.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : rest_(bytes) {}
  Result<size_t> Read(std::span<char> buffer) override;

 private:
  std::string_view rest_;
};

// No more than `limit` bytes; one more is the error that `exceeded` makes.
class LimitedSource : public ByteSource {
 public:
  LimitedSource(ByteSource& source, uint64_t limit, std::function<Error()> exceeded)
      : source_(source), left_(limit), exceeded_(std::move(exceeded)) {}
  Result<size_t> Read(std::span<char> buffer) override;

 private:
  ByteSource& source_;
  uint64_t left_;
  std::function<Error()> exceeded_;
};

// Passes bytes on and calls `seen` with each piece; its error ends the reading.
class ObservedSource : public ByteSource {
 public:
  using Observer = std::function<Result<void>(std::string_view piece)>;
  ObservedSource(ByteSource& source, Observer seen) : source_(source), seen_(std::move(seen)) {}
  Result<size_t> Read(std::span<char> buffer) override;

 private:
  ByteSource& source_;
  Observer seen_;
};

// The bytes behind gzip (one member or several), zstd (frames, skippable ones too) or nothing, told
// by the first bytes. kDataLoss when they are damaged or end too early.
std::unique_ptr<ByteSource> MakeDecompressor(ByteSource& source);

// Reads the source on a thread of its own, some 2 MiB ahead, so that decompressing and hashing go
// on while the reader writes files. The thread ends with the object.
std::unique_ptr<ByteSource> MakeReadAhead(ByteSource& source);

// Reads to the end.
Result<void> Drain(ByteSource& source);

}  // namespace podium::image
