// The status of a pod as the API shows it, from what is there. Pure; the rules are upstream's of
// release 1.36 (pkg/kubelet/kubelet_pods.go generateAPIPodStatus).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/container_status.h"
#include "node/observed_pod.h"
#include "node/resize.h"

namespace podium::node {

// Why a pod is ended from outside: status.reason and status.message.
struct PodFailure {
  std::string reason;
  std::string message;
  // The condition DisruptionTarget says that the node ended it (reason TerminationByKubelet).
  bool disrupts = false;
  // What was short, for metrics: "memory.available", "emptydirfs.limit"; "": nothing was.
  std::string signal{};
};

struct StatusInput {
  const v1::Pod& pod;  // pod.status: what was told last
  const ObservedPod& observed;
  const WaitingReasons& waiting;
  const Readiness& readiness;
  const std::vector<std::string>& host_addresses;  // of the node, the first one first
  int64_t now = 0;
  // The pod ends: no container will be started again.
  bool terminal = false;
  // It fails, whatever its containers do.
  std::optional<PodFailure> failure = {};
  const ResizeState& resize;
};

inline constexpr std::string_view kDeadlineExceeded = "DeadlineExceeded";
inline constexpr std::string_view kDeadlineMessage =
    "Pod was active on the node longer than the specified deadline";

// A phase of Succeeded or Failed is never left again. startTime is `now` when the pod has none yet.
v1::PodStatus GeneratePodStatus(const StatusInput& input);

// What of it may be told: whoever reads that a pod has ended may use again what it had for itself
// (ports, devices). So phase, reason and message stay those from `before` while anything of it
// runs; conditions say already that it is not ready, and why (pkg/kubelet/status mergePodStatus).
v1::PodStatus WithholdEnd(v1::PodStatus generated, const v1::PodStatus& before, bool anything_runs);

// What others than the kubelet write becomes what it is in `shown`, the pod's status at the API
// server: their conditions, the nominated node, resource claims. The rest stays
// (pkg/kubelet/status mergePodStatus).
void TakeOthersPart(const v1::PodStatus& shown, v1::PodStatus* status);

}  // namespace podium::node
