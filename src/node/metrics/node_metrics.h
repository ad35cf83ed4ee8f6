// What the agent counts of its own work, and how it is told: /metrics and /metrics/probes of the
// kubelet's port, in upstream's names (pkg/kubelet/metrics, pkg/kubelet/server/metrics and
// pkg/kubelet/prober, release 1.36).
//
// Only what happens here is told. There is no kubelet_pleg_*, since containers' ends are told by
// the kernel and nobody lists them again and again; nothing of device plugins, of volumes that are
// attached by others, or of Go. Of claims' volumes, those are told that upstream's plugins measure:
// local ones, not hostPath.
//
// Threads: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "node/metrics/probe_metrics.h"
#include "node/metrics/series.h"
#include "node/metrics/start_times.h"
#include "node/stats/claim_use.h"

namespace podium::node {

// Seconds: client_golang's, and those that upstream takes for pods, for what is told of them and
// for a runtime's calls.
inline constexpr std::array<double, 11> kDefaultBuckets = {.005, .01, .025, .05, .1, .25,
                                                           .5,   1,   2.5,  5,   10};
inline constexpr std::array<double, 25> kPodStartBuckets = {
    .5,  1,   2,   3,   4,   5,   6,   8,   10,   20,   30,   45,  60,
    120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600};
inline constexpr std::array<double, 11> kStatusSyncBuckets = {.01, .05, .1, .5, 1, 5,
                                                              10,  20,  30, 45, 60};
inline constexpr size_t kRuntimeBucketCount = 14;
inline constexpr std::array<double, kRuntimeBucketCount> kRuntimeBuckets = [] {
  std::array<double, kRuntimeBucketCount> ends{};
  double end = .005;
  for (double& each : ends) {
    each = end;
    end *= 2.5;
  }
  return ends;
}();

// Calls of the runtime and of the images, by upstream's names of them.
enum class Operation : uint8_t {
  kAttach,
  kContainerStats,
  kContainerStatus,
  kCreateContainer,
  kExec,
  kExecSync,
  kImageStatus,
  kListContainerStats,
  kListContainers,
  kListPodSandbox,
  kListPodSandboxStats,
  kPodSandboxStats,
  kPodSandboxStatus,
  kPortForward,
  kPullImage,
  kRemoveContainer,
  kRemovePodSandbox,
  kReopenContainerLog,
  kRunPodSandbox,
  kStartContainer,
  kStatus,
  kStopContainer,
  kStopPodSandbox,
  kUpdateContainer,
  kUpdatePodSandbox,
  kCount,  // none: how many there are
};
std::string_view NameOf(Operation operation);

struct OperationCounts {
  Counter calls;
  Counter errors;
  Histogram duration{kRuntimeBuckets};
};

struct NodeMetrics {
  // From the time when a pod was first seen here until it was told to run, and until its worker
  // began.
  Histogram pod_start{kPodStartBuckets};
  Histogram pod_worker_start{kDefaultBuckets};
  // From the first change of a pod's status that the server has not been told until it has it.
  Histogram pod_status_sync{kStatusSyncBuckets};
  Series<Histogram> pod_worker{kDefaultBuckets};  // operation_type: create, update, sync, kill
  Counter started_pods;                           // sandboxes that were begun
  Counter started_pods_errors;
  Series<Counter> started_containers;         // container_type
  Series<Counter> started_containers_errors;  // container_type, code
  Series<Counter> evictions;                  // eviction_signal
  Series<Counter> preemptions;                // preemption_signal
  std::array<OperationCounts, static_cast<size_t>(Operation::kCount)> operations;
  Series<Histogram> run_sandbox{kDefaultBuckets};     // runtime_handler
  Series<Counter> run_sandbox_errors;                 // likewise
  Series<Histogram> cgroup_manager{kDefaultBuckets};  // operation_type
  // long_running, method, path, server_type. Streams are counted when they begin, and neither
  // counted as in flight nor timed: they go on without the server.
  Series<Counter> http_requests;
  Series<Counter> http_in_flight;
  Series<Histogram> http_duration{kDefaultBuckets};
  Series<Counter> rest_requests;  // code, host, method
  // Seconds since 1970 of the last graceful shutdown (shutdown/shutdown_record.h); 0: there was
  // none, or it has not ended.
  Gauge shutdown_start;
  Gauge shutdown_end;
  StartTimes start_times;
  ProbeMetrics probes;

  OperationCounts& Of(Operation operation) { return operations[static_cast<size_t>(operation)]; }
};

// What is true at the moment.
struct NodeCounts {
  std::string node_name{};
  int64_t running_pods = 0;                             // with a sandbox that is ready
  std::map<std::string, int64_t> running_containers{};  // by state
  std::map<bool, int64_t> active_pods{};                // by whether they are static
  int64_t ephemeral_containers = 0;
  std::vector<ClaimUse> claims{};  // SortClaims
};

// Prometheus's text format.
std::string NodeMetricsPage(const NodeMetrics& metrics, const NodeCounts& counts);
std::string ProbeMetricsPage(const ProbeMetrics& metrics);

}  // namespace podium::node
