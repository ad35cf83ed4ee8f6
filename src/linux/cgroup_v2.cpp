// Controllers of the one tree of v2. Documentation/admin-guide/cgroup-v2.rst of the kernel
// describes the files.
#include <charconv>
#include <span>

#include "linux/cgroup_controllers.h"
#include "linux/cgroup_files.h"

namespace podium::kernel::cgroup_v2 {
namespace {

constexpr uint64_t kNanosecondsInMicrosecond = 1000;

std::string NumberOrMax(int64_t number) { return number < 0 ? "max" : std::to_string(number); }

Result<void> SetQuota(int folder, const CgroupLimits& limits) {
  if (!limits.cpu_quota && !limits.cpu_period) return {};
  std::string value;
  if (limits.cpu_quota) {
    value = *limits.cpu_quota > 0 ? std::to_string(*limits.cpu_quota) : "max";
  } else {
    TRY(const std::string before, ReadCgroupFile(folder, "cpu.max"));
    value = before.substr(0, before.find(' '));
  }
  if (limits.cpu_period) value += " " + std::to_string(*limits.cpu_period);
  return WriteCgroupFile(folder, "cpu.max", value);
}

// OCI's limit is of memory and swap together, the kernel's of swap alone. None: nothing to set.
Result<std::optional<std::string>> SwapLimit(int folder, const CgroupLimits& limits) {
  if (!limits.memory_swap) {
    if (!limits.memory_limit || *limits.memory_limit >= 0) return std::optional<std::string>();
    return std::optional<std::string>("max");
  }
  if (*limits.memory_swap < 0) return std::optional<std::string>("max");
  std::optional<int64_t> memory = limits.memory_limit;
  if (!memory) {
    const auto set = ReadCgroupNumber(folder, "memory.max");
    if (set) memory = static_cast<int64_t>(*set);
  }
  if (!memory || *memory < 0) {
    return Error(Code::kInvalidArgument, "a limit of swap needs a limit of memory");
  }
  if (*limits.memory_swap < *memory) {
    return Error(Code::kInvalidArgument,
                 "the limit of memory and swap together is below the limit of memory");
  }
  return std::optional<std::string>(std::to_string(*limits.memory_swap - *memory));
}

Result<void> SetSwap(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  TRY(const std::optional<std::string> value, SwapLimit(folder, limits));
  if (!value) return {};
  if (!HasCgroupFile(folder, "memory.swap.max")) {
    if (*value != "max") warnings->Add("this kernel does not count swap: its use is not limited");
    return {};
  }
  return WriteCgroupFile(folder, "memory.swap.max", *value);
}

Result<void> WriteRates(int folder, const std::vector<DeviceRate>& rates, const char* key) {
  for (const DeviceRate& rate : rates) {
    TRY_VOID(WriteCgroupFile(folder, "io.max",
                             DeviceName(rate.major, rate.minor) + " " + key + "=" +
                                 (rate.rate == 0 ? "max" : std::to_string(rate.rate))));
  }
  return {};
}

Result<void> SetIoWeight(int folder, uint16_t weight, CgroupWarnings* warnings) {
  if (HasCgroupFile(folder, "io.bfq.weight")) {
    return WriteCgroupFile(folder, "io.bfq.weight", std::to_string(weight));
  }
  if (HasCgroupFile(folder, "io.weight")) {
    // The line through 10 → 1 and 1000 → 10000, as in runc and crun.
    return WriteCgroupFile(folder, "io.weight", std::to_string(1 + (weight - 10) * 9999 / 990));
  }
  warnings->Add("no scheduler of this kernel weighs disk input and output: weights are not set");
  return {};
}

double Percent(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "avg10=0.12 avg60=0.00 avg300=0.00 total=4711"
Pressure::Line PressureLine(std::span<const std::string_view> words) {
  Pressure::Line line;
  for (const std::string_view word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (key == "avg10") line.avg10 = Percent(value);
    if (key == "avg60") line.avg60 = Percent(value);
    if (key == "avg300") line.avg300 = Percent(value);
    if (key == "total") line.total_us = ParseCgroupNumber(value).value_or(0);
  }
  return line;
}

// Files that limit nothing by themselves, or move processes: no value of a user's goes there.
bool IsUnifiedName(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0 || name.find('/') != std::string::npos) return false;
  return !name.starts_with("cgroup.") || name == "cgroup.max.depth" ||
         name == "cgroup.max.descendants";
}

}  // namespace

Result<void> SetCpu(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  TRY_VOID(WriteIdle(folder, limits, warnings));
  if (limits.cpu_shares) {
    const std::string weight = std::to_string(CpuWeightFromShares(*limits.cpu_shares));
    TRY_VOID(WriteCgroupFile(folder, "cpu.weight", weight));
  }
  return WriteBurstAndQuota(limits.cpu_burst, folder, "cpu.max.burst", &SetQuota, limits, warnings);
}

Result<void> SetMemory(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  if (limits.memory_swappiness) {
    warnings->Add("cgroups v2 have no swappiness of their own: it is not set");
  }
  if (limits.memory_oom_group) {
    TRY_VOID(WriteCgroupFile(folder, "memory.oom.group", *limits.memory_oom_group ? "1" : "0"));
  }
  TRY_VOID(SetSwap(folder, limits, warnings));
  if (limits.memory_limit) {
    TRY_VOID(WriteCgroupFile(folder, "memory.max", NumberOrMax(*limits.memory_limit)));
  }
  if (limits.memory_high) {
    TRY_VOID(WriteCgroupFile(folder, "memory.high", NumberOrMax(*limits.memory_high)));
  }
  if (limits.memory_reservation) {
    TRY_VOID(WriteCgroupFile(folder, "memory.low", NumberOrMax(*limits.memory_reservation)));
  }
  if (limits.memory_min) {
    TRY_VOID(WriteCgroupFile(folder, "memory.min", NumberOrMax(*limits.memory_min)));
  }
  return {};
}

Result<void> SetHugepages(int folder, const CgroupLimits& limits) {
  return WriteHugepages(folder, limits, "max");
}

Result<void> SetIo(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  const IoLimits& io = limits.io;
  if (io.weight) TRY_VOID(SetIoWeight(folder, *io.weight, warnings));
  const bool rates = !io.read_bps.empty() || !io.write_bps.empty() || !io.read_iops.empty() ||
                     !io.write_iops.empty();
  if (rates && !HasCgroupFile(folder, "io.max")) {
    warnings->Add("this kernel does not throttle disk input and output: rates are not limited");
    return {};
  }
  TRY_VOID(WriteRates(folder, io.read_bps, "rbps"));
  TRY_VOID(WriteRates(folder, io.write_bps, "wbps"));
  TRY_VOID(WriteRates(folder, io.read_iops, "riops"));
  return WriteRates(folder, io.write_iops, "wiops");
}

Result<void> SetUnified(int folder, const CgroupLimits& limits) {
  for (const auto& [name, value] : limits.unified) {
    if (!IsUnifiedName(name)) {
      return Error(Code::kInvalidArgument, "\"" + name + "\" is no file of a cgroup to set");
    }
    for (const std::string_view line : CgroupLines(value)) {
      TRY_VOID(WriteCgroupFile(folder, name, line));
    }
  }
  return {};
}

std::optional<CpuStats> ReadCpu(int folder, CgroupDetail detail) {
  const auto table = ReadCgroupTable(folder, "cpu.stat");
  if (table.empty()) return std::nullopt;
  const auto nanoseconds = [&](std::string_view key) {
    return TableValue(table, key) * kNanosecondsInMicrosecond;
  };
  CpuStats stats;
  stats.usage_ns = nanoseconds("usage_usec");
  stats.user_ns = nanoseconds("user_usec");
  stats.system_ns = nanoseconds("system_usec");
  stats.periods = TableValue(table, "nr_periods");
  stats.throttled_periods = TableValue(table, "nr_throttled");
  stats.throttled_ns = nanoseconds("throttled_usec");
  stats.burst_periods = TableValue(table, "nr_bursts");
  stats.burst_ns = nanoseconds("burst_usec");
  if (detail == CgroupDetail::kUse) return stats;
  if (const auto weight = ReadCgroupNumber(folder, "cpu.weight")) {
    stats.shares = CpuSharesFromWeight(*weight);
  }
  // "max 100000": the quota, and of which period.
  if (const auto text = ReadCgroupFile(folder, "cpu.max"); text.ok()) {
    const auto words = CgroupWords(*text);
    if (words.size() == 2) {
      stats.quota_us = ParseCgroupNumber(words[0]);
      stats.period_us = ParseCgroupNumber(words[1]);
    }
  }
  return stats;
}

std::optional<MemoryStats> ReadMemory(int folder, CgroupDetail detail) {
  const auto usage = ReadCgroupNumber(folder, "memory.current");
  if (!usage) return std::nullopt;
  const auto table = ReadCgroupTable(folder, "memory.stat");
  const auto value = [&](std::string_view key) { return TableValue(table, key); };
  MemoryStats stats;
  stats.usage = *usage;
  stats.working_set = *usage - std::min(*usage, value("inactive_file"));
  stats.rss = value("anon");
  stats.cache = value("file");
  stats.limit = ReadCgroupNumber(folder, "memory.max");
  stats.swap_usage = ReadCgroupNumber(folder, "memory.swap.current");
  stats.swap_limit = ReadCgroupNumber(folder, "memory.swap.max");
  stats.page_faults = value("pgfault");
  stats.major_page_faults = value("pgmajfault");
  if (detail == CgroupDetail::kUse) return stats;
  stats.kernel = value("kernel");
  stats.mapped_file = value("file_mapped");
  stats.active_file = value("active_file");
  stats.inactive_file = value("inactive_file");
  stats.dirty = value("file_dirty");
  stats.writeback = value("file_writeback");
  stats.own_page_faults = stats.page_faults;
  stats.own_major_page_faults = stats.major_page_faults;
  stats.max_usage = ReadCgroupNumber(folder, "memory.peak").value_or(0);
  stats.reservation = ReadCgroupNumber(folder, "memory.low");
  const auto events = ReadCgroupTable(folder, "memory.events");
  stats.limit_hits = TableValue(events, "max");
  stats.high_hits = TableValue(events, "high");
  stats.oom_kills = TableValue(events, "oom_kill");
  return stats;
}

std::vector<HugepageStats> ReadHugepages(int folder) {
  return ReadHugepageFiles(folder, "current", [](int at, const std::string& prefix) {
    return TableValue(ReadCgroupTable(at, prefix + "events"), "max");
  });
}

std::vector<IoStats> ReadIo(int folder) {
  std::vector<IoStats> stats;
  const auto text = ReadCgroupFile(folder, "io.stat");
  if (!text.ok()) return stats;
  // "8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0"
  for (const std::string_view line : CgroupLines(*text)) {
    const std::vector<std::string_view> words = CgroupWords(line);
    const size_t colon = words.empty() ? std::string_view::npos : words[0].find(':');
    if (colon == std::string_view::npos) continue;
    IoStats device;
    device.major = ParseCgroupNumber(words[0].substr(0, colon)).value_or(0);
    device.minor = ParseCgroupNumber(words[0].substr(colon + 1)).value_or(0);
    for (const std::string_view word : words) {
      const size_t equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = word.substr(0, equals);
      const uint64_t value = ParseCgroupNumber(word.substr(equals + 1)).value_or(0);
      if (key == "rbytes") device.read_bytes = value;
      if (key == "wbytes") device.written_bytes = value;
      if (key == "rios") device.reads = value;
      if (key == "wios") device.writes = value;
    }
    stats.push_back(device);
  }
  return stats;
}

std::optional<Pressure> ReadPressure(int folder, const std::string& file) {
  const auto text = ReadCgroupFile(folder, file);
  // Without the kernel's psi=1 the file is there and says EOPNOTSUPP.
  if (!text.ok()) return std::nullopt;
  Pressure pressure;
  for (const std::string_view line : CgroupLines(*text)) {
    const std::vector<std::string_view> words = CgroupWords(line);
    if (words[0] == "some") pressure.some = PressureLine(words);
    if (words[0] == "full") pressure.full = PressureLine(words);
  }
  return pressure;
}

}  // namespace podium::kernel::cgroup_v2
