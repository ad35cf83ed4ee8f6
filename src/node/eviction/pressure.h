// What follows from how much is left of a node: which conditions are true of it, and what is to be
// won back first (upstream's synchronize in pkg/kubelet/eviction/eviction_manager.go, release
// 1.36, up to its effects). Pure but for what it remembers: since when a threshold is met, and when
// a condition was seen last.
//
// Example: memory.available<100Mi, hard, transition period 5m
//   12:00:00  80Mi left   MemoryPressure; memory is to be reclaimed
//   12:00:10  300Mi left  MemoryPressure; nothing to do
//   12:05:00  300Mi left  no condition
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "node/eviction/thresholds.h"

namespace podium::node {

// Of one signal: bytes (binary format) or pieces (decimal).
struct Observation {
  api::Quantity available{};
  api::Quantity capacity{};
};
// By signal. What could not be seen is not there, and its thresholds are not met.
using Observations = std::map<std::string, Observation, std::less<>>;

// Of each signal, how much less may be left until the next of its thresholds is met; those that are
// met already do not count. Nothing for signals without one.
std::map<std::string, int64_t> LeftUntilPressure(const std::vector<EvictionThreshold>& thresholds,
                                                 const Observations& observations);

class PressureWatch {
 public:
  // `transition_period`: nanoseconds for which a condition stays true after it was seen last.
  PressureWatch(std::vector<EvictionThreshold> thresholds, int64_t transition_period)
      : thresholds_(std::move(thresholds)), transition_period_(transition_period) {}

  struct Verdict {
    std::vector<std::string> conditions{};  // by name
    // Those that are met, and have been for as long as they must; memory before all others.
    std::vector<EvictionThreshold> met{};
  };
  // `now`: nanoseconds, never less than before.
  Verdict Look(const Observations& observations, int64_t now);
  // Whether no threshold is met, and what must be free beyond it is: after a reclaim.
  bool IsRelieved(const Observations& observations) const;

 private:
  const std::vector<EvictionThreshold> thresholds_;
  const int64_t transition_period_;
  std::vector<EvictionThreshold> met_;  // at the last look, with grace periods over
  std::vector<std::pair<EvictionThreshold, int64_t>> first_seen_;
  std::map<std::string, int64_t> last_seen_;  // by condition
};

}  // namespace podium::node
