#include "node/cpus/shared_cpus.h"

#include "node/labels.h"

namespace podium::node {

void SharedCpus::Changed() {
  executor_.Post([self = shared_from_this()] { self->MoveAll(); });
}

void SharedCpus::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

void SharedCpus::MoveAll() {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  const auto containers = runtime_.ListContainers({});
  if (!containers.ok()) return;
  for (const auto& each : *containers) {
    const bool ended = each.state != wire::cri::ContainerState::kContainerRunning &&
                       each.state != wire::cri::ContainerState::kContainerCreated;
    const auto uid = each.labels.find(kPodUidLabel);
    const auto name = each.labels.find(kContainerNameLabel);
    if (ended || uid == each.labels.end() || name == each.labels.end()) continue;
    if (cpus_.CpusOf(uid->second, name->second).exclusive) continue;
    const auto status = runtime_.ContainerStatus(each.id, false);
    if (!status.ok() || !status->status || !status->status->resources) continue;
    wire::cri::LinuxContainerResources resources;
    if (const auto& has = status->status->resources->linux_) resources = *has;
    const std::string before = resources.cpuset_cpus;
    PinContainer(&cpus_, uid->second, name->second, &resources);
    if (resources.cpuset_cpus == before) continue;
    // One that ends just now needs none.
    (void)runtime_.UpdateContainerResources(each.id, resources);
  }
}

}  // namespace podium::node
