// What both versions have in common.
#include "linux/cgroup_controllers.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "linux/cgroup_files.h"

namespace podium::kernel {
namespace {

Result<void> CheckPageSize(const std::string& page_size) {
  const size_t digits = std::min(page_size.find_first_not_of("0123456789"), page_size.size());
  const std::string unit = page_size.substr(digits);
  if (digits > 0 && digits <= 8 && (unit == "KB" || unit == "MB" || unit == "GB")) return {};
  return Error(Code::kInvalidArgument, "\"" + page_size + "\" is no size of huge pages");
}

}  // namespace

void CgroupWarnings::Add(std::string sentence) {
  const std::lock_guard lock(mutex_);
  if (said_.insert(sentence).second) fresh_.push_back(std::move(sentence));
}

std::vector<std::string> CgroupWarnings::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(fresh_, {});
}

Result<void> WriteIdle(int folder, const CgroupLimits& limits, CgroupWarnings* warnings) {
  if (!limits.cpu_idle) return {};
  if (!HasCgroupFile(folder, "cpu.idle")) {
    warnings->Add("this kernel has no idle cgroups: cpu.idle is not set");
    return {};
  }
  return WriteCgroupFile(folder, "cpu.idle", std::to_string(*limits.cpu_idle));
}

Result<void> WriteHugepages(int folder, const CgroupLimits& limits, const std::string& suffix) {
  for (const HugepageLimit& hugepage : limits.hugepages) {
    TRY_VOID(CheckPageSize(hugepage.page_size));
    std::string file = "hugetlb." + hugepage.page_size;
    // Without this one, pages that are reserved and not yet touched (mmap) would not count.
    std::string reserved = file + ".rsvd.";
    (file += '.') += suffix;
    reserved += suffix;
    const std::string value = std::to_string(hugepage.limit);
    TRY_VOID(WriteCgroupFile(folder, file, value));
    if (HasCgroupFile(folder, reserved)) TRY_VOID(WriteCgroupFile(folder, reserved, value));
  }
  return {};
}

std::vector<HugepageStats> ReadHugepageFiles(int folder, const std::string& suffix,
                                             uint64_t (*failures)(int folder,
                                                                  const std::string& prefix)) {
  std::vector<HugepageStats> stats;
  for (const char* size : {"64KB", "1MB", "2MB", "16MB", "32MB", "512MB", "1GB", "2GB", "16GB"}) {
    const std::string prefix = std::string("hugetlb.") + size + '.';
    const auto usage = ReadCgroupNumber(folder, prefix + suffix);
    if (!usage) continue;
    stats.push_back({.page_size = size, .usage = *usage, .failures = failures(folder, prefix)});
  }
  return stats;
}

std::string DeviceName(int64_t major, int64_t minor) {
  return std::to_string(major) + ":" + std::to_string(minor);
}

Result<void> WriteBurstAndQuota(const std::optional<uint64_t>& burst, int folder,
                                const std::string& burst_file,
                                Result<void> (*quota)(int folder, const CgroupLimits& limits),
                                const CgroupLimits& limits, CgroupWarnings* warnings) {
  if (!burst) return quota(folder, limits);
  if (!HasCgroupFile(folder, burst_file)) {
    warnings->Add("this kernel lets no cgroup save up processor time: cpu bursts are not set");
    return quota(folder, limits);
  }
  const std::string value = std::to_string(*burst);
  auto first = WriteCgroupFile(folder, burst_file, value);
  TRY_VOID(quota(folder, limits));
  if (first.ok() || first.error().os_errno() != EINVAL) return first;
  return WriteCgroupFile(folder, burst_file, value);
}

Result<void> SetCpuset(int folder, const CgroupLimits& limits) {
  if (!limits.cpuset_cpus.empty()) {
    TRY_VOID(WriteCgroupFile(folder, "cpuset.cpus", limits.cpuset_cpus));
  }
  if (!limits.cpuset_mems.empty()) {
    TRY_VOID(WriteCgroupFile(folder, "cpuset.mems", limits.cpuset_mems));
  }
  return {};
}

Result<void> SetPids(int folder, const CgroupLimits& limits) {
  const int64_t limit = *limits.pids_limit;
  return WriteCgroupFile(folder, "pids.max", limit < 0 ? "max" : std::to_string(limit));
}

std::optional<PidStats> ReadPids(int folder) {
  const auto current = ReadCgroupNumber(folder, "pids.current");
  if (!current) return std::nullopt;
  return PidStats{.current = *current, .limit = ReadCgroupNumber(folder, "pids.max")};
}

std::optional<uint64_t> CountProcesses(int folder) {
  const auto text = ReadCgroupFile(folder, "cgroup.procs");
  if (!text.ok()) return std::nullopt;
  return CgroupLines(*text).size();
}

uint64_t CpuSharesFromWeight(uint64_t weight) {
  // The formula grows all along, so that halving finds it.
  uint64_t low = 2;
  uint64_t high = 262144;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (CpuWeightFromShares(middle) < weight) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

uint64_t CpuWeightFromShares(uint64_t shares) {
  constexpr uint64_t kMinShares = 2;
  constexpr uint64_t kMaxShares = 262144;
  if (shares <= kMinShares) return 1;
  if (shares >= kMaxShares) return 10000;
  const double power = std::log2(static_cast<double>(shares));
  const double exponent = (power * power + 125 * power) / 612.0 - 7.0 / 34.0;
  return static_cast<uint64_t>(std::ceil(std::pow(10, exponent)));
}

}  // namespace podium::kernel
