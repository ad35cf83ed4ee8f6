// NodeRegistration: the agent's Node in the cluster, made once and kept true (upstream's
// pkg/kubelet/kubelet_node_status.go, release 1.36).
//
// The node is created; one that is there from before gets its default labels, its annotation and
// its huge pages back. That is tried until it succeeds, after 0.1 to 7 seconds, doubled each time.
// Then the status is looked at every ten seconds and whenever somebody says that it has changed,
// and patched when there is something new to tell, or for the heartbeat every five minutes; what is
// new moves the next heartbeat by up to half of that, so that nodes that changed together do not
// stay together. Five tries follow each other at once, the first on what the node's own watch has
// told, later ones on what the server says. A node that somebody deletes is not made again before
// the agent is started again, as upstream.
//
// Works in tasks of the executor, one at a time. Threads: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/informer.h"
#include "client/work_queue.h"
#include "node/cluster/node_object.h"
#include "node/event_recorder.h"

namespace podium::node {

class NodeRegistration {
 public:
  static constexpr std::chrono::seconds kUpdateFrequency{10};  // nodeStatusUpdateFrequency
  static constexpr std::chrono::minutes kReportFrequency{5};   // nodeStatusReportFrequency

  struct Parts {
    // All outlive it.
    client::Connection& connection;
    const Clock& clock;
    Executor& executor;
    EventSink& events;
    NodeDescription node;
    // How the node is now; may wait for the runtime.
    std::function<NodeHealth()> health;
    // For jitter: a number from 0 to 1.
    std::function<double()> random{};
    // All are called from tasks. Once there is a node.
    std::function<void()> on_registered{};
    // The cluster was told that the node is ready, or no more; only when it changes.
    std::function<void(bool ready)> on_ready{};
    // The node as the server has it, each time that it changes.
    std::function<void(const std::shared_ptr<const v1::Node>& node)> on_node{};
    // What goes wrong while it goes on.
    std::function<void(const Error& error)> on_error{};
  };

  explicit NodeRegistration(Parts parts);
  // Stop.
  ~NodeRegistration();

  void Start();
  // Returns when nothing runs any more. For good.
  void Stop();

  // What `health` says has changed: the cluster is told at once.
  void HealthChanged();

  // As it was seen last; null before it is registered, and when it is gone.
  std::shared_ptr<const v1::Node> node() const;

 private:
  using NodePtr = std::shared_ptr<const v1::Node>;

  // How long until the next round.
  std::chrono::nanoseconds Round();
  Result<void> Register();
  Result<void> Reconcile(const v1::Node& initial);
  Result<void> UpdateStatus();
  Result<void> TryUpdateStatus(bool first_try);
  Result<NodePtr> Patch(const v1::Node& before, const v1::Node& after);
  Result<NodePtr> Read();
  bool IsReportDue() const;
  void Told(const v1::Node& node);
  // Takes it for the newest, unless a newer one is known.
  void Saw(const NodePtr& node);
  void TellSchedulable(const v1::Node& node);
  void Report(const Error& error) const;
  void Record(const std::vector<NodeEvent>& events) const;

  const Parts parts_;
  mutable std::mutex mutex_;
  NodePtr node_;  // under mutex_
  // By the task alone.
  bool registered_ = false;
  std::chrono::nanoseconds back_off_{};
  int64_t last_report_ = 0;                  // nanoseconds since 1970
  std::chrono::nanoseconds report_delay_{};  // of the next one, by chance
  bool unschedulable_ = false;
  std::optional<bool> ready_;

  client::WorkQueue work_;  // one key: the node
  client::Informer informer_;
};

}  // namespace podium::node
