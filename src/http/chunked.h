// The chunked transfer coding (RFC 9112, section 7.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace podium::http {

// Takes the coding off, piece by piece as bytes arrive.
class ChunkedDecoder {
 public:
  struct Piece {
    size_t consumed = 0;    // how many bytes of the input are used up
    std::string_view data;  // of the body; a part of the input, may be empty
  };

  // The next piece of `input`, which is what follows the bytes consumed before. Consumes something
  // unless the input is empty or done(). kInvalidArgument when it is no chunked coding;
  // kResourceExhausted when extensions or trailers are longer than anyone needs.
  Result<Piece> Next(std::string_view input);

  // The last chunk and the trailers, which are dropped, were read.
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State {
    kSize,       // in the digits of a chunk's size
    kExtension,  // behind them, in the same line
    kSizeEnd,    // the line's LF is due
    kData,
    kDataEnd,       // CR behind the data
    kDataEndLf,     // and its LF
    kTrailerBegin,  // the first byte of a trailer, or of the last line
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone,
  };
  Result<void> Step(char c);
  Result<void> TakeSizeByte(char c);
  Result<void> EndOfSize();

  State state_ = State::kSize;
  uint64_t left_ = 0;      // of the chunk's data; while its size is read, the size
  size_t digits_ = 0;      // of the size
  size_t line_ = 0;        // bytes of the size's line
  size_t trailers_ = 0;    // bytes of trailers
  uint64_t overhead_ = 0;  // bytes that are no data, beyond what honest senders need
  static constexpr size_t kMaxLine = 4096;
  static constexpr size_t kMaxTrailers = 8192;
};

// One chunk: size, data, line ends. An empty one would end the body, so `data` is not empty.
std::string EncodeChunk(std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace podium::http
