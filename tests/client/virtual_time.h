// A clock and an executor in which everything runs in this thread, in order, and time moves only
// when there is nothing else to do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"

namespace podium::client {

class VirtualTime : public Clock, public Executor {
 public:
  // 14 March 2026, 9:26:53.
  int64_t Now() const override { return now_; }
  bool Sleep(std::chrono::nanoseconds time, int /*wake_fd*/) const override {
    now_ += time.count();
    return true;
  }

  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  TimerId PostAfter(std::chrono::nanoseconds delay, Task task) override {
    timers_.emplace(std::pair(now_ + delay.count(), ++last_timer_), std::move(task));
    return last_timer_;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& each) { return each.first.second == timer; });
  }

  // Whatever can run without time passing.
  void Settle() {
    for (int bound = 0; bound < 1'000'000; ++bound) {
      if (!timers_.empty() && timers_.begin()->first.first <= now_) {
        tasks_.push_back(std::move(timers_.begin()->second));
        timers_.erase(timers_.begin());
      }
      if (tasks_.empty()) return;
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
    abort();  // tasks without end
  }
  void RunFor(std::chrono::nanoseconds time) {
    const int64_t end = now_ + time.count();
    Settle();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = timers_.begin()->first.first;
      Settle();
    }
    now_ = end;
  }
  // Of the time of day; timers wait as long as they would have.
  void JumpBack(std::chrono::nanoseconds time) {
    now_ -= time.count();
    std::map<std::pair<int64_t, TimerId>, Task> moved;
    for (auto& [key, task] : timers_) {
      moved.emplace(std::pair(key.first - time.count(), key.second), std::move(task));
    }
    timers_ = std::move(moved);
  }
  bool idle() const { return tasks_.empty() && timers_.empty(); }
  size_t timers() const { return timers_.size(); }
  // When the next timer is due, from now.
  std::chrono::nanoseconds next_timer() const {
    return std::chrono::nanoseconds(timers_.begin()->first.first - now_);
  }

 private:
  mutable int64_t now_ = 1'773'480'413 * kNanosPerSecond;
  std::deque<Task> tasks_;
  std::map<std::pair<int64_t, TimerId>, Task> timers_;
  TimerId last_timer_ = 0;
};

}  // namespace podium::client
