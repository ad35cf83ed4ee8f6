// What nodes say that they and their pods use, and what follows from two such readings: the use of
// processors is a rate, memory is as it is (sigs.k8s.io/metrics-server, pkg/scraper/client/resource
// and pkg/storage).
//
// A node is believed about itself and its own pods: what it says of others' is kept under its own
// name, where nobody looks for it.
//
// Pure. Times are nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace podium::apiserver {

// What was used up to a moment, or is at it.
struct UsagePoint {
  int64_t started_at = 0;  // of a container
  int64_t time = 0;
  uint64_t cpu_ns = 0;
  uint64_t memory = 0;
  uint64_t swap = 0;
};

using PodName = std::pair<std::string, std::string>;                     // namespace, name
using ContainerPoints = std::map<std::string, UsagePoint, std::less<>>;  // by name

struct NodePoints {
  std::optional<UsagePoint> node;
  std::map<PodName, ContainerPoints> pods;
};

// A kubelet's /metrics/resource. Values without a time are of `now`. As metrics-server does it, a
// node or pod of which something has used no processor or no memory yet is left out.
// kInvalidArgument for what is not in Prometheus's text format.
Result<NodePoints> ParseResourcePage(std::string_view page, int64_t now);

// Over the time from `time - window` to `time`.
struct Usage {
  int64_t time = 0;
  int64_t window = 0;
  uint64_t nano_cores = 0;
  uint64_t memory = 0;
  uint64_t swap = 0;
};
struct PodUsage {
  int64_t time = 0;  // the earliest of its containers', with that one's window
  int64_t window = 0;
  std::vector<std::pair<std::string, Usage>> containers;  // by name
};

// The last two readings of each node.
class UsageHistory {
 public:
  // `period`: from one reading to the next. A container that is younger, and older than ten
  // seconds, is counted from its start.
  explicit UsageHistory(int64_t period) : period_(period) {}

  // A reading of all nodes that answered, by name. Others are forgotten.
  void Store(std::map<std::string, NodePoints, std::less<>> nodes);
  void Clear() { nodes_.clear(); }

  std::optional<Usage> OfNode(std::string_view node) const;
  // As this node tells it. None before every container of the pod was seen twice.
  std::optional<PodUsage> OfPod(std::string_view node, const PodName& pod) const;

 private:
  struct Two {
    NodePoints last;
    NodePoints before;
  };
  ContainerPoints BeforeOf(const ContainerPoints& now, const ContainerPoints* last,
                           const ContainerPoints* before) const;

  const int64_t period_;
  std::map<std::string, Two, std::less<>> nodes_;
};

}  // namespace podium::apiserver
