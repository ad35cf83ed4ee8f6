// Cgroups: what a pod and a container may use, what they used, and the sure way to end them.
//
// One interface over three kinds of machine:
//   v2      one tree, every controller in it (Linux 5.15 and newer have all that is used here)
//   v1      a tree per controller
//   hybrid  controllers in v1 trees, and a v2 tree beside them that knows no limits, or few, but
//           kills, freezes and tells events: each controller is used where it is mounted, and the
//           rest is done in the v2 tree
//
// A cgroup is named by its path below the driver's root, "pods/burstable/pod1/nginx"; the same path
// is used in every tree. The empty path is the root itself. A segment is 1 to 255 bytes, is neither
// "." nor ".." and has no control character. Nothing outside the root is ever written or removed,
// with one exception: on v2 the controllers are switched on for the folders above the root.
// (With CgroupOptions::whole there is nothing outside.)
//
// In v2 a cgroup with limited children holds no process of its own ("no internal processes"), so
// processes go only where no cgroup is made below.
//
// What a machine cannot limit, because a controller is not there, is left out, and said once for
// each kind of limit by TakeWarnings. A value that the kernel refuses is an error.
//
// Threads: everything may be called from any thread at any time. Two calls that change the same
// cgroup are the caller's to order.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace podium::kernel {

// In the words of OCI's LinuxResources and CRI's LinuxContainerResources. Bytes, microseconds.
// What is absent is left as it is.

struct DeviceRule {
  bool allow = false;
  char type = 'a';                    // 'a' all, 'b' block, 'c' character
  std::optional<int64_t> major = {};  // absent or -1: any
  std::optional<int64_t> minor = {};
  std::string access = "rwm";  // of r(ead), w(rite), m(knod)
};

struct HugepageLimit {
  std::string page_size = {};  // as the kernel names it: "2MB", "1GB"
  uint64_t limit = 0;
};

struct DeviceRate {
  int64_t major = 0;
  int64_t minor = 0;
  uint64_t rate = 0;  // a second; 0 is no limit
};

struct IoLimits {
  std::optional<uint16_t> weight = {};  // 10 to 1000
  std::vector<DeviceRate> read_bps = {};
  std::vector<DeviceRate> write_bps = {};
  std::vector<DeviceRate> read_iops = {};
  std::vector<DeviceRate> write_iops = {};
};

struct CgroupLimits {
  std::optional<uint64_t> cpu_shares = {};  // 2 to 262144; v2: cpu.weight
  std::optional<int64_t> cpu_quota = {};    // of each period; 0 or less: none
  std::optional<uint64_t> cpu_period = {};
  std::optional<uint64_t> cpu_burst = {};
  std::optional<int64_t> cpu_idle = {};  // 1: runs only when nothing else wants to
  std::string cpuset_cpus = {};          // "0-3,7"; empty: as it is
  std::string cpuset_mems = {};

  std::optional<int64_t> memory_limit = {};  // -1: none
  std::optional<int64_t> memory_swap = {};   // memory and swap together, as OCI has it; -1: none
  std::optional<int64_t> memory_reservation = {};  // memory.low; v1: the soft limit
  std::optional<int64_t> memory_min = {};          // v2 only
  std::optional<int64_t> memory_high = {};         // v2 only; -1: none
  std::optional<uint64_t> memory_swappiness = {};  // v1 only
  std::optional<bool> memory_oom_group = {};       // an OOM kill takes all of it; v2 only

  std::optional<int64_t> pids_limit = {};  // -1: none
  std::vector<HugepageLimit> hugepages = {};
  IoLimits io = {};

  // In order, a later one wins; the first says what holds for all others ('a'). None: left alone.
  // A rule that takes a part out of an earlier wildcard is refused: v1 cannot express it.
  std::optional<std::vector<DeviceRule>> devices = {};

  // Files of v2 and what to write there, after all others; a line is a write. On v1: kUnsupported.
  std::map<std::string, std::string> unified = {};
};

// "some": one task at least was waiting; "full": all were. Shares of time in per cent.
struct Pressure {
  struct Line {
    double avg10 = 0;
    double avg60 = 0;
    double avg300 = 0;
    uint64_t total_us = 0;
  };
  Line some;
  Line full;
};

