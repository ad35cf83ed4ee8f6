#include "network/open_network.h"

#include "network/bridge_network.h"
#include "network/cni_config.h"
#include "network/cni_network.h"

namespace podium::network {

Result<std::unique_ptr<Network>> OpenNetwork(const Instance& instance,
                                             const NetworkSettings& settings) {
  // A configuration that cannot be read is one: the administrator means it, and Status says why
  // not.
  const auto config = LoadCniConfig(instance.cni_dir);
  if (settings.plugins_only || !config.ok() || config->has_value()) {
    TRY(std::unique_ptr<Network> network, CniNetwork::Open(CniOptionsOf(instance)));
    return network;
  }
  BridgeOptions options = BridgeOptionsOf(instance);
  options.spare_namespaces = settings.spare_namespaces;
  options.cluster_ranges = settings.cluster_ranges;
  TRY(std::unique_ptr<Network> network, BridgeNetwork::Open(options));
  return network;
}

}  // namespace podium::network
