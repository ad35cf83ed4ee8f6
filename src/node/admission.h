// Whether the node takes a pod that was given to it: the scheduler may have seen it as it was, and
// static pods nobody has scheduled. Upstream's checks in their order (release 1.36: the handlers of
// pkg/kubelet/kubelet.go, pkg/kubelet/lifecycle/predicate.go, AdmissionCheck of pkg/scheduler,
// pkg/kubelet/preemption), with its reasons and messages:
//
//   Evicted                             the node is under pressure
//   SysctlForbidden                     sysctl_rules.h
//   PodOSSelectorNodeLabelDoesNotMatch  a label of the pod that is the node's
//   PodOSNotSupported                   spec.os
//   OutOfpods, OutOfcpu, OutOfmemory, OutOfephemeral-storage, OutOfhugepages-2Mi, OutOf…
//   NodeAffinity, NodeName, NodePorts, TaintToleration (of NoExecute; not static pods)
//   AppArmor                            the kernel has none
//   PodFeatureUnsupported               what this node cannot do (unsupported.h)
//   NodeShutdown                        the machine is about to go down
//
// A critical pod that only lacks resources is taken nevertheless, and others end for it: of
// Guaranteed pods as few as may be, then of Burstable ones, then of BestEffort ones; fewest pods
// before least requests. Extended resources that the node does not know are somebody else's to
// count. Supplemental groups are what the runtime here always can. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/pod_spec.h"
#include "node/pod_status.h"
#include "node/sysctl_rules.h"

namespace podium::node {

struct AdmissionInput {
  using Pods = std::vector<std::shared_ptr<const v1::Pod>>;

  const v1::Pod& pod;
  // All others that have not ended.
  const Pods& others;
  // As the server has it; null: nobody knows, and what would be asked of it is not.
  const v1::Node* node = nullptr;
  const SysctlRules& sysctls;
  // Conditions that are true of the node: MemoryPressure, DiskPressure, PIDPressure.
  std::vector<std::string> pressures = {};
  bool apparmor = true;        // of the kernel
  bool shutting_down = false;  // the machine
};

struct Admission {
  // Its message as upstream's handlers give it, without "Pod was rejected: ".
  std::optional<PodFailure> refusal = {};
  // It was refused for labels of the node alone, which may be newer at the server than here.
  bool labels_alone = false;
  // Taken, as soon as these have ended.
  AdmissionInput::Pods preempted = {};
  std::string preempted_for = {};  // the first resource that is missing
};

Admission AdmitPod(const AdmissionInput& input);

// Why a pod was ended for a critical one.
PodFailure PreemptionFailure();

}  // namespace podium::node
