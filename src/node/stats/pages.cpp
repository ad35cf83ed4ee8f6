#include "node/stats/pages.h"

#include "node/cluster/machine_facts.h"
#include "node/stats/cadvisor_page.h"
#include "node/stats/machine_use.h"
#include "node/stats/resource_page.h"
#include "node/stats/summary_page.h"

namespace podium::node {

using kernel::CgroupDetail;

std::optional<std::string> StatsPages::Metrics(std::string_view path) {
  if (path == "/metrics/resource") return ResourcePage(*sampler_.Take(CgroupDetail::kUse));
  if (path == "/metrics/cadvisor") {
    const auto sample = sampler_.Take(CgroupDetail::kAll);
    return CadvisorPage(*sample, ReadMachineFacts(parts_.data_dir), ReadDiskNames());
  }
  return std::nullopt;
}

std::string StatsPages::Summary(bool only_cpu_and_memory) {
  if (only_cpu_and_memory) {
    return SummaryPage(*sampler_.Take(CgroupDetail::kUse), parts_.node_name, nullptr);
  }
  const auto sample = sampler_.Take(CgroupDetail::kAll);
  const SummaryDisks disks{.read_at = parts_.clock.Now(),
                           .node = ReadFileSystemUse(parts_.data_dir),
                           .images = ReadFileSystemUse(parts_.data_dir + "/images")};
  return SummaryPage(*sample, parts_.node_name, &disks);
}

}  // namespace podium::node
