// The status of a pod as the API shows it, from what is there. Pure; the rules are upstream's of
// release 1.36 (pkg/kubelet/kubelet_pods.go generateAPIPodStatus).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "node/container_status.h"
#include "node/observed_pod.h"

namespace podium::node {

struct StatusInput {
  const v1::Pod& pod;  // pod.status: what was told last
  const ObservedPod& observed;
  const WaitingReasons& waiting;
  const Readiness& readiness;
  const std::vector<std::string>& host_addresses;  // of the node, the first one first
  int64_t now = 0;
  // The pod ends: no container will be started again.
  bool terminal = false;
  // Its activeDeadlineSeconds ran out.
  bool deadline_exceeded = false;
};

inline constexpr std::string_view kDeadlineExceeded = "DeadlineExceeded";
inline constexpr std::string_view kDeadlineMessage =
    "Pod was active on the node longer than the specified deadline";

// A phase of Succeeded or Failed is never left again. startTime is `now` when the pod has none yet.
v1::PodStatus GeneratePodStatus(const StatusInput& input);

}  // namespace podium::node
