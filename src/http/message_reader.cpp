#include "http/message_reader.h"

#include <algorithm>
#include <cstring>

namespace podium::http {
namespace {

constexpr size_t kReadSize = size_t{16} << 10;

Error UnexpectedEnd() { return Error(Code::kUnavailable, "unexpected EOF"); }

}  // namespace

Result<size_t> MessageReader::Fill() {
  buffer_.erase(0, std::exchange(begin_, 0));
  const size_t old = buffer_.size();
  buffer_.resize(old + kReadSize);
  auto size = stream_->Read({&buffer_[old], kReadSize});
  buffer_.resize(old + (size.ok() ? *size : 0));
  return size;
}

Result<std::string> MessageReader::ReadHead(const HeadLimits& limits) {
  received_ = HasRest();
  size_t searched = 0;
  while (true) {
    const std::string_view rest = Rest();
    const size_t size = FindHeadEnd(rest, searched);
    if (size > limits.bytes || (size == 0 && rest.size() > limits.bytes)) {
      return Error(Code::kResourceExhausted, "the message head is too large");
    }
    if (size > 0) {
      std::string head(rest.substr(0, size));
      begin_ += size;
      return head;
    }
    searched = rest.size();
    TRY(const size_t filled, Fill());
    if (filled == 0) return UnexpectedEnd();
    received_ = true;
  }
}

void MessageReader::BeginBody(const Framing& framing) {
  framing_ = framing;
  left_ = framing.length;
  chunks_ = {};
  done_ = framing.kind == Framing::Kind::kNone ||
          (framing.kind == Framing::Kind::kLength && left_ == 0);
}

Result<size_t> MessageReader::Take(std::span<char> buffer) {
  if (!HasRest()) return stream_->Read(buffer);
  const size_t size = std::min(buffer.size(), buffer_.size() - begin_);
  std::memcpy(buffer.data(), &buffer_[begin_], size);
  begin_ += size;
  return size;
}

Result<size_t> MessageReader::ReadChunked(std::span<char> buffer) {
  while (true) {
    if (!HasRest()) {
      TRY(const size_t filled, Fill());
      if (filled == 0) return UnexpectedEnd();
    }
    // No more than fits, so that what is decoded need not be kept.
    TRY(const ChunkedDecoder::Piece piece, chunks_.Next(Rest().substr(0, buffer.size())));
    piece.data.copy(buffer.data(), buffer.size());
    begin_ += piece.consumed;
    done_ = chunks_.done();
    if (done_ || !piece.data.empty()) return piece.data.size();
  }
}

Result<size_t> MessageReader::ReadBody(std::span<char> buffer) {
  if (done_ || buffer.empty()) return 0;
  switch (framing_.kind) {
    case Framing::Kind::kNone:
      return 0;
    case Framing::Kind::kChunked:
      return ReadChunked(buffer);
    case Framing::Kind::kUntilClose: {
      TRY(const size_t size, Take(buffer));
      done_ = size == 0;
      return size;
    }
    case Framing::Kind::kLength:
      break;
  }
  TRY(const size_t size, Take(buffer.first(std::min<uint64_t>(left_, buffer.size()))));
  if (size == 0) return UnexpectedEnd();
  left_ -= size;
  done_ = left_ == 0;
  return size;
}

}  // namespace podium::http
