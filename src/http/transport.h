// Bytes over a descriptor without waiting: a socket, or TLS over another transport. What an event
// loop drives, and what StreamOver makes a blocking Stream of.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/stream.h"

namespace podium::http {

struct Progress {
  size_t bytes = 0;
  bool end = false;  // of input, in order
  short wait = 0;    // nothing moved: the poll event to wait for before trying again
};

// Threads: one may read while another writes.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<Progress> TryRead(std::span<char> buffer) = 0;
  virtual Result<Progress> TryWrite(std::string_view bytes) = 0;
  // Ends this side's half. `wait` is 0 when it is done.
  virtual Result<Progress> TryCloseWrite() = 0;
  // Bytes that were received and would be read without the descriptor becoming readable.
  virtual bool Buffered() const { return false; }
  virtual int fd() const = 0;
};

// Takes a connected socket and makes it non-blocking.
Result<std::unique_ptr<Transport>> SocketTransport(UniqueFd socket);

std::unique_ptr<Stream> StreamOver(std::shared_ptr<Transport> transport);
// Over one that stays the caller's, and outlives the stream.
std::unique_ptr<Stream> StreamOver(Transport& transport);

}  // namespace podium::http
