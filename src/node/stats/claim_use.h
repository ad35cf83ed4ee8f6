// What the volumes of a pod's claims hold, as their file systems tell (upstream's
// pkg/kubelet/server/stats/volume_stat_calculator.go, release 1.36, over the plugins of volumes).
// As there, a local volume is measured and a hostPath is not, since nobody knows how much of that
// file system is the volume's.
//
// Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/types/core_v1.h"
#include "node/node_config.h"
#include "node/stats/machine_use.h"

namespace podium::node {

struct ClaimUse {
  std::string name_space{};
  std::string claim{};
  std::string volume{};  // its name in the pod
  FileSystemUse use;

  std::pair<std::string_view, std::string_view> key() const { return {name_space, claim}; }
};

// Of those that are set up; one call of the kernel for each.
std::vector<ClaimUse> MeasureClaims(const api::core::v1::Pod& pod, const NodeConfig& config);

// Each once, whichever of its pods has it; by namespace and name.
void SortClaims(std::vector<ClaimUse>* claims);

}  // namespace podium::node
