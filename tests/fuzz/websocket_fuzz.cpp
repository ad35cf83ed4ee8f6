// A WebSocket that is sent anything. The first byte chooses the role and how much a read returns.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fuzz/require.h"
#include "http/channels.h"
#include "http/websocket.h"
#include "http/websocket_session.h"
#include "reflect/utf8.h"

namespace podium::http {
namespace {

// Gives bytes in pieces, and swallows what is written.
class FuzzStream : public Stream {
 public:
  FuzzStream(std::string_view bytes, size_t step) : bytes_(bytes), step_(step) {}
  Result<size_t> Read(std::span<char> buffer) override {
    const size_t size = std::min({step_, buffer.size(), bytes_.size()});
    std::memcpy(buffer.data(), bytes_.data(), size);
    bytes_.remove_prefix(size);
    return size;
  }
  Result<void> Write(std::string_view) override { return {}; }
  Result<void> CloseWrite() override { return {}; }
  void Shutdown() override {}
  void SetLimits(const WaitLimits&) override {}
  int fd() const override { return -1; }

 private:
  std::string_view bytes_;
  size_t step_;
};

// All messages, and how it ended.
std::string Transcript(std::string_view bytes, WebSocket::Role role, size_t step) {
  constexpr uint64_t kLimit = 100000;
  WebSocket socket(std::make_unique<FuzzStream>(bytes, step), role, std::string(kChannelsV5),
                   {.max_message = kLimit});
  std::string transcript;
  while (true) {
    auto message = socket.Read();
    if (!message.ok()) return transcript + "!" + message.error().message();
    if (!*message) return transcript + "." + std::to_string(socket.close_status().code);
    fuzz::Require((*message)->data.size() <= kLimit);
    fuzz::Require(!(*message)->text || reflect::IsUtf8((*message)->data));
    transcript += (*message)->text ? "t" : "b";
    transcript += (*message)->data;
  }
}

// The same of a session without a stream.
class Parts : public WebSocketListener {
 public:
  void OnPart(const Part& part) override {
    fuzz::Require(part.first == !open_);
    if (part.first) transcript += part.text ? "t" : "b";
    transcript += part.bytes;
    open_ = !part.last;
    if (part.last) transcript += "|";
  }
  void OnClose() override { transcript += "."; }

  std::string transcript;

 private:
  bool open_ = false;
};

std::string SessionTranscript(std::string_view bytes, size_t step) {
  WebSocketSession session;
  Parts parts;
  while (!bytes.empty()) {
    if (!session.Receive(bytes.substr(0, step), parts).ok()) return parts.transcript + "!";
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  return parts.transcript + session.output();
}

}  // namespace
}  // namespace podium::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace podium;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto role =
      (data[0] & 1) != 0 ? http::WebSocket::Role::kServer : http::WebSocket::Role::kClient;
  fuzz::Require(http::Transcript(bytes, role, size_t{1} + (data[0] >> 1)) ==
                http::Transcript(bytes, role, bytes.size() + 1));
  fuzz::Require(http::SessionTranscript(bytes, size_t{1} + (data[0] >> 1)) ==
                http::SessionTranscript(bytes, bytes.size() + 1));
  if (auto parsed = http::ParseFrameHeader(bytes); parsed.ok() && parsed->size > 0) {
    fuzz::Require(http::SerializeFrameHeader(parsed->header) == bytes.substr(0, parsed->size));
  }
  (void)http::DecodeTerminalSize(bytes);
  return 0;
}
