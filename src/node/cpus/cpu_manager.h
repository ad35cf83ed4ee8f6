// CPUs of their own for containers that need them: the kubelet's static policy
// (pkg/kubelet/cm/cpumanager, release 1.36).
//
//   all CPUs = shared pool + those of containers
// A container of a Guaranteed pod that asks for whole CPUs gets as many for itself, from its
// admission to the pod's end; everybody else runs in the shared pool, which holds the CPUs that are
// reserved for the system and shrinks and grows with what the others have. Those of an init
// container go on to the containers behind it.
//
// Who has what stands in DATA/cpu_manager_state, so that a new agent leaves it as it is.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "node/cpus/cpu_topology.h"
#include "node/pod_spec.h"
#include "wire/types/cri.h"

namespace podium::node {

class CpuManager {
 public:
  struct Options {
    CpuTopology topology;
    CpuSet reserved{};           // by name,
    int64_t reserved_milli = 0;  // or as many as these thousandths need
    std::string state;           // the file
  };

  // kInvalidArgument: nothing is reserved, what is reserved is not there, or the state is of
  // another machine; the message says what to do.
  static Result<std::unique_ptr<CpuManager>> Open(Options options);
  CpuManager(const CpuManager&) = delete;
  CpuManager& operator=(const CpuManager&) = delete;

  // Called when the shared pool is another, without a lock of the manager's.
  void OnChange(std::function<void()> changed);

  // Of all containers of the pod; once more is fine. An error: none has any. kResourceExhausted, in
  // upstream's words; the state that cannot be written is one too.
  Result<void> Allocate(const v1::Pod& pod);
  // The pod runs no more.
  void Release(std::string_view uid);
  // Only pods of these uids are left.
  void ReleaseOthers(const std::function<bool(std::string_view uid)>& is_there);

  struct Cpus {
    CpuSet cpus;
    bool exclusive = false;
  };
  Cpus CpusOf(std::string_view uid, std::string_view container) const;
  // Whether some container of the pod has CPUs of its own.
  bool HasExclusive(std::string_view uid) const;

 private:
  using Containers = std::map<std::string, CpuSet, std::less<>>;
  using Pods = std::map<std::string, Containers, std::less<>>;

  explicit CpuManager(Options options) : options_(std::move(options)) {}

  Result<void> Reserve();
  Result<void> Load();
  // What `pods` leave.
  CpuSet SharedPool(const Pods& pods) const;
  Result<void> Replace(Pods pods);
  void TellChange();

  const Options options_;
  CpuSet all_;
  CpuSet reserved_;
  mutable std::mutex mutex_;
  // Under mutex_.
  Pods pods_;
  std::function<void()> changed_;
};

// Without the policy there must be no state of it: its containers would stay where they are.
Result<void> CheckNoCpuState(const std::string& state);

// Onto its CPUs; one that has them for itself is not throttled either. Null: it may run on all.
void PinContainer(const CpuManager* cpus, std::string_view uid, std::string_view container,
                  wire::cri::LinuxContainerResources* resources);
// The pod's own cgroup throttles none that has CPUs for itself.
void PinPod(const CpuManager* cpus, std::string_view uid,
            wire::cri::LinuxContainerResources* resources);

// CPUs that the container gets for itself; 0 where it shares.
size_t ExclusiveCpus(const v1::Pod& pod, const v1::Container& container);

}  // namespace podium::node
