// Removes the writable layers of containers that are gone, one after the other, on a thread of its
// own: what a container has written may take the disk minutes, and nothing else is to wait for it,
// neither pods that are made nor processes that are to be killed. Private to this room.
//
// A layer is in DATA/containers until nothing of it is left; so whatever ends this process, the
// next one finds it there (EmbeddedRuntime::Recover).
//
// Threads: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"

namespace podium::runtime {

class LayerRemover {
 public:
  using Clock = std::chrono::steady_clock;

  // `failed` is called on its thread, and outlives it.
  explicit LayerRemover(std::function<void(const Error&)> failed);
  // As Finish without patience.
  ~LayerRemover();
  LayerRemover(const LayerRemover&) = delete;
  LayerRemover& operator=(const LayerRemover&) = delete;

  // The folder's path. Nobody uses the folder any more, or makes one of this name.
  void Add(std::string path);
  // Whether any are left.
  bool busy() const;
  // Goes on for so long at the most and ends the thread; what is left then stays. Nothing is added
  // afterwards.
  void Finish(std::chrono::milliseconds patience);

 private:
  void Run();
  bool GoOn() const;

  const std::function<void(const Error&)> failed_;
  mutable std::mutex mutex_;
  // Under mutex_.
  std::condition_variable changed_;
  std::deque<std::string> paths_;  // the one that is being removed is in front
  bool finishing_ = false;
  Clock::time_point until_ = Clock::time_point::max();
  std::thread thread_;
};

}  // namespace podium::runtime
