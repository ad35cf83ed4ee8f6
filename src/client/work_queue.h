// WorkQueue: keys that want to be looked at, and the function that looks at them (upstream's
// k8s.io/client-go/util/workqueue with the worker loop of its controllers).
//
//   WorkQueue queue({.executor = &executor, .clock = &clock, .workers = 2,
//                    .reconcile = [&](const std::string& key) { return SyncPod(key); }});
//   informer.AddHandler({.on_add = [&](const SharedObject& pod, bool) { queue.Add(KeyOf(pod)); }});
//   … once informers.HasSynced(): queue.Open();
//
// A key waits once, however often it is added; no two workers hold the same key, and one that is
// added while a worker holds it comes again after that. In the order of arrival. What failed comes
// again after 5 ms, doubled for each failure up to 1000 s, and at most ten of such a second after
// the first hundred; a success forgets the failures.
//
// Workers are tasks of the executor, one key each: no thread waits for keys, and with an executor
// on virtual time everything happens in one thread, in the same order each time.
//
// Threads: any, for everything.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"

namespace podium::client {

// How long keys that failed wait: the longer of what each key's failures say and what all together
// say (client-go's DefaultTypedControllerRateLimiter).
struct RateLimits {
  std::chrono::nanoseconds base = std::chrono::milliseconds(5);
  std::chrono::nanoseconds max = std::chrono::seconds(1000);
  double per_second = 10;
  double burst = 100;
};

// Threads: whoever owns it locks.
class RateLimiter {
 public:
  explicit RateLimiter(const RateLimits& limits) : limits_(limits), tokens_(limits.burst) {}

  // Counts a failure; `now` in nanoseconds.
  std::chrono::nanoseconds When(const std::string& key, int64_t now);
  void Forget(const std::string& key) { failures_.erase(key); }
  int NumRequeues(const std::string& key) const;

 private:
  const RateLimits limits_;
  std::map<std::string, int> failures_;
  double tokens_;  // below zero: how many have been promised
  int64_t filled_ = 0;
};

// What a reconcile that succeeded wants.
struct Reconciled {
  std::chrono::nanoseconds requeue_after{0};  // 0: nothing
};

class WorkQueue {
 public:
  // Plain and synchronous; an error is a failure, which is tried again.
  using Reconcile = std::function<Result<Reconciled>(const std::string& key)>;

  struct Options {
    // Both outlive the queue.
    Executor* executor = nullptr;
    const Clock* clock = nullptr;
    int workers = 1;
    Reconcile reconcile{};
    // Of each failure, before it is tried again.
    std::function<void(const std::string& key, const Error& error)> on_error{};
    RateLimits limits{};
  };

  explicit WorkQueue(Options options);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  // ShutDown.
  ~WorkQueue();

  void Add(const std::string& key);
  // If it is not due earlier by another AddAfter. Not after zero or less: at once.
  void AddAfter(const std::string& key, std::chrono::nanoseconds delay);
  // As after a failure.
  void AddRateLimited(const std::string& key);
  void Forget(const std::string& key);
  int NumRequeues(const std::string& key) const;

  // The gate: workers begin. Until then keys only gather.
  void Open();
  // No worker begins with another key.
  void Close();

  // Nothing is taken in any more; what waits is still worked on, but for what AddAfter holds.
  void Drain();
  // Whether nothing waits and no worker runs.
  bool idle() const;
  // Drops what waits. Returns when no worker runs, unless it is a worker that calls.
  void ShutDown();
  // That wait for a worker, without those of AddAfter.
  size_t size() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace podium::client
