// What the whole machine uses, as /proc tells it. Of cgroups only the root has this, and what files
// that one has depends on the machine; what cAdvisor reads there for kubelets (release 1.36) comes
// from the same counters.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "linux/cgroup.h"

namespace podium::node {

struct DeviceUse {
  std::string name;
  uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
  uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};

// What cannot be read is 0, or absent.
struct MachineUse {
  int64_t read_at = 0;    // nanoseconds since 1970, as the caller said
  int64_t booted_at = 0;  // likewise; whole seconds
  // Since then, of all processors. Time that a hypervisor took is nobody's here.
  uint64_t cpu_ns = 0;
  uint64_t cpu_user_ns = 0;
  uint64_t cpu_system_ns = 0;

  uint64_t memory_total = 0;
  uint64_t memory_usage = 0;        // total without what is free
  uint64_t memory_working_set = 0;  // and without the file pages least recently used
  uint64_t memory_rss = 0;          // anonymous
  uint64_t memory_cache = 0;
  uint64_t page_faults = 0;
  uint64_t major_page_faults = 0;
  uint64_t swap_total = 0;
  uint64_t swap_usage = 0;

  int64_t max_pid = 0;
  int64_t threads = 0;  // that there are
  // Without loopback and the ends of pods' devices.
  std::vector<DeviceUse> devices;
  std::optional<kernel::Pressure> cpu_pressure;
  std::optional<kernel::Pressure> memory_pressure;
  std::optional<kernel::Pressure> io_pressure;
};

// `root` stands before the paths of all files, for tests.
MachineUse ReadMachineUse(int64_t now, const std::string& root = "");

// This process.
struct ProcessUse {
  int64_t started_at = 0;  // nanoseconds since 1970
  uint64_t cpu_ns = 0;
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t page_faults = 0;
  uint64_t major_page_faults = 0;
};
ProcessUse ReadOwnUse();

// A file system, by any path on it.
struct FileSystemUse {
  uint64_t capacity = 0;
  uint64_t available = 0;  // to who is not root
  uint64_t used = 0;
  uint64_t inodes = 0;
  uint64_t inodes_free = 0;
};
std::optional<FileSystemUse> ReadFileSystemUse(const std::string& path);
inline uint64_t InodesUsed(const FileSystemUse& use) {
  return use.inodes - std::min(use.inodes, use.inodes_free);
}

}  // namespace podium::node
