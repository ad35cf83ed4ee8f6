// What containers and pods use, and their limits.
#include <fcntl.h>

#include "linux/path.h"
#include "reflect/json.h"
#include "runtime/embedded_runtime.h"
#include "runtime/filters.h"
#include "runtime/host_facts.h"
#include "runtime/isolators/all.h"

namespace podium::runtime {
namespace {

cri::UInt64Value Value(uint64_t value) { return {value}; }

cri::PsiData DataOf(const kernel::Pressure::Line& line) {
  return {.Total = line.total_us, .Avg10 = line.avg10, .Avg60 = line.avg60, .Avg300 = line.avg300};
}

cri::PsiStats PressureOf(const kernel::Pressure& pressure) {
  cri::PsiStats stats;
  stats.Full = DataOf(pressure.full);
  stats.Some = DataOf(pressure.some);
  return stats;
}

void FillCpu(const kernel::CgroupStats& from, int64_t now, reflect::Box<cri::CpuUsage>* to) {
  if (!from.cpu) return;
  cri::CpuUsage& cpu = to->emplace();
  cpu.timestamp = now;
  cpu.usage_core_nano_seconds = Value(from.cpu->usage_ns);
  if (from.cpu_pressure) cpu.psi = PressureOf(*from.cpu_pressure);
}

void FillMemory(const kernel::CgroupStats& from, int64_t now, reflect::Box<cri::MemoryUsage>* to) {
  if (!from.memory) return;
  cri::MemoryUsage& memory = to->emplace();
  memory.timestamp = now;
  memory.usage_bytes = Value(from.memory->usage);
  memory.working_set_bytes = Value(from.memory->working_set);
  memory.rss_bytes = Value(from.memory->rss);
  memory.page_faults = Value(from.memory->page_faults);
  memory.major_page_faults = Value(from.memory->major_page_faults);
  if (from.memory->limit) {
    const uint64_t limit = *from.memory->limit;
    const uint64_t used = from.memory->working_set;
    memory.available_bytes = Value(limit > used ? limit - used : 0);
  }
  if (from.memory_pressure) memory.psi = PressureOf(*from.memory_pressure);
}

cri::NetworkUsage NetworkOf(const network::PodCounters& counters, const std::string& interface,
                            int64_t now) {
  cri::NetworkUsage usage;
  usage.timestamp = now;
  auto& device = usage.default_interface.emplace();
  device.name = interface;
  device.rx_bytes = Value(counters.rx_bytes);
  device.rx_errors = Value(counters.rx_errors);
  device.tx_bytes = Value(counters.tx_bytes);
  device.tx_errors = Value(counters.tx_errors);
  usage.interfaces.push_back(*usage.default_interface);
  return usage;
}

}  // namespace

cri::ContainerStats EmbeddedRuntime::StatsOf(const ContainerRef& container) {
  cri::ContainerStats stats;
  bool running = false;
  {
    const std::lock_guard lock(mutex_);
    stats.attributes =
        cri::ContainerAttributes{container->id, container->config.metadata,
                                 container->config.labels, container->config.annotations};
    running = container->status.state == cri::ContainerState::kContainerRunning;
  }
  const int64_t now = Now();
  const auto folder =
      kernel::OpenPath(LayerFolder(container->id) + "/upper", O_RDONLY | O_DIRECTORY);
  if (folder.ok()) {
    const auto usage = kernel::UsageOf(folder->get());
    if (usage.ok()) {
      auto& layer = stats.writable_layer.emplace();
      layer.timestamp = now;
      layer.fs_id.emplace().mountpoint = data_folder_;
      layer.used_bytes = Value(usage->bytes);
      layer.inodes_used = Value(usage->inodes);
    }
  }
  if (!running) return stats;
  const auto used = cgroups_.Stats(container->cgroup, kernel::CgroupDetail::kUse);
  if (!used.ok()) return stats;
  FillCpu(*used, now, &stats.cpu);
  FillMemory(*used, now, &stats.memory);
  if (used->memory && used->memory->swap_usage) {
    auto& swap = stats.swap.emplace();
    swap.timestamp = now;
    swap.swap_usage_bytes = Value(*used->memory->swap_usage);
    if (used->memory->swap_limit) {
      const uint64_t limit = *used->memory->swap_limit;
      const uint64_t usage = *used->memory->swap_usage;
      swap.swap_available_bytes = Value(limit > usage ? limit - usage : 0);
    }
  }
  if (used->io_pressure) {
    auto& io = stats.io.emplace();
    io.timestamp = now;
    io.psi = PressureOf(*used->io_pressure);
  }
  return stats;
}

Result<cri::ContainerStats> EmbeddedRuntime::ContainerStats(std::string_view container_id) {
  TRY(const ContainerRef container, GetContainer(container_id));
  return StatsOf(container);
}

Result<std::vector<cri::ContainerStats>> EmbeddedRuntime::ListContainerStats(
    const cri::ContainerStatsFilter& filter) {
  std::vector<ContainerRef> wanted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, container] : containers_) {
      const cri::Container listed = Listed(container->sandbox->id, container->status);
      if (Matches(filter, listed)) wanted.push_back(container);
    }
  }
  std::vector<cri::ContainerStats> list;
  list.reserve(wanted.size());
  for (const ContainerRef& container : wanted) list.push_back(StatsOf(container));
  return list;
}

