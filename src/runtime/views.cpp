#include "runtime/views.h"

#include <algorithm>
#include <tuple>

#include "runtime/draft.h"

namespace podium::runtime {

cri::PodSandbox Listed(const SandboxView& sandbox) {
  cri::PodSandbox listed;
  listed.id = sandbox.id;
  listed.metadata = sandbox.config.metadata;
  listed.state = sandbox.state;
  listed.created_at = sandbox.created_at;
  listed.labels = sandbox.config.labels;
  listed.annotations = sandbox.config.annotations;
  listed.runtime_handler = sandbox.handler;
  return listed;
}

cri::PodSandboxStatus StatusOf(const SandboxView& sandbox,
                               const std::vector<std::string>& addresses) {
  cri::PodSandboxStatus status;
  status.id = sandbox.id;
  status.metadata = sandbox.config.metadata;
  status.state = sandbox.state;
  status.created_at = sandbox.created_at;
  auto& network = status.network.emplace();
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (i == 0) {
      network.ip = addresses[i];
    } else {
      network.additional_ips.push_back({addresses[i]});
    }
  }
  status.linux_.emplace().namespaces.emplace().options = NamespacesOf(sandbox.config);
  status.labels = sandbox.config.labels;
  status.annotations = sandbox.config.annotations;
  status.runtime_handler = sandbox.handler;
  return status;
}

cri::ContainerStatus CreatedStatus(const std::string& id, const cri::ContainerConfig& config,
                                   const std::string& log_directory, int64_t created_at) {
  cri::ContainerStatus status;
  status.id = id;
  status.metadata = config.metadata;
  status.state = cri::ContainerState::kContainerCreated;
  status.created_at = created_at;
  status.image = config.image;
  status.labels = config.labels;
  status.annotations = config.annotations;
  status.mounts = config.mounts;
  status.stop_signal = config.stop_signal;
  if (config.linux_ && config.linux_->resources) {
    status.resources.ensure().linux_ = config.linux_->resources;
  }
  if (!config.log_path.empty()) status.log_path = log_directory + '/' + config.log_path;
  return status;
}

cri::Container Listed(const std::string& sandbox_id, const cri::ContainerStatus& container) {
  cri::Container listed;
  listed.id = container.id;
  listed.pod_sandbox_id = sandbox_id;
  listed.metadata = container.metadata;
  listed.image = container.image;
  listed.image_ref = container.image_ref;
  listed.image_id = container.image_id;
  listed.state = container.state;
  listed.created_at = container.created_at;
  listed.labels = container.labels;
  listed.annotations = container.annotations;
  return listed;
}

void SortByAge(std::vector<cri::ContainerStatus>* statuses) {
  std::ranges::sort(*statuses, {}, [](const cri::ContainerStatus& status) {
    return std::tie(status.created_at, status.id);
  });
}

cri::StatusResponse Abilities() {
  cri::StatusResponse response;
  for (const char* name : {"", "podium"}) {
    response.runtime_handlers.push_back({name, cri::RuntimeHandlerFeatures{true, true}});
  }
  response.features = cri::RuntimeFeatures{.supplemental_groups_policy = true,
                                           .user_namespaces_host_network = false};
  return response;
}

}  // namespace podium::runtime
