#include "base/executor.h"

namespace podium {
namespace {

constexpr std::chrono::seconds kIdleTime{5};

}  // namespace

ThreadExecutor::ThreadExecutor(size_t max_threads)
    : max_threads_(max_threads), timer_thread_([this] { RunTimers(); }) {}

ThreadExecutor::~ThreadExecutor() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    tasks_.clear();
    timers_.clear();
    timer_times_.clear();
    task_ready_.notify_all();
    timer_changed_.notify_all();
    thread_gone_.wait(lock, [this] { return threads_ == 0; });
  }
  // What libraries keep for each thread is gone when it is joined, and not before.
  if (ended_.joinable()) ended_.join();
  timer_thread_.join();
}

void ThreadExecutor::Post(Task task) {
  std::lock_guard lock(mutex_);
  PostLocked(std::move(task));
}

void ThreadExecutor::PostLocked(Task task) {
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  if (idle_ >= tasks_.size() || threads_ >= max_threads_) {
    task_ready_.notify_one();
    return;
  }
  ++threads_;
  // It begins by waiting for the lock, and so finds itself here.
  std::thread thread([this] { RunTasks(); });
  const std::thread::id id = thread.get_id();
  running_.emplace(id, std::move(thread));
}

void ThreadExecutor::RunTasks() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    const bool woken =
        task_ready_.wait_for(lock, kIdleTime, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (!woken || stopping_) break;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds is released before the next one is waited for
    lock.lock();
  }
  --threads_;
  const auto self = running_.find(std::this_thread::get_id());
  std::thread before = std::exchange(ended_, std::move(self->second));
  running_.erase(self);
  // Under the lock: once it is released, the destructor may take everything away.
  thread_gone_.notify_all();
  lock.unlock();
  if (before.joinable()) before.join();
}

Executor::TimerId ThreadExecutor::PostAfter(std::chrono::nanoseconds delay, Task task) {
  const TimePoint at = std::chrono::steady_clock::now() +
                       std::chrono::duration_cast<std::chrono::steady_clock::duration>(delay);
  std::lock_guard lock(mutex_);
  const TimerId id = ++last_timer_;
  if (stopping_) return id;
  timers_.emplace(std::pair(at, id), std::move(task));
  timer_times_.emplace(id, at);
  if (timers_.begin()->first.second == id) timer_changed_.notify_one();
  return id;
}

void ThreadExecutor::Cancel(TimerId timer) {
  Task dropped;  // destroyed outside of the lock: it may own anything
  std::lock_guard lock(mutex_);
  auto found = timer_times_.find(timer);
  if (found == timer_times_.end()) return;
  auto at = timers_.find({found->second, timer});
  dropped = std::move(at->second);
  timers_.erase(at);
  timer_times_.erase(found);
}

void ThreadExecutor::RunTimers() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (timers_.empty()) {
      timer_changed_.wait(lock);
      continue;
    }
    const auto first = timers_.begin();
    const TimePoint at = first->first.first;
    if (std::chrono::steady_clock::now() < at) {
      timer_changed_.wait_until(lock, at);
      continue;
    }
    Task task = std::move(first->second);
    timer_times_.erase(first->first.second);
    timers_.erase(first);
    PostLocked(std::move(task));
  }
}

}  // namespace podium
