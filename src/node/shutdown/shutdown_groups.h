// Which pods end together when the machine goes down, and how long they have (upstream's
// pkg/kubelet/nodeshutdown, release 1.36). Pure.
//
//   graces {0: 20 s, 2000000000: 10 s}: first all pods below 2000000000, which have 20 seconds,
//   then the critical ones, which have 10. A pod that is given less by its specification has that.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "api/time.h"
#include "base/result.h"
#include "node/eviction/ranking.h"
#include "node/pod_spec.h"

namespace podium::node {

// Pods of this priority and above, up to the next one.
struct ShutdownGrace {
  int32_t priority = 0;
  int64_t seconds = 0;

  friend bool operator==(const ShutdownGrace&, const ShutdownGrace&) = default;
};

// Lowest priority first. Empty: nothing happens before the machine goes down.
using ShutdownGraces = std::vector<ShutdownGrace>;

// What a kubelet's shutdownGracePeriod and shutdownGracePeriodCriticalPods say: the second is the
// part of the first that critical pods have for themselves. Cut to whole seconds; empty for zero.
// kInvalidArgument, in upstream's words (pkg/kubelet/apis/config/validation).
Result<ShutdownGraces> GracesOf(api::Duration all, api::Duration critical);

// How long all groups together may take.
std::chrono::seconds TotalOf(const ShutdownGraces& graces);

struct ShutdownGroup {
  int64_t seconds = 0;
  RankedPods pods;

  // Of one of its pods.
  int64_t GraceOf(const v1::Pod& pod) const;
};

// In the order in which they end; groups without pods are left out. A pod below the lowest priority
// is in the first group.
std::vector<ShutdownGroup> GroupByPriority(const ShutdownGraces& graces, const RankedPods& pods);

}  // namespace podium::node
