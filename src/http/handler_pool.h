// The threads that handlers run in: a few that are shared, and one each for those that take long.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"

namespace podium::http {

class HandlerPool {
 public:
  static Result<std::unique_ptr<HandlerPool>> Create(size_t threads, size_t max_alone);
  // Every task has returned by then.
  ~HandlerPool();

  void Run(std::function<void()> task);
  // On a thread of its own; false when there are too many.
  bool RunAlone(std::function<void()> task);
  size_t alone() const;

 private:
  // Outlives the pool for as long as the last thread needs to end.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> tasks;
    size_t alone = 0;
    bool stopping = false;
  };
  explicit HandlerPool(size_t max_alone)
      : max_alone_(max_alone), state_(std::make_shared<State>()) {}
  static void Work(State& state);

  const size_t max_alone_;
  const std::shared_ptr<State> state_;
  std::vector<std::thread> threads_;
};

}  // namespace podium::http
