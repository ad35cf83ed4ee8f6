// Leader election by a Lease (upstream's k8s.io/client-go/tools/leaderelection, its numbers and its
// way): of several that want to do something only one does it.
//
// Who holds the lease renews it; who wants it looks every few seconds, and takes it once it has
// seen it unchanged for as long as the lease says, by its own clock: clocks of machines need not
// agree, only run at the same pace. A leader that cannot renew stops leading before another may
// begin. That is as good as its word: what it has begun when it hears of it may still run, so what
// must not happen twice needs more than this.
//
// All work is done in tasks of the executor, one at a time; none waits, but that a call to the
// server does. Threads: any, for everything; callbacks run in these tasks.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "client/connection.h"
#include "client/paths.h"

namespace podium::client {

struct LeaderElectionOptions {
  // All outlive the elector.
  Connection* connection = nullptr;
  Executor* executor = nullptr;
  const Clock* clock = nullptr;
  ObjectKey lease{};
  std::string identity{};  // of this one, among all that want the lease
  std::chrono::nanoseconds lease_duration = std::chrono::seconds(15);
  std::chrono::nanoseconds renew_deadline = std::chrono::seconds(10);
  std::chrono::nanoseconds retry_period = std::chrono::seconds(2);
  // Stop gives the lease back, so that the next one need not wait for its end.
  bool release_on_stop = false;
  // For jitter: a number from 0 to 1.
  std::function<double()> random{};
  std::function<void()> on_started_leading{};
  // Also at Stop, if it led.
  std::function<void()> on_stopped_leading{};
  // Who leads now, this one too.
  std::function<void(const std::string& identity)> on_new_leader{};
  std::function<void(const Error& error)> on_error{};
};

class LeaderElector {
 public:
  // kInvalidArgument: the lease must be longer than the deadline for renewals, that longer than 1.2
  // times the period of tries, and all above zero; lease and identity must have names.
  static Result<std::unique_ptr<LeaderElector>> Create(LeaderElectionOptions options);
  ~LeaderElector();

  // After losing the lease it wants it again.
  void Start();
  // Returns when nothing of it runs any more, unless a callback calls. For good.
  void Stop();

  bool IsLeader() const;
  // "": not known yet.
  std::string Leader() const;

 private:
  struct State;
  explicit LeaderElector(std::shared_ptr<State> state) : state_(std::move(state)) {}
  const std::shared_ptr<State> state_;
};

}  // namespace podium::client
