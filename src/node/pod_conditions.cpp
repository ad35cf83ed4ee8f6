#include "node/pod_conditions.h"

#include <algorithm>
#include <array>

#include "node/pod_actions.h"

namespace podium::node {
namespace {

struct Counts {
  int pending_init = 0;
  int pending_sidecars = 0;
  int failed_init = 0;  // and not started again
  int unknown = 0;
  int running = 0;
  int waiting = 0;
  int stopped = 0;
  int succeeded = 0;
  int stopped_to_restart = 0;
};

void CountInit(const v1::Container& container, const v1::ContainerStatus* status,
               const v1::PodSpec& spec, Counts* counts) {
  auto ended = [&](int32_t code) {
    if (code != 0 && !RestartsAfterExit(container, spec, code)) ++counts->failed_init;
  };
  if (status && status->state.terminated) {
    ended(status->state.terminated->exitCode);
  } else if (status && status->state.waiting && status->lastState.terminated) {
    ended(status->lastState.terminated->exitCode);
    if (status->lastState.terminated->exitCode != 0) ++counts->pending_init;
  } else {
    ++counts->pending_init;
  }
}

void CountSidecar(const v1::ContainerStatus* status, Counts* counts) {
  if (!status) {
    ++counts->unknown;
  } else if (status->state.running) {
    if (!status->started.value_or(false)) ++counts->pending_sidecars;
    ++counts->running;
  } else if (status->state.waiting && !status->lastState.terminated) {
    ++counts->pending_sidecars;
    ++counts->waiting;
  }
  // One that ended does not decide the phase.
}

void CountRegular(const v1::Container& container, const v1::ContainerStatus* status,
                  const v1::PodSpec& spec, Counts* counts) {
  if (!status) {
    ++counts->unknown;
  } else if (status->state.running) {
    ++counts->running;
  } else if (status->state.terminated) {
    const int32_t code = status->state.terminated->exitCode;
    ++counts->stopped;
    if (code == 0) ++counts->succeeded;
    if (RestartsAfterExit(container, spec, code)) ++counts->stopped_to_restart;
  } else if (const auto& last = status->lastState.terminated) {
    ++counts->stopped;
    // Lost; or taken away because all containers start again, which cannot be told apart here.
    const bool restarts =
        RestartsAfterExit(container, spec, last->exitCode) || CouldRestartAllContainers(spec);
    if (restarts) ++counts->stopped_to_restart;
  } else {
    ++counts->waiting;
  }
}

Counts CountContainers(const v1::PodSpec& spec, const ContainerStatuses& statuses) {
  Counts counts;
  for (const v1::Container& container : spec.initContainers) {
    const v1::ContainerStatus* status = FindStatus(statuses.init, container.name);
    if (IsSidecar(container)) {
      CountSidecar(status, &counts);
    } else {
      CountInit(container, status, spec, &counts);
    }
  }
  for (const v1::Container& container : spec.containers) {
    CountRegular(container, FindStatus(statuses.regular, container.name), spec, &counts);
  }
  return counts;
}

// Go's %v of a list of strings.
std::string Listed(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) {
    if (out.size() > 1) out += ' ';
    out += name;
  }
  return out + "]";
}

struct Verdict {
  bool ok = true;
  std::string reason;
  std::string message;
};

std::string Both(const std::vector<std::string>& unknown, const char* what,
                 const std::vector<std::string>& others) {
  std::string out;
  if (!unknown.empty()) out = "containers with unknown status: " + Listed(unknown);
  if (!others.empty()) {
    if (!out.empty()) out += ", ";
    out += std::string("containers with ") + what + " status: " + Listed(others);
  }
  return out;
}

Verdict ContainersReady(const ConditionsInput& in) {
  std::vector<std::string> unknown;
  std::vector<std::string> unready;
  auto look = [&](const v1::Container& container, const v1::ContainerStatus* status) {
    if (!status) unknown.push_back(container.name);
    if (status && !status->ready) unready.push_back(container.name);
  };
  for (const v1::Container& container : in.pod.spec.initContainers) {
    if (IsSidecar(container)) look(container, FindStatus(in.statuses.init, container.name));
  }
  for (const v1::Container& container : in.pod.spec.containers) {
    look(container, FindStatus(in.statuses.regular, container.name));
  }
  if (in.phase == "Succeeded" && unknown.empty()) return {false, "PodCompleted", {}};
  if (in.phase == "Failed") return {false, "PodFailed", {}};
  std::string message = Both(unknown, "unready", unready);
  if (!message.empty()) return {false, "ContainersNotReady", std::move(message)};
  return {};
}

Verdict Ready(const ConditionsInput& in) {
  Verdict verdict = ContainersReady(in);
  if (!verdict.ok) return verdict;
  std::string message;
  for (const v1::PodReadinessGate& gate : in.pod.spec.readinessGates) {
    const v1::PodCondition* condition = FindCondition(in.before, gate.conditionType);
    if (condition && condition->status == "True") continue;
    if (!message.empty()) message += ", ";
    if (!condition) {
      message += "corresponding condition of pod readiness gate \"" + gate.conditionType +
                 "\" does not exist.";
    } else {
      message += "the status of pod readiness gate \"" + gate.conditionType +
                 "\" is not \"True\", but " + condition->status;
    }
  }
  if (!message.empty()) return {false, "ReadinessGatesNotReady", std::move(message)};
  return {};
}

Verdict Initialized(const ConditionsInput& in) {
  std::vector<std::string> unknown;
  std::vector<std::string> incomplete;
  for (const v1::Container& container : in.pod.spec.initContainers) {
    const v1::ContainerStatus* status = FindStatus(in.statuses.init, container.name);
    if (!status) {
      unknown.push_back(container.name);
    } else if (!(IsSidecar(container) ? status->started.value_or(false) : status->ready)) {
      incomplete.push_back(container.name);
    }
  }
  if (in.phase == "Succeeded" && unknown.empty()) return {true, "PodCompleted", {}};
  const bool started = std::ranges::any_of(in.statuses.regular, [](const auto& status) {
    return status.started.value_or(false) || status.state.running || status.state.terminated ||
           status.lastState.terminated;
  });
  if (started) return {};
  std::string message = Both(unknown, "incomplete", incomplete);
  if (message.empty()) return {};
  // Once initialized is always initialized, though a restart of all containers runs the init
  // containers again.
  const v1::PodCondition* before = FindCondition(in.before, "Initialized");
  if (CouldRestartAllContainers(in.pod.spec) && before && before->status == "True") return {};
  return {false, "ContainersNotInitialized", std::move(message)};
}

Verdict AllContainersRestarting(const ConditionsInput& in) {
  if (in.phase == "Succeeded") return {false, "PodCompleted", {}};
  if (in.phase == "Failed") return {false, "PodFailed", {}};
  if (!ShouldRestartAllContainers(in.pod, in.observed, in.before)) return {false, {}, {}};
  auto there = [&](const v1::Container& container) {
    return in.observed.Find(container.name) != nullptr;
  };
  if (!std::ranges::any_of(in.pod.spec.initContainers, there) &&
      !std::ranges::any_of(in.pod.spec.containers, there)) {
    return {false, {}, {}};
  }
  return {true, "RestartAllContainersStarted", "container exited with restart policy rule"};
}

constexpr auto kOurs = std::to_array<std::string_view>(
    {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
     "AllContainersRestarting", kResizePending, kResizeInProgress});

}  // namespace

