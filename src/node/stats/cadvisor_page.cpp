#include "node/stats/cadvisor_page.h"

#include <fcntl.h>

#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "linux/path.h"
#include "network/counter_families.h"
#include "node/stats/metrics_text.h"

namespace podium::node {
namespace {

using kernel::CgroupStats;

double Number(uint64_t value) { return static_cast<double>(value); }
double Seconds(uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / static_cast<double>(kNanosPerSecond);
}

// A cgroup, as the page names it.
struct Entry {
  const CgroupStats* used = nullptr;
  int64_t read_at = 0;
  int64_t created_at = 0;  // 0: not known
  int64_t started_at = 0;
  // Labels in the order of their names; others come between these.
  std::string container;
  std::string id_image;
  std::string name_namespace;
  std::string pod;
  std::string all;
};

Entry EntryOf(const CgroupStats& used, int64_t read_at, std::string_view cgroup) {
  Entry entry;
  entry.used = &used;
  entry.read_at = read_at;
  entry.container = MetricsText::LabelsText({{"container", ""}});
  entry.id_image = MetricsText::LabelsText({{"id", cgroup}, {"image", ""}});
  entry.name_namespace = MetricsText::LabelsText({{"name", ""}, {"namespace", ""}});
  entry.pod = MetricsText::LabelsText({{"pod", ""}});
  return entry;
}

// With labels of its own: behind container, behind image, behind namespace and behind pod.
std::string LabelsWith(const Entry& entry, std::string_view first, std::string_view second = "",
                       std::string_view third = "", std::string_view fourth = "") {
  std::string labels;
  for (const std::string_view part :
       {std::string_view(entry.container), first, std::string_view(entry.id_image), second,
        std::string_view(entry.name_namespace), third, std::string_view(entry.pod), fourth}) {
    if (part.empty()) continue;
    if (!labels.empty()) labels.push_back(',');
    labels.append(part);
  }
  return labels;
}

// The machine's counters as those of the cgroup above all.
CgroupStats RootOf(const MachineUse& machine) {
  CgroupStats used;
  auto& cpu = used.cpu.emplace();
  cpu.usage_ns = machine.cpu_ns;
  cpu.user_ns = machine.cpu_user_ns;
  cpu.system_ns = machine.cpu_system_ns;
  auto& memory = used.memory.emplace();
  memory.usage = machine.memory_usage;
  memory.working_set = machine.memory_working_set;
  memory.rss = machine.memory_rss;
  memory.cache = machine.memory_cache;
  memory.limit = machine.memory_total;
  memory.swap_usage = machine.swap_usage;
  memory.page_faults = memory.own_page_faults = machine.page_faults;
  memory.major_page_faults = memory.own_major_page_faults = machine.major_page_faults;
  used.cpu_pressure = machine.cpu_pressure;
  used.memory_pressure = machine.memory_pressure;
  used.io_pressure = machine.io_pressure;
  return used;
}

struct Device {
  const Entry* entry;
  std::string name;
  network::PodCounters counters;
};

using Read = std::optional<double> (*)(const CgroupStats&);
struct Family {
  std::string_view name;
  std::string_view help;
  MetricType type;
  Read read;
};

template <auto member>
std::optional<double> OfMemory(const CgroupStats& used) {
  if (!used.memory) return std::nullopt;
  return Number((*used.memory).*member);
}
template <auto member>
std::optional<double> OfMemoryIfSet(const CgroupStats& used) {
  if (!used.memory) return std::nullopt;
  return Number(((*used.memory).*member).value_or(0));
}
// Where there is a quota.
template <auto member, bool is_time>
std::optional<double> OfQuota(const CgroupStats& used) {
  if (!used.cpu || !used.cpu->quota_us) return std::nullopt;
  const uint64_t value = (*used.cpu).*member;
  return is_time ? Seconds(value) : Number(value);
}
template <auto member>
std::optional<double> OfCpuTime(const CgroupStats& used) {
  if (!used.cpu) return std::nullopt;
  return Seconds((*used.cpu).*member);
}
template <auto member>
std::optional<double> OfCpuSetting(const CgroupStats& used) {
  if (!used.cpu || !((*used.cpu).*member)) return std::nullopt;
  return Number(*((*used.cpu).*member));
}
template <auto member, auto line>
std::optional<double> OfPressure(const CgroupStats& used) {
  if (!(used.*member)) return std::nullopt;
  return Number(((*(used.*member)).*line).total_us) / 1e6;
}

using Cpu = kernel::CpuStats;
using Memory = kernel::MemoryStats;
constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;

constexpr Family kQuotas[] = {
    {"container_cpu_cfs_burst_periods_total", "Number of periods when burst occurs.", kCounter,
     OfQuota<&Cpu::burst_periods, false>},
    {"container_cpu_cfs_burst_seconds_total", "Total time duration the container has been bursted.",
     kCounter, OfQuota<&Cpu::burst_ns, true>},
    {"container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.", kCounter,
     OfQuota<&Cpu::periods, false>},
    {"container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals.", kCounter,
     OfQuota<&Cpu::throttled_periods, false>},
    {"container_cpu_cfs_throttled_seconds_total",
     "Total time duration the container has been throttled.", kCounter,
     OfQuota<&Cpu::throttled_ns, true>},
    {"container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.",
     kCounter, OfCpuTime<&Cpu::system_ns>},
};
constexpr Family kUser[] = {
    {"container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.", kCounter,
     OfCpuTime<&Cpu::user_ns>},
};
constexpr Family kMemoryBegin[] = {
    {"container_memory_cache", "Number of bytes of page cache memory.", kGauge,
     OfMemory<&Memory::cache>},
    {"container_memory_events_high_total",
     "Cumulative count of memory.high throttle events for the container", kCounter,
     OfMemory<&Memory::high_hits>},
    {"container_memory_events_max_total",
     "Cumulative count of memory.max limit hit events for the container", kCounter,
     OfMemory<&Memory::limit_hits>},
    {"container_memory_failcnt", "Number of memory usage hits limits", kCounter,
     OfMemory<&Memory::limit_hits>},
};
constexpr Family kMemoryRest[] = {
    {"container_memory_file_dirty_bytes",
     "Number of bytes of file cache that has been modified but not yet written back to disk.",
     kGauge, OfMemory<&Memory::dirty>},
    {"container_memory_file_writeback_bytes",
     "Number of bytes of file cache that is currently being written back to disk.", kGauge,
     OfMemory<&Memory::writeback>},
    {"container_memory_kernel_usage", "Size of kernel memory allocated in bytes.", kGauge,
     OfMemory<&Memory::kernel>},
    {"container_memory_mapped_file", "Size of memory mapped files in bytes.", kGauge,
     OfMemory<&Memory::mapped_file>},
    {"container_memory_max_usage_bytes", "Maximum memory usage recorded in bytes", kGauge,
     OfMemory<&Memory::max_usage>},
    {"container_memory_rss", "Size of RSS in bytes.", kGauge, OfMemory<&Memory::rss>},
    {"container_memory_swap", "Container swap usage in bytes.", kGauge,
     OfMemoryIfSet<&Memory::swap_usage>},
    {"container_memory_total_active_file_bytes", "Current total active file in bytes.", kGauge,
     OfMemory<&Memory::active_file>},
    {"container_memory_total_inactive_file_bytes", "Current total inactive file in bytes.", kGauge,
     OfMemory<&Memory::inactive_file>},
    {"container_memory_usage_bytes",
     "Current memory usage in bytes, including all memory regardless of when it was accessed",
     kGauge, OfMemory<&Memory::usage>},
    {"container_memory_working_set_bytes", "Current working set in bytes.", kGauge,
     OfMemory<&Memory::working_set>},
};
constexpr Family kRest[] = {
    {"container_oom_events_total", "Count of out of memory events observed for the container",
     kCounter, OfMemory<&Memory::oom_kills>},
    {"container_pressure_cpu_stalled_seconds_total",
     "Total time duration no tasks in the container could make progress due to CPU congestion.",
     kCounter, OfPressure<&CgroupStats::cpu_pressure, &kernel::Pressure::full>},
    {"container_pressure_cpu_waiting_seconds_total",
     "Total time duration tasks in the container have waited due to CPU congestion.", kCounter,
     OfPressure<&CgroupStats::cpu_pressure, &kernel::Pressure::some>},
    {"container_pressure_io_stalled_seconds_total",
     "Total time duration no tasks in the container could make progress due to IO congestion.",
     kCounter, OfPressure<&CgroupStats::io_pressure, &kernel::Pressure::full>},
    {"container_pressure_io_waiting_seconds_total",
     "Total time duration tasks in the container have waited due to IO congestion.", kCounter,
     OfPressure<&CgroupStats::io_pressure, &kernel::Pressure::some>},
    {"container_pressure_memory_stalled_seconds_total",
     "Total time duration no tasks in the container could make progress due to memory congestion.",
     kCounter, OfPressure<&CgroupStats::memory_pressure, &kernel::Pressure::full>},
    {"container_pressure_memory_waiting_seconds_total",
     "Total time duration tasks in the container have waited due to memory congestion.", kCounter,
     OfPressure<&CgroupStats::memory_pressure, &kernel::Pressure::some>},
    {"container_processes", "Number of processes running inside the container.", kGauge,
     [](const CgroupStats& used) -> std::optional<double> {
       if (!used.processes) return std::nullopt;
       return Number(*used.processes);
     }},
};
constexpr Family kSpec[] = {
    {"container_spec_cpu_period", "CPU period of the container.", kGauge,
     OfCpuSetting<&Cpu::period_us>},
    {"container_spec_cpu_quota", "CPU quota of the container.", kGauge,
     OfCpuSetting<&Cpu::quota_us>},
    {"container_spec_cpu_shares", "CPU share of the container.", kGauge,
     OfCpuSetting<&Cpu::shares>},
    {"container_spec_memory_limit_bytes", "Memory limit for the container.", kGauge,
     OfMemoryIfSet<&Memory::limit>},
    {"container_spec_memory_reservation_limit_bytes", "Memory reservation limit for the container.",
     kGauge, OfMemoryIfSet<&Memory::reservation>},
    {"container_spec_memory_swap_limit_bytes", "Memory swap limit for the container.", kGauge,
     OfMemoryIfSet<&Memory::swap_limit>},
};
constexpr Family kThreads[] = {
    {"container_threads", "Number of threads running inside the container", kGauge,
     [](const CgroupStats& used) -> std::optional<double> {
       if (!used.pids) return std::nullopt;
       return Number(used.pids->current);
     }},
    {"container_threads_max",
     "Maximum number of threads allowed inside the container, infinity if value is zero", kGauge,
     [](const CgroupStats& used) -> std::optional<double> {
       if (!used.pids) return std::nullopt;
       return Number(used.pids->limit.value_or(0));
     }},
};

struct DiskFamily {
  std::string_view name;
  std::string_view help;
  uint64_t kernel::IoStats::* member;
};
constexpr DiskFamily kDiskReads[] = {
    {"container_fs_reads_bytes_total", "Cumulative count of bytes read",
     &kernel::IoStats::read_bytes},
    {"container_fs_reads_total", "Cumulative count of reads completed", &kernel::IoStats::reads},
};
constexpr DiskFamily kDiskWrites[] = {
    {"container_fs_writes_bytes_total", "Cumulative count of bytes written",
     &kernel::IoStats::written_bytes},
    {"container_fs_writes_total", "Cumulative count of writes completed", &kernel::IoStats::writes},
};

// What an entry holds on the file system of what containers write.
struct FileSystem {
  size_t entry = 0;
  int64_t read_at = 0;
  uint64_t used = 0;
  uint64_t limit = 0;
  uint64_t inodes = 0;
  uint64_t inodes_free = 0;
};

class Page {
 public:
  Page(const NodeSample& sample, const DiskNames& disks, const LayerDisk& layers)
      : sample_(sample), disks_(disks), layers_(layers), root_(RootOf(sample.machine)) {
    AddEntries();
    AddFileSystems();
    for (Entry& entry : entries_) entry.all = LabelsWith(entry, "");
    AddDevices();
  }

