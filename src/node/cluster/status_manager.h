// StatusManager: tells the API server how the pods of this node stand, and removes there what has
// come to its end here (upstream's k8s.io/kubernetes/pkg/kubelet/status; release 1.36).
//
// A status goes out as soon as it is known, one request at a time for each pod; what changes while
// one is on its way goes out together afterwards, and only the last of it. It is a patch of what is
// ours: conditions of others, and what else they write, are not in it. What the server holds is
// known from its answers and from the pods that it shows; where it is not what this node says
// (somebody has written over it), it is told again.
//
// A patch names the version of the pod that it was made for, which upstream's does not. A server
// may come to a request long after it was sent, and serve that of an agent that was killed after
// that of the one that was started since: the pod would go back to what it was. So the later one is
// refused, and whoever is still there reads the pod and tells it again.
//
// Nothing is kept of its own: the agent keeps the statuses (RUN/pods), and the pods that the server
// shows after a start tell what is missing there.
//
// Threads: any, for everything. It may be called under the agent's lock.
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
#include "node/metrics/series.h"

namespace podium::node {

// The strategic merge patch that makes of `shown`, the pod that the server has, one with the status
// that the node says: what differs of the node's own part. "" where nothing does. It is for this
// pod alone, as it was shown: servers refuse it (409) for another one of the name, and once anybody
// has written to it.
Result<std::string> StatusPatch(const v1::Pod& shown, v1::PodStatus said);

class StatusManager {
 public:
  struct Services {
    client::Connection& connection;
    Executor& executor;
    const Clock& clock;
    // How long changes took to be known to the server (kubelet_pod_status_sync_duration_seconds);
    // null: nobody counts. Outlives it.
    Histogram* sync_duration = nullptr;
    // What the server refuses, or that it is not there; tried again. May be empty.
    std::function<void(const std::string& uid, const Error& error)> on_error{};
  };

  // The services outlive it.
  explicit StatusManager(const Services& services);
  StatusManager(const StatusManager&) = delete;
  StatusManager& operator=(const StatusManager&) = delete;
  // Stop.
  ~StatusManager();

  // The agent's pods, as they are and as they change from here on. Once; the agent lives until
  // Stop.
  Result<void> Follow(Agent& agent);
  // How the server's pod of this uid stands: as `pod` does, which may be another one that it
  // mirrors. `gone`: nothing is left of it on this node.
  void Say(const std::string& uid, std::shared_ptr<const v1::Pod> pod, bool gone);
  // A pod as the server shows it.
  void Show(std::shared_ptr<const v1::Pod> pod);
  // The server shows it no more. What is still said of it until it is gone here is told to nobody.
  void Hide(std::string_view uid);
  // Nothing more will be said of it.
  void Withdraw(std::string_view uid);

  // Returns when no request is on its way. For good; by whoever called Follow.
  void Stop();

  // Whether everything that is known here was told, of what the server shows.
  bool idle() const;
  // Of how many pods it knows something.
  size_t size() const;

 private:
  struct Told {
    std::shared_ptr<const v1::Pod> said;   // null: this node has said nothing
    std::shared_ptr<const v1::Pod> shown;  // null: the server has not shown it
    int64_t changed_at = 0;                // since when there is something to tell; 0: there is not
    bool gone = false;                     // nothing is left of it on this node
    bool hidden = false;                   // the server shows it no more
  };

  void Tell(const PodChange& change);
  Result<client::Reconciled> Sync(const std::string& uid);
  // Whether there was something to tell.
  Result<bool> SendStatus(const std::string& uid, const Told& told);
  Result<std::shared_ptr<const v1::Pod>> Read(const std::string& uid, const v1::Pod& shown);
  Result<void> Remove(const std::string& uid, const v1::Pod& pod);
  void SetShown(const std::string& uid, std::shared_ptr<const v1::Pod> pod);

  // What has changed until that time, if it was told, is told.
  void NoteSent(const std::string& uid, int64_t changed_at, const Result<bool>& sent);

  client::Connection& connection_;
  const Clock& clock_;
  Histogram* const sync_duration_;
  mutable std::mutex mutex_;
  std::map<std::string, Told, std::less<>> pods_;  // under mutex_; by uid
  Agent* agent_ = nullptr;
  uint64_t watch_ = 0;
  client::WorkQueue queue_;
};

}  // namespace podium::node
