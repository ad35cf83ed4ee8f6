// A session of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, without its flow control), as far as
// Kubernetes' clients and servers speak it: what github.com/moby/spdystream does. Streams of bytes
// in both directions over one connection; each begins with headers.
//
// Without input or output: bytes of the peer go in, what happens is told to a listener, and what is
// to be sent is appended to output(). So it runs over a socket, over TLS or over the messages of a
// WebSocket, on any loop and without a thread.
//
//   SpdySession session(SpdySession::Role::kServer);
//   TRY_VOID(session.Receive(bytes, listener));   // calls OnOpen(1, headers), OnData(1, "…"), …
//   session.Reply(1); session.Send(1, "hello"); session.End(1);
//   Write(std::exchange(session.output(), {}));
//
// Nobody has a window: who sends more than the other takes waits for the connection. A peer that
// sends pings or opens streams and reads no answers must be read from no more while output() grows.
//
// What spdystream passes over is passed over here: data of streams that are no more, window
// updates, settings, frames of unknown kinds.
//
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"
#include "http/spdy_headers.h"

namespace podium::http {

// What both sides say in Upgrade.
inline constexpr std::string_view kSpdyProtocol = "SPDY/3.1";

// Why a stream is reset (section 2.6.3).
enum class SpdyReset : uint32_t {
  kProtocolError = 1,
  kInvalidStream = 2,
  kRefusedStream = 3,
  kUnsupportedVersion = 4,
  kCancel = 5,
  kInternalError = 6,
};

// Told from within Receive. May call the session.
class SpdyListener {
 public:
  virtual ~SpdyListener() = default;
  // The peer opens a stream: Reply or Reset, now or later.
  virtual void OnOpen(uint32_t stream, const Headers& headers) = 0;
  // The peer has answered a stream of ours.
  virtual void OnReply(uint32_t stream, const Headers& headers) = 0;
  // A part of what the peer sends, never empty; valid during the call.
  virtual void OnData(uint32_t stream, std::string_view bytes) = 0;
  // Nothing follows from the peer.
  virtual void OnEnd(uint32_t stream) = 0;
  // The stream is gone, in both directions.
  virtual void OnReset(uint32_t stream) = 0;
  // The peer opens no more streams, and takes none. Those that there are go on.
  virtual void OnGoAway() = 0;
};

struct SpdyLimits {
  size_t max_streams = 1024;  // of the peer's at a time; beyond: refused
  // Of a frame that is no data. Data is handed on as it comes, whatever its frame's size.
  size_t max_control = size_t{32} << 10;
  SpdyHeaderLimits headers{};
};

class SpdySession {
 public:
  enum class Role : uint8_t { kClient, kServer };
  explicit SpdySession(Role role, SpdyLimits limits = {});

  // The next bytes of the peer, in any pieces. kInvalidArgument when it breaks the protocol,
  // kResourceExhausted when it wants too much: output() tells it so, and the session is of no more
  // use.
  Result<void> Receive(std::string_view bytes, SpdyListener& listener);

  // A stream of our own. kUnavailable once the peer goes away, or there are no more numbers.
  Result<uint32_t> Open(const Headers& headers);
  // All that follow do nothing for a stream that is not there or, from here, has ended.
  void Reply(uint32_t stream, const Headers& headers = {});
  void Send(uint32_t stream, std::string_view bytes);
  void End(uint32_t stream);
  void Reset(uint32_t stream, SpdyReset why);
  // Streams that the peer opens from now on are refused, or passed over once it was told to.
  void RefuseStreams();
  void GoAway();

  // Streams that neither side has reset, and not both have ended.
  size_t streams() const { return streams_.size(); }
  std::string& output() { return output_; }

 private:
  struct Stream {
    bool replied = false;
    bool ended_here = false;
    bool ended_there = false;
  };
  struct Control {
    uint16_t kind = 0;
    uint8_t flags = 0;
    std::string_view body;
  };
  using Streams = std::map<uint32_t, Stream>;

  Result<void> Take(std::string_view* bytes, SpdyListener& listener);
  Result<void> TakeControl(std::string_view* bytes, SpdyListener& listener);
  void TakeData(std::string_view* bytes, SpdyListener& listener);
  Result<void> BeginFrame();
  Result<void> HandleControl(const Control& frame, SpdyListener& listener);
  Result<void> HandleSynStream(const Control& frame, SpdyListener& listener);
  Result<void> HandleSynReply(const Control& frame, SpdyListener& listener);
  Result<void> HandleHeaders(const Control& frame, SpdyListener& listener);
  Result<void> HandlePing(const Control& frame);
  Result<Headers> Unpack(std::string_view block);
  bool IsPeers(uint32_t number) const;
  void EndThere(uint32_t stream, SpdyListener& listener);
  void ForgetEnded(Streams::iterator stream);
  void AppendControl(uint16_t kind, uint8_t flags, std::string_view body);
  void AppendReset(uint32_t stream, SpdyReset why);

  const Role role_;
  const SpdyLimits limits_;
  std::string output_;
  Streams streams_;
  size_t of_peer_ = 0;          // among them
  uint32_t next_id_;            // of our streams
  uint32_t last_received_ = 0;  // the peer's newest stream
  SpdyHeaderWriter writer_;
  std::optional<SpdyHeaderReader> reader_;  // none: no more streams are taken
  bool went_away_ = false;                  // we
  bool gone_away_ = false;                  // the peer
  std::optional<Error> broken_;

  // Of the frame that comes in.
  std::string head_;       // the part of its eight bytes that is there
  std::string control_;    // of a control frame's body, where it came in pieces
  bool in_frame_ = false;  // the head is whole
  bool skipped_ = false;   // nobody reads it
  size_t left_ = 0;        // of the body
};

}  // namespace podium::http
