// What is shown: statuses, lists, events, conditions.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "linux/path.h"
#include "reflect/json.h"
#include "runtime/embedded_runtime.h"
#include "runtime/filters.h"
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

cri::PodSandboxStatus EmbeddedRuntime::StatusOf(const Sandbox& sandbox) const {
  cri::PodSandboxStatus status;
  status.id = sandbox.id;
  status.metadata = sandbox.config.metadata;
  status.state = sandbox.state;
  status.created_at = sandbox.created_at;
  auto& network = status.network.emplace();
  if (sandbox.network) {
    for (size_t i = 0; i < sandbox.network->addresses.size(); ++i) {
      const std::string& address = sandbox.network->addresses[i];
      if (i == 0) {
        network.ip = address;
      } else {
        network.additional_ips.push_back({address});
      }
    }
  }
  status.linux_.emplace().namespaces.emplace().options = NamespacesOf(sandbox.config);
  status.labels = sandbox.config.labels;
  status.annotations = sandbox.config.annotations;
  status.runtime_handler = sandbox.handler;
  return status;
}

cri::PodSandbox EmbeddedRuntime::Listed(const Sandbox& sandbox) const {
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

cri::Container EmbeddedRuntime::Listed(const Container& container) const {
  cri::Container listed;
  listed.id = container.id;
  listed.pod_sandbox_id = container.sandbox->id;
  listed.metadata = container.config.metadata;
  listed.image = container.status.image;
  listed.image_ref = container.status.image_ref;
  listed.image_id = container.status.image_id;
  listed.state = container.status.state;
  listed.created_at = container.status.created_at;
  listed.labels = container.config.labels;
  listed.annotations = container.config.annotations;
  return listed;
}

std::vector<cri::ContainerStatus> EmbeddedRuntime::StatusesIn(const Sandbox& sandbox) const {
  std::vector<cri::ContainerStatus> statuses;
  statuses.reserve(sandbox.containers.size());
  for (const auto& [id, container] : sandbox.containers) statuses.push_back(container->status);
  std::ranges::sort(statuses, {}, &cri::ContainerStatus::created_at);
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
  std::vector<cri::PodSandbox> list;
  for (const auto& [id, sandbox] : sandboxes_) {
    cri::PodSandbox listed = Listed(*sandbox);
    if (Matches(filter, listed)) list.push_back(std::move(listed));
  }
  return list;
}

Result<std::vector<cri::Container>> EmbeddedRuntime::ListContainers(
    const cri::ContainerFilter& filter) {
  const std::lock_guard lock(mutex_);
  std::vector<cri::Container> list;
  for (const auto& [id, container] : containers_) {
    cri::Container listed = Listed(*container);
    if (Matches(filter, listed)) list.push_back(std::move(listed));
  }
  return list;
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
  cri::StatusResponse response;
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
  for (const char* name : {"", "podium"}) {
    response.runtime_handlers.push_back({name, cri::RuntimeHandlerFeatures{true, true}});
  }
  response.features = cri::RuntimeFeatures{.supplemental_groups_policy = true,
                                           .user_namespaces_host_network = false};
  return response;
}

cri::RuntimeConfigResponse EmbeddedRuntime::RuntimeConfig() {
  return {cri::LinuxRuntimeConfiguration{cri::CgroupDriver::kCgroupfs}};
}

}  // namespace podium::runtime
