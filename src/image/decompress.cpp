// The one file that knows zlib and zstd.
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/owned.h"
#include "image/byte_source.h"

namespace podium::image {
namespace {

constexpr size_t kInputSize = size_t{128} << 10;
constexpr int kGzipOnly = 15 + 16;  // zlib's code for the largest window and gzip's header
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
// Skippable frames begin with any of sixteen bytes and then these.
constexpr std::string_view kZstdSkippable = "\x2a\x4d\x18";

Error Damaged(const char* format, const char* what) {
  return {Code::kDataLoss, std::string("the ") + format + " stream is damaged: " + what};
}

Error EndsEarly(const char* format) { return Damaged(format, "it ends too early"); }

// Compressed bytes on their way in.
class Input {
 public:
  explicit Input(ByteSource& source) : source_(source), buffer_(kInputSize) {}

  // At least `count` bytes, unless there are no more.
  Result<std::string_view> Peek(size_t count) {
    if (size_ - at_ < count && !ended_) {
      std::memmove(buffer_.data(), buffer_.data() + at_, size_ - at_);
      size_ -= at_;
      at_ = 0;
    }
    while (size_ - at_ < count && !ended_) {
      TRY(const size_t read, source_.Read(std::span(buffer_).subspan(size_)));
      ended_ = read == 0;
      size_ += read;
    }
    return std::string_view(buffer_.data() + at_, size_ - at_);
  }
  void Skip(size_t count) { at_ += count; }

 private:
  ByteSource& source_;
  std::vector<char> buffer_;
  size_t at_ = 0;
  size_t size_ = 0;
  bool ended_ = false;
};

class Plain {
 public:
  static Result<size_t> Read(Input& input, std::span<char> buffer) {
    TRY(const std::string_view bytes, input.Peek(1));
    const size_t count = std::min(bytes.size(), buffer.size());
    std::memcpy(buffer.data(), bytes.data(), count);
    input.Skip(count);
    return count;
  }
};

class Gzip {
 public:
  // Fails only for want of memory, which ends the process as it does everywhere.
  Gzip() {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) std::terminate();
  }
  ~Gzip() { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  Result<size_t> Read(Input& input, std::span<char> buffer) {
    while (true) {
      if (between_members_) {
        TRY(const std::string_view next, input.Peek(kGzipMagic.size()));
        if (next.empty()) return size_t{0};
        if (!next.starts_with(kGzipMagic)) return Damaged("gzip", "something follows it");
        inflateReset(&stream_);
        between_members_ = false;
      }
      TRY(const std::string_view bytes, input.Peek(1));
      // zlib does not write to its input.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream_.avail_in = static_cast<uInt>(bytes.size());
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      const size_t room = std::min<size_t>(buffer.size(), size_t{1} << 30);
      stream_.avail_out = static_cast<uInt>(room);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      input.Skip(bytes.size() - stream_.avail_in);
      if (status == Z_STREAM_END) {
        between_members_ = true;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return Damaged("gzip", stream_.msg ? stream_.msg : "wrong data");
      }
      if (room > stream_.avail_out) return room - stream_.avail_out;
      // Some output may still have been inside.
      if (bytes.empty() && !between_members_) return EndsEarly("gzip");
    }
  }

 private:
  z_stream stream_{};
  bool between_members_ = false;
};

class Zstd {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    if (!stream_) std::terminate();
  }

  Result<size_t> Read(Input& input, std::span<char> buffer) {
    while (true) {
      TRY(const std::string_view bytes, input.Peek(1));
      if (bytes.empty() && !inside_frame_) return size_t{0};
      ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
      ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
      const size_t left = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(left)) return Damaged("zstd", ZSTD_getErrorName(left));
      input.Skip(in.pos);
      inside_frame_ = left != 0;
      if (out.pos > 0) return out.pos;
      // Some output may still have been inside.
      if (bytes.empty() && inside_frame_) return EndsEarly("zstd");
    }
  }

 private:
  Owned<ZSTD_DStream, ZSTD_freeDStream> stream_;
  bool inside_frame_ = false;
};

class Decompressor : public ByteSource {
 public:
  explicit Decompressor(ByteSource& source) : input_(source) {}

  Result<size_t> Read(std::span<char> buffer) override {
    if (!known_) {
      TRY(const std::string_view start, input_.Peek(kZstdMagic.size()));
      if (start.starts_with(kGzipMagic)) {
        gzip_.emplace();
      } else if (start.starts_with(kZstdMagic) ||
                 (start.size() >= kZstdMagic.size() &&
                  start.substr(1).starts_with(kZstdSkippable) && (start[0] & 0xF0) == 0x50)) {
        zstd_.emplace();
      }
      known_ = true;
    }
    if (gzip_) return gzip_->Read(input_, buffer);
    if (zstd_) return zstd_->Read(input_, buffer);
    return Plain::Read(input_, buffer);
  }

 private:
  Input input_;
  bool known_ = false;
  std::optional<Gzip> gzip_;
  std::optional<Zstd> zstd_;
};

}  // namespace

std::unique_ptr<ByteSource> MakeDecompressor(ByteSource& source) {
  return std::make_unique<Decompressor>(source);
}

}  // namespace podium::image
