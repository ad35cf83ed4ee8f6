#include "node/stats/summary_page.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/time.h"
#include "base/clock.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/number_text.h"

namespace podium::node {
namespace {

using kernel::CgroupStats;
using reflect::JsonValue;

// An object whose members come in upstream's order; absent ones are left out.
class Members {
 public:
  Members& Text(std::string_view key, std::string value) {
    return Value(key, JsonValue::String(std::move(value)));
  }
  Members& Number(std::string_view key, std::optional<uint64_t> value) {
    if (!value) return *this;
    return Value(key, JsonValue::Number(std::to_string(*value)));
  }
  Members& Share(std::string_view key, double value) {
    std::string text;
    reflect::AppendFloatJson(value, &text);
    return Value(key, JsonValue::Number(std::move(text)));
  }
  // null where it is not known, as Go writes a time that is none.
  Members& Time(std::string_view key, int64_t nanos) {
    if (nanos <= 0) return Value(key, JsonValue());
    return Text(key, api::Time::FromUnix(nanos / kNanosPerSecond).String());
  }
  Members& Value(std::string_view key, JsonValue value) {
    members_.push_back({std::string(key), std::move(value)});
    return *this;
  }
  Members& Optional(std::string_view key, std::optional<JsonValue> value) {
    return value ? Value(key, *std::move(value)) : *this;
  }
  JsonValue Take() { return JsonValue::Of(std::move(members_)); }

 private:
  JsonValue::Object members_;
};

JsonValue LineOf(const kernel::Pressure::Line& line) {
  return Members()
      .Number("total", line.total_us)
      .Share("avg10", line.avg10)
      .Share("avg60", line.avg60)
      .Share("avg300", line.avg300)
      .Take();
}
std::optional<JsonValue> PressureOf(const std::optional<kernel::Pressure>& pressure) {
  if (!pressure) return std::nullopt;
  return Members()
      .Value("full", LineOf(pressure->full))
      .Value("some", LineOf(pressure->some))
      .Take();
}

std::optional<JsonValue> CpuOf(const CgroupStats& used, int64_t time,
                               std::optional<uint64_t> nano_cores) {
  if (!used.cpu) return std::nullopt;
  return Members()
      .Time("time", time)
      .Number("usageNanoCores", nano_cores)
      .Number("usageCoreNanoSeconds", used.cpu->usage_ns)
      .Optional("psi", PressureOf(used.cpu_pressure))
      .Take();
}
std::optional<JsonValue> MemoryOf(const CgroupStats& used, int64_t time) {
  if (!used.memory) return std::nullopt;
  const kernel::MemoryStats& memory = *used.memory;
  std::optional<uint64_t> available;
  if (memory.limit) available = *memory.limit - std::min(*memory.limit, memory.working_set);
  return Members()
      .Time("time", time)
      .Number("availableBytes", available)
      .Number("usageBytes", memory.usage)
      .Number("workingSetBytes", memory.working_set)
      .Number("rssBytes", memory.rss)
      .Number("pageFaults", memory.page_faults)
      .Number("majorPageFaults", memory.major_page_faults)
      .Optional("psi", PressureOf(used.memory_pressure))
      .Take();
}
std::optional<JsonValue> IoOf(const CgroupStats& used, int64_t time) {
  if (!used.io_pressure) return std::nullopt;
  return Members().Time("time", time).Optional("psi", PressureOf(used.io_pressure)).Take();
}
std::optional<JsonValue> SwapOf(const CgroupStats& used, int64_t time) {
  if (!used.memory || !used.memory->swap_usage) return std::nullopt;
  const uint64_t usage = *used.memory->swap_usage;
  std::optional<uint64_t> available;
  if (const auto limit = used.memory->swap_limit) available = *limit - std::min(*limit, usage);
  return Members()
      .Time("time", time)
      .Number("swapAvailableBytes", available)
      .Number("swapUsageBytes", usage)
      .Take();
}

struct Interface {
  std::string_view name;
  uint64_t rx_bytes, rx_errors, tx_bytes, tx_errors;
};
void AddInterface(const Interface& interface, Members* to) {
  to->Text("name", std::string(interface.name))
      .Number("rxBytes", interface.rx_bytes)
      .Number("rxErrors", interface.rx_errors)
      .Number("txBytes", interface.tx_bytes)
      .Number("txErrors", interface.tx_errors);
}
// `all` in the order of the machine; the default one is upstream's, eth0.
std::optional<JsonValue> NetworkOf(const std::vector<Interface>& all, int64_t time) {
  if (all.empty()) return std::nullopt;
  Members network;
  network.Time("time", time);
  const auto found = std::ranges::find(all, "eth0", &Interface::name);
  if (found != all.end()) {
    AddInterface(*found, &network);
  } else {
    network.Text("name", "");
  }
  JsonValue::Array list;
  for (const Interface& interface : all) {
    Members members;
    AddInterface(interface, &members);
    list.push_back(members.Take());
  }
  return network.Value("interfaces", JsonValue::Of(std::move(list))).Take();
}

std::optional<JsonValue> FsOf(const std::optional<FileSystemUse>& disk, int64_t time) {
  if (!disk) return std::nullopt;
  return Members()
      .Time("time", time)
      .Number("availableBytes", disk->available)
      .Number("capacityBytes", disk->capacity)
      .Number("usedBytes", disk->used)
      .Number("inodesFree", disk->inodes_free)
      .Number("inodes", disk->inodes)
      .Number("inodesUsed", InodesUsed(*disk))
      .Take();
}

// Of what lies on that file system among other things.
std::optional<JsonValue> FsOf(const kernel::TreeUsage& used,
                              const std::optional<FileSystemUse>& disk, int64_t time) {
  if (!disk) return std::nullopt;
  return Members()
      .Time("time", time)
      .Number("availableBytes", disk->available)
      .Number("capacityBytes", disk->capacity)
      .Number("usedBytes", used.bytes)
      .Number("inodesFree", disk->inodes_free)
      .Number("inodes", disk->inodes)
      .Number("inodesUsed", used.inodes)
      .Take();
}

// The machine's counters as a cgroup's.
CgroupStats MachineStats(const MachineUse& machine) {
  CgroupStats used;
  used.cpu.emplace().usage_ns = machine.cpu_ns;
  auto& memory = used.memory.emplace();
  memory.usage = machine.memory_usage;
  memory.working_set = machine.memory_working_set;
  memory.rss = machine.memory_rss;
  memory.limit = machine.memory_total;
  memory.page_faults = machine.page_faults;
  memory.major_page_faults = machine.major_page_faults;
  memory.swap_usage = machine.swap_usage;
  memory.swap_limit = machine.swap_total;
  used.cpu_pressure = machine.cpu_pressure;
  used.memory_pressure = machine.memory_pressure;
  used.io_pressure = machine.io_pressure;
  return used;
}
CgroupStats AgentStats(const ProcessUse& agent) {
  CgroupStats used;
  used.cpu.emplace().usage_ns = agent.cpu_ns;
  auto& memory = used.memory.emplace();
  memory.usage = memory.working_set = memory.rss = agent.resident_bytes;
  memory.page_faults = agent.page_faults;
  memory.major_page_faults = agent.major_page_faults;
  return used;
}

class Summary {
 public:
  Summary(const NodeSample& sample, const std::string& node_name, const SummaryDisks* disks)
      : sample_(sample), node_name_(node_name), disks_(disks) {}

