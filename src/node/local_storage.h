// What pods keep on the node's disk, against the limits that they have for it: a pod that exceeds
// one is evicted, as by the kubelet's eviction manager (pkg/kubelet/eviction, localStorageEviction,
// release 1.36), with its words.
//
//   resources.limits[ephemeral-storage]  of a container: its writable layer and its logs;
//                                        of the pod (the sum of those that have one): all of its
//                                        containers, its emptyDirs and configMaps, /etc/hosts and
//                                        termination messages
//   emptyDir.sizeLimit                   of one volume. Those in memory are as small as that anyway
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "node/event_recorder.h"
#include "node/node_config.h"
#include "node/pod_spec.h"
#include "node/pod_status.h"
#include "runtime/runtime.h"

namespace podium::node {

// Bytes, as allocated.
struct StorageUsage {
  std::map<std::string, uint64_t, std::less<>> volumes;     // emptyDirs on disk
  std::map<std::string, uint64_t, std::less<>> containers;  // writable layers and logs
  uint64_t pod = 0;
};

bool HasStorageLimit(const v1::Pod& pod);

// Walks through all of it. What cannot be measured now counts as nothing.
StorageUsage MeasureStorage(const v1::Pod& pod, const NodeConfig& config,
                            runtime::Runtime& runtime);

// What a pod holds of the disk, whether it has limits or not, as it is ranked for eviction when the
// disk is full: without what the node itself keeps of it.
struct DiskUse {
  std::map<std::string, uint64_t, std::less<>> layers;  // of containers; bytes
  std::map<std::string, uint64_t, std::less<>> logs;
  uint64_t bytes = 0;  // of those, and of emptyDirs on disk and configMaps
  uint64_t inodes = 0;
};

// Walks through all of it.
DiskUse MeasureDiskUse(const v1::Pod& pod, const NodeConfig& config, runtime::Runtime& runtime);

// A limit that is exceeded: what is said of it, and upstream's name of its kind for metrics.
struct StorageExcess {
  std::string message;
  std::string_view signal;
};

// Of the first limit that is exceeded: volumes, then the pod, then its containers.
std::optional<StorageExcess> ExceededStorage(const v1::Pod& pod, const StorageUsage& usage);

// Looks after the limits of all pods, on a task of its own: no pod waits for a walk through the
// files of another. Threads: any.
class StorageMonitor : public std::enable_shared_from_this<StorageMonitor> {
 public:
  struct Services {
    const NodeConfig& config;
    const Clock& clock;
    Executor& executor;
    runtime::Runtime& runtime;
    EventSink& events;
  };
  using Pods = std::vector<std::shared_ptr<const v1::Pod>>;
  // Ends it within so many seconds. Called without a lock of the monitor's.
  using Evict =
      std::function<void(const std::string& uid, const PodFailure& why, int64_t grace_seconds)>;

  StorageMonitor(const Services& services, std::function<Pods()> pods, Evict evict)
      : services_(services), pods_(std::move(pods)), evict_(std::move(evict)) {}

  // To be called every ten seconds, as upstream's monitoring interval is. Returns at once. Walks
  // that take long are made less often: they are to use a twentieth of a processor at most.
  void Look();
  // No more of it; waits for a look that goes on.
  void Stop();

 private:
  void LookAtAll();

  const Services services_;
  const std::function<Pods()> pods_;
  const Evict evict_;
  std::mutex mutex_;
  std::condition_variable idle_;
  // Under mutex_.
  bool posted_ = false;
  bool looking_ = false;
  bool stopped_ = false;
  int64_t not_before_ = 0;
};

}  // namespace podium::node
