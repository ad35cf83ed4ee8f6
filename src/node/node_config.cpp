#include "node/node_config.h"

#include "node/pod_spec.h"

namespace podium::node {

std::string PodFolder(const NodeConfig& config, std::string_view uid) {
  return config.data_dir + "/pods/" + std::string(uid);
}

std::string PodLogFolder(const NodeConfig& config, std::string_view name_space,
                         std::string_view name, std::string_view uid) {
  return config.log_dir + "/" + PodLogName(name_space, name, uid);
}

std::string RemovedVolumes(const NodeConfig& config, std::string_view uid) {
  return PodFolder(config, uid) + "/volumes.removed";
}

}  // namespace podium::node
