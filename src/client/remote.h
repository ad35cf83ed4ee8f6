// Sessions inside pods: commands with their streams, and connections to ports.
//
// Threads: one reads while another writes; Stop is for any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/channels.h"

namespace podium::client {

class RemoteCommand {
 public:
  explicit RemoteCommand(std::unique_ptr<http::WebSocket> socket)
      : channels_(std::make_unique<http::Channels>(std::move(socket))) {}

  Result<void> WriteStdin(std::string_view bytes);
  // The command reads the end of its input. kUnsupported with servers of v4.channel.k8s.io.
  Result<void> CloseStdin();
  Result<void> Resize(const http::TerminalSize& size);

  struct Output {
    bool is_stderr = false;
    std::string data;  // never empty
  };
  // The next piece; none when the command has ended, and its exit is known.
  Result<std::optional<Output>> Read();

  // After Read's end: the exit code, or why there is none. kUnavailable when the session broke off.
  Result<int> exit_code() const;

  // Hangs up. Whether the command goes on is the server's to say.
  void Stop() { channels_->socket().Shutdown(); }

 private:
  std::unique_ptr<http::Channels> channels_;
  std::string status_;  // metav1.Status, as it comes
};

// How a command ended, from the Status that its session ends with.
Result<int> ExitCodeOf(std::string_view status_json);

class PortConnection {
 public:
  explicit PortConnection(std::unique_ptr<http::WebSocket> socket)
      : channels_(std::make_unique<http::Channels>(std::move(socket))) {}

  // At least a byte, or 0 at the end. What the server says went wrong is the error.
  Result<size_t> Read(std::span<char> buffer);
  Result<void> Write(std::string_view bytes);
  // No more from here; kUnsupported with servers of v4.channel.k8s.io.
  Result<void> CloseWrite();
  void Stop() { channels_->socket().Shutdown(); }

 private:
  std::unique_ptr<http::Channels> channels_;
  std::string pending_;
  size_t taken_ = 0;
  // Each channel begins with the port's number, in two bytes.
  size_t announced_[2] = {0, 0};
  bool ended_ = false;
};

}  // namespace podium::client
