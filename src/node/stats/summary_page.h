// /stats/summary: stats.k8s.io/v1alpha1's Summary (k8s.io/kubelet/pkg/apis/stats/v1alpha1, release
// 1.36), of the node, of what the system needs on it (kubelet, runtime, pods), and of pods and
// their containers.
//
// Bytes on disks are told of whole file systems alone (node.fs, node.runtime): not of containers,
// logs and volumes, which would have to be walked through.
#pragma once

#include <optional>
#include <string>

#include "node/stats/machine_use.h"
#include "node/stats/usage_sampler.h"

namespace podium::node {

struct SummaryDisks {
  int64_t read_at = 0;
  std::optional<FileSystemUse> node;    // of pods' files
  std::optional<FileSystemUse> images;  // of images and of what containers write
};

// JSON. Without `disks`, what ?only_cpu_and_memory=true leaves: processors, memory and swap.
std::string SummaryPage(const NodeSample& sample, const std::string& node_name,
                        const SummaryDisks* disks);

}  // namespace podium::node