  std::string Make() {
    JsonValue::Array pods;
    for (const runtime::PodUsage& pod : sample_.pods) pods.push_back(PodOf(pod));
    return reflect::ToText(
        Members().Value("node", Node()).Value("pods", JsonValue::Of(std::move(pods))).Take());
  }

 private:
  JsonValue ContainerOf(std::string name, int64_t started, const CgroupStats& used, int64_t time,
                        std::string_view cgroup, const PodDisk* disk = nullptr) const {
    Members members;
    const std::string key = name;
    members.Text("name", std::move(name))
        .Time("startTime", started)
        .Optional("cpu", CpuOf(used, time, sample_.NanoCores(cgroup)))
        .Optional("memory", MemoryOf(used, time));
    if (disks_ != nullptr) members.Optional("io", IoOf(used, time));
    if (disk != nullptr) AddFiles(*disk, key, &members);
    return members.Optional("swap", SwapOf(used, time)).Take();
  }

  void AddFiles(const PodDisk& disk, const std::string& container, Members* members) const {
    const auto layer = disk.layers.find(container);
    if (layer != disk.layers.end()) {
      members->Optional("rootfs", FsOf(layer->second, disks_->node, disk.read_at));
    }
    const auto logs = disk.logs.find(container);
    if (logs != disk.logs.end()) {
      members->Optional("logs", FsOf(logs->second, disks_->logs, disk.read_at));
    }
  }

