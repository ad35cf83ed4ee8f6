// What is shown: statuses, lists, events, conditions.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "linux/path.h"
#include "reflect/json.h"
#include "runtime/embedded_runtime.h"
#include "runtime/host_facts.h"

namespace podium::runtime {
namespace {

// "net" and so on, of a process: the inodes, by which one sees who shares what. As JSON.
std::string NamespacesJson(pid_t pid) {
  std::string json = "{";
  for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}) {
    char target[64];
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + kind;
    const ssize_t size = readlink(path.c_str(), target, sizeof target);
    const std::string_view text(target, static_cast<size_t>(std::max<ssize_t>(size, 0)));
    const size_t open = text.find('[');
    if (open == std::string_view::npos || !text.ends_with(']')) continue;
    if (json.size() > 1) json += ',';
    json += '"';
    json += kind;
    json += "\":";
    json += text.substr(open + 1, text.size() - open - 2);
  }
  return json + "}";
}

std::string InfoJson(const std::string& cgroup, pid_t pid) {
  std::string json = "{\"pid\":" + std::to_string(pid) + ",\"cgroup\":";
  reflect::AppendJsonString(cgroup, &json);
  json += ",\"namespaces\":" + NamespacesJson(pid) + "}";
  return json;
}

}  // namespace

cri::PodSandboxStatus EmbeddedRuntime::StatusOf(const Sandbox& sandbox) {
  static const std::vector<std::string> kNone;
  return runtime::StatusOf(sandbox.view(), sandbox.network ? sandbox.network->addresses : kNone);
}

std::vector<cri::ContainerStatus> EmbeddedRuntime::StatusesIn(const Sandbox& sandbox) {
  std::vector<cri::ContainerStatus> statuses;
  statuses.reserve(sandbox.containers.size());
  for (const auto& [id, container] : sandbox.containers) statuses.push_back(container->status);
  SortByAge(&statuses);
  return statuses;
}

Result<cri::PodSandboxStatusResponse> EmbeddedRuntime::PodSandboxStatus(std::string_view sandbox_id,
                                                                        bool verbose) {
  TRY(const SandboxRef sandbox, GetSandbox(sandbox_id));
  cri::PodSandboxStatusResponse response;
  pid_t pid = 0;
  {
    const std::lock_guard lock(mutex_);
    response.status = StatusOf(*sandbox);
    response.containers_statuses = StatusesIn(*sandbox);
    if (sandbox->state == cri::PodSandboxState::kSandboxReady) pid = sandbox->shim.infra_pid;
  }
  response.timestamp = Now();
  if (verbose) response.info["info"] = InfoJson(sandbox->cgroup, pid);
  return response;
}

Result<std::vector<cri::PodSandbox>> EmbeddedRuntime::ListPodSandbox(
    const cri::PodSandboxFilter& filter) {
  const std::lock_guard lock(mutex_);
  return ListMatching(filter, sandboxes_,
                      [](const auto& sandbox) { return Listed(sandbox.second->view()); });
}

Result<std::vector<cri::Container>> EmbeddedRuntime::ListContainers(
    const cri::ContainerFilter& filter) {
  const std::lock_guard lock(mutex_);
  return ListMatching(filter, containers_, [](const auto& container) {
    return Listed(container.second->sandbox->id, container.second->status);
  });
}

Result<cri::ContainerStatusResponse> EmbeddedRuntime::ContainerStatus(std::string_view container_id,
                                                                      bool verbose) {
  TRY(const ContainerRef container, GetContainer(container_id));
  cri::ContainerStatusResponse response;
  pid_t pid = 0;
  {
    const std::lock_guard lock(mutex_);
    response.status = container->status;
    pid = container->pid;
  }
  if (verbose) response.info["info"] = InfoJson(container->cgroup, pid);
  return response;
}

void EmbeddedRuntime::Emit(cri::ContainerEventType type, const std::string& id,
                           const Sandbox& sandbox) {
  cri::ContainerEventResponse event;
  event.container_id = id;
  event.container_event_type = type;
  event.created_at = Now();
  event.pod_sandbox_status = StatusOf(sandbox);
  event.containers_statuses = StatusesIn(sandbox);
  events_.push_back(std::move(event));
}

void EmbeddedRuntime::DeliverEvents() {
  // Whoever comes while another delivers leaves its events to that one: order is kept, and a
  // handler that calls back does not wait for itself.
  while (true) {
    const std::unique_lock delivering(event_mutex_, std::try_to_lock);
    if (!delivering) return;
    while (true) {
      cri::ContainerEventResponse event;
      {
        const std::lock_guard lock(mutex_);
        if (events_.empty()) break;
        event = std::move(events_.front());
        events_.pop_front();
      }
      if (handler_) handler_(event);
    }
    // An event may have come between the last look and here, from one who left it to us.
    const std::lock_guard lock(mutex_);
    if (events_.empty()) return;
  }
}

Result<cri::StatusResponse> EmbeddedRuntime::Status() {
  cri::StatusResponse response = Abilities();
  auto& conditions = response.status.emplace().conditions;
  if (recovered_) {
    conditions.push_back({std::string(cri::kRuntimeReady), true, "", ""});
  } else {
    conditions.push_back({std::string(cri::kRuntimeReady), false, "RuntimeNotReady",
                          "what runs already is not taken over yet"});
  }
  const network::NetworkStatus network = network_.Status();
  conditions.push_back(
      {std::string(cri::kNetworkReady), network.ready, network.reason, network.message});
  return response;
}

cri::RuntimeConfigResponse EmbeddedRuntime::RuntimeConfig() {
  return {cri::LinuxRuntimeConfiguration{cri::CgroupDriver::kCgroupfs}};
}

}  // namespace podium::runtime
