#include "runtime/fake_runtime.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <utility>

namespace podium::runtime {
namespace {

constexpr int32_t kKilled = 128 + 9;

Error NotFound(std::string_view what, std::string_view id) {
  return {Code::kNotFound, "an error occurred when try to find " + std::string(what) + " \"" +
                               std::string(id) + "\": not found"};
}

Error Reserved(std::string_view what, const std::string& name, const std::string& holder) {
  return {Code::kAlreadyExists, "failed to reserve " + std::string(what) + " name \"" + name +
                                    "\": name \"" + name + "\" is reserved for \"" + holder + "\""};
}

}  // namespace

FakeRuntime::FakeRuntime(Duration start) : now_(start) {}

std::string FakeRuntime::NewId() {
  char digits[65];
  // Told apart by their beginnings, as random ones are.
  const uint64_t number = ++ids_;
  std::snprintf(digits, sizeof digits, "%016" PRIx64 "%048" PRIx64, number * 0x9e3779b97f4a7c15U,
                number);
  return digits;
}

Result<void> FakeRuntime::Enter(std::string_view method, std::string_view name) {
  calls_.push_back(name.empty() ? std::string(method)
                                : std::string(method) + ' ' + std::string(name));
  for (Failure& failure : failures_) {
    if (failure.times <= 0 || failure.method != method) continue;
    if (!failure.name.empty() && failure.name != name) continue;
    --failure.times;
    return failure.error;
  }
  return {};
}

Result<FakeRuntime::Sandboxes::iterator> FakeRuntime::GetSandbox(std::string_view id) {
  const auto found = FindById(sandboxes_, id);
  if (found == sandboxes_.end()) return NotFound("sandbox", id);
  return found;
}

Result<FakeRuntime::Containers::iterator> FakeRuntime::GetContainer(std::string_view id) {
  const auto found = FindById(containers_, id);
  if (found == containers_.end()) return NotFound("container", id);
  return found;
}

Result<FakeRuntime::Containers::iterator> FakeRuntime::GetRunning(std::string_view id,
                                                                  std::string_view what) {
  TRY(const auto container, GetContainer(id));
  TRY_VOID(Enter(what, container->second.config.metadata->name));
  const cri::ContainerState state = container->second.status.state;
  if (state != cri::ContainerState::kContainerRunning) {
    return Error(Code::kInvalidArgument,
                 "container is in " + std::string(StateName(state)) + " state");
  }
  return container;
}

void FakeRuntime::End(Containers::iterator container, int32_t code, std::string reason) {
  Entry& entry = container->second;
  entry.exit_at.reset();
  entry.status.state = cri::ContainerState::kContainerExited;
  entry.status.finished_at = now_.count();
  entry.status.exit_code = code;
  if (reason.empty()) reason = code == 0 ? kReasonCompleted : kReasonError;
  entry.status.reason = std::move(reason);
  QueueEvent(cri::ContainerEventType::kContainerStoppedEvent, container->first, entry.sandbox_id);
}

void FakeRuntime::AdvanceLocked(Duration until) {
  while (true) {
    auto next = containers_.end();
    for (auto at = containers_.begin(); at != containers_.end(); ++at) {
      const auto& exit_at = at->second.exit_at;
      if (!exit_at || *exit_at > until) continue;
      if (next == containers_.end() || *exit_at < *next->second.exit_at) next = at;
    }
    if (next == containers_.end()) break;
    now_ = std::max(now_, *next->second.exit_at);
    End(next, next->second.behaviour.exit_code, next->second.behaviour.reason);
  }
  now_ = std::max(now_, until);
}

void FakeRuntime::StopLocked(Containers::iterator container, Duration grace) {
  Entry& entry = container->second;
  if (entry.status.state != cri::ContainerState::kContainerRunning) return;
  if (grace <= Duration::zero()) return End(container, kKilled, "");
  if (!entry.behaviour.ignores_stop_signal) return End(container, entry.behaviour.stop_code, "");
  AdvanceLocked(now_ + grace);
  if (entry.status.state == cri::ContainerState::kContainerRunning) End(container, kKilled, "");
}

void FakeRuntime::StopSandboxLocked(Sandboxes::iterator sandbox) {
  for (auto at = containers_.begin(); at != containers_.end(); ++at) {
    if (at->second.sandbox_id == sandbox->first) StopLocked(at, Duration::zero());
  }
  if (sandbox->second.state == cri::PodSandboxState::kSandboxNotready) return;
  sandbox->second.state = cri::PodSandboxState::kSandboxNotready;
  sandbox->second.addresses.clear();
  QueueEvent(cri::ContainerEventType::kContainerStoppedEvent, sandbox->first, sandbox->first);
}

void FakeRuntime::QueueEvent(cri::ContainerEventType type, std::string_view id,
                             std::string_view sandbox_id) {
  cri::ContainerEventResponse event;
  event.container_id = id;
  event.container_event_type = type;
  event.created_at = now_.count();
  const auto sandbox = sandboxes_.find(sandbox_id);
  if (sandbox != sandboxes_.end()) {
    event.pod_sandbox_status = StatusOf(View(*sandbox), sandbox->second.addresses);
  }
  event.containers_statuses = StatusesIn(sandbox_id);
  events_.push_back(std::move(event));
}

void FakeRuntime::Deliver(Lock lock) {
  const EventHandler handler = handler_;
  const std::vector<cri::ContainerEventResponse> events = std::exchange(events_, {});
  lock.unlock();
  if (!handler) return;
  for (const cri::ContainerEventResponse& event : events) handler(event);
}

Result<Recovery> FakeRuntime::Recover() {
  const Lock lock(mutex_);
  TRY_VOID(Enter("Recover", ""));
  Recovery recovery;
  for (const auto& [id, sandbox] : sandboxes_) {
    const bool ready = sandbox.state == cri::PodSandboxState::kSandboxReady;
    (ready ? recovery.ready : recovery.not_ready).push_back(id);
  }
  return recovery;
}

void FakeRuntime::SetLogHandler(LogHandler handler, uint64_t bound) {
  const Lock lock(mutex_);
  log_handler_ = std::move(handler);
  log_bound_ = bound;
}

uint64_t FakeRuntime::log_bound() const {
  const Lock lock(mutex_);
  return log_bound_;
}

void FakeRuntime::TellLogGrown(const std::string& container_id, uint64_t written) {
  LogHandler handler;
  {
    const Lock lock(mutex_);
    handler = log_handler_;
  }
  if (handler) handler(container_id, written);
}

void FakeRuntime::SetEventHandler(EventHandler handler) {
  const Lock lock(mutex_);
  handler_ = std::move(handler);
}

Result<std::string> FakeRuntime::RunPodSandbox(const cri::PodSandboxConfig& config,
                                               std::string_view runtime_handler) {
  Lock lock(mutex_);
  if (!config.metadata) {
    return Error(Code::kInvalidArgument, "sandbox config must include metadata");
  }
  TRY_VOID(Enter("RunPodSandbox", config.metadata->name));
  if (!runtime_handler.empty() && runtime_handler != "podium") {
    return Error(Code::kInvalidArgument,
                 "no runtime for \"" + std::string(runtime_handler) + "\" is configured");
  }
  const std::string name = SandboxName(*config.metadata);
  for (const auto& [id, sandbox] : sandboxes_) {
    if (SandboxName(*sandbox.config.metadata) == name) return Reserved("sandbox", name, id);
  }
  const std::string id = NewId();
  Sandbox& sandbox = sandboxes_[id];
  sandbox.config = config;
  sandbox.created_at = now_.count();
  sandbox.handler = runtime_handler;
  const bool host_network =
      config.linux_ && config.linux_->security_context &&
      config.linux_->security_context->namespace_options &&
      config.linux_->security_context->namespace_options->network == cri::NamespaceMode::kNode;
  if (!host_network) {
    sandbox.addresses = {"10.208." + std::to_string(next_address_ / 250) + '.' +
                         std::to_string(next_address_ % 250 + 1)};
    ++next_address_;
  }
  QueueEvent(cri::ContainerEventType::kContainerCreatedEvent, id, id);
  QueueEvent(cri::ContainerEventType::kContainerStartedEvent, id, id);
  Deliver(std::move(lock));
  return id;
}

Result<void> FakeRuntime::StopPodSandbox(std::string_view sandbox_id) {
  Lock lock(mutex_);
  const auto found = FindById(sandboxes_, sandbox_id);
  TRY_VOID(Enter("StopPodSandbox",
                 found == sandboxes_.end() ? "" : found->second.config.metadata->name));
  if (found == sandboxes_.end()) return {};
  StopSandboxLocked(found);
  Deliver(std::move(lock));
  return {};
}

Result<void> FakeRuntime::RemovePodSandbox(std::string_view sandbox_id) {
  Lock lock(mutex_);
  const auto found = FindById(sandboxes_, sandbox_id);
  TRY_VOID(Enter("RemovePodSandbox",
                 found == sandboxes_.end() ? "" : found->second.config.metadata->name));
  if (found == sandboxes_.end()) return {};
  StopSandboxLocked(found);
  for (auto at = containers_.begin(); at != containers_.end();) {
    if (at->second.sandbox_id != found->first) {
      ++at;
      continue;
    }
    const std::string id = at->first;
    at = containers_.erase(at);
    QueueEvent(cri::ContainerEventType::kContainerDeletedEvent, id, found->first);
  }
  const std::string id = found->first;
  sandboxes_.erase(found);
  QueueEvent(cri::ContainerEventType::kContainerDeletedEvent, id, id);
  Deliver(std::move(lock));
  return {};
}

Result<std::string> FakeRuntime::CreateContainer(std::string_view sandbox_id,
                                                 const cri::ContainerConfig& config,
                                                 std::vector<MountSource> sources) {
  Lock lock(mutex_);
  TRY(const auto sandbox, GetSandbox(sandbox_id));
  if (!config.metadata) {
    return Error(Code::kInvalidArgument, "container config must include metadata");
  }
  TRY_VOID(Enter("CreateContainer", config.metadata->name));
  if (sandbox->second.state != cri::PodSandboxState::kSandboxReady) {
    return Error(Code::kUnavailable, "sandbox \"" + sandbox->first + "\" is not running");
  }
  for (const MountSource& source : sources) {
    if (source.index >= config.mounts.size() || !source.fd) {
      return Error(Code::kInvalidArgument, "a mount source belongs to no mount");
    }
  }
  if (!config.image || config.image->image.empty()) {
    return Error(Code::kInvalidArgument, "container config must include image");
  }
  const std::string name = ContainerName(*config.metadata, *sandbox->second.config.metadata);
  for (const auto& [id, entry] : containers_) {
    const Sandbox& owner = sandboxes_.find(entry.sandbox_id)->second;
    if (ContainerName(*entry.config.metadata, *owner.config.metadata) == name) {
      return Reserved("container", name, id);
    }
  }
  const std::string id = NewId();
  Entry& entry = containers_[id];
  entry.config = config;
  entry.sandbox_id = sandbox->first;
  entry.status = CreatedStatus(id, config, sandbox->second.config.log_directory, now_.count());
  entry.status.image_ref = config.image->image;
  entry.status.image_id = config.image->image;
  QueueEvent(cri::ContainerEventType::kContainerCreatedEvent, id, entry.sandbox_id);
  Deliver(std::move(lock));
  return id;
}

Result<void> FakeRuntime::StartContainer(std::string_view container_id) {
  Lock lock(mutex_);
  TRY(const auto container, GetContainer(container_id));
  Entry& entry = container->second;
  const std::string& name = entry.config.metadata->name;
  const Result<void> entered = Enter("StartContainer", name);
  if (entry.status.state != cri::ContainerState::kContainerCreated) {
    return Error(Code::kInvalidArgument,
                 "container is in " + std::string(StateName(entry.status.state)) + " state");
  }
  const Sandbox& sandbox = sandboxes_.find(entry.sandbox_id)->second;
  if (sandbox.state != cri::PodSandboxState::kSandboxReady) {
    return Error(Code::kUnavailable,
                 "sandbox container \"" + entry.sandbox_id + "\" is not running");
  }
  const auto behaviour = behaviours_.find(name);
  if (behaviour != behaviours_.end()) entry.behaviour = behaviour->second;
  Result<void> started;
  if (!entered.ok()) {
    started = entered.error();
  } else if (entry.behaviour.start_error) {
    started = Error(Code::kInvalidArgument, *entry.behaviour.start_error);
  }
  if (!started.ok()) {
    entry.status.started_at = 0;
    entry.status.message = started.error().message();
    End(container, kStartErrorCode, std::string(kReasonStartError));
    Deliver(std::move(lock));
    return started;
  }
  entry.status.state = cri::ContainerState::kContainerRunning;
  entry.status.started_at = now_.count();
  if (entry.behaviour.exits_after) entry.exit_at = now_ + *entry.behaviour.exits_after;
  QueueEvent(cri::ContainerEventType::kContainerStartedEvent, container->first, entry.sandbox_id);
  // What ends at once has ended before anybody can ask.
  AdvanceLocked(now_);
  Deliver(std::move(lock));
  return {};
}

Result<void> FakeRuntime::StopContainer(std::string_view container_id,
                                        std::chrono::seconds timeout) {
  Lock lock(mutex_);
  const auto found = FindById(containers_, container_id);
  TRY_VOID(Enter("StopContainer",
                 found == containers_.end() ? "" : found->second.config.metadata->name));
  if (found == containers_.end()) return {};
  StopLocked(found, timeout);
  Deliver(std::move(lock));
  return {};
}

Result<void> FakeRuntime::RemoveContainer(std::string_view container_id) {
  Lock lock(mutex_);
  const auto found = FindById(containers_, container_id);
  TRY_VOID(Enter("RemoveContainer",
                 found == containers_.end() ? "" : found->second.config.metadata->name));
  if (found == containers_.end()) return {};
  StopLocked(found, Duration::zero());
  const std::string id = found->first;
  const std::string sandbox_id = found->second.sandbox_id;
  containers_.erase(found);
  QueueEvent(cri::ContainerEventType::kContainerDeletedEvent, id, sandbox_id);
  Deliver(std::move(lock));
  return {};
}

}  // namespace podium::runtime
