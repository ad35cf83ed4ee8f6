#include "node/pod_actions.h"

#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "node/init_actions.h"

namespace podium::node {
namespace {

bool RestartsOnFailure(const v1::PodSpec& spec) { return spec.restartPolicy != "Never"; }

struct SandboxChange {
  bool changed = false;
  uint32_t attempt = 0;
  std::string id;
};

SandboxChange FindSandboxChange(const v1::Pod& pod, const ObservedPod& observed) {
  if (observed.sandboxes.empty()) return {.changed = true, .attempt = 0, .id = {}};
  const cri::PodSandboxStatus& newest = observed.sandboxes.front();
  const uint32_t attempt = newest.metadata ? newest.metadata->attempt : 0;
  const auto ready = std::ranges::count_if(observed.sandboxes, [](const auto& sandbox) {
    return sandbox.state == cri::PodSandboxState::kSandboxReady;
  });
  if (ready > 1 || newest.state != cri::PodSandboxState::kSandboxReady) {
    return {.changed = true, .attempt = attempt + 1, .id = newest.id};
  }
  auto network = cri::NamespaceMode::kPod;
  if (newest.linux_ && newest.linux_->namespaces && newest.linux_->namespaces->options) {
    network = newest.linux_->namespaces->options->network;
  }
  if ((network == cri::NamespaceMode::kNode) != pod.spec.hostNetwork) {
    return {.changed = true, .attempt = attempt + 1, .id = {}};
  }
  if (!pod.spec.hostNetwork && (!newest.network || newest.network->ip.empty())) {
    return {.changed = true, .attempt = attempt + 1, .id = newest.id};
  }
  return {.changed = false, .attempt = attempt, .id = newest.id};
}

// Whether a container that succeeded is done for good, though its sandbox is a new one.
bool IsDone(const v1::Container& container, const v1::PodSpec& spec, const ObservedPod& observed) {
  const std::string& policy =
      container.restartPolicy ? *container.restartPolicy : spec.restartPolicy;
  if (policy != "OnFailure") return false;
  const ObservedContainer* state = observed.Find(container.name);
  return state && state->exited() && state->exit_code == 0;
}

// Whether nothing of a pod has run yet but init containers, and none of these has failed: then it
// may begin anew, whatever its policy says of what has run.
bool HasYetToRun(const v1::PodSpec& spec, const ObservedPod& observed) {
  return std::ranges::all_of(observed.containers, [&](const ObservedContainer& state) {
    if (state.state == cri::ContainerState::kContainerCreated) return true;
    const auto init = std::ranges::find(spec.initContainers, state.name, &v1::Container::name);
    if (init != spec.initContainers.end()) {
      return IsSidecar(*init) || (state.exited() && state.exit_code == 0);
    }
    return std::ranges::find(spec.containers, state.name, &v1::Container::name) ==
           spec.containers.end();
  });
}

bool HasBegunInPart(const v1::PodSpec& spec, const ObservedPod& observed) {
  const auto exited = std::ranges::count_if(spec.containers, [&](const v1::Container& container) {
    const ObservedContainer* state = observed.Find(container.name);
    return state && state->exited();
  });
  return exited > 0 && static_cast<size_t>(exited) < spec.containers.size();
}

void PlanNewSandbox(const PlanInput& input, PodActions* actions) {
  const v1::PodSpec& spec = input.pod.spec;
  // A pod that has run and is not to run again gets no new sandbox.
  if (!RestartsOnFailure(spec) && actions->attempt != 0 && !HasYetToRun(spec, input.observed)) {
    actions->create_sandbox = false;
    actions->is_over = !input.observed.AnythingRuns() && HasBegunInPart(spec, input.observed);
    return;
  }
  std::vector<size_t> to_start;
  for (size_t i = 0; i < spec.containers.size(); ++i) {
    if (!IsDone(spec.containers[i], spec, input.observed)) to_start.push_back(i);
  }
  // One without containers, which no API server lets through, must not make sandboxes on end.
  const bool nothing = spec.containers.empty();
  if (to_start.empty() && (nothing || AnyRegularContainerCreated(spec, input.observed))) {
    actions->create_sandbox = false;
    return;
  }
  if (spec.initContainers.empty()) {
    actions->containers_to_start = std::move(to_start);
  } else {
    actions->init_containers_to_start = {0};
  }
}

// What to kill a running container for; empty: nothing.
struct KillCause {
  std::string message;
  KillReason reason = KillReason::kNone;
  bool restart = false;
};

KillCause FindKillCause(const PlanInput& input, const v1::Container& container,
                        const ObservedContainer& state) {
  const bool restart = container.restartPolicy ? *container.restartPolicy != "Never"
                                               : RestartsOnFailure(input.pod.spec);
  if (ContainerHash(container) != state.hash) {
    return {"Container " + container.name + " definition changed", KillReason::kNone, true};
  }
  if (input.probes.Liveness(state.id) == ProbeResult::kFailure) {
    return {"Container " + container.name + " failed liveness probe", KillReason::kLivenessProbe,
            restart};
  }
  if (input.probes.Startup(state.id) == ProbeResult::kFailure) {
    return {"Container " + container.name + " failed startup probe", KillReason::kStartupProbe,
            restart};
  }
  if (input.given &&
      ResizeNeedsRestart(container, ActuatedOf(input.pod, container, state, *input.given))) {
    return {ResizeKillMessage(container), KillReason::kResize, true};
  }
  return {};
}

void PlanContainers(const PlanInput& input, PodActions* actions) {
  const v1::PodSpec& spec = input.pod.spec;
  size_t kept = 0;
  for (size_t i = 0; i < spec.containers.size(); ++i) {
    const v1::Container& container = spec.containers[i];
    const ContainerRef ref{ContainerKind::kRegular, i};
    const ObservedContainer* state = input.observed.Find(container.name);
    if (!state || !state->running()) {
      if (!ShouldBeRestarted(input.pod, container, state)) continue;
      actions->containers_to_start.push_back(i);
      if (state && state->state == cri::ContainerState::kContainerUnknown) {
        // It may run after all, and must not run twice.
        actions->containers_to_kill.push_back(
            {state->id, ref, "Container is in \"unknown\" state, try killing it before restart",
             KillReason::kUnknownState});
      }
      continue;
    }
    KillCause cause = FindKillCause(input, container, *state);
    if (cause.message.empty()) {
      ++kept;
      continue;
    }
    if (cause.restart) {
      if (cause.reason != KillReason::kResize) cause.message += ", will be restarted";
      actions->containers_to_start.push_back(i);
    }
    actions->containers_to_kill.push_back({state->id, ref, std::move(cause.message), cause.reason});
  }
  if (kept == 0 && actions->containers_to_start.empty()) {
    actions->kill_pod = true;
    // Sidecars do not keep a pod alive.
    actions->init_containers_to_start.clear();
  }
}

void PlanReset(const PlanInput& input, PodActions* actions) {
  std::vector<ContainerToReset> causes;
  auto add = [&](const v1::Container& container) {
    for (const ObservedContainer& state : input.observed.containers) {
      if (state.name != container.name) continue;
      const ContainerToReset reset{state.id, !state.exited()};
      const bool cause = state.exited() && RestartsAllContainers(container, state.exit_code);
      (cause ? causes : actions->containers_to_reset).push_back(reset);
    }
  };
  std::ranges::for_each(input.pod.spec.initContainers, add);
  std::ranges::for_each(input.pod.spec.containers, add);
  actions->containers_to_reset.insert(actions->containers_to_reset.end(), causes.begin(),
                                      causes.end());
}

// Moves what is in its back-off out of a list of indexes.
void HoldBack(const PlanInput& input, ContainerKind kind, std::vector<size_t>* indexes,
              PodActions* actions) {
  std::erase_if(*indexes, [&](size_t index) {
    const v1::Container& container = kind == ContainerKind::kInit
                                         ? input.pod.spec.initContainers[index]
                                         : input.pod.spec.containers[index];
    const ObservedContainer* exited = input.observed.FindExited(container.name);
    if (!exited || (input.due && input.due->contains(container.name))) return false;
    const std::string key = BackOffKey(input.pod, container);
    const auto until = input.back_off.WaitUntil(key, exited->finished_at, input.now);
    if (!until) return false;
    actions->in_back_off.push_back({{kind, index}, input.back_off.Delay(key), *until});
    actions->wait_until = std::min(actions->wait_until.value_or(*until), *until);
    return true;
  });
}

// An init container that waits holds up those behind it; a sidecar that has run before does not.
void HoldBackInitContainers(const PlanInput& input, PodActions* actions) {
  std::vector<size_t> wanted;
  wanted.swap(actions->init_containers_to_start);
  for (size_t index : wanted) {
    std::vector<size_t> one{index};
    HoldBack(input, ContainerKind::kInit, &one, actions);
    if (!one.empty()) {
      actions->init_containers_to_start.push_back(index);
    } else if (!IsSidecar(input.pod.spec.initContainers[index])) {
      return;
    }
  }
}

void PlanEphemeralContainers(const PlanInput& input, PodActions* actions) {
  for (size_t i = 0; i < input.pod.spec.ephemeralContainers.size(); ++i) {
    // They are never started a second time.
    if (!input.observed.Find(input.pod.spec.ephemeralContainers[i].name)) {
      actions->ephemeral_containers_to_start.push_back(i);
    }
  }
}

}  // namespace

bool PodActions::Empty() const {
  return !kill_pod && !create_sandbox && !is_over && init_containers_to_start.empty() &&
         containers_to_start.empty() && ephemeral_containers_to_start.empty() &&
         containers_to_kill.empty() && containers_to_reset.empty() && !resize;
}

PodActions ComputePodActions(const PlanInput& input) {
  PodActions actions;
  const SandboxChange sandbox = FindSandboxChange(input.pod, input.observed);
  actions.sandbox_id = sandbox.id;
  actions.attempt = sandbox.attempt;
  // A pod that ended or is to end is only taken apart.
  if (IsTerminalPhase(input.pod.status.phase) || input.pod.metadata.deletionTimestamp) {
    actions.kill_pod = input.observed.AnythingRuns();
    return actions;
  }
  if (input.restarting_all) {
    PlanReset(input, &actions);
    if (!actions.containers_to_reset.empty()) return actions;
  }
  actions.kill_pod = sandbox.changed;
  actions.create_sandbox = sandbox.changed;
  if (sandbox.changed) {
    PlanNewSandbox(input, &actions);
    if (!actions.create_sandbox) {
      actions.kill_pod = input.observed.AnythingRuns();
      return actions;
    }
  } else {
    PlanEphemeralContainers(input, &actions);
    if (ComputeInitContainerActions(input, &actions)) PlanContainers(input, &actions);
    actions.resize = input.given != nullptr;
    if (actions.kill_pod) {
      actions.ephemeral_containers_to_start.clear();
      actions.containers_to_kill.clear();
      actions.resize = false;
      return actions;
    }
  }
  HoldBackInitContainers(input, &actions);
  HoldBack(input, ContainerKind::kRegular, &actions.containers_to_start, &actions);
  return actions;
}

bool PodSandboxChanged(const v1::Pod& pod, const ObservedPod& observed) {
  return FindSandboxChange(pod, observed).changed;
}

std::string BackOffKey(const v1::Pod& pod, const v1::Container& container) {
  char hash[17];
  std::snprintf(hash, sizeof hash, "%lx", ContainerHash(container));
  return pod.metadata.name + "_" + pod.metadata.namespace_ + "_" + pod.metadata.uid + "_" +
         container.name + "_" + hash;
}

bool ShouldBeRestarted(const v1::Pod& pod, const v1::Container& container,
                       const ObservedContainer* newest) {
  if (pod.metadata.deletionTimestamp) return false;
  if (!newest) return true;
  switch (newest->state) {
    case cri::ContainerState::kContainerRunning:
      return false;
    case cri::ContainerState::kContainerCreated:
    case cri::ContainerState::kContainerUnknown:
      return true;
    case cri::ContainerState::kContainerExited:
      break;
  }
  return RestartsAfterExit(container, pod.spec, newest->exit_code);
}

bool ShouldRestartAllContainers(const v1::Pod& pod, const ObservedPod& observed,
                                const v1::PodStatus& status) {
  if (!CouldRestartAllContainers(pod.spec)) return false;
  for (const v1::PodCondition& condition : status.conditions) {
    if (condition.type == "AllContainersRestarting" && condition.status == "True") return true;
  }
  auto asks = [&](const v1::Container& container) {
    const ObservedContainer* state = observed.Find(container.name);
    return state && state->exited() && RestartsAllContainers(container, state->exit_code);
  };
  return std::ranges::any_of(pod.spec.initContainers, asks) ||
         std::ranges::any_of(pod.spec.containers, asks);
}

std::optional<int64_t> ActiveDeadline(const v1::Pod& pod, const std::optional<api::Time>& started) {
  if (!pod.spec.activeDeadlineSeconds || !started) return std::nullopt;
  return (started->unix_seconds() + *pod.spec.activeDeadlineSeconds) * kNanosPerSecond;
}

}  // namespace podium::node
