#include "node/pod_status.h"

#include <algorithm>

#include "api/validation/resources.h"
#include "node/pod_actions.h"
#include "node/pod_conditions.h"

namespace podium::node {
namespace {

void SetAddresses(const StatusInput& in, v1::PodStatus* status) {
  for (const std::string& address : in.host_addresses) {
    status->hostIPs.push_back({.ip = address});
  }
  if (!in.host_addresses.empty()) status->hostIP = in.host_addresses.front();
  std::vector<std::string> addresses = in.observed.Addresses();
  if (in.pod.spec.hostNetwork) addresses = in.host_addresses;
  // A sandbox that stopped has none any more; what was told stays, as the pod's last one.
  if (addresses.empty()) {
    for (const v1::PodIP& address : in.pod.status.podIPs) addresses.push_back(address.ip);
  }
  for (const std::string& address : addresses) status->podIPs.push_back({.ip = address});
  if (!addresses.empty()) status->podIP = addresses.front();
}

void SetPhase(const StatusInput& in, const ContainerStatuses& statuses, v1::PodStatus* status) {
  const v1::PodStatus& before = in.pod.status;
  if (IsTerminalPhase(before.phase)) {
    status->phase = before.phase;
  } else if (in.failure) {
    status->phase = "Failed";
    status->reason = in.failure->reason;
    status->message = in.failure->message;
    return;
  } else {
    const std::string sandbox =
        in.observed.sandboxes.empty() ? std::string() : in.observed.sandboxes.front().id;
    const bool started =
        std::ranges::any_of(in.pod.spec.containers, [&](const v1::Container& container) {
          const ObservedContainer* state = in.observed.Find(container.name);
          return state && state->sandbox_id == sandbox && state->started_at != 0;
        });
    status->phase =
        ComputePhase({.spec = in.pod.spec,
                      .statuses = statuses,
                      .started = started,
                      .terminal = in.terminal,
                      .restarting_all = ShouldRestartAllContainers(in.pod, in.observed, before)});
  }
  // Whoever set the phase said why.
  if (status->phase == before.phase) {
    status->reason = before.reason;
    status->message = before.message;
  }
}

// Told with the end, not before: while containers run the pod may be anything yet.
void SetDisruption(const StatusInput& in, v1::PodStatus* status) {
  if (!in.failure || !in.failure->disrupts || status->phase != "Failed" ||
      IsTerminalPhase(in.pod.status.phase) || in.observed.AnythingRuns()) {
    return;
  }
  std::erase_if(status->conditions,
                [](const v1::PodCondition& each) { return each.type == kDisruptionTarget; });
  v1::PodCondition& condition = status->conditions.emplace_back();
  condition.type = kDisruptionTarget;
  condition.observedGeneration = in.pod.metadata.generation;
  condition.status = "True";
  condition.reason = kTerminationByKubelet;
  condition.message = in.failure->message;
  const v1::PodCondition* before = FindCondition(in.pod.status, kDisruptionTarget);
  condition.lastTransitionTime =
      before && before->status == condition.status ? before->lastTransitionTime : TimeOf(in.now);
}

}  // namespace

v1::PodStatus GeneratePodStatus(const StatusInput& in) {
  const v1::PodStatus& before = in.pod.status;
  // Refused before it began: nothing is told of containers that never were to be.
  if (IsTerminalPhase(before.phase) && !before.startTime && in.observed.sandboxes.empty()) {
    return before;
  }
  v1::PodStatus status;
  status.observedGeneration = in.pod.metadata.generation;
  status.startTime = before.startTime ? before.startTime : TimeOf(in.now);
  status.qosClass =
      before.qosClass.empty() ? std::string(api::ComputePodQos(in.pod.spec)) : before.qosClass;
  status.nominatedNodeName = before.nominatedNodeName;
  status.resourceClaimStatuses = before.resourceClaimStatuses;
  SetAddresses(in, &status);

  ContainerStatuses statuses = GenerateContainerStatuses({.pod = in.pod,
                                                          .observed = in.observed,
                                                          .before = before,
                                                          .waiting = in.waiting,
                                                          .readiness = in.readiness,
                                                          .given = in.resize.given});
  SetPhase(in, statuses, &status);
  if (in.terminal && !in.observed.AnythingRuns()) FinishStatuses(in.pod, &statuses);
  status.conditions = GenerateConditions({.pod = in.pod,
                                          .observed = in.observed,
                                          .before = before,
                                          .statuses = statuses,
                                          .phase = status.phase,
                                          .resize = in.resize,
                                          .now = TimeOf(in.now)});
  SetDisruption(in, &status);
  status.initContainerStatuses = std::move(statuses.init);
  status.containerStatuses = std::move(statuses.regular);
  status.ephemeralContainerStatuses = std::move(statuses.ephemeral);
  LimitMessages(&status);
  return status;
}

v1::PodStatus WithholdEnd(v1::PodStatus generated, const v1::PodStatus& before,
                          bool anything_runs) {
  if (anything_runs && IsTerminalPhase(generated.phase) && !IsTerminalPhase(before.phase)) {
    generated.phase = before.phase;
    generated.reason = before.reason;
    generated.message = before.message;
  }
  return generated;
}

void TakeOthersPart(const v1::PodStatus& shown, v1::PodStatus* status) {
  status->nominatedNodeName = shown.nominatedNodeName;
  status->resourceClaimStatuses = shown.resourceClaimStatuses;
  reflect::List<v1::PodCondition> conditions;
  const v1::PodCondition* disruption = FindCondition(*status, kDisruptionTarget);
  const bool ours = disruption && IsKubeletCondition(disruption->type, disruption->reason);
  for (const v1::PodCondition& condition : shown.conditions) {
    if (IsKubeletCondition(condition.type) || (ours && condition.type == kDisruptionTarget)) {
      continue;
    }
    conditions.push_back(condition);
  }
  for (v1::PodCondition& condition : status->conditions) {
    if (IsKubeletCondition(condition.type, condition.reason)) {
      conditions.push_back(std::move(condition));
    }
  }
  status->conditions = std::move(conditions);
}

}  // namespace podium::node
