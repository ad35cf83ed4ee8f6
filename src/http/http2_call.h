// One request of a client over HTTP/2 (RFC 9113, by nghttp2) on a connection of its own, which
// knows from the start that the server speaks it: bytes in, bytes out. What the answer's fields
// mean is for the caller; gRPC, for one, goes by other rules than HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/headers.h"

struct nghttp2_session;

namespace podium::http {

// Threads: one at a time.
class Http2Call {
 public:
  static constexpr int32_t kStream = 1;  // of the request

  struct Head {
    Headers fields{};  // with those that begin with a colon
    bool end = false;  // nothing comes behind it
  };
  struct GoAway {
    uint32_t code = 0;
    int32_t last_stream = 0;  // those up to it are answered
    std::string debug;
  };
  // What has come so far.
  struct Answer {
    bool settings = false;         // the server's, which come first
    std::vector<Head> heads{};     // informational ones, the answer's, and its trailers
    bool heads_too_large = false;  // and they were not kept
    std::string body{};
    bool body_end = false;            // nothing comes behind the body
    std::optional<uint32_t> reset{};  // the code of a RST_STREAM
    std::optional<GoAway> go_away{};
  };

  // `fields` begin with those of the request line (":method" and so on), and are in lower case.
  static Result<std::unique_ptr<Http2Call>> Create(const Headers& fields, std::string body);
  ~Http2Call();
  Http2Call(const Http2Call&) = delete;
  Http2Call& operator=(const Http2Call&) = delete;

  // kInvalidArgument: this is not HTTP/2.
  Result<void> Receive(std::string_view bytes);
  // Appends what is to be sent now.
  Result<void> Produce(std::string* out);
  const Answer& answer() const { return answer_; }

 private:
  friend struct Http2CallCallbacks;
  explicit Http2Call(std::string body) : body_(std::move(body)) {}

  std::string body_;
  size_t sent_ = 0;  // of the body
  size_t head_bytes_ = 0;
  Answer answer_;
  nghttp2_session* session_ = nullptr;
};

}  // namespace podium::http