  void AddVolumes(const PodDisk& disk, const std::string& name_space, Members* members) const {
    JsonValue::Array volumes;
    for (const auto& [name, use] : disk.volumes) {
      auto told = FsOf(use.used, use.own ? use.own : disks_->node, use.read_at);
      if (!told) continue;
      told->Set("name", JsonValue::String(name));
      if (!use.claim.empty()) {
        told->Set("pvcRef", Members().Text("name", use.claim).Text("namespace", name_space).Take());
      }
      volumes.push_back(*std::move(told));
    }
    if (!volumes.empty()) members->Value("volume", JsonValue::Of(std::move(volumes)));
    members->Optional("ephemeral-storage", FsOf(disk.together, disks_->node, disk.read_at));
  }

  JsonValue SystemContainers() const {
    JsonValue::Array list;
    list.push_back(ContainerOf("kubelet", sample_.agent.started_at, AgentStats(sample_.agent),
                               sample_.read_at, ""));
    for (const auto& [name, path] :
         {std::pair("runtime", runtime::kRuntimeCgroup), {"pods", kPodsCgroup}}) {
      const auto group = sample_.groups.find(path);
      if (group == sample_.groups.end()) continue;
      list.push_back(
          ContainerOf(name, 0, group->second.used, group->second.read_at, group->second.cgroup));
    }
    return JsonValue::Of(std::move(list));
  }

  JsonValue Node() const {
    const MachineUse& machine = sample_.machine;
    const int64_t time = machine.read_at;
    const CgroupStats used = MachineStats(machine);
    Members node;
    node.Text("nodeName", node_name_)
        .Value("systemContainers", SystemContainers())
        .Time("startTime", machine.booted_at)
        .Optional("cpu", CpuOf(used, time, sample_.NanoCores("/")))
        .Optional("memory", MemoryOf(used, time));
    if (disks_ != nullptr) {
      std::vector<Interface> interfaces;
      interfaces.reserve(machine.devices.size());
      for (const DeviceUse& use : machine.devices) {
        interfaces.push_back({use.name, use.rx_bytes, use.rx_errors, use.tx_bytes, use.tx_errors});
      }
      node.Optional("io", IoOf(used, time))
          .Optional("network", NetworkOf(interfaces, time))
          .Optional("fs", FsOf(disks_->node, disks_->read_at));
      if (disks_->images) {
        node.Value("runtime", Members()
                                  .Optional("imageFs", FsOf(disks_->images, disks_->read_at))
                                  .Optional("containerFs", FsOf(disks_->images, disks_->read_at))
                                  .Take());
      }
      node.Value("rlimit", Members()
                               .Time("time", time)
                               .Number("maxpid", static_cast<uint64_t>(machine.max_pid))
                               .Number("curproc", static_cast<uint64_t>(machine.threads))
                               .Take());
    }
    return node.Optional("swap", SwapOf(used, time)).Take();
  }

  JsonValue PodOf(const runtime::PodUsage& pod) const {
    const PodDisk* disk = nullptr;
    if (disks_ != nullptr) {
      const auto known = disks_->pods.find(pod.metadata.uid);
      if (known != disks_->pods.end()) disk = known->second.get();
    }
    JsonValue::Array containers;
    for (const auto& container : pod.containers) {
      containers.push_back(ContainerOf(container.name, container.started_at, container.used,
                                       container.read_at, container.cgroup, disk));
    }
    Members members;
    members
        .Value("podRef", Members()
                             .Text("name", pod.metadata.name)
                             .Text("namespace", pod.metadata.namespace_)
                             .Text("uid", pod.metadata.uid)
                             .Take())
        .Time("startTime", pod.created_at)
        .Value("containers", JsonValue::Of(std::move(containers)))
        .Optional("cpu", CpuOf(pod.used, pod.read_at, sample_.NanoCores(pod.cgroup)))
        .Optional("memory", MemoryOf(pod.used, pod.read_at));
    if (disks_ != nullptr) {
      members.Optional("io", IoOf(pod.used, pod.read_at));
      if (pod.network) {
        members.Optional("network",
                         NetworkOf({{pod.interface, pod.network->rx_bytes, pod.network->rx_errors,
                                     pod.network->tx_bytes, pod.network->tx_errors}},
                                   pod.read_at));
      }
      if (disk != nullptr) AddVolumes(*disk, pod.metadata.namespace_, &members);
      if (pod.used.pids) {
        members.Value("process_stats",
                      Members().Number("process_count", pod.used.pids->current).Take());
      }
    }
    return members.Optional("swap", SwapOf(pod.used, pod.read_at)).Take();
  }

  const NodeSample& sample_;
  const std::string& node_name_;
  const SummaryDisks* const disks_;
};

}  // namespace

std::string SummaryPage(const NodeSample& sample, const std::string& node_name,
                        const SummaryDisks* disks) {
  return Summary(sample, node_name, disks).Make();
}

}  // namespace podium::node
