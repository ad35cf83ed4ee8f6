#include "grpc/status.h"

namespace podium::grpc {
namespace {

// Clients of grpc-go take 16 MiB of fields, those of C 16 KiB.
constexpr size_t kMaxMessage = size_t{8} << 10;

}  // namespace

StatusCode StatusCodeOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return StatusCode::kInvalidArgument;
    case Code::kNotFound:
      return StatusCode::kNotFound;
    case Code::kAlreadyExists:
      return StatusCode::kAlreadyExists;
    case Code::kConflict:
      return StatusCode::kFailedPrecondition;
    case Code::kPermissionDenied:
      return StatusCode::kPermissionDenied;
    case Code::kUnauthenticated:
      return StatusCode::kUnauthenticated;
    case Code::kResourceExhausted:
      return StatusCode::kResourceExhausted;
    case Code::kUnavailable:
      return StatusCode::kUnavailable;
    case Code::kDeadlineExceeded:
      return StatusCode::kDeadlineExceeded;
    case Code::kCancelled:
      return StatusCode::kCancelled;
    case Code::kExpired:
      return StatusCode::kOutOfRange;
    case Code::kUnsupported:
      return StatusCode::kUnimplemented;
    case Code::kDataLoss:
      return StatusCode::kDataLoss;
    case Code::kInternal:
      break;
  }
  return StatusCode::kInternal;
}

std::string EncodeStatusMessage(std::string_view message) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    std::string next(1, c);
    if (byte < 0x20 || byte > 0x7E || c == '%')
      next = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    if (out.size() + next.size() > kMaxMessage) break;
    out += next;
  }
  return out;
}

http::Headers StatusFields(StatusCode code, std::string_view message) {
  http::Headers fields;
  fields.Add("grpc-status", std::to_string(static_cast<uint32_t>(code)));
  if (!message.empty()) fields.Add("grpc-message", EncodeStatusMessage(message));
  return fields;
}

}  // namespace podium::grpc
