#include "runtime/usage.h"

#include <algorithm>
#include <utility>

#include "runtime/embedded_runtime.h"
#include "runtime/host_facts.h"

namespace podium::runtime {

std::string EmbeddedRuntime::CgroupName(std::string_view path) const {
  if (options_.pod_cgroups_are_callers) return "/" + std::string(path);
  std::string name = "/" + options_.instance.cgroup_root;
  if (!path.empty()) name.append("/").append(path);
  return name;
}

Result<GroupUsage> EmbeddedRuntime::CgroupUsage(std::string_view path,
                                                kernel::CgroupDetail detail) {
  const std::string own = OwnCgroup(path);
  TRY(kernel::CgroupStats used, cgroups_.Stats(own, detail));
  return GroupUsage{.read_at = Now(), .cgroup = CgroupName(own), .used = std::move(used)};
}

std::optional<PodUsage> EmbeddedRuntime::UsageOf(const SandboxRef& sandbox,
                                                 kernel::CgroupDetail detail) {
  PodUsage pod;
  std::vector<std::pair<ContainerUsage, std::string>> running;
  {
    const std::lock_guard lock(mutex_);
    if (sandbox->state != cri::PodSandboxState::kSandboxReady) return std::nullopt;
    pod.sandbox_id = sandbox->id;
    pod.metadata = *sandbox->config.metadata;
    pod.created_at = sandbox->created_at;
    if (sandbox->network) pod.interface = sandbox->network->interface;
    for (const auto& [id, container] : sandbox->containers) {
      if (container->status.state != cri::ContainerState::kContainerRunning) continue;
      const cri::ContainerMetadata& metadata = *container->config.metadata;
      running.push_back({{.id = id,
                          .name = metadata.name,
                          .attempt = metadata.attempt,
                          .image = container->config.image ? container->config.image->image : "",
                          .created_at = container->status.created_at,
                          .started_at = container->status.started_at,
                          .cgroup = CgroupName(container->cgroup)},
                         container->cgroup});
    }
  }
  pod.cgroup = CgroupName(sandbox->cgroup);
  for (auto& [container, cgroup] : running) {
    auto of_container = cgroups_.Stats(cgroup, detail);
    if (!of_container.ok()) continue;
    container.used = *std::move(of_container);
    container.read_at = Now();
    pod.containers.push_back(std::move(container));
  }
  auto used = cgroups_.Stats(sandbox->cgroup, detail);
  if (!used.ok()) return std::nullopt;
  pod.used = *std::move(used);
  pod.read_at = Now();
  if (detail == kernel::CgroupDetail::kAll && !pod.interface.empty()) {
    const auto counters = network_.Counters(pod.sandbox_id);
    if (counters.ok()) pod.network = *counters;
  }
  return pod;
}

std::vector<PodUsage> EmbeddedRuntime::PodsUsage(kernel::CgroupDetail detail) {
  std::vector<SandboxRef> sandboxes;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, sandbox] : sandboxes_) sandboxes.push_back(sandbox);
  }
  std::vector<PodUsage> pods;
  pods.reserve(sandboxes.size());
  for (const SandboxRef& sandbox : sandboxes) {
    if (auto pod = UsageOf(sandbox, detail)) pods.push_back(*std::move(pod));
  }
  return pods;
}

}  // namespace podium::runtime
