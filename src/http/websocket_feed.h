// A body for a client that asks for it by WebSocket: a watch or a log, message by message, on a
// Poller's thread. The client is not expected to say anything; its pings are answered, its messages
// passed over, and its end is the body's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/headers.h"
#include "http/message.h"
#include "http/poller.h"
#include "http/pulled_body.h"
#include "http/server.h"

namespace podium::http {

// The subprotocols that the client offers, in its order.
std::vector<std::string_view> OfferedProtocols(const Headers& headers);

// The headers of a 101 to such a request; `protocol` "" for none. kInvalidArgument with what is
// wrong with the request.
Result<Headers> WebSocketAcceptance(const RequestHead& head, std::string_view protocol);

struct FeedOptions {
  enum class Message : uint8_t {
    kPiece,           // each piece of the body, as it comes
    kLine,            // each line, with its end
    kLengthPrefixed,  // what stands behind four bytes of length, which go
  };
  Message message = Message::kPiece;
  bool text = false;
  bool base64 = false;        // of each message
  bool begins_empty = false;  // with a message of no bytes, which tells that it goes on
};

// Answers with 101 and these headers, and sends the body. kUnsupported over HTTP/2, kCancelled when
// the client is gone; then the exchange is still to be answered, or nobody is left.
Result<void> FeedWebSocket(const std::shared_ptr<Poller>& poller, Exchange& exchange,
                           Headers headers, std::unique_ptr<PulledBody> body,
                           const FeedOptions& options);

}  // namespace podium::http
