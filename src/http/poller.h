// Waits for many descriptors in one thread: what carries ten thousand connections to other servers
// where each would otherwise hold a thread.
//
//   TRY(auto poller, Poller::Create());
//   PolledFd wait(poller, socket.get(), [weak](bool timed_out) { … });  // on the poller's thread
//   wait.Arm(POLLIN, Clock::now() + 10s);
//
// Threads: all calls are for any thread. Callbacks run on the poller's, one at a time; they must
// not wait.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "http/stream.h"

namespace podium::http {

class Poller {
 public:
  static Result<std::shared_ptr<Poller>> Create();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Ends the thread, and drops what waits, uncalled. Once, not from a callback: whoever made the
  // poller does it, since what waits keeps the poller alive.
  void Stop();

  // Runs it on the poller's thread, soon. Dropped once the poller stops.
  void Post(std::function<void()> task);
  bool OnThread() const;

 private:
  friend class PolledFd;
  struct State;
  explicit Poller(std::shared_ptr<State> state) : state_(std::move(state)) {}
  const std::shared_ptr<State> state_;
};

// The waits for one descriptor, which stays open as long as this lives. May outlive the poller.
class PolledFd {
 public:
  // `ready` is called once for each Arm. It may still be running when this is gone: what it uses,
  // it owns.
  PolledFd(const Poller& poller, int fd, std::function<void(bool timed_out)> ready);
  ~PolledFd();
  PolledFd(const PolledFd&) = delete;
  PolledFd& operator=(const PolledFd&) = delete;

  // Until one of `events` (POLLIN, POLLOUT), an error, or the deadline. Takes the place of the Arm
  // before it.
  void Arm(short events, std::optional<Clock::time_point> deadline = {});

 private:
  const std::shared_ptr<Poller::State> state_;
  const uint64_t id_;
};

}  // namespace podium::http
