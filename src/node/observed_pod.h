// What the runtime says of a pod: its sandboxes and containers, with what the kubelet wrote onto
// them when it made them (labels.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/types/cri.h"

namespace podium::node {

namespace cri = wire::cri;

struct ObservedContainer {
  std::string id;
  std::string name;
  std::string sandbox_id;
  cri::ContainerState state = cri::ContainerState::kContainerUnknown;
  int64_t created_at = 0;  // nanoseconds since 1970
  int64_t started_at = 0;
  int64_t finished_at = 0;
  int32_t exit_code = 0;
  std::string reason;
  std::string message;  // the runtime's, and the termination message behind it
  std::string image;
  std::string image_ref;
  std::string log_path;
  uint64_t hash = 0;
  int32_t restart_count = 0;
  int64_t termination_grace_period = -1;  // seconds; -1: not written
  std::string termination_message_path;   // in the container
  std::string termination_message_policy;
  std::string termination_message_file;  // on the host; empty: not mounted
  reflect::Box<cri::ContainerResources> resources;
  reflect::Box<cri::ContainerUser> user;
  cri::Signal stop_signal = cri::Signal::kRuntimeDefault;

  bool running() const { return state == cri::ContainerState::kContainerRunning; }
  bool exited() const { return state == cri::ContainerState::kContainerExited; }
};

struct ObservedPod {
  // Both newest first.
  std::vector<cri::PodSandboxStatus> sandboxes;
  std::vector<ObservedContainer> containers;

  // The newest of a name, or null.
  const ObservedContainer* Find(std::string_view name) const;
  // The newest of a name that exited, or null.
  const ObservedContainer* FindExited(std::string_view name) const;
  const ObservedContainer* FindById(std::string_view id) const;
  // The newest sandbox if it is ready, or null.
  const cri::PodSandboxStatus* ReadySandbox() const;
  // Anything that takes room on the machine: a ready sandbox, a container that runs.
  bool AnythingRuns() const;
  // Of the newest sandbox, the first one first; none for the host's network.
  std::vector<std::string> Addresses() const;

  // Puts both lists into order.
  void Sort();
};

// From a status that the runtime gave. `sandbox_id` is not part of it.
ObservedContainer ObserveContainer(const cri::ContainerStatus& status, std::string_view sandbox_id);

// What makes a container's state in a word of upstream's: "created", "running", "exited",
// "unknown".
std::string_view StateName(cri::ContainerState state);

}  // namespace podium::node
