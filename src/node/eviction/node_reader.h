// How much is left of this machine, for the eviction manager: read where kubelets read it
// (upstream's pkg/kubelet/stats, pkg/kubelet/stats/pidlimit and cAdvisor's machine memory, release
// 1.36).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "linux/cgroup.h"
#include "node/eviction/pressure.h"
#include "node/eviction/ranking.h"
#include "node/node_config.h"
#include "runtime/runtime.h"

namespace podium::node {

// Threads: any.
class NodeReader {
 public:
  struct Parts {
    const NodeConfig& config;
    runtime::Runtime& runtime;
    // Of the cgroup of all pods; nothing where nobody counts it.
    std::function<std::optional<kernel::MemoryStats>()> pods_memory;
    std::string root = {};  // stands before /proc, for tests
  };
  explicit NodeReader(Parts parts) : parts_(std::move(parts)) {}

  // Of what can be read now.
  Observations Observe() const;
  // What the pods use of what the signal is about.
  PodUses Measure(std::string_view signal, const RankedPods& pods) const;

 private:
  const Parts parts_;
};

}  // namespace podium::node
