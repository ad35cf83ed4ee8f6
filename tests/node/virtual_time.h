// A clock and an executor on the time of a FakeRuntime: everything runs in this thread, and time
// moves only when there is nothing else to do.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "runtime/fake_runtime.h"

namespace podium::node {

class VirtualTime : public Clock, public Executor {
 public:
  explicit VirtualTime(runtime::FakeRuntime& runtime) : runtime_(runtime) {}

  int64_t Now() const override { return runtime_.now().count(); }
  bool Sleep(std::chrono::nanoseconds time, int /*wake_fd*/) const override {
    runtime_.Advance(time);
    return true;
  }

  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  TimerId PostAfter(std::chrono::nanoseconds delay, Task task) override {
    const TimerId id = ++last_timer_;
    timers_.emplace(std::pair(Now() + delay.count(), id), std::move(task));
    return id;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& each) { return each.first.second == timer; });
  }

  // Whatever can run without time passing.
  void Settle() {
    for (int bound = 0; bound < 100'000; ++bound) {
      if (!timers_.empty() && timers_.begin()->first.first <= Now()) {
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
    const int64_t end = Now() + time.count();
    Settle();
    while (Now() < end) {
      int64_t step = std::min<int64_t>(end - Now(), 50'000'000);
      if (!timers_.empty()) step = std::min(step, timers_.begin()->first.first - Now());
      runtime_.Advance(std::chrono::nanoseconds(std::max<int64_t>(step, 1)));
      Settle();
    }
  }
  bool Idle() const { return tasks_.empty(); }
  // When the next timer is due, from now; negative when there is none.
  int64_t NextTimer() const { return timers_.empty() ? -1 : timers_.begin()->first.first - Now(); }

 private:
  runtime::FakeRuntime& runtime_;
  std::deque<Task> tasks_;
  std::map<std::pair<int64_t, TimerId>, Task> timers_;
  TimerId last_timer_ = 0;
};

}  // namespace podium::node
