#include "client/work_queue.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace podium::client {

using std::chrono::nanoseconds;

nanoseconds RateLimiter::When(const std::string& key, int64_t now) {
  const int failures = failures_[key]++;
  const double own = static_cast<double>(limits_.base.count()) * std::pow(2.0, failures);
  const auto delay = own > static_cast<double>(limits_.max.count())
                         ? limits_.max
                         : nanoseconds(static_cast<int64_t>(own));
  if (limits_.per_second <= 0) return delay;
  // The clock may be set back.
  const double passed = static_cast<double>(std::max<int64_t>(now - filled_, 0)) / kNanosPerSecond;
  filled_ = now;
  tokens_ = std::min(limits_.burst, tokens_ + (passed * limits_.per_second)) - 1;
  if (tokens_ >= 0) return delay;
  const double seconds = -tokens_ / limits_.per_second;
  return std::max(delay, nanoseconds(static_cast<int64_t>(seconds * kNanosPerSecond)));
}

int RateLimiter::NumRequeues(const std::string& key) const {
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

struct WorkQueue::State : std::enable_shared_from_this<WorkQueue::State> {
  explicit State(Options chosen) : options(std::move(chosen)), limiter(options.limits) {}

  struct Later {
    int64_t at;
    Executor::TimerId timer;
  };

  // Each of these under `mutex`.
  void AddLocked(const std::string& key) {
    if (shut || draining || !dirty.insert(key).second) return;
    if (processing.contains(key)) return;
    queue.push_back(key);
    DispatchLocked();
  }

  void AddAfterLocked(const std::string& key, nanoseconds delay) {
    if (shut || draining) return;
    if (delay.count() <= 0) return AddLocked(key);
    const int64_t at = options.clock->Now() + delay.count();
    const auto found = waiting.find(key);
    if (found != waiting.end()) {
      if (found->second.at <= at) return;
      options.executor->Cancel(found->second.timer);
      waiting.erase(found);
    }
    const Executor::TimerId timer =
        options.executor->PostAfter(delay, [weak = weak_from_this(), key, at] {
          const auto self = weak.lock();
          if (!self) return;
          const std::lock_guard lock(self->mutex);
          const auto due = self->waiting.find(key);
          // One that was put earlier meanwhile has a timer of its own.
          if (due == self->waiting.end() || due->second.at != at) return;
          self->waiting.erase(due);
          self->AddLocked(key);
        });
    waiting.emplace(key, Later{at, timer});
  }

  void DispatchLocked() {
    while (open && !shut && active < options.workers &&
           static_cast<size_t>(active) < queue.size() + running.size()) {
      ++active;
      PostWorker();
    }
  }

  void PostWorker() {
    options.executor->Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Work();
    });
  }

  void DropWaitingLocked() {
    for (const auto& [key, later] : waiting) options.executor->Cancel(later.timer);
    waiting.clear();
  }

  // One key; then it is another task's turn.
  void Work() {
    std::string key;
    {
      const std::lock_guard lock(mutex);
      if (shut || !open || queue.empty()) {
        --active;
        ended.notify_all();
        return;
      }
      key = std::move(queue.front());
      queue.pop_front();
      processing.insert(key);
      dirty.erase(key);
      running.push_back(std::this_thread::get_id());
    }
    const auto result = options.reconcile(key);
    if (!result.ok() && options.on_error) options.on_error(key, result.error());
    const std::lock_guard lock(mutex);
    running.erase(std::ranges::find(running, std::this_thread::get_id()));
    if (!result.ok()) {
      AddAfterLocked(key, limiter.When(key, options.clock->Now()));
    } else {
      limiter.Forget(key);
      if (result->requeue_after.count() > 0) AddAfterLocked(key, result->requeue_after);
    }
    processing.erase(key);
    if (dirty.contains(key) && !shut) queue.push_back(key);
    if (open && !shut && !queue.empty()) {
      PostWorker();
    } else {
      --active;
    }
    ended.notify_all();
  }

  const Options options;
  mutable std::mutex mutex;
  std::condition_variable ended;
  // All below: under mutex.
  RateLimiter limiter;
  std::deque<std::string> queue;
  std::set<std::string> dirty;       // to be looked at: those of `queue`, and some of `processing`
  std::set<std::string> processing;  // held by workers
  std::map<std::string, Later> waiting;
  std::vector<std::thread::id> running;  // threads in `reconcile`
  int active = 0;                        // workers that run or are posted
  bool open = false;
  bool draining = false;
  bool shut = false;
};

WorkQueue::WorkQueue(Options options) : state_(std::make_shared<State>(std::move(options))) {}

WorkQueue::~WorkQueue() { ShutDown(); }

void WorkQueue::Add(const std::string& key) {
  const std::lock_guard lock(state_->mutex);
  state_->AddLocked(key);
}

void WorkQueue::AddAfter(const std::string& key, nanoseconds delay) {
  const std::lock_guard lock(state_->mutex);
  state_->AddAfterLocked(key, delay);
}

void WorkQueue::AddRateLimited(const std::string& key) {
  const std::lock_guard lock(state_->mutex);
  state_->AddAfterLocked(key, state_->limiter.When(key, state_->options.clock->Now()));
}

void WorkQueue::Forget(const std::string& key) {
  const std::lock_guard lock(state_->mutex);
  state_->limiter.Forget(key);
}

int WorkQueue::NumRequeues(const std::string& key) const {
  const std::lock_guard lock(state_->mutex);
  return state_->limiter.NumRequeues(key);
}

void WorkQueue::Open() {
  const std::lock_guard lock(state_->mutex);
  state_->open = true;
  state_->DispatchLocked();
}

void WorkQueue::Close() {
  const std::lock_guard lock(state_->mutex);
  state_->open = false;
}

void WorkQueue::Drain() {
  const std::lock_guard lock(state_->mutex);
  state_->draining = true;
  state_->DropWaitingLocked();
}

bool WorkQueue::idle() const {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.empty() && state_->running.empty();
}

void WorkQueue::ShutDown() {
  std::unique_lock lock(state_->mutex);
  state_->shut = true;
  state_->queue.clear();
  state_->dirty.clear();
  state_->DropWaitingLocked();
  state_->ended.wait(lock, [&] {
    return std::ranges::all_of(state_->running,
                               [](std::thread::id id) { return id == std::this_thread::get_id(); });
  });
}

size_t WorkQueue::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->queue.size();
}

}  // namespace podium::client
