// Bytes of a peer of SPDY/3.1: whatever comes, and however it is cut, what is told is the same, and
// what is kept stays small. The first byte chooses the role and how many bytes come at a time.
#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "fuzz/require.h"
#include "http/spdy.h"

namespace podium::http {
namespace {

constexpr size_t kStreams = 8;

class Peer : public SpdyListener {
 public:
  explicit Peer(SpdySession& session) : session_(session) {}

  void OnOpen(uint32_t stream, const Headers& headers) override {
    fuzz::Require(session_.streams() <= kStreams + 1);
    transcript += "o" + std::to_string(stream);
    for (const auto& field : headers.fields()) transcript += field.name + "=" + field.value;
    // As a server would: some are answered, some are not wanted.
    if (stream % 7 == 0) return session_.Reset(stream, SpdyReset::kCancel);
    session_.Reply(stream, headers);
  }
  void OnReply(uint32_t stream, const Headers& headers) override {
    transcript += "r" + std::to_string(stream) + std::to_string(headers.size());
  }
  void OnData(uint32_t stream, std::string_view bytes) override {
    fuzz::Require(!bytes.empty());
    data[stream] += bytes;
    session_.Send(stream, "x");
  }
  void OnEnd(uint32_t stream) override {
    transcript += "e" + std::to_string(stream);
    session_.End(stream);
  }
  void OnReset(uint32_t stream) override { transcript += "x" + std::to_string(stream); }
  void OnGoAway() override { transcript += "g"; }

  std::string transcript;
  std::map<uint32_t, std::string> data;

 private:
  SpdySession& session_;
};

std::string Transcript(std::string_view bytes, SpdySession::Role role, size_t step) {
  SpdySession session(role, {.max_streams = kStreams,
                             .max_control = 4096,
                             .headers = {.max_block = 4096, .max_fields = 10}});
  Peer peer(session);
  if (role == SpdySession::Role::kClient) (void)session.Open({{"a", "b"}});
  while (!bytes.empty()) {
    if (!session.Receive(bytes.substr(0, step), peer).ok()) {
      peer.transcript += "!";
      break;
    }
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  for (const auto& [stream, data] : peer.data) {
    peer.transcript += "d" + std::to_string(stream) + data;
  }
  return peer.transcript;
}

}  // namespace
}  // namespace podium::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace podium;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto role =
      (data[0] & 1) != 0 ? http::SpdySession::Role::kServer : http::SpdySession::Role::kClient;
  fuzz::Require(http::Transcript(bytes, role, size_t{1} + (data[0] >> 1)) ==
                http::Transcript(bytes, role, bytes.size() + 1));
  http::SpdyHeaderReader reader({.max_block = 4096, .max_fields = 10});
  if (auto headers = reader.Unpack(bytes); headers.ok()) {
    fuzz::Require(headers->size() <= 10 + 1);
    http::SpdyHeaderWriter writer;
    const auto block = writer.Pack(*headers);
    fuzz::Require(block.ok());
  }
  return 0;
}