  std::string Make(const MachineFacts& machine) &&;

 private:
  void AddEntries();
  void AddDevices();
  // Of the machine and of containers' layers; after the entries.
  void AddFileSystems();
  void Families(std::span<const Family> families) {
    for (const Family& family : families) {
      text_.Family(family.name, family.help, family.type);
      for (const Entry& entry : entries_) {
        if (const auto value = family.read(*entry.used)) {
          text_.Value(entry.all, *value, entry.read_at);
        }
      }
    }
  }
  void CpuUsage();
  void Disks(std::span<const DiskFamily> families);
  void FileSystems(std::string_view name, std::string_view help, uint64_t FileSystem::* member);
  void BlockDevices();
  void Faults();
  void Networks();
  void Times(std::string_view name, std::string_view help, int64_t Entry::* member);
  void LastSeen();
  void Machine(const MachineFacts& machine);
  std::string DiskName(const kernel::IoStats& io) const {
    const auto found = disks_.find({io.major, io.minor});
    return found == disks_.end() ? "" : found->second;
  }

  const NodeSample& sample_;
  const DiskNames& disks_;
  const LayerDisk& layers_;
  const CgroupStats root_;
  std::vector<Entry> entries_;
  std::vector<Device> devices_;
  std::vector<FileSystem> file_systems_;
  // Of the entries of pods: which pod.
  std::vector<std::pair<size_t, const runtime::PodUsage*>> pods_;
  MetricsText text_;
};

void Page::AddEntries() {
  entries_.push_back(EntryOf(root_, sample_.machine.read_at, "/"));
  entries_.back().created_at = entries_.back().started_at = sample_.machine.booted_at;
  for (const auto& [path, group] : sample_.groups) {
    entries_.push_back(EntryOf(group.used, group.read_at, group.cgroup));
  }
  for (const runtime::PodUsage& pod : sample_.pods) {
    const std::string& space = pod.metadata.namespace_;
    Entry& own = entries_.emplace_back(EntryOf(pod.used, pod.read_at, pod.cgroup));
    own.created_at = own.started_at = pod.created_at;
    own.name_namespace = MetricsText::LabelsText({{"name", ""}, {"namespace", space}});
    own.pod = MetricsText::LabelsText({{"pod", pod.metadata.name}});
    pods_.emplace_back(entries_.size() - 1, &pod);
    const std::string pod_label = own.pod;
    for (const auto& container : pod.containers) {
      Entry& entry =
          entries_.emplace_back(EntryOf(container.used, container.read_at, container.cgroup));
      entry.created_at = container.created_at;
      entry.started_at = container.started_at;
      entry.container = MetricsText::LabelsText({{"container", container.name}});
      entry.id_image =
          MetricsText::LabelsText({{"id", container.cgroup}, {"image", container.image}});
      entry.name_namespace =
          MetricsText::LabelsText({{"name", container.id}, {"namespace", space}});
      entry.pod = pod_label;
    }
  }
}

void Page::AddDevices() {
  for (const DeviceUse& use : sample_.machine.devices) {
    devices_.push_back({&entries_.front(),
                        use.name,
                        {.rx_bytes = use.rx_bytes,
                         .rx_packets = use.rx_packets,
                         .rx_errors = use.rx_errors,
                         .rx_dropped = use.rx_dropped,
                         .tx_bytes = use.tx_bytes,
                         .tx_packets = use.tx_packets,
                         .tx_errors = use.tx_errors,
                         .tx_dropped = use.tx_dropped}});
  }
  for (const auto& [at, pod] : pods_) {
    if (pod->network) devices_.push_back({&entries_[at], pod->interface, *pod->network});
  }
}

void Page::CpuUsage() {
  text_.Family("container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.",
               kCounter);
  for (const Entry& entry : entries_) {
    if (!entry.used->cpu) continue;
    text_.Value(LabelsWith(entry, "cpu=\"total\""), Seconds(entry.used->cpu->usage_ns),
                entry.read_at);
  }
}

void Page::AddFileSystems() {
  if (!layers_.use) return;
  const FileSystemUse& disk = *layers_.use;
  const auto add = [&](size_t entry, uint64_t used, int64_t read_at) {
    file_systems_.push_back({.entry = entry,
                             .read_at = read_at,
                             .used = used,
                             .limit = disk.capacity,
                             .inodes = disk.inodes,
                             .inodes_free = disk.inodes_free});
  };
  add(0, disk.used, layers_.read_at);
  for (const auto& [at, pod] : pods_) {
    const auto known = layers_.pods.find(pod->metadata.uid);
    if (known == layers_.pods.end()) continue;
    for (size_t i = 0; i < pod->containers.size(); ++i) {
      const auto layer = known->second->layers.find(pod->containers[i].name);
      if (layer == known->second->layers.end()) continue;
      // Its containers stand behind the pod.
      add(at + 1 + i, layer->second.bytes, known->second->read_at);
    }
  }
}

void Page::FileSystems(std::string_view name, std::string_view help,
                       uint64_t FileSystem::* member) {
  text_.Family(name, help, kGauge);
  const std::string device = MetricsText::LabelsText({{"device", layers_.device}});
  for (const FileSystem& each : file_systems_) {
    text_.Value(LabelsWith(entries_[each.entry], device), Number(each.*member), each.read_at);
  }
}

void Page::Disks(std::span<const DiskFamily> families) {
  for (const DiskFamily& family : families) {
    text_.Family(family.name, family.help, kCounter);
    for (const Entry& entry : entries_) {
      for (const kernel::IoStats& io : entry.used->io) {
        text_.Value(LabelsWith(entry, MetricsText::LabelsText({{"device", DiskName(io)}})),
                    Number(io.*family.member), entry.read_at);
      }
    }
  }
}

void Page::BlockDevices() {
  text_.Family("container_blkio_device_usage_total", "Blkio Device bytes usage", kCounter);
  for (const Entry& entry : entries_) {
    for (const kernel::IoStats& io : entry.used->io) {
      const std::string device = MetricsText::LabelsText({{"device", DiskName(io)}});
      const std::string numbers = MetricsText::LabelsText(
          {{"major", std::to_string(io.major)}, {"minor", std::to_string(io.minor)}});
      for (const auto& [operation, value] : {std::pair("operation=\"Read\"", io.read_bytes),
                                             {"operation=\"Write\"", io.written_bytes}}) {
        text_.Value(LabelsWith(entry, device, numbers, operation), Number(value), entry.read_at);
      }
    }
  }
}

void Page::Faults() {
  text_.Family("container_memory_failures_total", "Cumulative count of memory allocation failures.",
               kCounter);
  struct Count {
    std::string_view type;
    std::string_view scope;
    uint64_t Memory::* member;
  };
  constexpr std::string_view kFault = "failure_type=\"pgfault\"";
  constexpr std::string_view kMajor = "failure_type=\"pgmajfault\"";
  constexpr std::string_view kOwn = "scope=\"container\"";
  constexpr std::string_view kBelow = "scope=\"hierarchy\"";
  for (const Entry& entry : entries_) {
    if (!entry.used->memory) continue;
    for (const Count& count : {Count{kFault, kOwn, &Memory::own_page_faults},
                               {kFault, kBelow, &Memory::page_faults},
                               {kMajor, kOwn, &Memory::own_major_page_faults},
                               {kMajor, kBelow, &Memory::major_page_faults}}) {
      text_.Value(LabelsWith(entry, count.type, "", "", count.scope),
                  Number((*entry.used->memory).*count.member), entry.read_at);
    }
  }
}

void Page::Networks() {
  for (const network::CounterFamily& family : network::kCounterFamilies) {
    text_.Family(family.name, family.help, kCounter);
    for (const Device& device : devices_) {
      text_.Value(
          LabelsWith(*device.entry, "", MetricsText::LabelsText({{"interface", device.name}})),
          Number(device.counters.*family.counter), device.entry->read_at);
    }
  }
}

void Page::Times(std::string_view name, std::string_view help, int64_t Entry::* member) {
  text_.Family(name, help, kGauge);
  for (const Entry& entry : entries_) {
    // Whole seconds, and without a time, as cAdvisor has it.
    const int64_t seconds = entry.*member / kNanosPerSecond;
    if (seconds > 0) text_.Value(entry.all, static_cast<double>(seconds));
  }
}

void Page::LastSeen() {
  text_.Family("container_last_seen", "Last time a container was seen by the exporter", kGauge);
  const int64_t seconds = sample_.read_at / kNanosPerSecond;
  for (const Entry& entry : entries_) {
    text_.Value(entry.all, static_cast<double>(seconds), sample_.read_at);
  }
}

void Page::Machine(const MachineFacts& machine) {
  const std::string labels = MetricsText::LabelsText({{"boot_id", machine.boot_id},
                                                      {"machine_id", machine.machine_id},
                                                      {"system_uuid", machine.system_uuid}});
  const auto tell = [&](std::string_view name, std::string_view help, int64_t value) {
    text_.Family(name, help, kGauge);
    text_.Value(labels, static_cast<double>(value), sample_.read_at);
  };
  tell("machine_cpu_cores", "Number of logical CPU cores.", machine.cpus);
  tell("machine_memory_bytes", "Amount of memory installed on the machine.", machine.memory_bytes);
  text_.Single("machine_scrape_error",
               "1 if there was an error while getting machine metrics, 0 otherwise.", kGauge, 0);
  tell("machine_swap_bytes", "Amount of swap memory available on the machine.", machine.swap_bytes);
}

std::string Page::Make(const MachineFacts& machine) && {
  text_.Family("cadvisor_version_info",
               "A metric with a constant '1' value labeled by kernel version, OS version, docker "
               "version, cadvisor version & cadvisor revision.",
               kGauge);
  text_.Value(MetricsText::LabelsText({{"cadvisorRevision", ""},
                                       {"cadvisorVersion", ""},
                                       {"dockerVersion", ""},
                                       {"kernelVersion", machine.kernel_version},
                                       {"osVersion", machine.os_image}}),
              1);
  BlockDevices();
  Families(kQuotas);
  CpuUsage();
  Families(kUser);
  Times("container_creation_time_seconds", "Container creation time since unix epoch in seconds.",
        &Entry::created_at);
  FileSystems("container_fs_inodes_free", "Number of available Inodes", &FileSystem::inodes_free);
  FileSystems("container_fs_inodes_total", "Number of Inodes", &FileSystem::inodes);
  FileSystems("container_fs_limit_bytes",
              "Number of bytes that can be consumed by the container on this filesystem.",
              &FileSystem::limit);
  Disks(kDiskReads);
  FileSystems("container_fs_usage_bytes",
              "Number of bytes that are consumed by the container on this filesystem.",
              &FileSystem::used);
  Disks(kDiskWrites);
  LastSeen();
  Families(kMemoryBegin);
  Faults();
  Families(kMemoryRest);
  Networks();
  Families(kRest);
  text_.Single("container_scrape_error",
               "1 if there was an error while getting container metrics, 0 otherwise", kGauge, 0);
  Families(kSpec);
  Times("container_start_time_seconds", "Start time of the container since unix epoch in seconds.",
        &Entry::started_at);
  Families(kThreads);
  Machine(machine);
  return std::move(text_).Take();
}

}  // namespace

DiskNames ReadDiskNames(const std::string& root) {
  constexpr size_t kMaxFile = size_t{1} << 20;
  DiskNames names;
  const auto text = kernel::ReadFile(AT_FDCWD, root + "/proc/diskstats", kMaxFile);
  if (!text.ok()) return names;
  for (const std::string_view line : Split(*text, '\n')) {
    const auto words = Words(line, " ");
    if (words.size() < 3) continue;
    const auto number = [&](size_t at) {
      uint64_t value = 0;
      std::from_chars(words[at].data(), words[at].data() + words[at].size(), value);
      return value;
    };
    names[{number(0), number(1)}] = "/dev/" + std::string(words[2]);
  }
  return names;
}

std::string CadvisorPage(const NodeSample& sample, const MachineFacts& machine,
                         const DiskNames& disks, const LayerDisk& layers) {
  return Page(sample, disks, layers).Make(machine);
}

}  // namespace podium::node