struct CpuStats {
  uint64_t usage_ns = 0;
  uint64_t user_ns = 0;
  uint64_t system_ns = 0;
  uint64_t periods = 0;  // of cpu_quota, since it was set
  uint64_t throttled_periods = 0;
  uint64_t throttled_ns = 0;
  uint64_t burst_periods = 0;
  uint64_t burst_ns = 0;
  // As they are set. Shares are read back from the weight on v2, and may then differ by a little.
  std::optional<uint64_t> shares;
  std::optional<uint64_t> quota_us;  // absent: none
  std::optional<uint64_t> period_us;
};

struct MemoryStats {
  uint64_t usage = 0;
  uint64_t working_set = 0;       // usage without the file pages least recently used
  uint64_t rss = 0;               // anonymous
  uint64_t cache = 0;             // file pages
  std::optional<uint64_t> limit;  // absent: none, or the root
  std::optional<uint64_t> swap_usage;
  std::optional<uint64_t> swap_limit;  // of swap alone
  uint64_t page_faults = 0;
  uint64_t major_page_faults = 0;
  // The rest is read for CgroupDetail::kAll alone. What one version does not count is 0.
  uint64_t kernel = 0;
  uint64_t mapped_file = 0;
  uint64_t active_file = 0;
  uint64_t inactive_file = 0;
  uint64_t dirty = 0;
  uint64_t writeback = 0;
  uint64_t own_page_faults = 0;  // without those of the cgroups below; v2 does not tell them apart
  uint64_t own_major_page_faults = 0;
  uint64_t max_usage = 0;
  uint64_t limit_hits = 0;  // how often the limit was reached
  uint64_t high_hits = 0;   // memory.high; v2 only
  std::optional<uint64_t> reservation;
  uint64_t oom_kills = 0;
};

struct PidStats {
  uint64_t current = 0;
  std::optional<uint64_t> limit;
};

struct HugepageStats {
  std::string page_size;
  uint64_t usage = 0;
  uint64_t failures = 0;
};

struct IoStats {
  uint64_t major = 0;
  uint64_t minor = 0;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
  uint64_t reads = 0;
  uint64_t writes = 0;
};

// How much of CgroupStats is read: use of processors and memory, limits of memory, and pressure, in
// as few files as that takes; or all there is, in some twenty.
enum class CgroupDetail { kUse, kAll };

// A cgroup with all below it. Absent: no controller counts it.
struct CgroupStats {
  std::optional<CpuStats> cpu;
  std::optional<MemoryStats> memory;
  std::optional<PidStats> pids;
  std::optional<uint64_t> processes;  // in it, not in those below
  std::vector<HugepageStats> hugepages;
  std::vector<IoStats> io;
  std::optional<Pressure> cpu_pressure;  // v2 trees only
  std::optional<Pressure> memory_pressure;
  std::optional<Pressure> io_pressure;
};

// How a child gets into a cgroup. With `directory`, give it to clone3 (CLONE_INTO_CGROUP), or write
// "0" to `directory_procs` as for the others. Then the child, while it has one thread, writes "0"
// to each of `tasks` before it execs. Either part may be empty.
//
// `tasks` of v1 moves a thread, cgroup.procs all threads of a process. For the latter the kernel
// makes every processor see a lock first, which after some rest takes a grace period of RCU (10 ms
// and more); who moves itself alone needs no such lock (since Linux 5.5).
struct CgroupEntry {
  UniqueFd directory;        // of the v2 tree
  UniqueFd directory_procs;  // its cgroup.procs
  std::vector<UniqueFd> tasks;
};

// poll() `fd` for `events`; nothing is to be read from it but what Acknowledge reads. One that is
// ready only says "look again".
struct CgroupWatch {
  UniqueFd fd;
  short events = 0;
  // Makes ready again only what comes later. Never waits.
  void Acknowledge() const;
};

enum class CgroupMode { kV2, kV1, kHybrid };

