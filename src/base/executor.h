// Executor: where work runs, injected like the clock. A task is a plain function; it may block, and
// then holds up nobody but itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace podium {

class Executor {
 public:
  using Task = std::function<void()>;
  using TimerId = uint64_t;  // never 0

  virtual ~Executor() = default;
  // Runs the task soon, on a thread of the executor, never within this call.
  virtual void Post(Task task) = 0;
  // Runs it once that time has passed.
  virtual TimerId PostAfter(std::chrono::nanoseconds delay, Task task) = 0;
  // Drops a timer whose task was not handed to a thread yet; otherwise, and for an unknown one,
  // nothing.
  virtual void Cancel(TimerId timer) = 0;
};

// Threads that come as tasks need them and go after some idle seconds: a task that waits for a
// container's grace period keeps a thread, an idle agent keeps only the one that looks after
// timers.
class ThreadExecutor : public Executor {
 public:
  explicit ThreadExecutor(size_t max_threads = 1024);
  // Drops the tasks that have not begun, and waits for those that have.
  ~ThreadExecutor() override;
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;

  void Post(Task task) override;
  TimerId PostAfter(std::chrono::nanoseconds delay, Task task) override;
  void Cancel(TimerId timer) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  void PostLocked(Task task);
  void RunTasks();
  void RunTimers();

  const size_t max_threads_;
  std::mutex mutex_;
  // All below: under mutex_.
  std::condition_variable task_ready_;
  std::condition_variable timer_changed_;
  std::condition_variable thread_gone_;
  std::deque<Task> tasks_;
  std::map<std::pair<TimePoint, TimerId>, Task> timers_;
  std::map<TimerId, TimePoint> timer_times_;
  TimerId last_timer_ = 0;
  size_t threads_ = 0;
  std::map<std::thread::id, std::thread> running_;
  // The one that ended last, and will have joined the one before it.
  std::thread ended_;
  size_t idle_ = 0;
  bool stopping_ = false;
  std::thread timer_thread_;
};

}  // namespace podium
