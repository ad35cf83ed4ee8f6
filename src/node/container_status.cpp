#include "node/container_status.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "node/pod_actions.h"

namespace podium::node {
namespace {

// All messages of a pod together; upstream's MaxPodTerminationMessageLogLength.
constexpr size_t kMaxMessages = size_t{12} * 1024;

constexpr auto kSignals = std::to_array<std::string_view>({"",
                                                           "SIGABRT",
                                                           "SIGALRM",
                                                           "SIGBUS",
                                                           "SIGCHLD",
                                                           "SIGCLD",
                                                           "SIGCONT",
                                                           "SIGFPE",
                                                           "SIGHUP",
                                                           "SIGILL",
                                                           "SIGINT",
                                                           "SIGIO",
                                                           "SIGIOT",
                                                           "SIGKILL",
                                                           "SIGPIPE",
                                                           "SIGPOLL",
                                                           "SIGPROF",
                                                           "SIGPWR",
                                                           "SIGQUIT",
                                                           "SIGSEGV",
                                                           "SIGSTKFLT",
                                                           "SIGSTOP",
                                                           "SIGSYS",
                                                           "SIGTERM",
                                                           "SIGTRAP",
                                                           "SIGTSTP",
                                                           "SIGTTIN",
                                                           "SIGTTOU",
                                                           "SIGURG",
                                                           "SIGUSR1",
                                                           "SIGUSR2",
                                                           "SIGVTALRM",
                                                           "SIGWINCH",
                                                           "SIGXCPU",
                                                           "SIGXFSZ",
                                                           "SIGRTMIN",
                                                           "SIGRTMIN+1",
                                                           "SIGRTMIN+2",
                                                           "SIGRTMIN+3",
                                                           "SIGRTMIN+4",
                                                           "SIGRTMIN+5",
                                                           "SIGRTMIN+6",
                                                           "SIGRTMIN+7",
                                                           "SIGRTMIN+8",
                                                           "SIGRTMIN+9",
                                                           "SIGRTMIN+10",
                                                           "SIGRTMIN+11",
                                                           "SIGRTMIN+12",
                                                           "SIGRTMIN+13",
                                                           "SIGRTMIN+14",
                                                           "SIGRTMIN+15",
                                                           "SIGRTMAX-14",
                                                           "SIGRTMAX-13",
                                                           "SIGRTMAX-12",
                                                           "SIGRTMAX-11",
                                                           "SIGRTMAX-10",
                                                           "SIGRTMAX-9",
                                                           "SIGRTMAX-8",
                                                           "SIGRTMAX-7",
                                                           "SIGRTMAX-6",
                                                           "SIGRTMAX-5",
                                                           "SIGRTMAX-4",
                                                           "SIGRTMAX-3",
                                                           "SIGRTMAX-2",
                                                           "SIGRTMAX-1",
                                                           "SIGRTMAX"});
static_assert(kSignals.size() == static_cast<size_t>(cri::Signal::kSigrtmax) + 1);

v1::ContainerState Waiting(std::string reason, std::string message = {}) {
  v1::ContainerState state;
  state.waiting =
      v1::ContainerStateWaiting{.reason = std::move(reason), .message = std::move(message)};
  return state;
}

v1::ContainerState Lost(const char* message) {
  v1::ContainerState state;
  v1::ContainerStateTerminated& terminated = state.terminated.emplace();
  terminated.reason = "ContainerStatusUnknown";
  terminated.message = message;
  terminated.exitCode = 137;
  return state;
}

v1::ContainerState Terminated(const ObservedContainer& container) {
  v1::ContainerState state;
  v1::ContainerStateTerminated& terminated = state.terminated.emplace();
  terminated.exitCode = container.exit_code;
  terminated.reason = container.reason;
  terminated.message = container.message;
  // One that could not be started has the time 0, as upstream, and not none.
  terminated.startedAt = api::Time::FromUnix(container.started_at / kNanosPerSecond);
  terminated.finishedAt = TimeOf(container.finished_at);
  terminated.containerID = std::string(kContainerIdPrefix) + container.id;
  return state;
}

reflect::List<v1::VolumeMountStatus> MountStatuses(const v1::Container& container) {
  reflect::List<v1::VolumeMountStatus> out;
  for (const v1::VolumeMount& mount : container.volumeMounts) {
    v1::VolumeMountStatus& status = out.emplace_back();
    status.name = mount.name;
    status.mountPath = mount.mountPath;
    status.readOnly = mount.readOnly;
    if (!mount.readOnly) continue;
    // Linux since 5.12 can make mounts read-only to their depths, and older ones are refused.
    const std::string mode = mount.recursiveReadOnly.value_or("Disabled");
    status.recursiveReadOnly = mode == "IfPossible" ? "Enabled" : mode;
  }
  return out;
}

class Generator {
 public:
  explicit Generator(const ContainerStatusInput& input)
      : in_(input),
        restarting_all_(
            std::ranges::any_of(input.before.conditions, [](const v1::PodCondition& condition) {
              return condition.type == "AllContainersRestarting" && condition.status == "True";
            })) {}

