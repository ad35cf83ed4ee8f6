// Controllers of the trees of v1. Documentation/admin-guide/cgroup-v1 of the kernel describes the
// files.
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "linux/cgroup_controllers.h"
#include "linux/cgroup_files.h"

namespace podium::kernel::cgroup_v1 {
namespace {

constexpr const char* kLimitFile = "memory.limit_in_bytes";
constexpr const char* kBothFile = "memory.memsw.limit_in_bytes";

// -1 and less is no limit, the largest of all.
uint64_t AsBytes(int64_t limit) {
  return limit < 0 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(limit);
}

Result<uint64_t> LimitOf(int folder, const char* file) {
  TRY(const std::string text, ReadCgroupFile(folder, file));
  return ParseCgroupNumber(text).value_or(std::numeric_limits<uint64_t>::max());
}

Result<void> WriteLimit(int folder, const char* file, int64_t limit) {
  auto written = WriteCgroupFile(folder, file, std::to_string(std::max<int64_t>(limit, -1)));
  if (written.ok() || written.error().os_errno() != EBUSY) return written;
  // Unlike v2, v1 does not kill to reach a new limit.
  const auto usage = ReadCgroupNumber(folder, "memory.usage_in_bytes");
  return std::move(written).error().WithContext(
      std::to_string(usage.value_or(0)) + " bytes are in use, more than the new limit of memory");
}

// The kernel holds limit <= limit of memory and swap together at every moment, so which of the two
// is written first depends on what is there.
Result<void> SetMemoryAndSwap(int folder, int64_t memory, int64_t both) {
  TRY(const uint64_t limit_before, LimitOf(folder, kLimitFile));
  if (AsBytes(both) >= limit_before) {
    TRY_VOID(WriteLimit(folder, kBothFile, both));
    return WriteLimit(folder, kLimitFile, memory);
  }
  TRY_VOID(WriteLimit(folder, kLimitFile, memory));
  return WriteLimit(folder, kBothFile, both);
}

Result<void> SetBytes(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  if (!HasCgroupFile(folder, kBothFile)) {
    if (limits.memory_swap && *limits.memory_swap >= 0) {
      warnings->Add("this kernel does not count swap: its use is not limited");
    }
    return limits.memory_limit ? WriteLimit(folder, kLimitFile, *limits.memory_limit)
                               : Result<void>();
  }
  if (limits.memory_limit && limits.memory_swap) {
    if (AsBytes(*limits.memory_swap) < AsBytes(*limits.memory_limit)) {
      return Error(Code::kInvalidArgument,
                   "the limit of memory and swap together is below the limit of memory");
    }
    return SetMemoryAndSwap(folder, *limits.memory_limit, *limits.memory_swap);
  }
  if (limits.memory_swap) return WriteLimit(folder, kBothFile, *limits.memory_swap);
  if (!limits.memory_limit) return {};
  // Memory alone: the other limit gives way where it has to.
  TRY(const uint64_t both_before, LimitOf(folder, kBothFile));
  if (AsBytes(*limits.memory_limit) > both_before || *limits.memory_limit < 0) {
    return SetMemoryAndSwap(folder, *limits.memory_limit, *limits.memory_limit);
  }
  return WriteLimit(folder, kLimitFile, *limits.memory_limit);
}

Result<void> SetQuota(int folder, const CgroupLimits& limits) {
  const auto period = [&]() -> Result<void> {
    if (!limits.cpu_period) return {};
    return WriteCgroupFile(folder, "cpu.cfs_period_us", std::to_string(*limits.cpu_period));
  };
  const auto quota = [&]() -> Result<void> {
    if (!limits.cpu_quota) return {};
    const int64_t value = *limits.cpu_quota > 0 ? *limits.cpu_quota : -1;
    return WriteCgroupFile(folder, "cpu.cfs_quota_us", std::to_string(value));
  };
  // The share of a processor that the two make together may not pass the parent's in between: what
  // does not go in one order goes in the other.
  if (auto first = period(); !first.ok()) {
    if (first.error().os_errno() != EINVAL || !limits.cpu_quota) return first;
    TRY_VOID(quota());
    return period();
  }
  return quota();
}

Result<void> WriteRates(int folder, const std::vector<DeviceRate>& rates, const std::string& file,
                        CgroupWarnings* warnings) {
  if (!rates.empty() && !HasCgroupFile(folder, file)) {
    warnings->Add("this kernel does not throttle disk input and output: rates are not limited");
    return {};
  }
  for (const DeviceRate& rate : rates) {
    TRY_VOID(WriteCgroupFile(folder, file,
                             DeviceName(rate.major, rate.minor) + " " + std::to_string(rate.rate)));
  }
  return {};
}

// "8:0 Read 4096": the counters of one file, added to those of the devices.
void AddIo(int folder, const std::string& file, uint64_t IoStats::* reads,
           uint64_t IoStats::* writes, std::vector<IoStats>* stats) {
  const auto text = ReadCgroupFile(folder, file);
  if (!text.ok()) return;
  for (const std::string_view line : CgroupLines(*text)) {
    const std::vector<std::string_view> words = CgroupWords(line);
    const size_t colon = words[0].find(':');
    if (words.size() != 3 || colon == std::string_view::npos) continue;
    const uint64_t major = ParseCgroupNumber(words[0].substr(0, colon)).value_or(0);
    const uint64_t minor = ParseCgroupNumber(words[0].substr(colon + 1)).value_or(0);
    auto device = std::ranges::find_if(
        *stats, [&](const IoStats& one) { return one.major == major && one.minor == minor; });
    if (device == stats->end()) {
      device = stats->insert(stats->end(), IoStats{.major = major, .minor = minor});
    }
    const uint64_t value = ParseCgroupNumber(words[2]).value_or(0);
    if (words[1] == "Read") (*device).*reads = value;
    if (words[1] == "Write") (*device).*writes = value;
  }
}

}  // namespace

Result<void> SetCpu(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  TRY_VOID(WriteIdle(folder, limits, warnings));
  if (limits.cpu_shares) {
    TRY_VOID(WriteCgroupFile(folder, "cpu.shares", std::to_string(*limits.cpu_shares)));
  }
  return WriteBurstAndQuota(limits.cpu_burst, folder, "cpu.cfs_burst_us", &SetQuota, limits,
                            warnings);
}

Result<void> SetMemory(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  if (limits.memory_oom_group) {
    warnings->Add(
        "cgroups v1 cannot end a container as a whole when its memory runs out: "
        "the kernel ends one process of it");
  }
  if (limits.memory_min || limits.memory_high) {
    warnings->Add("cgroups v1 have neither memory.min nor memory.high: these are not set");
  }
  TRY_VOID(SetBytes(folder, limits, warnings));
  if (limits.memory_reservation) {
    TRY_VOID(WriteCgroupFile(folder, "memory.soft_limit_in_bytes",
                             std::to_string(*limits.memory_reservation)));
  }
  if (limits.memory_swappiness) {
    TRY_VOID(
        WriteCgroupFile(folder, "memory.swappiness", std::to_string(*limits.memory_swappiness)));
  }
  return {};
}

Result<void> SetHugepages(int folder, const CgroupLimits& limits) {
  return WriteHugepages(folder, limits, "limit_in_bytes");
}

Result<void> SetIo(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  const IoLimits& io = limits.io;
  if (io.weight) {
    const char* file = nullptr;
    for (const char* known : {"blkio.bfq.weight", "blkio.weight"}) {
      if (!file && HasCgroupFile(folder, known)) file = known;
    }
    if (file) {
      TRY_VOID(WriteCgroupFile(folder, file, std::to_string(*io.weight)));
    } else {
      warnings->Add(
          "no scheduler of this kernel weighs disk input and output: "
          "weights are not set");
    }
  }
  TRY_VOID(WriteRates(folder, io.read_bps, "blkio.throttle.read_bps_device", warnings));
  TRY_VOID(WriteRates(folder, io.write_bps, "blkio.throttle.write_bps_device", warnings));
  TRY_VOID(WriteRates(folder, io.read_iops, "blkio.throttle.read_iops_device", warnings));
  return WriteRates(folder, io.write_iops, "blkio.throttle.write_iops_device", warnings);
}

Result<void> InheritCpuset(int parent, int folder) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    TRY(const std::string own, ReadCgroupFile(folder, file));
    if (!own.empty()) continue;
    TRY(const std::string inherited, ReadCgroupFile(parent, file));
    TRY_VOID(WriteCgroupFile(folder, file, inherited));
  }
  return {};
}

