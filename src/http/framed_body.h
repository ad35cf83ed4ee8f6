// The body of a message out of the bytes behind its head, whatever says where it ends: for who
// reads without waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "http/chunked.h"
#include "http/message.h"

namespace podium::http {

class FramedBody {
 public:
  explicit FramedBody(const Framing& framing) : framing_(framing), left_(framing.length) {}

  // The next piece of `input`, which is what follows the bytes consumed before. Consumes something
  // unless the input is empty or done(). Errors: those of ChunkedDecoder.
  using Piece = ChunkedDecoder::Piece;
  Result<Piece> Next(std::string_view input);

  // The body is whole; what follows is not of it. Never true of one that ends with its connection.
  bool done() const;
  bool ends_with_connection() const { return framing_.kind == Framing::Kind::kUntilClose; }

 private:
  Framing framing_;
  uint64_t left_;  // of a known length
  ChunkedDecoder chunks_;
};

}  // namespace podium::http
