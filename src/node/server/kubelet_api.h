// What the kubelet's port serves (upstream's pkg/kubelet/server/server.go, release 1.36), in its
// paths, parameters, codes and words:
//
//   /pods                                           the node's pods, as a PodList
//   /runningpods/                                   those that have something running
//   /healthz, /healthz/ping, /log, /syncloop        whether the node works
//   /containerLogs/NS/POD/CONTAINER                 a container's log
//   /exec/NS/POD[/UID]/CONTAINER, /attach/...       streams (streams/stream_service.h)
//   /portForward/NS/POD[/UID]
//   /run/NS/POD[/UID]/CONTAINER?cmd=                a command, and what it printed
//   /logs/                                          405: files of the machine are not given out
//   /metrics, /metrics/probes                       what the agent counts (stats/pages.h)
//   /metrics/resource, /metrics/cadvisor            use of the node and its pods
//   /stats/summary[?only_cpu_and_memory=true]       the same as JSON
//   /configz                                        what is in force (configz.h)
//
// Upstream gives out /var/log by default. Who may read it (nodes/log) would read every pod's log
// and what other services write there; podium does not offer it (upstream's
// enableSystemLogHandler: false). Checkpoints are not here.
//
// Each request is authorized first (kubelet_auth.h), one for a path that is not there too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/core_v1.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/server.h"
#include "http/url.h"
#include "node/container_log.h"
#include "node/followed_logs.h"
#include "node/server/kubelet_auth.h"
#include "node/stats/pages.h"
#include "node/streams/stream_service.h"
#include "runtime/runtime.h"

namespace podium::node {

namespace v1 = api::core::v1;

// What the port knows of its node. Threads: any.
class KubeletHost {
 public:
  virtual ~KubeletHost() = default;
  virtual std::vector<std::shared_ptr<const v1::Pod>> Pods() = 0;
  // With the status as the node knows it. Null for none.
  virtual std::shared_ptr<const v1::Pod> FindPod(std::string_view name_space,
                                                 std::string_view name) = 0;
  // An error when pods are not looked after any more.
  virtual Result<void> CheckSyncLoop() = 0;
  virtual runtime::Runtime& runtime() = 0;
};

class KubeletApi {
 public:
  // All outlive the api, and the api outlives the server that calls it.
  KubeletApi(KubeletHost& host, KubeletAuth& auth, StreamService& streams, FollowedLogs& logs,
             StatsPages& pages, const Clock& clock)
      : host_(host), auth_(auth), streams_(streams), logs_(logs), pages_(pages), clock_(clock) {}

  // Threads: any; waits for the API server and for the runtime.
  void Handle(const std::shared_ptr<http::Exchange>& exchange);

 private:
  struct Call {
    http::Exchange& exchange;
    std::vector<std::string> path;  // its segments
    http::QueryParameters query;

    std::string Parameter(std::string_view key) const;
    std::vector<std::string> All(std::string_view key) const;
  };
  // What a path names behind its first segment.
  struct Place {
    std::string name_space;
    std::string pod;
    std::string uid;  // "": of any
    std::string container;
  };

  void Answer(const std::shared_ptr<http::Exchange>& exchange);
  void Route(const Call& call);
  void Healthz(const Call& call);
  void Metrics(const Call& call);
  void ListPods(const Call& call);
  void ListRunningPods(const Call& call);
  void Logs(const Call& call);
  void Exec(const Call& call, const Place& place);
  void Attach(const Call& call, const Place& place);
  void Forward(const Call& call, const Place& place);
  void Run(const Call& call, const Place& place);

  // Why not, or nothing.
  std::optional<KubeletAuth::Refusal> ReadLogOptions(const Call& call, LogOptions* options) const;
  // The id of the container that runs.
  Result<std::string> RunningContainer(const v1::Pod& pod, const Place& place) const;
  // The pod's sandbox that is ready.
  Result<std::string> Sandbox(const v1::Pod& pod);

  KubeletHost& host_;
  KubeletAuth& auth_;
  StreamService& streams_;
  FollowedLogs& logs_;
  StatsPages& pages_;
  const Clock& clock_;
};

}  // namespace podium::node
