// Stopping and removing: containers, then sandboxes. All of it may be repeated.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/trace.h"
#include "runtime/embedded_runtime.h"
#include "runtime/signals.h"

namespace podium::runtime {
namespace {

using Clock = std::chrono::steady_clock;

// From a SIGKILL to the end of a process; one that waits for a disk or a server takes its time.
constexpr auto kKillTimeout = std::chrono::seconds(30);

}  // namespace

int EmbeddedRuntime::StopSignalOf(const Container& container) const {
  if (const int signal = SignalNumber(container.config.stop_signal)) return signal;
  const auto image = images_.Resolve(container.status.image_id);
  if (!image.ok()) return SIGTERM;
  const int signal = ParseSignal(image->document.config.StopSignal);
  return signal != 0 ? signal : SIGTERM;
}

Result<void> EmbeddedRuntime::SignalContainer(const ContainerRef& container, int signal) {
  shim::Signal message{};
  message.kind = shim::ProcessKind::kContainer;
  message.signal = signal;
  std::memcpy(message.id, container->id.data(),
              std::min(container->id.size(), sizeof message.id - 1));
  TRY(const auto client, ClientOf(*container->sandbox));
  const auto sent = client->Call(shim::MessageType::kSignal, message);
  if (sent.ok() || sent.error().os_errno() == ESRCH) return {};
  return sent.error();
}

bool EmbeddedRuntime::WaitForEnd(const ContainerRef& container, Clock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] {
    return container->removed || container->status.state == cri::ContainerState::kContainerExited;
  });
}

Result<void> EmbeddedRuntime::Kill(const ContainerRef& container) {
  (void)SignalContainer(container, SIGKILL);
  // Those that it has started too, and should the shim be gone, all the same.
  EmptyCgroup(container);
  if (WaitForEnd(container, Clock::now() + kKillTimeout)) return {};
  return Error(Code::kDeadlineExceeded, "container \"" + container->id + "\" does not die");
}

Result<void> EmbeddedRuntime::StopContainer(std::string_view container_id,
                                            std::chrono::seconds timeout) {
  const auto found = GetContainer(container_id);
  if (!found.ok()) return {};
  const ContainerRef& container = *found;
  const TraceSpan whole("StopContainer");
  {
    const std::lock_guard lock(mutex_);
    if (container->status.state != cri::ContainerState::kContainerRunning) return {};
    const auto by = Clock::now() + timeout;
    if (!container->stop_by || by < *container->stop_by) container->stop_by = by;
    changed_.notify_all();
  }
  if (timeout > timeout.zero()) {
    TRY_VOID(SignalContainer(container, StopSignalOf(*container)));
    std::unique_lock lock(mutex_);
    while (true) {
      // Another call may shorten it.
      const Clock::time_point by = *container->stop_by;
      const auto is_over = [&] {
        return container->removed ||
               container->status.state == cri::ContainerState::kContainerExited;
      };
      changed_.wait_until(lock, by, [&] { return is_over() || *container->stop_by < by; });
      if (is_over()) return {};
      if (Clock::now() >= *container->stop_by) break;
    }
  }
  return Kill(container);
}

Result<void> EmbeddedRuntime::RemoveContainer(std::string_view container_id) {
  const auto found = GetContainer(container_id);
  if (!found.ok()) return {};
  const ContainerRef& container = *found;
  const TraceSpan whole("RemoveContainer");
  const std::lock_guard operation(container->sandbox->operation);
  bool running = false;
  {
    const std::lock_guard lock(mutex_);
    if (container->removed) return {};
    running = container->status.state == cri::ContainerState::kContainerRunning;
  }
  if (running) TRY_VOID(Kill(container));
  if (const auto client = ClientOf(*container->sandbox); client.ok()) {
    shim::Target target{};
    std::memcpy(target.id, container->id.data(),
                std::min(container->id.size(), sizeof target.id - 1));
    // It need not know it: a container that was never started, or a shim that is gone.
    (void)(*client)->Call(shim::MessageType::kRemoveContainer, target);
  }
  return DestroyContainer(container);
}

Result<void> EmbeddedRuntime::StopSandboxLocked(const SandboxRef& sandbox) {
  bool was_ready = false;
  std::vector<ContainerRef> containers;
  std::vector<ContainerRef> running;
  {
    const std::lock_guard lock(mutex_);
    was_ready = sandbox->state == cri::PodSandboxState::kSandboxReady;
    sandbox->state = cri::PodSandboxState::kSandboxNotready;
    for (const auto& [id, container] : sandbox->containers) {
      containers.push_back(container);
      if (container->status.state == cri::ContainerState::kContainerRunning) {
        running.push_back(container);
      }
    }
  }
  // Recorded first: who dies in the middle is followed by one who goes on stopping.
  if (was_ready) TRY_VOID(WriteSandboxState(*sandbox));
  EndShim(&sandbox->shim);
  // Of those, too, whose start was broken off by their shim's end: nobody else knows how far it
  // was.
  for (const ContainerRef& container : containers) EmptyCgroup(container);
  for (const ContainerRef& container : running) {
    // The shim has said how it ended, before it ended itself.
    if (WaitForEnd(container, Clock::now() + std::chrono::seconds(1))) continue;
    EndContainer(container, 128 + SIGKILL, "", "",
                 std::chrono::duration_cast<std::chrono::nanoseconds>(
                     std::chrono::system_clock::now().time_since_epoch())
                     .count());
  }
  if (NamespacesOf(sandbox->config).network != cri::NamespaceMode::kNode) {
    TRY_VOID(network_.Teardown(sandbox->id));
  }
  DropNamespaces(sandbox.get());
  {
    const std::lock_guard lock(mutex_);
    sandbox->network.reset();
    if (was_ready) {
      Emit(cri::ContainerEventType::kContainerStoppedEvent, sandbox->id, *sandbox);
    }
    changed_.notify_all();
  }
  DeliverEvents();
  return {};
}

Result<void> EmbeddedRuntime::StopPodSandbox(std::string_view sandbox_id) {
  const auto found = GetSandbox(sandbox_id);
  if (!found.ok()) return {};
  const TraceSpan whole("StopPodSandbox");
  const std::lock_guard operation((*found)->operation);
  return StopSandboxLocked(*found);
}

Result<void> EmbeddedRuntime::RemovePodSandbox(std::string_view sandbox_id) {
  const auto found = GetSandbox(sandbox_id);
  if (!found.ok()) return {};
  const SandboxRef& sandbox = *found;
  const TraceSpan whole("RemovePodSandbox");
  const std::lock_guard operation(sandbox->operation);
  {
    const std::lock_guard lock(mutex_);
    if (sandbox->removed) return {};
  }
  TRY_VOID(StopSandboxLocked(sandbox));
  TRY_VOID(DestroySandbox(sandbox));
  {
    const std::lock_guard lock(mutex_);
    Emit(cri::ContainerEventType::kContainerDeletedEvent, sandbox->id, *sandbox);
  }
  DeliverEvents();
  return {};
}

}  // namespace podium::runtime
