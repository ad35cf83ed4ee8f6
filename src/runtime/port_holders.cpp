// Who holds which port of a sandbox's network.
#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "linux/sockets.h"
#include "runtime/embedded_runtime.h"
#include "runtime/host_facts.h"

namespace podium::runtime {
namespace {

bool OnHostNetwork(const cri::PodSandboxConfig& config) {
  return NamespacesOf(config).network == cri::NamespaceMode::kNode;
}

}  // namespace

Result<std::vector<PortHolder>> EmbeddedRuntime::PortHolders(std::string_view sandbox_id) {
  TRY(const SandboxRef sandbox, GetSandbox(sandbox_id));
  struct Running {
    PortHolder holder;  // but for port and process
    std::string cgroup;
  };
  std::vector<Running> containers;
  pid_t infra = 0;
  {
    const std::lock_guard lock(mutex_);
    if (sandbox->state == cri::PodSandboxState::kSandboxReady) infra = sandbox->shim.infra_pid;
    const bool host = OnHostNetwork(sandbox->config);
    for (const auto& [id, container] : containers_) {
      const bool own = container->sandbox == sandbox;
      if (container->status.state != cri::ContainerState::kContainerRunning) continue;
      if (!own && !(host && OnHostNetwork(container->sandbox->config))) continue;
      Running& running = containers.emplace_back();
      running.cgroup = container->cgroup;
      running.holder.container_id = id;
      if (container->config.metadata) {
        running.holder.container_name = container->config.metadata->name;
      }
      const auto& pod = container->sandbox->config.metadata;
      if (own || !pod) continue;
      running.holder.pod_namespace = pod->namespace_;
      running.holder.pod_name = pod->name;
    }
  }
  if (infra == 0) return Error(Code::kNotFound, "sandbox " + sandbox->id + " is not ready");
  TRY(const std::vector<kernel::BoundSocket> bound, kernel::ReadBoundSockets(infra));
  std::map<uint64_t, kernel::BoundSocket> by_inode;
  for (const kernel::BoundSocket& socket : bound) by_inode.emplace(socket.inode, socket);

  std::vector<PortHolder> holders;
  if (by_inode.empty()) return holders;
  for (const Running& running : containers) {
    const auto processes = cgroups_.Processes(running.cgroup);
    if (!processes.ok()) continue;  // it has just ended
    for (const pid_t pid : *processes) {
      const auto sockets = kernel::OpenSockets(pid);
      if (!sockets.ok()) continue;
      for (const uint64_t inode : *sockets) {
        const auto found = by_inode.find(inode);
        if (found == by_inode.end()) continue;
        auto program = kernel::ProcessName(pid);
        if (!program.ok()) continue;
        PortHolder holder = running.holder;
        holder.protocol = found->second.udp ? cri::Protocol::kUdp : cri::Protocol::kTcp;
        holder.port = found->second.port;
        holder.pid = pid;
        holder.program = *std::move(program);
        holders.push_back(std::move(holder));
      }
    }
  }
  // A server's workers hold what it holds: the first process of each container stands for them.
  const auto key = [](const PortHolder& each) {
    return std::tie(each.protocol, each.port, each.container_id);
  };
  std::ranges::sort(holders, {}, [&](const PortHolder& each) {
    return std::tuple_cat(key(each), std::tie(each.pid));
  });
  const auto same = std::ranges::unique(
      holders, [&](const PortHolder& a, const PortHolder& b) { return key(a) == key(b); });
  holders.erase(same.begin(), same.end());
  return holders;
}

}  // namespace podium::runtime
