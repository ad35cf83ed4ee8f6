// Limits and counts of one controller in one folder of a tree, for trees of both versions. Of this
// room only; cgroup_driver.cpp decides which tree has which controller.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "linux/cgroup.h"

namespace podium::kernel {

// Collects what could not be limited; each sentence once.
class CgroupWarnings {
 public:
  void Add(std::string sentence);
  std::vector<std::string> Take();

 private:
  std::mutex mutex_;
  std::set<std::string> said_;
  std::vector<std::string> fresh_;
};

// cpu.idle, before the weight: an idle cgroup takes none.
Result<void> WriteIdle(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);

// hugetlb.SIZE.SUFFIX and, where there is one, hugetlb.SIZE.rsvd.SUFFIX. kInvalidArgument for a
// size that is none: it would become part of a file's name.
Result<void> WriteHugepages(int folder, const CgroupLimits& limits, const std::string& suffix);
// Of the sizes that the folder has files of: the usage in hugetlb.SIZE.SUFFIX, and the failures
// that `failures` reads behind the prefix hugetlb.SIZE.
std::vector<HugepageStats> ReadHugepageFiles(int folder, const std::string& suffix,
                                             uint64_t (*failures)(int folder,
                                                                  const std::string& prefix));

// "8:16"
std::string DeviceName(int64_t major, int64_t minor);

// Writes burst and quota in the order that the kernel takes: neither may pass the other in between.
Result<void> WriteBurstAndQuota(const std::optional<uint64_t>& burst, int folder,
                                const std::string& burst_file,
                                Result<void> (*quota)(int folder, const CgroupLimits& limits),
                                const CgroupLimits& limits, CgroupWarnings* warnings);

// The files have the same names in both versions.
Result<void> SetCpuset(int folder, const CgroupLimits& limits);
Result<void> SetPids(int folder, const CgroupLimits& limits);
std::optional<PidStats> ReadPids(int folder);
// How many processes are in it, not in those below.
std::optional<uint64_t> CountProcesses(int folder);

namespace cgroup_v1 {

Result<void> SetCpu(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);
Result<void> SetMemory(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);
Result<void> SetHugepages(int folder, const CgroupLimits& limits);
Result<void> SetIo(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);

// A new folder has no processors and no memory nodes, and takes no process until it does: it gets
// its parent's.
Result<void> InheritCpuset(int parent, int folder);

std::optional<CpuStats> ReadCpuUsage(int cpuacct_folder, CgroupDetail detail);
// What is set, and how often it was reached.
void ReadCpuLimits(int cpu_folder, CpuStats* stats);
std::optional<MemoryStats> ReadMemory(int folder, CgroupDetail detail);
std::vector<HugepageStats> ReadHugepages(int folder);
std::vector<IoStats> ReadIo(int folder);
// With what happened below: v1 counts where the killed process was.
uint64_t OomKills(int folder);
Result<CgroupWatch> WatchOom(int folder);

}  // namespace cgroup_v1

namespace cgroup_v2 {

Result<void> SetCpu(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);
Result<void> SetMemory(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);
Result<void> SetHugepages(int folder, const CgroupLimits& limits);
Result<void> SetIo(int folder, const CgroupLimits& limits, CgroupWarnings* warnings);
Result<void> SetUnified(int folder, const CgroupLimits& limits);

std::optional<CpuStats> ReadCpu(int folder, CgroupDetail detail);
std::optional<MemoryStats> ReadMemory(int folder, CgroupDetail detail);
std::vector<HugepageStats> ReadHugepages(int folder);
std::vector<IoStats> ReadIo(int folder);
std::optional<Pressure> ReadPressure(int folder, const std::string& file);

}  // namespace cgroup_v2

}  // namespace podium::kernel
