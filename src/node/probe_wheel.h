// ProbeWheel: when what is to be run. One timer of the executor for all of a node's probes: what is
// due within the same hundredth of a second is run together, by one task.
//
// Threads: any. Tasks run on a thread of the executor, one after the other, and must not wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/executor.h"

namespace podium::node {

class ProbeWheel {
 public:
  using Task = std::function<void()>;
  // Where a task waits; the empty one is nowhere.
  struct Place {
    int64_t slot = 0;
    uint64_t number = 0;
  };
  static constexpr std::chrono::milliseconds kSlot{10};

  // `now`: nanoseconds since any moment, that never go back. The executor outlives the wheel.
  ProbeWheel(Executor& executor, std::function<int64_t()> now);
  // Drops what waits.
  ~ProbeWheel();
  ProbeWheel(const ProbeWheel&) = delete;
  ProbeWheel& operator=(const ProbeWheel&) = delete;

  int64_t Now() const { return state_->now(); }
  // Since the wheel was made.
  std::chrono::nanoseconds Age() const { return std::chrono::nanoseconds(Now() - began_); }

  // Runs the task at this time, or up to a slot later; at once when it has passed, and then there
  // is no place to take it from.
  Place Add(int64_t at, Task task);
  // Nothing for a task that was handed to a thread, and for the empty place.
  void Cancel(Place place);
  // How many wait.
  size_t size() const;

 private:
  struct State {
    explicit State(Executor& where, std::function<int64_t()> clock)
        : executor(where), now(std::move(clock)) {}
    Executor& executor;
    const std::function<int64_t()> now;
    std::mutex mutex;
    // All below: under the mutex.
    std::map<int64_t, std::map<uint64_t, Task>> slots;
    uint64_t last_number = 0;
    Executor::TimerId timer = 0;
    int64_t timer_slot = 0;  // of the timer, if there is one
  };
  // Sees to a timer for the first slot.
  static void SetTimerLocked(const std::shared_ptr<State>& state);
  // What its timer for this slot does.
  static void Run(const std::shared_ptr<State>& state, int64_t slot);

  const std::shared_ptr<State> state_;
  const int64_t began_;
};

}  // namespace podium::node
