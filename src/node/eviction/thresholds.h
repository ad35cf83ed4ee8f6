// When a node counts as full: less than so much of something is left (upstream's
// pkg/kubelet/eviction helpers.go and api/types.go, release 1.36).
//
//   memory.available             of the machine: total without the working set
//   allocatableMemory.available  of what pods have together: the limit of their cgroup without
//                                their working set. Never said: each hard threshold of memory is
//                                one of these, too
//   nodefs.available, .inodesFree   the file system of pods' files, logs and writable layers
//   imagefs.available, .inodesFree  that of images; the same one unless they are mounted apart
//   containerfs.*                   that of writable layers: here always nodefs, whose thresholds
//                                   count for it whatever is said of it
//   pid.available                   processes and threads that the kernel would still make
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/quantity.h"
#include "base/result.h"

namespace podium::node {

// An amount, or a part of what there is.
struct EvictionAmount {
  api::Quantity quantity{};  // looked at where percentage is 0
  float percentage = 0;      // 0.1 of 10%

  // Of so much: bytes or pieces.
  api::Quantity Of(const api::Quantity& capacity) const;
  friend bool operator==(const EvictionAmount&, const EvictionAmount&) = default;
};

// Less than this of a signal is a pressure.
struct EvictionThreshold {
  std::string signal{};  // "memory.available"
  api::Quantity quantity{};
  float percentage = 0;
  int64_t grace_period = 0;  // nanoseconds that it must last; 0: hard, acted upon at once
  // So much more must be free before it is over.
  std::optional<EvictionAmount> min_reclaim{};

  EvictionAmount amount() const { return {quantity, percentage}; }
  bool hard() const { return grace_period == 0; }
  friend bool operator==(const EvictionThreshold&, const EvictionThreshold&) = default;
};

// --eviction-hard where nothing is said.
std::vector<EvictionThreshold> DefaultEvictionHard();
// As it would be said.
std::map<std::string, std::string> DefaultEvictionStatements();

// The options of kubelets, by signal: "100Mi" or "10%", and "1m30s".
struct EvictionStatements {
  std::map<std::string, std::string> hard{};
  std::map<std::string, std::string> soft{};
  std::map<std::string, std::string> soft_grace_period{};
  std::map<std::string, std::string> minimum_reclaim{};
};

// Hard ones, then soft ones, by name; without those of 0% and 100%, which say nothing.
// kInvalidArgument in upstream's words.
Result<std::vector<EvictionThreshold>> ParseThresholds(const EvictionStatements& statements);

// What is to be looked at, of those that were said: with the ones of pods' memory, without
// containerfs.
std::vector<EvictionThreshold> EffectiveThresholds(const std::vector<EvictionThreshold>& said);

// "memory", "ephemeral-storage", "inodes", "pids".
std::string_view ResourceOfSignal(std::string_view signal);
// "MemoryPressure", "DiskPressure", "PIDPressure".
std::string_view ConditionOfSignal(std::string_view signal);

}  // namespace podium::node
