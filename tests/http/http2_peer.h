// A client of HTTP/2 that a test plays frame by frame, over TLS on loopback.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

struct ssl_st;
struct ssl_ctx_st;
struct nghttp2_hd_inflater;

namespace podium::http {

enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndHeaders = 4;

struct Frame {
  FrameType type = FrameType::kData;
  uint8_t flags = 0;
  int32_t id = 0;
  std::string payload{};
};

std::string Encode(const Frame& frame);
std::string Number(uint32_t number);  // in four bytes
// A block of header fields, none of them compressed.
std::string EncodeFields(const std::vector<std::pair<std::string, std::string>>& fields);
// GET of a path, or another method.
std::string RequestFields(const std::string& path, const std::string& method = "GET");

// What came back on a stream.
struct Answer {
  std::map<std::string, std::string> headers{};
  std::map<std::string, std::string> trailers{};  // behind the head
  std::string body{};
  bool whole = false;               // with END_STREAM
  std::optional<uint32_t> reset{};  // by RST_STREAM, with this error
  std::string status() const {
    const auto found = headers.find(":status");
    return found == headers.end() ? "" : found->second;
  }
};

class Http2Peer {
 public:
  // `settings`: the payload of its first frame.
  explicit Http2Peer(uint16_t port, const std::string& settings = "");
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;
  ~Http2Peer();

  // False when the server is gone.
  bool Send(std::string_view bytes);
  bool Send(const Frame& frame) { return Send(Encode(frame)); }
  // A request without a body.
  bool Ask(int32_t id, const std::string& path, const std::string& method = "GET");
  // The next frame within five seconds; nothing at the end.
  std::optional<Frame> Next();
  // Takes frames in until the stream is at its end, or the connection. Settings and pings are
  // answered; windows are opened as bytes come.
  Answer Collect(int32_t id);
  // Until the connection's end; the error that GOAWAY gave, if there was one.
  std::optional<uint32_t> CollectGoAway();
  bool at_end() const { return at_end_; }
  int fd() const { return fd_.get(); }
  // No WINDOW_UPDATEs any more.
  void KeepWindowsShut() { opens_windows_ = false; }

 private:
  bool Fill(size_t size);
  void Take(const Frame& frame);

  ssl_ctx_st* context_;
  ssl_st* ssl_;
  UniqueFd fd_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string in_;
  bool at_end_ = false;
  bool opens_windows_ = true;
  std::optional<uint32_t> go_away_;
  std::map<int32_t, Answer> answers_;
};

}  // namespace podium::http
