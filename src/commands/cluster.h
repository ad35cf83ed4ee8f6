// What ties an agent to an API server: its connection, the pods that come from there, the statuses
// that go there, and the port where the server reaches it. Put together for `podium agent`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "client/late_connection.h"
#include "node/agent.h"
#include "node/cluster/cluster_node.h"
#include "node/cluster/cluster_objects.h"
#include "node/cluster/mirror_pods.h"
#include "node/cluster/node_credentials.h"
#include "node/cluster/pod_source.h"
#include "node/cluster/status_manager.h"
#include "node/event_recorder.h"
#include "node/metrics/node_metrics.h"
#include "node/node_config.h"
#include "node/server/agent_host.h"
#include "node/server/kubelet_api.h"
#include "node/server/kubelet_auth.h"
#include "node/server/kubelet_server.h"
#include "node/stats/pages.h"
#include "node/stats/pod_disks.h"
#include "node/streams/stream_service.h"
#include "runtime/usage.h"

namespace podium::commands {

// Threads: one, but for what is said to it.
class Cluster {
 public:
  // How the agent comes to its server; the first that is given (node_credentials.h).
  struct Server {
    std::string kubeconfig{};
    std::string bootstrap_kubeconfig{};
    std::string socket{};            // of a server on this machine
    std::string admin_kubeconfig{};  // that this server writes
    bool rotate_server_certificates = false;

    bool given() const {
      return !kubeconfig.empty() || !bootstrap_kubeconfig.empty() || !socket.empty();
    }
  };

  // All references outlive it.
  struct Options {
    Server server{};
    node::NodeDescription node{};
    uint16_t port = node::kKubeletPort;  // where the API server reaches the agent
    const node::NodeConfig& config;
    const Clock& clock;
    Executor& executor;
    node::EventSink& local_events;
    node::NodeMetrics& metrics;
    std::string configuration{};  // of the kubelet, as its port shows it (server/configz.h)
    // How the node is now; not called before Begin.
    std::function<node::NodeHealth()> health{};
  };

  // Nothing is sent yet: a server that is not there is waited for.
  static std::unique_ptr<Cluster> Open(Options options);
  ~Cluster();

  // What happens to pods is told there, and to the local list.
  node::EventSink& events() { return node_->events(); }
  // The Node, for admission (ClusterNode::Known).
  std::shared_ptr<const node::v1::Node> KnownNode(bool now) const { return node_->Known(now); }
  // What pods read.
  node::ObjectSource& objects() { return *objects_; }

  // Once; until End, before which none of these goes.
  Result<void> Begin(node::Agent& agent, runtime::UsageReader& usage, node::FollowedLogs& logs);
  void End();

  // What `health` says may be another thing.
  void HealthChanged() { node_->HealthChanged(); }

  // What went wrong since the last call and is tried again; the same once a minute.
  std::vector<std::string> TakeWarnings();

 private:
  explicit Cluster(Options options) : options_(std::move(options)) {}
  void OpenCredentials();
  // The certificate of the kubelet's port: with the first it opens.
  void Serve(const node::NodeCertificate& certificate);
  Result<void> OpenPort(node::Agent& agent, runtime::UsageReader& usage, node::FollowedLogs& logs);
  void OpenParts();
  void Warn(const std::string& text);

  const Options options_;
  client::LateConnection connection_;
  std::unique_ptr<node::NodeCredentials> credentials_;
  std::unique_ptr<node::ClusterNode> node_;
  std::unique_ptr<node::ClusterObjects> objects_;
  std::unique_ptr<node::StatusManager> statuses_;
  std::unique_ptr<node::MirrorPods> mirrors_;
  std::unique_ptr<node::PodSource> pods_;
  std::unique_ptr<node::AgentHost> host_;
  std::unique_ptr<node::KubeletAuth> auth_;
  std::unique_ptr<node::StreamService> streams_;
  std::shared_ptr<node::PodDisks> disks_;
  std::unique_ptr<node::StatsPages> pages_;
  std::unique_ptr<node::KubeletApi> api_;
  std::mutex mutex_;
  // Under mutex_.
  node::Agent* agent_ = nullptr;               // between Begin and End
  std::unique_ptr<node::KubeletServer> port_;  // null: there was no certificate yet
  std::map<std::string, int64_t> warned_;      // when, by text
  std::vector<std::string> warnings_;
};

}  // namespace podium::commands
