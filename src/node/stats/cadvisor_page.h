// /metrics/cadvisor: what cAdvisor shows inside a kubelet of release 1.36 (its
// metrics/prometheus.go and prometheus_machine.go, and pkg/kubelet/server's mapping of labels), as
// far as the kernel counts it: processors, memory, disks, network, processes, kills and pressure,
// of the machine
// ("/"), of the cgroups above pods, of pods and of containers.
//
// What differs: a pod's network is told with the pod's own cgroup, since the infra process is in
// none of the pod's. What containers have written is as old as its time says (pod_disks.h). Not
// told are descriptors, sockets and limits of processes, and what
// cAdvisor reads of the machine's topology.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "node/cluster/machine_facts.h"
#include "node/stats/pod_disks.h"
#include "node/stats/usage_sampler.h"

namespace podium::node {

// The names of block devices, "/dev/sda", by their numbers.
using DiskNames = std::map<std::pair<uint64_t, uint64_t>, std::string>;
// From /proc/diskstats below `root`.
DiskNames ReadDiskNames(const std::string& root = "");

// The file system of what containers write.
struct LayerDisk {
  int64_t read_at = 0;
  std::string device;  // "/dev/sda1"; "" where it is none
  std::optional<FileSystemUse> use;
  PodDiskMap pods;
};

// Of a sample that has all.
std::string CadvisorPage(const NodeSample& sample, const MachineFacts& machine,
                         const DiskNames& disks, const LayerDisk& layers = {});

}  // namespace podium::node
