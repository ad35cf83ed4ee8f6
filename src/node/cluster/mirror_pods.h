// MirrorPods: shows the static pods of this node at the API server, where nobody could see them
// otherwise (upstream's k8s.io/kubernetes/pkg/kubelet/pod/mirror_client.go and kubelet.go
// tryReconcileMirrorPods; release 1.36). A mirror pod is a pod there that only shows: what is
// changed or deleted of it is made again, and its status is the static pod's.
//
// Threads: any, for everything.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "client/connection.h"
#include "client/work_queue.h"
#include "node/agent.h"
#include "node/cluster/status_manager.h"

namespace podium::node {

// Whether the API server's pod is the mirror of one on its node.
bool IsMirrorPod(const v1::Pod& pod);

class MirrorPods {
 public:
  struct Services {
    client::Connection& connection;
    Executor& executor;
    const Clock& clock;
    StatusManager& statuses;
    std::string node_name{};  // whose pods they are
    // What the server refuses, or that it is not there; tried again. May be empty.
    std::function<void(const Error& error)> on_error{};
  };

  // The services outlive it.
  explicit MirrorPods(const Services& services);
  MirrorPods(const MirrorPods&) = delete;
  MirrorPods& operator=(const MirrorPods&) = delete;
  // Stop.
  ~MirrorPods();

  // The agent's pods, as they are and as they change from here on. Once; the agent lives until
  // Stop.
  Result<void> Follow(Agent& agent);
  // A mirror pod as the server shows it, and one that it shows no more.
  void Show(std::shared_ptr<const v1::Pod> mirror);
  void Forget(const v1::Pod& mirror);
  // The server has shown all pods of the node: from here on, mirrors that are missing are made.
  void Open();
  // Returns when no request is on its way. For good; by whoever called Follow.
  void Stop();

 private:
  struct Pair {
    std::shared_ptr<const v1::Pod> pod;     // null: no static pod of that name runs here
    std::shared_ptr<const v1::Pod> mirror;  // null: the server does not show one
  };

  void Tell(const PodChange& change);
  Result<client::Reconciled> Sync(const std::string& key);
  Result<void> Create(const v1::Pod& pod);
  Result<void> Remove(const v1::Pod& mirror);

  client::Connection& connection_;
  StatusManager& statuses_;
  const std::string node_name_;
  std::mutex mutex_;
  std::map<std::string, Pair, std::less<>> pairs_;  // under mutex_; by namespace/name
  Agent* agent_ = nullptr;
  uint64_t watch_ = 0;
  client::WorkQueue queue_;
};

}  // namespace podium::node
