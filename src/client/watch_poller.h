// One thread that waits for the input of all watches of a connection. Private to client.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::client {

// Threads: any.
class WatchPoller {
 public:
  using Ready = std::function<void()>;
  using Id = uint64_t;  // never 0

  static Result<std::shared_ptr<WatchPoller>> Create();
  ~WatchPoller();

  // `ready` is called once after each Arm, when the descriptor has input, an end or an error.
  Id Add(int fd, Ready ready);
  Result<void> Arm(Id id);
  // Waits for `ready`, unless it is `ready` that calls. The descriptor is still open.
  void Remove(Id id);
  // As if every descriptor that is armed had input.
  void WakeAll();

 private:
  struct Entry {
    int fd;
    Ready ready;
    bool added = false;
    bool armed = false;
  };

  WatchPoller(UniqueFd epoll, UniqueFd stop);
  void Run();
  // Calls it, with the lock released meanwhile.
  void Call(Id id, std::unique_lock<std::mutex>& lock);

  const UniqueFd epoll_;
  const UniqueFd stop_;  // an eventfd
  std::mutex mutex_;
  // Under mutex_.
  std::map<Id, Entry> entries_;
  Id last_id_ = 0;
  std::multimap<Id, std::thread::id> running_;  // calls of `ready`
  std::condition_variable ran_;
  std::thread thread_;
};

}  // namespace podium::client
