#include "http/chunked.h"

#include <algorithm>
#include <charconv>

namespace podium::http {
namespace {

Error Malformed() { return Error(Code::kInvalidArgument, "malformed chunked encoding"); }

Error TooLong() {
  return Error(Code::kResourceExhausted, "chunked encoding with too much besides");
}

// A sender that puts a long extension before each byte of data makes the receiver read far more
// than any limit on the body allows (CVE-2023-39326). Sixteen bytes a chunk are free; beyond them,
// so many bytes in a whole body.
constexpr size_t kFreeBytes = 16;
constexpr uint64_t kMaxOverhead = 16 << 10;

}  // namespace

Result<ChunkedDecoder::Piece> ChunkedDecoder::Next(std::string_view input) {
  for (size_t i = 0; i < input.size(); ++i) {
    if (state_ == State::kDone) return Piece{i, {}};
    if (state_ == State::kData) {
      const std::string_view data =
          input.substr(i, static_cast<size_t>(std::min<uint64_t>(left_, input.size() - i)));
      left_ -= data.size();
      if (left_ == 0) state_ = State::kDataEnd;
      return Piece{i + data.size(), data};
    }
    TRY_VOID(Step(input[i]));
  }
  return Piece{input.size(), {}};
}

Result<void> ChunkedDecoder::Step(char c) {
  switch (state_) {
    case State::kSize:
    case State::kExtension:
      return TakeSizeByte(c);
    case State::kSizeEnd:
      if (c != '\n') return Malformed();
      return EndOfSize();
    case State::kDataEnd:
      if (c != '\r') return Malformed();
      state_ = State::kDataEndLf;
      return {};
    case State::kDataEndLf:
      if (c != '\n') return Malformed();
      state_ = State::kSize;
      return {};
    case State::kTrailerBegin:
      if (c == '\n') return Malformed();
      state_ = c == '\r' ? State::kEndLf : State::kTrailer;
      break;
    case State::kTrailer:
      if (c == '\n') return Malformed();
      if (c == '\r') state_ = State::kTrailerLf;
      break;
    case State::kTrailerLf:
      if (c != '\n') return Malformed();
      state_ = State::kTrailerBegin;
      break;
    case State::kEndLf:
      if (c != '\n') return Malformed();
      state_ = State::kDone;
      return {};
    case State::kData:
    case State::kDone:
      break;
  }
  if (++trailers_ > kMaxTrailers) return TooLong();
  return {};
}

Result<void> ChunkedDecoder::TakeSizeByte(char c) {
  if (++line_ > kMaxLine) return TooLong();
  if (line_ > kFreeBytes && ++overhead_ > kMaxOverhead) return TooLong();
  if (c == '\r') {
    if (digits_ == 0) return Malformed();
    state_ = State::kSizeEnd;
    return {};
  }
  if (state_ == State::kExtension) return c == '\n' ? Result<void>(Malformed()) : Result<void>();
  unsigned digit = 0;
  if (std::from_chars(&c, &c + 1, digit, 16).ec == std::errc()) {
    // Sixteen digits are 64 bits.
    if (++digits_ > 16) return Malformed();
    left_ = (left_ << 4) | digit;
    return {};
  }
  if (digits_ == 0 || (c != ';' && c != ' ' && c != '\t')) return Malformed();
  state_ = State::kExtension;
  return {};
}

Result<void> ChunkedDecoder::EndOfSize() {
  state_ = left_ == 0 ? State::kTrailerBegin : State::kData;
  digits_ = 0;
  line_ = 0;
  return {};
}

std::string EncodeChunk(std::string_view data) {
  char digits[16];
  char* const end = std::to_chars(digits, digits + sizeof digits, data.size(), 16).ptr;
  std::string out(digits, end);
  out.reserve(out.size() + data.size() + 4);
  return out.append("\r\n").append(data).append("\r\n");
}

}  // namespace podium::http
