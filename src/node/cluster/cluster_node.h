// ClusterNode: all that an agent tells a cluster of its node: that it is there, how it is, that it
// lives, and what happens on it.
//
//   ClusterNode node({…});
//   … node.events() is where everybody records, with or without a server
//   node.Start(connection);
//   node.HealthChanged();  // whenever what `health` says may be another thing
//   node.Stop();
//
// Threads: any. Callbacks come from tasks of the executor.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "image/image_store.h"
#include "node/cluster/cluster_events.h"
#include "node/cluster/node_lease.h"
#include "node/cluster/node_object.h"
#include "node/cluster/node_registration.h"
#include "node/event_recorder.h"
#include "runtime/runtime.h"

namespace podium::node {

// What the runtime says of itself and the images that are there; `images` may be null. Pressures
// are not seen here.
NodeHealth LookAtNode(runtime::Runtime& runtime, const image::ImageStore* images);

class ClusterNode {
 public:
  struct Parts {
    // All outlive it.
    EventSink& local_events;
    const Clock& clock;
    Executor& executor;
    NodeDescription node;
    // How the node is now; may wait for the runtime.
    std::function<NodeHealth()> health;
    // For jitter: a number from 0 to 1.
    std::function<double()> random{};
    // The cluster was told that the node is ready, or no more; only when it changes.
    std::function<void(bool ready)> on_ready{};
    // The node as the server has it, each time that it changes.
    std::function<void(const std::shared_ptr<const v1::Node>& node)> on_node{};
    // What goes wrong while it goes on.
    std::function<void(const Error& error)> on_error{};
  };

  explicit ClusterNode(Parts parts);
  // Stop.
  ~ClusterNode();

  EventSink& events() { return events_; }
  // Once; the connection outlives Stop.
  void Start(client::Connection& connection);
  // Returns when nothing runs any more; events that wait are not sent. The node stays as it was
  // told last, and is seen to be gone when its lease ends. For good. Whoever wants no call to be
  // waited for stops the connection first.
  void Stop();

  void HealthChanged();
  // As it was seen last, and before it is registered as it will be; for `now` as the server has it
  // now, if it can be reached.
  std::shared_ptr<const v1::Node> Known(bool now) const;
  // As it was seen last; null before it is registered, and when it is gone.
  std::shared_ptr<const v1::Node> node() const;

 private:
  NodeRegistration* registration() const;

  const Parts parts_;
  ClusterEvents events_;
  mutable std::mutex mutex_;
  // Under mutex_; made by Start.
  std::unique_ptr<NodeLease> lease_;
  std::unique_ptr<NodeRegistration> registration_;
  client::Connection* connection_ = nullptr;
  bool stopped_ = false;
};

}  // namespace podium::node
