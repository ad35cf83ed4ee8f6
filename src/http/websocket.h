// WebSocket (RFC 6455), both halves, without extensions.
//
// Threads: one reads while any send. Shutdown is for any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/websocket_frame.h"

namespace podium::http {

struct WebSocketLimits {
  // Of a message, all its frames together.
  uint64_t max_message = uint64_t{32} << 20;
};

class WebSocket {
 public:
  enum class Role { kClient, kServer };
  // Over a connection that has shaken hands. `protocol` is what both agreed on, or "".
  WebSocket(std::unique_ptr<Stream> stream, Role role, std::string protocol,
            WebSocketLimits limits = {});

  struct Message {
    bool text = false;  // and then UTF-8
    std::string data;
  };
  // The next message; none after the peer's close frame, which is answered. Pings are answered on
  // the way. kInvalidArgument when the peer breaks the protocol, kResourceExhausted when a message
  // is too large: it is told so, and the connection is of no more use. kUnavailable when it goes
  // away without a close frame.
  Result<std::optional<Message>> Read();

  Result<void> SendText(std::string_view text);
  Result<void> SendBinary(std::string_view bytes);
  // The last frame from here; sent once. Read on until the peer's comes.
  Result<void> Close(uint16_t code, std::string_view reason = {});

  // What the peer's close frame said; 1006 until there was one.
  const CloseStatus& close_status() const { return close_status_; }
  const std::string& protocol() const { return protocol_; }

  void SetLimits(const WaitLimits& limits) { stream_->SetLimits(limits); }
  void Shutdown() { stream_->Shutdown(); }

 private:
  Result<void> SendFrame(Opcode opcode, std::string_view payload);
  // With the lock held.
  Result<void> WriteFrame(Opcode opcode, std::string_view payload);
  Result<FrameHeader> ReadHeader();
  Result<void> ReadPayload(const FrameHeader& header, std::string* out);
  Result<void> CheckFrame(const FrameHeader& header) const;
  Result<void> AnswerControl(const FrameHeader& header, const std::string& payload);
  // Says to the peer what it did, and to the caller.
  Error Fail(uint16_t code, Error error);

  std::unique_ptr<Stream> stream_;
  const Role role_;
  const std::string protocol_;
  const WebSocketLimits limits_;

  // Of the reader.
  std::string buffer_;
  size_t begin_ = 0;  // what of the buffer is used up
  std::optional<Message> partial_;
  bool closed_ = false;
  CloseStatus close_status_{1006, ""};

  std::mutex mutex_;  // of writing
  bool close_sent_ = false;
};

// Whether the request wants to become a WebSocket.
bool IsWebSocketRequest(const RequestHead& head);

// Answers such a request with 101. The first protocol that the client names and that is among
// `protocols` is chosen; with none, and where some are wanted, the request is answered with 400 and
// kInvalidArgument returned. `protocols` empty: none is spoken of.
Result<std::unique_ptr<WebSocket>> AcceptWebSocket(Exchange& exchange,
                                                   const std::vector<std::string>& protocols,
                                                   WebSocketLimits limits = {});

// What became of a client's request: a WebSocket, or the server's other answer.
struct WebSocketAnswer {
  std::unique_ptr<WebSocket> socket;  // null if it was refused
  std::optional<Response> refusal;
};
// Headers of the handshake are added to the request's. Offers `protocols` in this order.
// kUnsupported: the server says 101 and does not mean WebSocket.
Result<WebSocketAnswer> ConnectWebSocket(const Client& client, Request request,
                                         const std::vector<std::string>& protocols,
                                         WebSocketLimits limits = {});

}  // namespace podium::http
