// Several streams in one WebSocket, as Kubernetes does it for exec, attach and port-forward:
// subprotocols v5.channel.k8s.io and v4.channel.k8s.io. Each binary message begins with a byte that
// says which channel it belongs to. Version 5 can end a channel alone (KEP-3396): byte 255, then
// the channel.
//
// Threads: one reads while any send.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/websocket.h"

namespace podium::http {

inline constexpr std::string_view kChannelsV5 = "v5.channel.k8s.io";
inline constexpr std::string_view kChannelsV4 = "v4.channel.k8s.io";
// What both halves of ours speak, the better one first.
std::vector<std::string> ChannelProtocols();

// The channels of exec and attach.
enum class RemoteChannel : uint8_t {
  kStdin = 0,
  kStdout = 1,
  kStderr = 2,
  kError = 3,   // at the end, a metav1.Status in JSON: how the command ended
  kResize = 4,  // a TerminalSize in JSON
};

class Channels {
 public:
  explicit Channels(std::unique_ptr<WebSocket> socket) : socket_(std::move(socket)) {}

  // In pieces that fit into what any peer takes as one message.
  Result<void> Send(uint8_t channel, std::string_view bytes);
  Result<void> Send(RemoteChannel channel, std::string_view bytes) {
    return Send(static_cast<uint8_t>(channel), bytes);
  }
  // No more on this channel. kUnsupported in version 4, where only the end of all is an end.
  Result<void> CloseChannel(uint8_t channel);

  struct Message {
    uint8_t channel = 0;
    bool closed = false;  // and no data, now or later
    std::string data;     // may be empty: servers say so that they are there
  };
  // None after the peer's close frame.
  Result<std::optional<Message>> Read();

  // Whether CloseChannel works.
  bool can_close_channels() const { return socket_->protocol() == kChannelsV5; }
  WebSocket& socket() { return *socket_; }

 private:
  std::unique_ptr<WebSocket> socket_;
};

// What a terminal is resized to; in JSON {"Width":80,"Height":24}.
struct TerminalSize {
  uint16_t width = 0;
  uint16_t height = 0;

  friend bool operator==(const TerminalSize&, const TerminalSize&) = default;
};
std::string EncodeTerminalSize(const TerminalSize& size);
// Names without case and unknown ones passed over, as Go's decoder does.
Result<TerminalSize> DecodeTerminalSize(std::string_view json);

}  // namespace podium::http