std::optional<CpuStats> ReadCpuUsage(int cpuacct_folder, CgroupDetail detail) {
  const auto usage = ReadCgroupNumber(cpuacct_folder, "cpuacct.usage");
  if (!usage) return std::nullopt;
  CpuStats stats;
  stats.usage_ns = *usage;
  if (detail == CgroupDetail::kUse) return stats;
  stats.user_ns = ReadCgroupNumber(cpuacct_folder, "cpuacct.usage_user").value_or(0);
  stats.system_ns = ReadCgroupNumber(cpuacct_folder, "cpuacct.usage_sys").value_or(0);
  return stats;
}

void ReadCpuLimits(int cpu_folder, CpuStats* stats) {
  const auto table = ReadCgroupTable(cpu_folder, "cpu.stat");
  stats->periods = TableValue(table, "nr_periods");
  stats->throttled_periods = TableValue(table, "nr_throttled");
  stats->throttled_ns = TableValue(table, "throttled_time");
  stats->burst_periods = TableValue(table, "nr_bursts");
  stats->burst_ns = TableValue(table, "burst_time");
  stats->shares = ReadCgroupNumber(cpu_folder, "cpu.shares");
  stats->quota_us = ReadCgroupNumber(cpu_folder, "cpu.cfs_quota_us");  // -1 is none
  stats->period_us = ReadCgroupNumber(cpu_folder, "cpu.cfs_period_us");
}

