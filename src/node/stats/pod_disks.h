// What pods hold on disks, for /stats/summary and /metrics/cadvisor: writable layers, logs and
// volumes of each (upstream's pkg/kubelet/server/stats/volume_stat_calculator.go and cAdvisor's
// fs handler, release 1.36).
//
// Files are walked through, which takes long where there are many: so it is done only while
// somebody asks, once a minute as upstream, by one task, and for a twentieth of the time at most.
// What is told is as old as it says. Volumes in memory are file systems of their own and are asked,
// not walked through. docs/decisions/0009-disk-use.md says why it is so.
//
// Threads: any.
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
#include "linux/path.h"
#include "node/node_config.h"
#include "node/pod_spec.h"
#include "node/stats/machine_use.h"
#include "runtime/runtime.h"

namespace podium::node {

struct VolumeUse {
  int64_t read_at = 0;  // nanoseconds since 1970
  kernel::TreeUsage used;
  // Of its own file system, for a volume in memory; otherwise it lies on the node's.
  std::optional<FileSystemUse> own;
  // The claim that it is, in the pod's namespace; "": none.
  std::string claim{};
};

struct PodDisk {
  int64_t read_at = 0;  // when all of it had been looked at
  std::map<std::string, kernel::TreeUsage, std::less<>> layers;  // by container
  std::map<std::string, kernel::TreeUsage, std::less<>> logs;    // likewise
  // Those that the node itself fills (emptyDir, configMap, secret, downwardAPI, projected), and
  // claims' volumes (claim_use.h).
  std::map<std::string, VolumeUse, std::less<>> volumes;
  // All of that but claims' volumes, what lies in memory, and the files that the node keeps for its
  // containers.
  kernel::TreeUsage together;
};
using PodDiskMap = std::map<std::string, std::shared_ptr<const PodDisk>, std::less<>>;  // by uid

// Walks through all of it.
PodDisk MeasurePodDisk(const v1::Pod& pod, const NodeConfig& config, runtime::Runtime& runtime,
                       const Clock& clock);

class PodDisks : public std::enable_shared_from_this<PodDisks> {
 public:
  struct Services {
    const NodeConfig& config;
    const Clock& clock;
    Executor& executor;
    runtime::Runtime& runtime;
    std::function<std::vector<std::shared_ptr<const v1::Pod>>()> pods;
  };
  explicit PodDisks(Services services) : services_(std::move(services)) {}

  // What is known; nothing of a pod that was not looked at yet. Looks at them anew, in a task, when
  // the last look is old enough.
  PodDiskMap Ask();
  // No more of it; waits for a look that goes on.
  void Stop();

 private:
  void LookAtAll();

  const Services services_;
  std::mutex mutex_;
  std::condition_variable idle_;
  // Under mutex_.
  PodDiskMap known_;
  bool posted_ = false;
  bool looking_ = false;
  bool stopped_ = false;
  int64_t not_before_ = 0;
};

}  // namespace podium::node
