#include "image/byte_source.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

namespace podium::image {
namespace {

constexpr size_t kChunkSize = size_t{256} << 10;
constexpr size_t kChunks = 8;

// A ring of chunks: the thread fills one while the reader empties another.
class ReadAhead : public ByteSource {
 public:
  explicit ReadAhead(ByteSource& source) : source_(source), thread_([this] { Run(); }) {}
  ~ReadAhead() override {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  Result<size_t> Read(std::span<char> buffer) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return full_ > 0 || ended_; });
    if (full_ == 0) {
      if (error_) return *error_;
      return size_t{0};
    }
    Chunk& chunk = chunks_[first_];
    lock.unlock();
    const size_t count = std::min(buffer.size(), chunk.size - chunk.read);
    std::memcpy(buffer.data(), chunk.bytes.data() + chunk.read, count);
    chunk.read += count;
    if (chunk.read < chunk.size) return count;
    lock.lock();
    first_ = (first_ + 1) % kChunks;
    --full_;
    lock.unlock();
    changed_.notify_all();
    return count;
  }

 private:
  struct Chunk {
    std::vector<char> bytes = std::vector<char>(kChunkSize);
    size_t size = 0;
    size_t read = 0;
  };

  // Fills the chunk. False at the end, or with the error.
  bool Fill(Chunk* chunk) {
    chunk->size = chunk->read = 0;
    while (chunk->size < kChunkSize) {
      auto count = source_.Read(std::span(chunk->bytes).subspan(chunk->size));
      if (!count.ok()) {
        const std::lock_guard lock(mutex_);
        error_ = std::make_unique<Error>(std::move(count).error());
        return false;
      }
      if (*count == 0) return false;
      chunk->size += *count;
    }
    return true;
  }

  void Run() {
    for (bool more = true; more;) {
      Chunk* chunk = nullptr;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return full_ < kChunks || stopped_; });
        if (stopped_) return;
        chunk = &chunks_[(first_ + full_) % kChunks];
      }
      more = Fill(chunk);
      {
        const std::lock_guard lock(mutex_);
        if (chunk->size > 0) ++full_;
        ended_ = !more;
      }
      changed_.notify_all();
    }
  }

  ByteSource& source_;
  std::array<Chunk, kChunks> chunks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t first_ = 0;  // the oldest full chunk
  size_t full_ = 0;
  bool ended_ = false;    // the thread fills no more
  bool stopped_ = false;  // the reader wants no more
  std::unique_ptr<Error> error_;
  std::thread thread_;  // last, so that all above is there before it runs
};

}  // namespace

Result<size_t> FdSource::Read(std::span<char> buffer) {
  while (true) {
    const ssize_t count = read(fd_, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return Error::FromErrno(errno, "reading");
  }
}

Result<size_t> MemorySource::Read(std::span<char> buffer) {
  const size_t count = std::min(buffer.size(), rest_.size());
  std::memcpy(buffer.data(), rest_.data(), count);
  rest_.remove_prefix(count);
  return count;
}

Result<size_t> LimitedSource::Read(std::span<char> buffer) {
  TRY(const size_t count, source_.Read(buffer));
  if (count > left_) return exceeded_();
  left_ -= count;
  return count;
}

Result<size_t> ObservedSource::Read(std::span<char> buffer) {
  TRY(const size_t count, source_.Read(buffer));
  if (count > 0) TRY_VOID(seen_({buffer.data(), count}));
  return count;
}

std::unique_ptr<ByteSource> MakeReadAhead(ByteSource& source) {
  return std::make_unique<ReadAhead>(source);
}

Result<void> Drain(ByteSource& source) {
  std::vector<char> buffer(kChunkSize);
  while (true) {
    TRY(const size_t count, source.Read(buffer));
    if (count == 0) return {};
  }
}

}  // namespace podium::image
