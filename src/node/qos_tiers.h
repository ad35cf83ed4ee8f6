// The cgroups above those of pods, and what they may use when others want it as well (upstream's
// pkg/kubelet/cm/qos_container_manager_linux.go and node_container_manager_linux.go, release 1.36):
//
//   kubepods               all that the node has for pods
//   kubepods/burstable     what the pods in it ask for together
//   kubepods/besteffort    the least there is
// Guaranteed pods lie beside the two folders, each with what it asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "node/node_config.h"
#include "node/pod_spec.h"

namespace podium::node {

// Threads: any.
class QosTiers {
 public:
  // Makes the cgroup of this path, below the instance's, if need be, and gives it so many shares.
  using SetShares = std::function<Result<void>(const std::string& path, uint64_t shares)>;

  QosTiers(const NodeConfig& config, SetShares set) : config_(config), set_(std::move(set)) {}

  // Of a pod that may run, before its cgroup is made; once more is fine. An error: the shares are
  // not what they should be, and are set again with the next change.
  Result<void> Add(const v1::Pod& pod);
  // Of one that does not run any more.
  Result<void> Remove(const std::string& uid);

 private:
  Result<void> Update();
  Result<void> Set(const std::string& path, int64_t milli_cpu);

  const NodeConfig& config_;
  const SetShares set_;
  std::mutex mutex_;
  std::map<std::string, int64_t> burstable_;  // thousandths of a core, by uid
  int64_t wanted_ = 0;                        // their sum
  std::map<std::string, uint64_t> shares_;    // as they were set last, by path
};

}  // namespace podium::node
