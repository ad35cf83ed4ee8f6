// /stats/summary: stats.k8s.io/v1alpha1's Summary (k8s.io/kubelet/pkg/apis/stats/v1alpha1, release
// 1.36), of the node, of what the system needs on it (kubelet, runtime, pods), and of pods and
// their containers.
//
// What containers, logs and volumes hold is as old as its time says (pod_disks.h); what was not
// looked at yet is not there.
#pragma once

#include <optional>
#include <string>

#include "node/stats/machine_use.h"
#include "node/stats/pod_disks.h"
#include "node/stats/usage_sampler.h"

namespace podium::node {

struct SummaryDisks {
  int64_t read_at = 0;
  std::optional<FileSystemUse> node;    // of pods' files and of what containers write
  std::optional<FileSystemUse> images;  // of images
  std::optional<FileSystemUse> logs = {};
  PodDiskMap pods = {};
};

// JSON. Without `disks`, what ?only_cpu_and_memory=true leaves: processors, memory and swap.
std::string SummaryPage(const NodeSample& sample, const std::string& node_name,
                        const SummaryDisks* disks);

}  // namespace podium::node
