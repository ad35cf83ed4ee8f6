// A connection of bytes in both directions, and how long to wait on it.
//
// Threads: one may read while another writes; Shutdown may be called by any. Everything else wants
// one caller at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::http {

using Clock = std::chrono::steady_clock;

// Ends waits from another thread: whoever waits with it gets kCancelled, now and from now on. It
// outlives those waits.
class Cancellation {
 public:
  static Result<std::unique_ptr<Cancellation>> Create();

  void Cancel();
  bool cancelled() const;
  // Readable once cancelled; for a poll of one's own.
  int fd() const { return event_.get(); }

 private:
  explicit Cancellation(UniqueFd event) : event_(std::move(event)) {}
  UniqueFd event_;  // an eventfd
};

// What bounds a wait. kDeadlineExceeded past the first of both times.
struct WaitLimits {
  std::chrono::milliseconds idle{0};            // of one wait, until a byte moves; 0: no bound
  std::optional<Clock::time_point> deadline{};  // of all waits
  const Cancellation* cancellation = nullptr;
};

// Until one of `events` (POLLIN, POLLOUT) or an error stands at the descriptor. -1 for none: then
// until a limit is reached.
Result<void> WaitFor(int fd, short events, const WaitLimits& limits);

class Stream {
 public:
  virtual ~Stream() = default;

  // At least one byte, or 0 at the end. `buffer` is not empty.
  virtual Result<size_t> Read(std::span<char> buffer) = 0;
  // All of it.
  virtual Result<void> Write(std::string_view bytes) = 0;
  // No more bytes from here; reading goes on. With TLS this is the close_notify alert.
  virtual Result<void> CloseWrite() = 0;
  // Ends both directions at once, also for a thread that waits in Read or Write.
  virtual void Shutdown() = 0;

  // Of the reads and writes that follow. No bounds at first.
  virtual void SetLimits(const WaitLimits& limits) = 0;
  // To poll for input: only a hint, since bytes may be held in memory too (see Buffered).
  virtual int fd() const = 0;
  // Whether Read has something without waiting for the descriptor.
  virtual bool Buffered() const { return false; }
};

// `bytes`, then what comes from the stream. Everything but Read goes to the stream.
std::unique_ptr<Stream> WithPrefix(std::string bytes, std::unique_ptr<Stream> stream);

}  // namespace podium::http
