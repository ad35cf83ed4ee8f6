#include "http/framed_body.h"

#include <algorithm>

namespace podium::http {

Result<FramedBody::Piece> FramedBody::Next(std::string_view input) {
  switch (framing_.kind) {
    case Framing::Kind::kNone:
      break;
    case Framing::Kind::kLength: {
      const auto size = static_cast<size_t>(std::min<uint64_t>(input.size(), left_));
      left_ -= size;
      return Piece{size, input.substr(0, size)};
    }
    case Framing::Kind::kChunked:
      return chunks_.Next(input);
    case Framing::Kind::kUntilClose:
      return Piece{input.size(), input};
  }
  return Piece{};
}

bool FramedBody::done() const {
  switch (framing_.kind) {
    case Framing::Kind::kNone:
      return true;
    case Framing::Kind::kLength:
      return left_ == 0;
    case Framing::Kind::kChunked:
      return chunks_.done();
    case Framing::Kind::kUntilClose:
      break;
  }
  return false;
}

}  // namespace podium::http
