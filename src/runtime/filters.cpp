#include "runtime/filters.h"

namespace podium::runtime {
namespace {

namespace cri = wire::cri;

bool HasLabels(const reflect::Map<std::string>& labels, const reflect::Map<std::string>& selector) {
  for (const auto& [key, value] : selector) {
    const auto found = labels.find(key);
    if (found == labels.end() || found->second != value) return false;
  }
  return true;
}

}  // namespace

bool Matches(const cri::PodSandboxFilter& filter, const cri::PodSandbox& sandbox) {
  return sandbox.id.starts_with(filter.id) &&
         (!filter.state || filter.state->state == sandbox.state) &&
         HasLabels(sandbox.labels, filter.label_selector);
}

bool Matches(const cri::ContainerFilter& filter, const cri::Container& container) {
  return container.id.starts_with(filter.id) &&
         container.pod_sandbox_id.starts_with(filter.pod_sandbox_id) &&
         (!filter.state || filter.state->state == container.state) &&
         HasLabels(container.labels, filter.label_selector);
}

bool Matches(const cri::ContainerStatsFilter& filter, const cri::Container& container) {
  return container.id.starts_with(filter.id) &&
         container.pod_sandbox_id.starts_with(filter.pod_sandbox_id) &&
         HasLabels(container.labels, filter.label_selector);
}

bool Matches(const cri::PodSandboxStatsFilter& filter, const cri::PodSandbox& sandbox) {
  return sandbox.id.starts_with(filter.id) && HasLabels(sandbox.labels, filter.label_selector);
}

std::string SandboxName(const cri::PodSandboxMetadata& metadata) {
  return metadata.name + '_' + metadata.namespace_ + '_' + metadata.uid + '_' +
         std::to_string(metadata.attempt);
}

std::string ContainerName(const cri::ContainerMetadata& container,
                          const cri::PodSandboxMetadata& sandbox) {
  return container.name + '_' + sandbox.name + '_' + sandbox.namespace_ + '_' + sandbox.uid + '_' +
         std::to_string(container.attempt);
}

std::string_view StateName(cri::ContainerState state) {
  switch (state) {
    case cri::ContainerState::kContainerCreated:
      return "CONTAINER_CREATED";
    case cri::ContainerState::kContainerRunning:
      return "CONTAINER_RUNNING";
    case cri::ContainerState::kContainerExited:
      return "CONTAINER_EXITED";
    case cri::ContainerState::kContainerUnknown:
      break;
  }
  return "CONTAINER_UNKNOWN";
}

}  // namespace podium::runtime
