// The network of an instance: CNI's when its folder holds a configuration, else the bridge.
#pragma once

#include <memory>

#include "base/instance.h"
#include "network/network.h"

namespace podium::network {

struct NetworkSettings {
  uint32_t spare_namespaces = 0;            // see BridgeOptions
  std::vector<std::string> cluster_ranges;  // likewise
  // CNI's in any case: without a configuration it is not ready, and takes one that comes later.
  bool plugins_only = false;
};

Result<std::unique_ptr<Network>> OpenNetwork(const Instance& instance,
                                             const NetworkSettings& settings);

}  // namespace podium::network
