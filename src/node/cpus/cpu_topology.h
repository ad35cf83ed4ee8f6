// How the CPUs of a machine lie together, and which of them are best for a container that gets some
// for itself (upstream's pkg/kubelet/cm/cpumanager, takeByTopologyNUMAPacked).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "node/cpus/cpu_set.h"

namespace podium::node {

struct Cpu {
  int id = 0;
  int core = 0;  // a number that no other core has, in other sockets neither
  int socket = 0;
  int numa_node = 0;
};

// All that are online, by id.
using CpuTopology = std::vector<Cpu>;

// From /sys/devices/system. Where the kernel tells nothing of a CPU's place, each is a core of one
// socket.
Result<CpuTopology> ReadCpuTopology(const std::string& system);

CpuSet AllOf(const CpuTopology& topology);

// So many of the available ones: whole NUMA nodes and sockets where as many are needed, whole
// cores, then threads; each from where fewest are free, so that what is whole stays whole.
// kResourceExhausted, in upstream's words.
Result<CpuSet> TakeCpus(const CpuTopology& topology, const CpuSet& available, size_t count);

}  // namespace podium::node
