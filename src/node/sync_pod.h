// SyncPod: carries out what ComputePodActions decided, in upstream's order
// (pkg/kubelet/kuberuntime, release 1.36):
//
//   1. the actions are computed          by the caller
//   2. the pod is killed                 when its sandbox has changed
//   3. containers that should not run    are killed
//   4. the sandbox                       is made, its volumes before it
//   5. ephemeral containers              are started
//   6. init containers                   are started
//   7. resources of running containers   are changed (resize.h)
//   8. containers                        are started
// Killing takes time and is left to the ContainerKiller: what must wait for it is planned again
// when it is done.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "node/container_killer.h"
#include "node/pod_actions.h"
#include "node/pod_services.h"

namespace podium::node {

// What is remembered of a pod between two rounds. Lost with the process, and made anew.
struct PodMemory {
  WaitingReasons waiting;
  BackOff back_off;   // of containers, by BackOffKey
  DueContainers due;  // to be started as soon as they have been killed
  // Containers that could not be made are not tried again before; by name.
  std::map<std::string, int64_t, std::less<>> hold;
  std::map<std::string, int64_t> told_back_off;  // until when people were told that it waits
  std::set<std::string> told_setup;              // events of its setup that were recorded
  BackOff setup;                                 // of volumes and sandbox
  ResizeState resize;
};

struct SyncInput {
  const std::shared_ptr<const v1::Pod>& pod;
  const ObservedPod& observed;
  const PodActions& actions;
  const http::Cancellation* cancellation = nullptr;
};

struct SyncOutcome {
  // When to try again what did not work; nanoseconds since 1970.
  std::optional<int64_t> retry_at;
};

// One for a pod; one caller at a time.
class PodSync {
 public:
  PodSync(PodServices& services, ContainerKiller& killer, PodMemory& memory)
      : services_(services), killer_(killer), memory_(memory) {}

  SyncOutcome Run(const SyncInput& input);

 private:
  struct Round;

  // False: nothing more is to be done in this round.
  bool ResetContainers(Round& round);
  bool KillPod(Round& round);
  void KillContainers(Round& round);
  bool MakeSandbox(Round& round);
  Result<void> RunSandbox(Round& round);
  Result<void> PrepareFolders(Round& round);
  bool PullVolumeImages(Round& round);
  bool StartContainer(Round& round, ContainerRef ref);
  bool CreateAndStart(Round& round, ContainerRef ref, const v1::Container& container,
                      const NodeImage& image);
  Result<std::string> CreateContainer(Round& round, ContainerRef ref,
                                      const v1::Container& container, const NodeImage& image);
  bool RunPostStart(Round& round, ContainerRef ref, const v1::Container& container,
                    const std::string& id);
  // Whether a container cannot be made or started because its sandbox has ended meanwhile. Then
  // that is no failure of the container's, and the next round makes another sandbox.
  bool SandboxEnded(Round& round);
  void NoteBackOff(Round& round);
  void Retry(Round& round, int64_t at);
  void RetrySetup(Round& round);
  void Hold(Round& round, const std::string& name, int64_t until);
  bool Fail(Round& round, ContainerRef ref, std::string reason, const std::string& message);

  PodServices& services_;
  ContainerKiller& killer_;
  PodMemory& memory_;
};

}  // namespace podium::node
