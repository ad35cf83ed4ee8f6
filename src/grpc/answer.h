// What a client of gRPC makes of an answer: its status and its one message, as grpc-go does it
// (internal/transport, rpc_util.go), in whose words upstream's probes speak.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "grpc/status.h"
#include "http/http2_call.h"

namespace podium::grpc {

struct Status {
  StatusCode code = StatusCode::kOk;  // servers may send any number
  std::string message{};

  // "rpc error: code = Unavailable desc = no".
  std::string Text() const;
};

// Nothing while more is to come. Trailers are enough, and are looked at before the message.
std::optional<Status> StatusOfAnswer(const http::Http2Call::Answer& answer);

// Of a call whose connection ends with this error ("EOF").
Status StatusOfConnectionError(const http::Http2Call::Answer& answer, std::string_view why);

struct Message {
  Status status{};  // of what is wrong with it
  std::string bytes{};
};
// The message of an answer that is over, with status kOk.
Message MessageOfAnswer(const http::Http2Call::Answer& answer);

}  // namespace podium::grpc