  v1::ContainerStatus StatusOf(const v1::Container& container, ContainerKind kind) const;

 private:
  v1::ContainerStatus FromRuntime(const v1::Container& container, const ObservedContainer& observed,
                                  const v1::ContainerStatus* before) const;
  v1::ContainerStatus WithoutRuntime(const v1::Container& container,
                                     const v1::ContainerStatus* before) const;
  // Its postStart hook, and it is being killed: until it is dead, nothing new is told of it.
  bool HookFailed(const v1::Container& container) const {
    const auto waiting = in_.waiting.find(container.name);
    return waiting != in_.waiting.end() && waiting->second.reason == kPostStartHookError;
  }
  void NoteWaiting(const v1::Container& container, ContainerKind kind,
                   v1::ContainerStatus* status) const;
  void NoteReadiness(const v1::Container& container, ContainerKind kind,
                     v1::ContainerStatus* status) const;

  const ContainerStatusInput& in_;
  // What ended was removed to be made anew.
  const bool restarting_all_;
};

v1::ContainerStatus Generator::FromRuntime(const v1::Container& container,
                                           const ObservedContainer& observed,
                                           const v1::ContainerStatus* before) const {
  v1::ContainerStatus status;
  status.name = container.name;
  // What was made and told and never started is gone after a restart of ours.
  status.restartCount = std::max(observed.restart_count, before ? before->restartCount : 0);
  status.image = observed.image.empty() ? container.image : observed.image;
  status.imageID = observed.image_ref;
  status.containerID = std::string(kContainerIdPrefix) + observed.id;
  switch (observed.state) {
    case cri::ContainerState::kContainerRunning:
      status.state.running = v1::ContainerStateRunning{.startedAt = TimeOf(observed.started_at)};
      break;
    case cri::ContainerState::kContainerExited:
      status.state = Terminated(observed);
      break;
    case cri::ContainerState::kContainerCreated:
      status.state = Waiting({});
      break;
    case cri::ContainerState::kContainerUnknown:
      if (before && before->state.running) {
        status.state = Lost("The container could not be located when the pod was terminated");
        ++status.restartCount;
      } else {
        status.state = Waiting({});
      }
      break;
  }
  if (observed.running()) {
    const v1::ResourceRequirements actuated = ActuatedOf(in_.pod, container, observed, in_.given);
    v1::ResourceRequirements& resources = status.resources.emplace();
    resources.limits = actuated.limits;
    resources.requests = actuated.requests;
  } else if (before) {
    status.resources = before->resources;
  }
  status.allocatedResources = container.resources.requests;
  status.volumeMounts = MountStatuses(container);
  if (observed.user && observed.user->linux_) {
    v1::LinuxContainerUser& user = status.user.emplace().linux_.emplace();
    user.uid = observed.user->linux_->uid;
    user.gid = observed.user->linux_->gid;
    user.supplementalGroups = observed.user->linux_->supplemental_groups;
  }
  if (container.lifecycle && container.lifecycle->stopSignal) {
    status.stopSignal = container.lifecycle->stopSignal;
  }
  return status;
}

v1::ContainerStatus Generator::WithoutRuntime(const v1::Container& container,
                                              const v1::ContainerStatus* before) const {
  v1::ContainerStatus status;
  status.name = container.name;
  status.image = container.image;
  // Of init containers and ephemeral ones, too, as upstream.
  const bool initializing = !in_.pod.spec.initContainers.empty();
  status.state = Waiting(initializing ? "PodInitializing" : "ContainerCreating");
  status.allocatedResources = container.resources.requests;
  if (!before) return status;
  if (before->state.terminated && !restarting_all_) return *before;  // it stays ended
  if (before->state.terminated) {
    status.lastState = before->state;
    status.restartCount = before->restartCount + 1;
    return status;
  }
  status.lastState = before->lastState;
  status.restartCount = before->restartCount;
  if (!before->state.running) return status;
  // It ran when the status was told last, and nobody saw its end.
  if (in_.pod.metadata.deletionTimestamp) {
    status = *before;
    status.lastState = {};
    status.state = Lost(
        "The container could not be located when the pod was deleted.  The container used to be "
        "Running");
  } else {
    status.lastState = Lost(
        "The container could not be located when the pod was deleted.  The container used to be "
        "Running");
    ++status.restartCount;
  }
  return status;
}

void Generator::NoteWaiting(const v1::Container& container, ContainerKind kind,
                            v1::ContainerStatus* status) const {
  auto reason = in_.waiting.find(container.name);
  if (reason == in_.waiting.end()) return;
  const ObservedContainer* newest = in_.observed.Find(container.name);
  // An init container that is through stays so.
  if (kind == ContainerKind::kInit && !IsSidecar(container) && newest && newest->exited() &&
      newest->exit_code == 0) {
    return;
  }
  if (kind == ContainerKind::kEphemeral ? newest != nullptr
                                        : !ShouldBeRestarted(in_.pod, container, newest)) {
    return;
  }
  if (status->state.terminated) status->lastState = status->state;
  status->state = Waiting(reason->second.reason, reason->second.message);
}

void Generator::NoteReadiness(const v1::Container& container, ContainerKind kind,
                              v1::ContainerStatus* status) const {
  const ObservedContainer* newest = in_.observed.Find(container.name);
  const bool running = status->state.running.has_value() && newest;
  if (kind == ContainerKind::kInit && !IsSidecar(container)) {
    status->ready = status->state.terminated && status->state.terminated->exitCode == 0;
    status->started = running;
    return;
  }
  const bool started = running && in_.readiness.Started(container, newest->id);
  if (kind == ContainerKind::kEphemeral) return;
  status->started = started;
  status->ready = started && in_.readiness.Ready(container, newest->id);
}

v1::ContainerStatus Generator::StatusOf(const v1::Container& container, ContainerKind kind) const {
  const v1::ContainerStatus* before = FindStatus(in_.before, container.name);
  const ObservedContainer* newest = nullptr;
  const ObservedContainer* second = nullptr;
  for (const ObservedContainer& observed : in_.observed.containers) {
    if (observed.name != container.name) continue;
    (newest ? second : newest) = &observed;
    if (second) break;
  }
  // The pod has ended, and all was told of its containers.
  if (before && before->state.terminated && IsTerminalPhase(in_.before.phase)) return *before;
  if (newest && newest->running() && HookFailed(container)) {
    return before ? *before : WithoutRuntime(container, before);
  }
  v1::ContainerStatus status;
  if (!newest) {
    status = WithoutRuntime(container, before);
  } else {
    status = FromRuntime(container, *newest, before);
    if (second && second->exited()) {
      status.lastState = Terminated(*second);
    } else if (before) {
      // Removed from the runtime since; of the same instance, what was said holds.
      status.lastState = before->containerID == status.containerID || !before->state.terminated
                             ? before->lastState
                             : before->state;
      // It was the last one while there was another, which never started.
      const auto& last = status.lastState.terminated;
      if (last && last->containerID == status.containerID) status.lastState = {};
    }
  }
  NoteWaiting(container, kind, &status);
  NoteReadiness(container, kind, &status);
  return status;
}

}  // namespace

ContainerStatuses GenerateContainerStatuses(const ContainerStatusInput& input) {
  const Generator generator(input);
  ContainerStatuses out;
  for (const v1::Container& container : input.pod.spec.initContainers) {
    out.init.push_back(generator.StatusOf(container, ContainerKind::kInit));
  }
  for (const v1::Container& container : input.pod.spec.containers) {
    out.regular.push_back(generator.StatusOf(container, ContainerKind::kRegular));
  }
  for (const v1::EphemeralContainer& container : input.pod.spec.ephemeralContainers) {
    out.ephemeral.push_back(generator.StatusOf(AsContainer(container), ContainerKind::kEphemeral));
  }
  auto by_name = [](const v1::ContainerStatus& a, const v1::ContainerStatus& b) {
    return a.name < b.name;
  };
  std::ranges::sort(out.regular, by_name);
  std::ranges::sort(out.ephemeral, by_name);
  return out;
}

void FinishStatuses(const v1::Pod& pod, ContainerStatuses* statuses) {
  auto finish = [](v1::ContainerStatus* status) {
    if (status->state.terminated) return;
    status->state = Lost("The container could not be located when the pod was terminated");
    status->ready = false;
    status->started = false;
  };
  auto began = [](const v1::ContainerStatus& status) {
    return status.state.terminated || status.lastState.terminated || status.state.running;
  };
  // Of the init containers, all up to the last one that began.
  size_t init = statuses->init.size();
  while (init > 0 && !began(statuses->init[init - 1])) --init;
  for (size_t i = 0; i < init; ++i) finish(&statuses->init[i]);
  const bool initialized =
      pod.spec.initContainers.empty() || std::ranges::any_of(statuses->regular, began) ||
      (init == pod.spec.initContainers.size() &&
       std::ranges::all_of(statuses->init, [&](const auto& status) {
         const v1::Container* container = FindContainer(pod.spec, status.name);
         return IsSidecar(*container) || status.state.terminated->exitCode == 0;
       }));
  if (!initialized) return;
  for (v1::ContainerStatus& status : statuses->regular) finish(&status);
}

const v1::ContainerStatus* FindStatus(const reflect::List<v1::ContainerStatus>& statuses,
                                      std::string_view name) {
  for (const v1::ContainerStatus& status : statuses) {
    if (status.name == name) return &status;
  }
  return nullptr;
}

const v1::ContainerStatus* FindStatus(const v1::PodStatus& status, std::string_view name) {
  for (const auto* list : {&status.initContainerStatuses, &status.containerStatuses,
                           &status.ephemeralContainerStatuses}) {
    if (const v1::ContainerStatus* found = FindStatus(*list, name)) return found;
  }
  return nullptr;
}

api::Time TimeOf(int64_t nanoseconds) {
  return nanoseconds == 0 ? api::Time() : api::Time::FromUnix(nanoseconds / kNanosPerSecond);
}

void LimitMessages(v1::PodStatus* status) {
  const size_t containers = status->containerStatuses.size() +
                            status->initContainerStatuses.size() +
                            status->ephemeralContainerStatuses.size();
  if (containers == 0) return;
  const size_t each = kMaxMessages / containers;
  auto cut = [&](v1::ContainerState* state) {
    if (!state->terminated || state->terminated->message.size() <= each) return;
    size_t end = each;
    // Not within a character.
    std::string& message = state->terminated->message;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
    message.resize(end);
  };
  for (auto* list : {&status->initContainerStatuses, &status->containerStatuses,
                     &status->ephemeralContainerStatuses}) {
    for (v1::ContainerStatus& container : *list) {
      cut(&container.state);
      cut(&container.lastState);
    }
  }
}

int32_t NextRestartCount(const ObservedPod& observed, const v1::PodStatus& before,
                         std::string_view name) {
  const v1::ContainerStatus* status = FindStatus(before, name);
  if (const ObservedContainer* newest = observed.Find(name)) {
    return std::max(newest->restart_count + 1, status ? status->restartCount : 0);
  }
  if (!status || status->containerID.empty()) return status ? status->restartCount : 0;
  return status->restartCount + 1;
}

std::string_view SignalName(cri::Signal signal) {
  const auto number = static_cast<size_t>(signal);
  return number < kSignals.size() ? kSignals[number] : std::string_view();
}

std::optional<cri::Signal> SignalOf(std::string_view name) {
  if (name.empty()) return std::nullopt;
  const auto found = std::ranges::find(kSignals, name);
  if (found == kSignals.end()) return std::nullopt;
  return static_cast<cri::Signal>(found - kSignals.begin());
}

}  // namespace podium::node
