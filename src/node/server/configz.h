// /configz: what is in force of a kubelet's configuration (KubeletConfiguration of
// kubelet.config.k8s.io/v1beta1, release 1.36, by its fields' names), as upstream shows it below
// "kubeletconfig". Fields that say nothing of this agent, and those that nobody has set and that
// have no effect here, are not there.
#pragma once

#include <string>
#include <vector>

#include "node/cluster/node_object.h"
#include "node/eviction/eviction_manager.h"
#include "node/node_config.h"
#include "node/shutdown/shutdown_groups.h"

namespace podium::node {

struct ConfigzInput {
  const NodeConfig& config;
  const NodeDescription& node;
  const EvictionSettings& eviction;
  std::string static_pod_path{};
  uint16_t port = 0;
  bool rotate_certificates = true;          // the node renews its own, which the cluster signs
  bool rotate_server_certificates = false;  // serverTLSBootstrap
  ShutdownGraces shutdown{};
};

// JSON. Pure.
std::string ConfigzPage(const ConfigzInput& input);

}  // namespace podium::node
