#include "node/eviction/dead_containers.h"

#include <string>

#include "node/labels.h"
#include "node/log_files.h"
#include "node/pod_status.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;

int RemoveContainersOf(const std::string& uid, runtime::Runtime& runtime) {
  cri::ContainerFilter filter;
  filter.label_selector.emplace(kPodUidLabel, uid);
  filter.state.ensure().state = cri::ContainerState::kContainerExited;
  const auto containers = runtime.ListContainers(filter);
  if (!containers.ok()) return 0;
  int removed = 0;
  for (const cri::Container& container : *containers) {
    const auto known = runtime.ContainerStatus(container.id, false);
    if (!runtime.RemoveContainer(container.id).ok()) continue;
    ++removed;
    if (known.ok() && known->status && !known->status->log_path.empty()) {
      RemoveLogFiles(known->status->log_path);
    }
  }
  return removed;
}

}  // namespace

int RemoveDeadContainers(const std::vector<std::shared_ptr<const v1::Pod>>& pods,
                         runtime::Runtime& runtime) {
  int removed = 0;
  for (const auto& pod : pods) {
    if (IsTerminalPhase(pod->status.phase)) {
      removed += RemoveContainersOf(pod->metadata.uid, runtime);
    }
  }
  return removed;
}

}  // namespace podium::node