cri::PodSandboxStats EmbeddedRuntime::StatsOf(const SandboxRef& sandbox) {
  cri::PodSandboxStats stats;
  std::vector<ContainerRef> containers;
  bool ready = false;
  std::string interface;
  {
    const std::lock_guard lock(mutex_);
    stats.attributes = cri::PodSandboxAttributes{
        sandbox->id, sandbox->config.metadata, sandbox->config.labels, sandbox->config.annotations};
    for (const auto& [id, container] : sandbox->containers) containers.push_back(container);
    ready = sandbox->state == cri::PodSandboxState::kSandboxReady;
    if (sandbox->network) interface = sandbox->network->interface;
  }
  auto& of_linux = stats.linux_.emplace();
  for (const ContainerRef& container : containers) {
    of_linux.containers.push_back(StatsOf(container));
  }
  if (!ready) return stats;
  const int64_t now = Now();
  const auto used = cgroups_.Stats(sandbox->cgroup);
  if (used.ok()) {
    FillCpu(*used, now, &of_linux.cpu);
    FillMemory(*used, now, &of_linux.memory);
    if (used->pids) {
      auto& process = of_linux.process.emplace();
      process.timestamp = now;
      process.process_count = Value(used->pids->current);
    }
    if (used->io_pressure) {
      auto& io = of_linux.io.emplace();
      io.timestamp = now;
      io.psi = PressureOf(*used->io_pressure);
    }
  }
  if (interface.empty()) return stats;
  const auto counters = network_.Counters(sandbox->id);
  if (counters.ok()) of_linux.network = NetworkOf(*counters, interface, now);
  return stats;
}

Result<cri::PodSandboxStats> EmbeddedRuntime::PodSandboxStats(std::string_view sandbox_id) {
  TRY(const SandboxRef sandbox, GetSandbox(sandbox_id));
  return StatsOf(sandbox);
}

Result<std::vector<cri::PodSandboxStats>> EmbeddedRuntime::ListPodSandboxStats(
    const cri::PodSandboxStatsFilter& filter) {
  std::vector<SandboxRef> wanted;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, sandbox] : sandboxes_) {
      if (Matches(filter, Listed(sandbox->view()))) wanted.push_back(sandbox);
    }
  }
  std::vector<cri::PodSandboxStats> list;
  list.reserve(wanted.size());
  for (const SandboxRef& sandbox : wanted) list.push_back(StatsOf(sandbox));
  return list;
}

Result<void> EmbeddedRuntime::UpdatePodSandboxResources(
    std::string_view sandbox_id, const cri::LinuxContainerResources& resources) {
  TRY(const SandboxRef sandbox, GetSandbox(sandbox_id));
  const std::lock_guard operation(sandbox->operation);
  return cgroups_.Update(sandbox->cgroup, LimitsOf(resources));
}

Result<void> EmbeddedRuntime::UpdateContainerResources(
    std::string_view container_id, const cri::LinuxContainerResources& resources) {
  TRY(const ContainerRef container, GetContainer(container_id));
  const std::lock_guard operation(container->sandbox->operation);
  cri::ContainerState state{};
  {
    const std::lock_guard lock(mutex_);
    if (container->removed) return Error(Code::kNotFound, "container " + container->id);
    state = container->status.state;
  }
  // One that does not run yet starts with the new limits; one that has ended needs none.
  if (state == cri::ContainerState::kContainerRunning) {
    TRY_VOID(cgroups_.Update(container->cgroup, LimitsOf(resources)));
  }
  if (container->draft) {
    kernel::CgroupLimits limits = LimitsOf(resources);
    limits.devices = std::move(container->draft->limits.devices);
    container->draft->limits = std::move(limits);
  }
  {
    const std::lock_guard lock(mutex_);
    container->status.resources.ensure().linux_ = resources;
  }
  return WriteContainerState(*container);
}

}  // namespace podium::runtime