struct CgroupOptions {
  std::string root = {};  // "podium", "a.slice/podium": below where cgroups are mounted
  // Instead: paths begin where cgroups are mounted, for who works in the cgroups of others and
  // knows which are whose. The empty path is then nobody's to remove, to kill or to freeze.
  bool whole = false;
  // Trees that are not to be used, though they are mounted: tests run as each kind of machine.
  bool use_v1 = true;
  bool use_v2 = true;
};

class CgroupDriver {
 public:
  // Finds what is mounted; makes nothing. kUnsupported where there are no cgroups.
  static Result<std::unique_ptr<CgroupDriver>> Detect(const CgroupOptions& options);
  virtual ~CgroupDriver() = default;

  virtual CgroupMode mode() const = 0;
  // False as soon as a cgroup was made whose CgroupLimits::devices could not be enforced: a version
  // 1 machine without the controller, a kernel without BPF for cgroups.
  virtual bool LimitsDevices() const = 0;

  // There afterwards, limited as said, whether it was there before or not; so are those above it,
  // without limits where they were not there. If it fails, a cgroup that it made is gone again.
  virtual Result<void> Create(std::string_view path, const CgroupLimits& limits) = 0;

  // kNotFound where it is not there. If it fails, some limits may be set and others not.
  virtual Result<void> Update(std::string_view path, const CgroupLimits& limits) = 0;

  // It and all below it are gone, and it succeeds where there was nothing. Processes must have been
  // ended before (Kill): those that are still on their way out are waited for, and when `timeout`
  // is over it fails with kDeadlineExceeded and names some.
  virtual Result<void> Remove(std::string_view path, std::chrono::milliseconds timeout) = 0;

  // Ends every process in it and below with SIGKILL, those that are being forked too. Returns when
  // there is none (zombies do not count), or after `timeout` with kDeadlineExceeded. Frozen ones
  // are ended like others, and stay frozen no longer. Succeeds where there is no such cgroup.
  virtual Result<void> Kill(std::string_view path, std::chrono::milliseconds timeout) = 0;

  // Returns when all of its processes stand still, or after `timeout` with kDeadlineExceeded: then
  // they run again.
  virtual Result<void> Freeze(std::string_view path, std::chrono::milliseconds timeout) = 0;
  virtual Result<void> Thaw(std::string_view path) = 0;

  // Whether there is a process in it or below. kNotFound.
  virtual Result<bool> Populated(std::string_view path) const = 0;
  // The processes in it and below.
  virtual Result<std::vector<pid_t>> Processes(std::string_view path) const = 0;

  virtual Result<CgroupStats> Stats(std::string_view path, CgroupDetail detail) const = 0;
  Result<CgroupStats> Stats(std::string_view path) const { return Stats(path, CgroupDetail::kAll); }

  // How many processes the kernel has killed, in it and below, because memory ran out; of cgroups
  // that were removed since, v1 forgets. 0 where no controller counts.
  virtual Result<uint64_t> OomKills(std::string_view path) const = 0;

  // Ready when OomKills may have grown. kUnsupported without a memory controller.
  virtual Result<CgroupWatch> WatchOom(std::string_view path) const = 0;
  // Ready when Populated may have changed. kUnsupported without a v2 tree.
  virtual Result<CgroupWatch> WatchPopulated(std::string_view path) const = 0;

  virtual Result<CgroupEntry> OpenForSpawn(std::string_view path) const = 0;
  // Moves a running process (all its threads) here.
  virtual Result<void> Join(std::string_view path, pid_t pid) = 0;

  // What could not be limited, and why, since the last call; the same sentence never twice.
  virtual std::vector<std::string> TakeWarnings() = 0;
};

// cpu.weight (1 to 10000) for shares (2 to 262144), by the formula of runc 1.3.2, crun 1.23 and
// Kubernetes 1.34 and newer: a curve of powers through 2 → 1, 1024 → 100 and 262144 → 10000. The
// straight line that was used before gave 39 for the default of 1024.
uint64_t CpuWeightFromShares(uint64_t shares);
// The least shares of this weight.
uint64_t CpuSharesFromWeight(uint64_t weight);

}  // namespace podium::kernel
