// Which pod goes first when a node is full, and what is said of it (upstream's
// pkg/kubelet/eviction/helpers.go, release 1.36). Pure.
//
//   memory             who uses more than was asked for, lowest priority, most beyond the request
//   ephemeral-storage  the same, of writable layers, logs and local volumes
//   inodes             the same; nobody can ask for any
//   pids               lowest priority, most processes
// Of whom nothing is known goes before those of whom something is.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "node/eviction/pressure.h"
#include "node/pod_spec.h"

namespace podium::node {

struct ContainerUse {
  std::string name{};
  std::optional<int64_t> memory{};  // working set
  std::optional<int64_t> root{};    // bytes of its writable layer
  std::optional<int64_t> logs{};    // bytes
};

// Absent or 0: not known, or not measured.
struct PodUse {
  std::optional<int64_t> memory{};  // working set
  int64_t disk = 0;                 // bytes of all containers and local volumes
  int64_t inodes = 0;               // of the same
  int64_t processes = 0;
  std::vector<ContainerUse> containers{};
};

using RankedPods = std::vector<std::shared_ptr<const v1::Pod>>;
// By uid.
using PodUses = std::map<std::string, PodUse, std::less<>>;

// The one that is to go first stands first.
void RankForEviction(std::string_view resource, const PodUses& uses, RankedPods* pods);

// status.message and the event's, with the annotations of the latter. `met` and `observations`:
// what the reclaim of the resource is for.
struct EvictionWords {
  std::string message{};
  std::map<std::string, std::string> annotations{};
};
EvictionWords WordsOfEviction(std::string_view resource, const v1::Pod& pod, const PodUse* use,
                              const std::vector<EvictionThreshold>& met,
                              const Observations& observations);

// How long its containers have to end: a second when the threshold is hard; when it is soft as long
// as they want, at most `max_seconds`; negative: whatever they want.
int64_t EvictionGrace(const EvictionThreshold& threshold, const v1::Pod& pod, int64_t max_seconds);

}  // namespace podium::node
