// What a client of gRPC makes of an answer: its status and its one message, as grpc-go does it
// (internal/transport, rpc_util.go), in whose words upstream's probes speak.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/http2_call.h"

namespace podium::node {

// Those codes of gRPC that are looked at here; servers may send any number.
enum class GrpcCode : uint32_t {
  kOk = 0,
  kCanceled = 1,
  kUnknown = 2,
  kDeadlineExceeded = 4,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

struct GrpcStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message{};

  // "rpc error: code = Unavailable desc = no".
  std::string Text() const;
};

// Nothing while more is to come. Trailers are enough, and are looked at before the message.
std::optional<GrpcStatus> GrpcStatusOf(const http::Http2Call::Answer& answer);

// Of a call whose connection ends with this error ("EOF").
GrpcStatus GrpcConnectionError(const http::Http2Call::Answer& answer, std::string_view why);

struct GrpcMessage {
  GrpcStatus status{};  // of what is wrong with it
  std::string bytes{};
};
// The message of an answer that is over, with status kOk.
GrpcMessage GrpcMessageOf(const http::Http2Call::Answer& answer);

}  // namespace podium::node
