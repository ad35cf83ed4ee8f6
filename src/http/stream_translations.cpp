#include "http/stream_translations.h"

#include <algorithm>
#include <utility>

#include "http/channels.h"
#include "http/spdy.h"
#include "http/websocket_session.h"

namespace podium::http {
namespace {

// Clients have buffers of 32 KiB for a message (gorilla/websocket reads any; other libraries do
// not).
constexpr size_t kLargestMessage = size_t{32} << 10;
constexpr size_t kLongestStatus = size_t{64} << 10;
constexpr uint16_t kNormalClosure = 1000;
constexpr unsigned char kCloseChannel = 255;

// The half of both translations that speaks WebSocket.
class WebSocketSide : public Translation, protected WebSocketListener {
 public:
  void FromClient(std::string_view bytes) override {
    if (!session_.Receive(bytes, *this).ok()) done = true;
    TakeOutput();
  }

 protected:
  void Send(std::string_view message) {
    session_.Send(false, message);
    TakeOutput();
  }
  void Leave() {
    done = true;
    session_.Close(kNormalClosure);
    TakeOutput();
  }

 private:
  void OnClose() override { done = true; }
  void TakeOutput() { to_client += std::exchange(session_.output(), {}); }

  WebSocketSession session_;
};

class Tunnel final : public WebSocketSide {
 public:
  void FromServer(std::string_view bytes) override {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kLargestMessage))) {
      Send(bytes.substr(0, kLargestMessage));
    }
  }
  void ServerEnded() override { Leave(); }

 private:
  void OnPart(const Part& part) override { to_server += part.bytes; }
};

class ChannelSide : public WebSocketSide {
 protected:
  // Beginning with an empty message, which tells the client that all is well so far.
  explicit ChannelSide(const RemoteStreams& streams) {
    SendTo(streams.out   ? RemoteChannel::kStdout
           : streams.err ? RemoteChannel::kStderr
                         : RemoteChannel::kError,
           "");
  }
  void SendTo(RemoteChannel channel, std::string_view bytes) {
    std::string message(1, static_cast<char>(channel));
    message += bytes;
    Send(message);
  }
  void Finish(std::string_view status) {
    if (done) return;
    SendTo(RemoteChannel::kError, status);
    Leave();
  }
};

class Refusal final : public ChannelSide {
 public:
  Refusal(const RemoteStreams& streams, std::string_view status) : ChannelSide(streams) {
    Finish(status);
  }
  void FromServer(std::string_view /*bytes*/) override {}
  void ServerEnded() override {}

 private:
  void OnPart(const Part& /*part*/) override {}
};

class Channels5 final : public ChannelSide, private SpdyListener {
 public:
  Channels5(const RemoteStreams& streams, RemoteStatus status)
      : ChannelSide(streams), status_(std::move(status)) {
    // In the order of upstream's clients.
    Open("error", &error_);
    if (streams.in) Open("stdin", &stdin_);
    if (streams.out) Open("stdout", &stdout_);
    if (streams.err && !streams.tty) Open("stderr", &stderr_);
    if (streams.tty) Open("resize", &resize_);
    TakeSpdy();
  }

  void FromServer(std::string_view bytes) override {
    if (!spdy_.Receive(bytes, *this).ok()) return ServerEnded();
    TakeSpdy();
    FinishAtTheEnd();
  }
  void ServerEnded() override {
    // Without that nobody knows how the command ended.
    error_ended_ ? Finish(status_(said_)) : Finish(status_(std::nullopt));
  }

 private:
  void OnPart(const Part& part) override {
    std::string_view bytes = part.bytes;
    if (part.first) channel_.reset();
    if (!channel_ && !bytes.empty()) {
      channel_ = static_cast<unsigned char>(bytes[0]);
      bytes.remove_prefix(1);
    }
    if (bytes.empty()) return;
    if (channel_ == kCloseChannel) {
      if (static_cast<RemoteChannel>(bytes[0]) == RemoteChannel::kStdin) spdy_.End(stdin_);
    } else if (channel_ == static_cast<unsigned char>(RemoteChannel::kStdin)) {
      spdy_.Send(stdin_, bytes);
    } else if (channel_ == static_cast<unsigned char>(RemoteChannel::kResize)) {
      spdy_.Send(resize_, bytes);
    }
    TakeSpdy();
  }
  void Open(std::string_view type, uint32_t* stream) {
    const auto opened = spdy_.Open({{"streamType", std::string(type)}});
    if (opened.ok()) *stream = *opened;
  }
  void TakeSpdy() { to_server += std::exchange(spdy_.output(), {}); }

  void OnOpen(uint32_t stream, const Headers& /*headers*/) override {
    spdy_.Reset(stream, SpdyReset::kRefusedStream);
  }
  void OnReply(uint32_t /*stream*/, const Headers& /*headers*/) override {}
  void OnData(uint32_t stream, std::string_view bytes) override {
    if (stream == error_) {
      said_ += bytes.substr(0, kLongestStatus - said_.size());
      return;
    }
    const bool out = stream == stdout_;
    if (!out && stream != stderr_) return;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kLargestMessage))) {
      SendTo(out ? RemoteChannel::kStdout : RemoteChannel::kStderr,
             bytes.substr(0, kLargestMessage));
    }
  }
  void OnEnd(uint32_t stream) override {
    if (stream == error_) error_ended_ = true;
    // No stream has the number 0.
    if (stream == stdout_) stdout_ = 0;
    if (stream == stderr_) stderr_ = 0;
  }
  void OnReset(uint32_t stream) override {
    if (stream == error_) return ServerEnded();
    OnEnd(stream);
  }
  void OnGoAway() override {}

  void FinishAtTheEnd() {
    if (error_ended_ && stdout_ == 0 && stderr_ == 0) Finish(status_(said_));
  }

  const RemoteStatus status_;
  SpdySession spdy_{SpdySession::Role::kClient};
  uint32_t error_ = 0;
  uint32_t stdin_ = 0;
  uint32_t stdout_ = 0;
  uint32_t stderr_ = 0;
  uint32_t resize_ = 0;
  std::string said_;  // in the error stream
  bool error_ended_ = false;
  std::optional<unsigned char> channel_{};  // of the client's message
};

}  // namespace

std::unique_ptr<Translation> TranslateChannels(const RemoteStreams& streams, RemoteStatus status) {
  return std::make_unique<Channels5>(streams, std::move(status));
}

std::unique_ptr<Translation> RefuseChannels(const RemoteStreams& streams, std::string_view status) {
  return std::make_unique<Refusal>(streams, status);
}

std::unique_ptr<Translation> TranslateTunnel() { return std::make_unique<Tunnel>(); }

}  // namespace podium::http
