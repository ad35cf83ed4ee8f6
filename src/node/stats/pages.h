// What the kubelet's port tells of the node's use, in upstream's paths:
//
//   /metrics            what the agent counts of its own work (metrics/node_metrics.h)
//   /metrics/probes     the same of probes
//   /metrics/resource   resource_page.h
//   /metrics/cadvisor   cadvisor_page.h
//   /stats/summary      summary_page.h
//   /configz            what is in force of a kubelet's configuration (server/configz.h)
//
// Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/types/core_v1.h"
#include "base/clock.h"
#include "node/metrics/node_metrics.h"
#include "node/node_config.h"
#include "node/stats/pod_disks.h"
#include "node/stats/usage_sampler.h"
#include "runtime/runtime.h"

namespace podium::node {

class StatsPages {
 public:
  struct Parts {
    // All outlive it.
    runtime::UsageReader& usage;
    const Clock& clock;
    const NodeConfig& config;
    NodeMetrics& metrics;
    runtime::Runtime& runtime;
    std::function<std::vector<std::shared_ptr<const api::core::v1::Pod>>()> pods{};
    std::shared_ptr<PodDisks> disks{};  // null: nobody looks at pods' files
    std::string configuration{};        // JSON
  };
  explicit StatsPages(Parts parts)
      : parts_(std::move(parts)), sampler_(parts_.usage, parts_.clock) {}

  // Of "/metrics" and what is below it. None: there is no such page.
  std::optional<std::string> Metrics(std::string_view path);
  // JSON.
  std::string Summary(bool only_cpu_and_memory);
  const std::string& configuration() const { return parts_.configuration; }
  // Where requests for pages and all else are counted.
  NodeMetrics& metrics() { return parts_.metrics; }

 private:
  NodeCounts CountsNow() const;
  PodDiskMap AskDisks() const { return parts_.disks ? parts_.disks->Ask() : PodDiskMap(); }

  const Parts parts_;
  UsageSampler sampler_;
};

}  // namespace podium::node
