// /metrics/cadvisor: what cAdvisor shows inside a kubelet of release 1.36 (its
// metrics/prometheus.go and prometheus_machine.go, and pkg/kubelet/server's mapping of labels), as
// far as the kernel counts it: processors, memory, disks, network, processes, kills and pressure,
// of the machine
// ("/"), of the cgroups above pods, of pods and of containers.
//
// What differs: a pod's network is told with the pod's own cgroup, since the infra process is in
// none of the pod's. Not told are file systems per container (container_fs_usage_bytes and the
// like; nobody measures them at this pace), descriptors, sockets and limits of processes, and what
// cAdvisor reads of the machine's topology.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "node/cluster/machine_facts.h"
#include "node/stats/usage_sampler.h"

namespace podium::node {

// The names of block devices, "/dev/sda", by their numbers.
using DiskNames = std::map<std::pair<uint64_t, uint64_t>, std::string>;
// From /proc/diskstats below `root`.
DiskNames ReadDiskNames(const std::string& root = "");

// Of a sample that has all.
std::string CadvisorPage(const NodeSample& sample, const MachineFacts& machine,
                         const DiskNames& disks);

}  // namespace podium::node
