// NodeLease: the node's heartbeat, a Lease in kube-node-lease of the node's name (upstream's
// k8s.io/component-helpers/apimachinery/lease and pkg/kubelet/util/nodelease.go, release 1.36).
//
// It holds for forty seconds and is renewed every ten, with a jitter of four hundredths. The lease
// written last is written again without asking for it; five tries follow each other at once, and a
// conflict, or five failures, read it anew. While it can be neither read nor made it is tried again
// after 0.2 to 7 seconds, doubled each time. The node owns it, so that it goes with the node; no
// lease is made before there is a node.
//
// Works in tasks of the executor, one at a time. Threads: any.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "api/types/coordination_v1.h"
#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/work_queue.h"

namespace podium::node {

class NodeLease {
 public:
  static constexpr std::chrono::seconds kDuration{40};
  static constexpr std::chrono::seconds kRenewal = kDuration / 4;

  struct Parts {
    // All outlive it.
    client::Connection& connection;
    const Clock& clock;
    Executor& executor;
    std::string node_name;
    // For jitter: a number from 0 to 1.
    std::function<double()> random{};
    // What goes wrong while it goes on.
    std::function<void(const Error& error)> on_error{};
    // A second failure in a row: whatever connections there are should be made anew.
    std::function<void()> on_repeated_failure{};
  };

  explicit NodeLease(Parts parts);
  // Stop.
  ~NodeLease();

  void Start();
  // Returns when nothing runs any more. For good.
  void Stop();

 private:
  using Lease = api::coordination::v1::Lease;
  using LeasePtr = std::shared_ptr<const Lease>;

  // How long until the next round.
  std::chrono::nanoseconds Round();
  std::chrono::nanoseconds NextRenewal() const;
  std::chrono::nanoseconds BackOff();
  // latest_ as the server has it, made if there is none. `made`: it is as good as renewed. latest_
  // stays null, without an error, while there is no node to own it.
  Result<void> Ensure(bool* made);
  Result<void> RenewWithRetries();
  // As `base`, held from now on; a new one for null.
  Lease Renewed(const Lease* base) const;
  Result<void> AddOwner(Lease* lease) const;
  void Report(const Error& error) const;

  const Parts parts_;
  // By the task alone.
  LeasePtr latest_;
  std::chrono::nanoseconds back_off_{};

  client::WorkQueue work_;  // one key: the lease
};

}  // namespace podium::node
