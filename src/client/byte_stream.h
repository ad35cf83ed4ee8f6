// Bodies of answers that come bit by bit: logs, archives, progress.
#pragma once

#include <span>
#include <utility>

#include "base/result.h"
#include "http/client.h"

namespace podium::client {

// Threads: Stop is for any.
class ByteStream {
 public:
  explicit ByteStream(http::Response response) : response_(std::move(response)) {}

  // At least a byte, or 0 at the end.
  Result<size_t> Read(std::span<char> buffer) { return response_.Read(buffer); }
  // Breaks off whoever waits in Read, and what follows.
  void Stop() { response_.Abort(); }

 private:
  http::Response response_;
};

}  // namespace podium::client
