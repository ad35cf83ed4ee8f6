// The server's half of a WebSocket (RFC 6455) without input or output, as SpdySession is one of
// SPDY: bytes of the client go in, its messages are told part by part, and what is to be sent is
// appended to output(). Memory does not grow with messages or frames.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/websocket_frame.h"

namespace podium::http {

class WebSocketListener {
 public:
  virtual ~WebSocketListener() = default;
  struct Part {
    std::string_view bytes;  // unmasked; valid during the call
    bool text = false;       // of the message; nobody has looked whether it is UTF-8
    bool first = false;
    bool last = false;
  };
  // In order; between a first and a last part all are of one message.
  virtual void OnPart(const Part& part) = 0;
  // The client's close frame, which is answered: nothing follows.
  virtual void OnClose() = 0;
};

class WebSocketSession {
 public:
  // The next bytes of the client, in any pieces. Pings are answered. kInvalidArgument when it
  // breaks the protocol: output() tells it so, and the session is of no more use.
  Result<void> Receive(std::string_view bytes, WebSocketListener& listener);

  // A message. Nothing is sent behind a close frame.
  void Send(bool text, std::string_view bytes);
  void Close(uint16_t code);

  std::string& output() { return output_; }

 private:
  Result<void> Take(std::string_view* bytes, WebSocketListener& listener);
  Result<void> BeginFrame(std::string_view* bytes);
  void TakePayload(std::string_view* bytes, WebSocketListener& listener);
  Result<void> TakeControl(std::string_view* bytes, WebSocketListener& listener);
  void AppendFrame(Opcode opcode, std::string_view payload);

  std::string output_;
  std::string head_;                  // the part of a frame's header that is there
  std::optional<FrameHeader> frame_;  // that comes in
  uint64_t taken_ = 0;                // of its payload
  std::string control_;               // of a control frame, the payload so far
  bool in_message_ = false;
  bool text_ = false;    // the message
  bool begun_ = false;   // a part of the message was told
  bool closed_ = false;  // by the client
  bool close_sent_ = false;
  std::optional<Error> broken_;
};

}  // namespace podium::http
