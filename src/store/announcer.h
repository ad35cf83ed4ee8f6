// Announcer: the thread that tells what has happened, in its order, so that the thread that writes
// goes on to the next transaction meanwhile.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/core.h"

namespace podium::store {

class Announcer {
 public:
  using Callback = std::function<void()>;

  explicit Announcer(std::shared_ptr<Core> core);
  // Tells what is left, then ends.
  ~Announcer();
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;

  // Calls the callbacks one after the other, then wakes the watchers of changes up to the revision,
  // which are published (0: none). Returns at once. Any thread.
  void Announce(std::vector<Callback> callbacks, Revision up_to);

 private:
  struct News {
    std::vector<Callback> callbacks;
    Revision up_to;
  };

  void Run();

  const std::shared_ptr<Core> core_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<News> news_;  // under mutex_
  bool ending_ = false;    // under mutex_
  std::thread thread_;     // last: it uses the others
};

}  // namespace podium::store
