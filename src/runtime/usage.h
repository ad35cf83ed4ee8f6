// What pods and containers use, as the kernel counts it at this moment: more than CRI's stats can
// say, and read without looking at any file of a container. What the node's metrics are made of.
//
// One call reads every cgroup file once, and the counters of every pod's network device; nothing is
// kept, and nothing is read when nobody calls.
//
// Threads: any; other calls of the runtime do not wait for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linux/cgroup.h"
#include "network/network.h"
#include "wire/types/cri.h"

namespace podium::runtime {

// One that runs. Times are nanoseconds since 1970.
struct ContainerUsage {
  std::string id;
  std::string name;
  uint32_t attempt = 0;
  std::string image;  // as its configuration asks for it
  int64_t created_at = 0;
  int64_t started_at = 0;
  int64_t read_at = 0;
  std::string cgroup;  // from where cgroups are mounted: "/podium/kubepods/podUID/ID"
  kernel::CgroupStats used{};
};

// One whose sandbox is ready. It is read after its containers, so that it has used no less of
// processors than they.
struct PodUsage {
  std::string sandbox_id;
  wire::cri::PodSandboxMetadata metadata;
  int64_t created_at = 0;
  int64_t read_at = 0;
  std::string cgroup;  // containers' cgroups are in it; the infra process is not
  kernel::CgroupStats used{};
  // As the pod sees its device. Read for CgroupDetail::kAll alone; absent where the pod has none of
  // its own.
  std::string interface;
  std::optional<network::PodCounters> network;
  std::vector<ContainerUsage> containers;
};

struct GroupUsage {
  int64_t read_at = 0;
  std::string cgroup;
  kernel::CgroupStats used{};
};

// Shims and infra processes are podium's own: they are in a cgroup of ours, count for no pod, and
// no limit of a pod ends them.
inline constexpr std::string_view kRuntimeCgroup = "shims";

class UsageReader {
 public:
  virtual ~UsageReader() = default;
  // What ends while this reads may be missing.
  virtual std::vector<PodUsage> PodsUsage(kernel::CgroupDetail detail) = 0;
  // Of all that is in a cgroup of this instance's: "kubepods/burstable", kRuntimeCgroup, "" for the
  // whole instance. kNotFound.
  virtual Result<GroupUsage> CgroupUsage(std::string_view path, kernel::CgroupDetail detail) = 0;
};

}  // namespace podium::runtime