std::optional<MemoryStats> ReadMemory(int folder, CgroupDetail detail) {
  const auto usage = ReadCgroupNumber(folder, "memory.usage_in_bytes");
  if (!usage) return std::nullopt;
  const auto table = ReadCgroupTable(folder, "memory.stat");
  const auto value = [&](std::string_view key) { return TableValue(table, key); };
  MemoryStats stats;
  stats.usage = *usage;
  stats.working_set = *usage - std::min(*usage, value("total_inactive_file"));
  stats.rss = value("total_rss");
  stats.cache = value("total_cache");
  stats.limit = ReadCgroupNumber(folder, kLimitFile);
  stats.page_faults = value("total_pgfault");
  stats.major_page_faults = value("total_pgmajfault");
  if (table.contains("total_swap")) stats.swap_usage = value("total_swap");
  const auto both = ReadCgroupNumber(folder, kBothFile);
  if (both && stats.limit && *both >= *stats.limit) stats.swap_limit = *both - *stats.limit;
  if (detail == CgroupDetail::kUse) return stats;
  stats.kernel = ReadCgroupNumber(folder, "memory.kmem.usage_in_bytes").value_or(0);
  stats.mapped_file = value("total_mapped_file");
  stats.active_file = value("total_active_file");
  stats.inactive_file = value("total_inactive_file");
  stats.dirty = value("total_dirty");
  stats.writeback = value("total_writeback");
  stats.own_page_faults = value("pgfault");
  stats.own_major_page_faults = value("pgmajfault");
  stats.max_usage = ReadCgroupNumber(folder, "memory.max_usage_in_bytes").value_or(0);
  stats.limit_hits = ReadCgroupNumber(folder, "memory.failcnt").value_or(0);
  stats.reservation = ReadCgroupNumber(folder, "memory.soft_limit_in_bytes");
  stats.oom_kills = OomKills(folder);
  return stats;
}

std::vector<HugepageStats> ReadHugepages(int folder) {
  return ReadHugepageFiles(folder, "usage_in_bytes", [](int at, const std::string& prefix) {
    return ReadCgroupNumber(at, prefix + "failcnt").value_or(0);
  });
}

std::vector<IoStats> ReadIo(int folder) {
  std::vector<IoStats> stats;
  AddIo(folder, "blkio.throttle.io_service_bytes_recursive", &IoStats::read_bytes,
        &IoStats::written_bytes, &stats);
  AddIo(folder, "blkio.throttle.io_serviced_recursive", &IoStats::reads, &IoStats::writes, &stats);
  return stats;
}

uint64_t OomKills(int folder) {
  // A descriptor a level, hence a bound.
  constexpr int kMaxDepth = 32;
  const auto count = [](const auto& self, int at, int depth) -> uint64_t {
    uint64_t kills = TableValue(ReadCgroupTable(at, "memory.oom_control"), "oom_kill");
    const auto children = ChildCgroups(at);
    if (!children.ok() || depth == kMaxDepth) return kills;
    for (const std::string& child : *children) {
      const auto below = OpenCgroup(at, child);
      if (below.ok()) kills += self(self, below->get(), depth + 1);
    }
    return kills;
  };
  return count(count, folder, 0);
}

Result<CgroupWatch> WatchOom(int folder) {
  UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return Error::FromErrno(errno, "eventfd");
  TRY(const UniqueFd control, OpenCgroupFile(folder, "memory.oom_control", O_RDONLY));
  TRY_VOID(WriteCgroupFile(folder, "cgroup.event_control",
                           std::to_string(event.get()) + " " + std::to_string(control.get())));
  return CgroupWatch{.fd = std::move(event), .events = POLLIN};
}

}  // namespace podium::kernel::cgroup_v1
