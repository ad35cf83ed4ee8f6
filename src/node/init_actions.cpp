#include "node/init_actions.h"

#include <algorithm>
#include <ranges>

namespace podium::node {
namespace {

std::string UnknownStateMessage(const ObservedContainer& container) {
  return "Init container is in \"" + std::string(StateName(container.state)) +
         "\" state, try killing it before restart";
}

// One pass from the last init container to the first. Containers that completed may have been
// removed, so the last one with a state is what tells how far the pod is.
class InitPlanner {
 public:
  InitPlanner(const PlanInput& input, PodActions* actions)
      : pod_(input.pod),
        observed_(input.observed),
        probes_(input.probes),
        given_(input.given),
        actions_(*actions) {}

  bool Run();

 private:
  void LookAt(size_t index, const v1::Container& container, const ObservedContainer& state);
  void LookAtRunningSidecar(size_t index, const v1::Container& container,
                            const ObservedContainer& state);
  void LookAtExited(size_t index, const v1::Container& container, const ObservedContainer& state);
  void LookAtUnknown(size_t index, const v1::Container& container, const ObservedContainer& state);

  // The one before `index` is through: the next may start, or there is none and the pod may run.
  void StartNext(size_t index) {
    if (index + 1 == pod_.spec.initContainers.size()) {
      initialized_ = true;
    } else if (!passed_) {
      Start(index + 1);
    }
  }
  void Start(size_t index) { actions_.init_containers_to_start.push_back(index); }
  void Kill(size_t index, const ObservedContainer& state, std::string message,
            KillReason reason = KillReason::kNone) {
    actions_.containers_to_kill.push_back(
        {state.id, {ContainerKind::kInit, index}, std::move(message), reason});
  }
  void Fail() {
    actions_.kill_pod = true;
    actions_.init_containers_to_start.clear();
    failed_ = true;
  }

  const v1::Pod& pod_;
  const ObservedPod& observed_;
  const ProbeResults& probes_;
  const GivenByName* const given_;
  PodActions& actions_;
  bool initialized_ = false;
  // What stands before the container at hand has been through already.
  bool passed_ = false;
  bool failed_ = false;
};

bool InitPlanner::Run() {
  // A container that was made proves it, in case the init containers were removed since. One of an
  // earlier sandbox that has exited or never started does not: the new one is initialized anew.
  for (const v1::Container& container : pod_.spec.containers) {
    const ObservedContainer* state = observed_.Find(container.name);
    if (!state || state->state == cri::ContainerState::kContainerUnknown) continue;
    const bool here =
        !observed_.sandboxes.empty() && state->sandbox_id == observed_.sandboxes.front().id;
    if (state->running() || here) initialized_ = true;
  }
  passed_ = initialized_;
  for (size_t index = pod_.spec.initContainers.size(); index-- > 0;) {
    const v1::Container& container = pod_.spec.initContainers[index];
    const ObservedContainer* state = observed_.Find(container.name);
    if (!state) {
      if (passed_ && IsSidecar(container)) Start(index);
      continue;
    }
    if (passed_ && !IsSidecar(container)) continue;
    LookAt(index, container, *state);
    if (failed_) return false;
    passed_ = true;
  }
  if (!passed_) Start(0);
  std::ranges::reverse(actions_.init_containers_to_start);
  std::ranges::reverse(actions_.containers_to_kill);
  return initialized_;
}

void InitPlanner::LookAt(size_t index, const v1::Container& container,
                         const ObservedContainer& state) {
  switch (state.state) {
    case cri::ContainerState::kContainerCreated:
      // Creating and starting is one step of ours; what stays created could not be started.
      Start(index);
      return;
    case cri::ContainerState::kContainerRunning:
      if (IsSidecar(container)) LookAtRunningSidecar(index, container, state);
      return;
    case cri::ContainerState::kContainerExited:
      LookAtExited(index, container, state);
      return;
    case cri::ContainerState::kContainerUnknown:
      LookAtUnknown(index, container, state);
      return;
  }
}

void InitPlanner::LookAtRunningSidecar(size_t index, const v1::Container& container,
                                       const ObservedContainer& state) {
  if (container.startupProbe) {
    const auto startup = probes_.Startup(state.id);
    if (startup == ProbeResult::kFailure) {
      Kill(index, state, "Init container " + container.name + " failed startup probe",
           KillReason::kStartupProbe);
      Start(index);
    }
    if (startup != ProbeResult::kSuccess) return;
  }
  StartNext(index);
  if (ContainerHash(container) != state.hash) {
    Kill(index, state, "Init container " + container.name + " definition changed");
    Start(index);
    return;
  }
  if (container.livenessProbe && probes_.Liveness(state.id) == ProbeResult::kFailure) {
    Kill(index, state, "Init container " + container.name + " failed liveness probe",
         KillReason::kLivenessProbe);
    Start(index);
    return;
  }
  if (given_ && ResizeNeedsRestart(container, ActuatedOf(pod_, container, state, *given_))) {
    Kill(index, state, ResizeKillMessage(container), KillReason::kResize);
    Start(index);
  }
}

void InitPlanner::LookAtExited(size_t index, const v1::Container& container,
                               const ObservedContainer& state) {
  if (!IsSidecar(container) && state.exit_code == 0) {
    StartNext(index);
  } else if (IsSidecar(container) || RestartsAfterExit(container, pod_.spec, state.exit_code)) {
    Start(index);
  } else {
    Fail();
  }
}

void InitPlanner::LookAtUnknown(size_t index, const v1::Container& container,
                                const ObservedContainer& state) {
  if (!IsSidecar(container) && !RestartsAfterExit(container, pod_.spec, state.exit_code)) {
    Fail();
    return;
  }
  Kill(index, state, UnknownStateMessage(state), KillReason::kUnknownState);
  Start(index);
}

}  // namespace

bool ComputeInitContainerActions(const PlanInput& input, PodActions* actions) {
  if (input.pod.spec.initContainers.empty()) return true;
  return InitPlanner(input, actions).Run();
}

bool AnyRegularContainerCreated(const v1::PodSpec& spec, const ObservedPod& observed) {
  return std::ranges::any_of(spec.containers, [&](const v1::Container& container) {
    const ObservedContainer* state = observed.Find(container.name);
    return state && state->state != cri::ContainerState::kContainerUnknown;
  });
}

}  // namespace podium::node
