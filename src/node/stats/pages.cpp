#include "node/stats/pages.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <iterator>

#include "node/cluster/machine_facts.h"
#include "node/pod_origin.h"
#include "node/pod_status.h"
#include "node/stats/cadvisor_page.h"
#include "node/stats/claim_use.h"
#include "node/stats/machine_use.h"
#include "node/stats/resource_page.h"
#include "node/stats/summary_page.h"

namespace podium::node {

using kernel::CgroupDetail;

namespace {

bool IsStatic(const api::core::v1::Pod& pod) { return OriginOf(pod) == PodOrigin::kFile; }

// Upstream's words.
std::string_view StateWord(wire::cri::ContainerState state) {
  switch (state) {
    case wire::cri::ContainerState::kContainerCreated:
      return "created";
    case wire::cri::ContainerState::kContainerRunning:
      return "running";
    case wire::cri::ContainerState::kContainerExited:
      return "exited";
    default:
      return "unknown";
  }
}

// Of the file system that the path lies on; "" for one that is on no device.
std::string DeviceName(const std::string& path, const DiskNames& names) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return "";
  const auto found = names.find({major(status.st_dev), minor(status.st_dev)});
  return found == names.end() ? "" : found->second;
}

}  // namespace

NodeCounts StatsPages::CountsNow() const {
  NodeCounts counts{.node_name = parts_.config.name};
  for (const auto& pod : parts_.pods()) {
    counts.ephemeral_containers += static_cast<int64_t>(pod->spec.ephemeralContainers.size());
    if (IsTerminalPhase(pod->status.phase)) continue;
    ++counts.active_pods[IsStatic(*pod)];
    std::ranges::move(MeasureClaims(*pod, parts_.config), std::back_inserter(counts.claims));
  }
  SortClaims(&counts.claims);
  wire::cri::PodSandboxFilter ready;
  ready.state.ensure().state = wire::cri::PodSandboxState::kSandboxReady;
  if (const auto pods = parts_.runtime.ListPodSandbox(ready); pods.ok()) {
    counts.running_pods = static_cast<int64_t>(pods->size());
  }
  if (const auto containers = parts_.runtime.ListContainers({}); containers.ok()) {
    for (const wire::cri::Container& container : *containers) {
      ++counts.running_containers[std::string(StateWord(container.state))];
    }
  }
  return counts;
}

std::optional<std::string> StatsPages::Metrics(std::string_view path) {
  if (path == "/metrics") return NodeMetricsPage(parts_.metrics, CountsNow());
  if (path == "/metrics/probes") return ProbeMetricsPage(parts_.metrics.probes);
  if (path == "/metrics/resource") return ResourcePage(*sampler_.Take(CgroupDetail::kUse));
  if (path == "/metrics/cadvisor") {
    const auto sample = sampler_.Take(CgroupDetail::kAll);
    const DiskNames names = ReadDiskNames();
    return CadvisorPage(*sample, ReadMachineFacts(parts_.config.data_dir), names,
                        {.read_at = parts_.clock.Now(),
                         .device = DeviceName(parts_.config.data_dir, names),
                         .use = ReadFileSystemUse(parts_.config.data_dir),
                         .pods = AskDisks()});
  }
  return std::nullopt;
}

std::string StatsPages::Summary(bool only_cpu_and_memory) {
  if (only_cpu_and_memory) {
    return SummaryPage(*sampler_.Take(CgroupDetail::kUse), parts_.config.name, nullptr);
  }
  const auto sample = sampler_.Take(CgroupDetail::kAll);
  const SummaryDisks disks{.read_at = parts_.clock.Now(),
                           .node = ReadFileSystemUse(parts_.config.data_dir),
                           .images = ReadFileSystemUse(parts_.config.data_dir + "/images"),
                           .logs = ReadFileSystemUse(parts_.config.log_dir),
                           .pods = AskDisks()};
  return SummaryPage(*sample, parts_.config.name, &disks);
}

}  // namespace podium::node