std::string ComputePhase(const PhaseInput& in) {
  const Counts counts = CountContainers(in.spec, in.statuses);
  if (in.terminal && counts.running == 0) {
    // Whatever did not run did not succeed.
    const bool all = static_cast<size_t>(counts.succeeded) == in.spec.containers.size();
    return all ? "Succeeded" : "Failed";
  }
  if (counts.failed_init > 0 && !in.restarting_all) return "Failed";
  if (counts.pending_init > 0 || (counts.pending_sidecars > 0 && !in.started)) return "Pending";
  if (counts.waiting > 0) return "Pending";
  if (counts.running > 0 && counts.unknown == 0) return "Running";
  if (counts.stopped > 0 && counts.unknown == 0) {
    if (counts.stopped_to_restart > 0 || in.restarting_all) return "Running";
    return counts.stopped == counts.succeeded ? "Succeeded" : "Failed";
  }
  return "Pending";
}

reflect::List<v1::PodCondition> GenerateConditions(const ConditionsInput& in) {
  reflect::List<v1::PodCondition> out;
  for (const v1::PodCondition& condition : in.before.conditions) {
    if (!IsKubeletCondition(condition.type)) out.push_back(condition);
  }
  auto add = [&](std::string_view type, Verdict verdict,
                 std::optional<int64_t> generation = std::nullopt) {
    v1::PodCondition& condition = out.emplace_back();
    condition.type = type;
    condition.observedGeneration = generation.value_or(in.pod.metadata.generation);
    condition.status = verdict.ok ? "True" : "False";
    condition.reason = std::move(verdict.reason);
    condition.message = std::move(verdict.message);
    const v1::PodCondition* before = FindCondition(in.before, type);
    condition.lastTransitionTime =
        before && before->status == condition.status ? before->lastTransitionTime : in.now;
  };
  if (const auto& pending = in.resize.pending; pending && !IsTerminalPhase(in.phase)) {
    add(kResizePending, {true, pending->infeasible ? "Infeasible" : "Deferred", pending->message},
        pending->generation);
  }
  if (const auto& progress = in.resize.progress; progress && !IsTerminalPhase(in.phase)) {
    add(kResizeInProgress, {true, progress->error.empty() ? "" : "Error", progress->error},
        progress->generation);
  }
  add("PodReadyToStartContainers", {!PodSandboxChanged(in.pod, in.observed), {}, {}});
  add("Initialized", Initialized(in));
  add("Ready", Ready(in));
  add("ContainersReady", ContainersReady(in));
  add("PodScheduled", {});
  if (CouldRestartAllContainers(in.pod.spec)) {
    add("AllContainersRestarting", AllContainersRestarting(in));
  }
  return out;
}

bool IsKubeletCondition(std::string_view type) {
  return std::ranges::find(kOurs, type) != kOurs.end();
}

bool IsKubeletCondition(std::string_view type, std::string_view reason) {
  return IsKubeletCondition(type) || (type == kDisruptionTarget && reason == kTerminationByKubelet);
}

const v1::PodCondition* FindCondition(const v1::PodStatus& status, std::string_view type) {
  for (const v1::PodCondition& condition : status.conditions) {
    if (condition.type == type) return &condition;
  }
  return nullptr;
}

}  // namespace podium::node
