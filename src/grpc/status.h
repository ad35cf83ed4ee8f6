// How a call of gRPC ended, as it stands on the wire (github.com/grpc/grpc, doc/statuscodes.md and
// doc/PROTOCOL-HTTP2.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/headers.h"

namespace podium::grpc {

enum class StatusCode : uint32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// What stands for one of our errors; never kOk.
StatusCode StatusCodeOf(Code code);

// A message as the field grpc-message carries it: bytes outside of printable ASCII, and '%', as
// "%E2"; those beyond some KiB are left out, since a client bounds the fields that it takes.
std::string EncodeStatusMessage(std::string_view message);

// grpc-status, and grpc-message where there is one.
http::Headers StatusFields(StatusCode code, std::string_view message);

}  // namespace podium::grpc
