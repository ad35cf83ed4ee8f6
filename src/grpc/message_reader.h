// What a client of gRPC sends, as it comes (doc/PROTOCOL-HTTP2.md): the fields of a call's head,
// and its messages, each behind a flag and a length. Private to this room; fuzzed.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/headers.h"

namespace podium::grpc {

// As CRI's clients and servers bound them (kubelet and containerd alike).
inline constexpr size_t kMaxMessage = size_t{16} << 20;
inline constexpr size_t kMessagePrefix = 5;

// A message behind its prefix; not compressed.
std::string Framed(std::string_view message);

// "10S", "100m", "8u" …: at most eight digits and a unit. kInternal, as others answer it.
Result<std::chrono::nanoseconds> ParseTimeout(std::string_view text);

// kUnsupported for messages that are compressed: none of us needs it over a socket of the machine.
Result<void> CheckEncoding(const http::Headers& headers);

// The one message of a call that has one, both unary and with a stream of answers.
class MessageReader {
 public:
  // kResourceExhausted for one that is too large, as soon as its length is known; kInternal for
  // what is none, or more than one.
  Result<void> Take(std::string_view bytes);
  // At the end of what the client says. To be called once.
  Result<std::string> End();

  // That it holds.
  size_t size() const { return bytes_.size(); }

 private:
  std::string bytes_;
  std::optional<size_t> length_;
};

}  // namespace podium::grpc
