// What the kubelet's port tells of the node's use, in upstream's paths:
//
//   /metrics/resource   resource_page.h
//   /metrics/cadvisor   cadvisor_page.h
//   /stats/summary      summary_page.h
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "node/stats/usage_sampler.h"

namespace podium::node {

class StatsPages {
 public:
  struct Parts {
    // Both outlive it.
    runtime::UsageReader& usage;
    const Clock& clock;
    std::string node_name{};
    std::string data_dir{};  // DATA of the instance: pods' files, and images below it
  };
  explicit StatsPages(Parts parts)
      : parts_(std::move(parts)), sampler_(parts_.usage, parts_.clock) {}

  // Of "/metrics" and what is below it. None: there is no such page.
  std::optional<std::string> Metrics(std::string_view path);
  // JSON.
  std::string Summary(bool only_cpu_and_memory);

 private:
  const Parts parts_;
  UsageSampler sampler_;
};

}  // namespace podium::node
