// A node for tests.
#pragma once

#include "node/cluster/node_object.h"

namespace podium::node {

inline NodeDescription SmallNode() {
  NodeDescription node;
  node.name = "n1";
  node.addresses = {"10.0.0.7"};
  node.machine = {.machine_id = "0123456789abcdef0123456789abcdef",
                  .system_uuid = "4c4c4544-0042-3510-8052-b4c04f564433",
                  .boot_id = "f0cbe8b6-3c4c-4a3e-9f5f-b8e9f2b6d3f1",
                  .kernel_version = "6.1.0-28-amd64",
                  .os_image = "Debian GNU/Linux 12 (bookworm)",
                  .architecture = "amd64",
                  .cpus = 2,
                  .memory_bytes = int64_t{4046864} * 1024,
                  .swap_bytes = 0,
                  .disk_bytes = int64_t{30309264} * 1024,
                  .huge_pages = {{int64_t{2} << 20, 4}, {int64_t{1} << 30, 0}}};
  node.settings.hostname = "n1";
  node.settings.kubelet_version = "v1.36.0";
  node.settings.runtime_version = "podium://0.1.0";
  node.settings.kubelet_port = 10250;
  return node;
}

inline wire::cri::StatusResponse RuntimeStatus(bool network_ready = true) {
  wire::cri::StatusResponse status;
  auto& conditions = status.status.emplace().conditions;
  conditions.push_back({std::string(wire::cri::kRuntimeReady), true, "", ""});
  conditions.push_back({std::string(wire::cri::kNetworkReady), network_ready,
                        network_ready ? "" : "NetworkPluginNotReady",
                        network_ready ? "" : "cni plugin not initialized"});
  status.features.emplace().supplemental_groups_policy = true;
  status.runtime_handlers.resize(2);
  status.runtime_handlers[0].name = "podium";
  status.runtime_handlers[0].features.emplace().recursive_read_only_mounts = true;
  status.runtime_handlers[1].features.emplace().user_namespaces = true;
  return status;
}

}  // namespace podium::node
