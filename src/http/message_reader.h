// Heads and bodies of messages out of a stream, one after the other.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "http/chunked.h"
#include "http/message.h"
#include "http/stream.h"

namespace podium::http {

class MessageReader {
 public:
  // `bytes` were read from the stream already. The stream outlives the reader.
  explicit MessageReader(Stream& stream, std::string bytes = {})
      : stream_(&stream), buffer_(std::move(bytes)) {}

  // The bytes of the next head. kUnavailable when the peer closes before its first byte or amid it;
  // `received()` tells these apart.
  Result<std::string> ReadHead(const HeadLimits& limits);
  // Whether a byte came since the last ReadHead began, or was there before it.
  bool received() const { return received_; }

  // The body behind the head just read.
  void BeginBody(const Framing& framing);
  // At least a byte of the body, or 0 at its end. kUnavailable when the peer closes before that.
  Result<size_t> ReadBody(std::span<char> buffer);
  bool body_done() const { return done_; }

  // What was read behind the message. Takes it.
  std::string TakeRest() { return std::exchange(buffer_, {}).substr(std::exchange(begin_, 0)); }
  bool HasRest() const { return begin_ < buffer_.size(); }

 private:
  std::string_view Rest() const { return std::string_view(buffer_).substr(begin_); }
  Result<size_t> Fill();
  // Up to `size` bytes, from the buffer or else from the stream.
  Result<size_t> Take(std::span<char> buffer);
  Result<size_t> ReadChunked(std::span<char> buffer);

  Stream* stream_;
  std::string buffer_;
  size_t begin_ = 0;
  bool received_ = false;
  Framing framing_;
  uint64_t left_ = 0;  // of a body of known length
  ChunkedDecoder chunks_;
  bool done_ = true;
};

}  // namespace podium::http
