// PodSource: the pods that an API server has bound to this node, handed to the agent as they come,
// change and go (upstream's k8s.io/kubernetes/pkg/kubelet/config/apiserver.go).
//
// The agent's own records go first: what it ran when it ended goes on whether or not the server is
// there. Once the server has shown all pods of the node, those that it does not have end.
//
// Threads: any, for everything.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/informer.h"
#include "node/agent.h"
#include "node/cluster/mirror_pods.h"
#include "node/cluster/status_manager.h"

namespace podium::node {

class PodSource {
 public:
  struct Services {
    client::Connection& connection;
    Executor& executor;
    const Clock& clock;
    Agent& agent;
    StatusManager& statuses;
    MirrorPods& mirrors;
    // Pods that cannot be taken, servers that do not answer. May be empty.
    std::function<void(const Error& error)> on_error{};
  };

  // The services outlive it.
  explicit PodSource(const Services& services);
  PodSource(const PodSource&) = delete;
  PodSource& operator=(const PodSource&) = delete;
  // Stop.
  ~PodSource();

  void Start();
  // Returns when nothing of it runs any more. For good.
  void Stop();

  // The server has shown all pods of this node, and the agent has them.
  bool HasSynced() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace podium::node
