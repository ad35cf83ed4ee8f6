// One reading of all that a node's metrics are made of, shared by whoever asks within a second.
// Nothing is read when nobody asks.
//
// Rates need two readings: NanoCores tells a cgroup's use of processors since an earlier one, ten
// seconds ago or more, as cAdvisor's housekeeping has it for kubelets. Who asks for the first time
// since long gets none.
//
// Threads: any. Take reads files of the kernel, some ten microseconds each; who asks meanwhile
// waits for the same reading.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "node/stats/machine_use.h"
#include "runtime/usage.h"

namespace podium::node {

// The cgroups of all pods, and of those that are in no Guaranteed class.
inline constexpr std::string_view kPodsCgroup = "kubepods";
inline constexpr std::string_view kBurstableCgroup = "kubepods/burstable";
inline constexpr std::string_view kBestEffortCgroup = "kubepods/besteffort";

// Whole after parts: a pod has used no less of processors than its containers, a group no less than
// its pods, and the machine no less than the groups.
struct NodeSample {
  int64_t read_at = 0;  // nanoseconds since 1970
  kernel::CgroupDetail detail = kernel::CgroupDetail::kUse;
  MachineUse machine;
  ProcessUse agent;
  // By namespace and name.
  std::vector<runtime::PodUsage> pods;
  // Those of the three above and of the runtime that are there; by their path.
  std::map<std::string, runtime::GroupUsage, std::less<>> groups;
  // Thousand-millionths of a core, by the cgroup's name; the machine's is "/", the agent's "".
  std::map<std::string, uint64_t, std::less<>> nano_cores;

  std::optional<uint64_t> NanoCores(std::string_view cgroup) const;
};

class UsageSampler {
 public:
  // Both outlive it. `root`: see ReadMachineUse.
  UsageSampler(runtime::UsageReader& reader, const Clock& clock, std::string root = "")
      : reader_(reader), clock_(clock), root_(std::move(root)) {}

  // Has at least so much.
  std::shared_ptr<const NodeSample> Take(kernel::CgroupDetail detail);

 private:
  struct Point {
    int64_t time = 0;
    uint64_t cpu_ns = 0;
  };
  using Points = std::map<std::string, Point, std::less<>>;

  std::shared_ptr<NodeSample> ReadAll(kernel::CgroupDetail detail) const;
  void AddRates(NodeSample* sample);

  runtime::UsageReader& reader_;
  const Clock& clock_;
  const std::string root_;
  std::mutex mutex_;
  // Under mutex_.
  std::shared_ptr<const NodeSample> last_;
  Points base_;          // what rates are told since
  Points next_;          // what they will be told since when that is old enough
  int64_t base_at_ = 0;  // 0: there is none
  int64_t next_at_ = 0;
};

}  // namespace podium::node
