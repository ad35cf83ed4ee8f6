// What is on disk of pods that are gone: their folders and logs. To remove files takes a disk's
// time, so nobody waits for it.
//
// A pod's manifest in RUN/pods is renamed when the pod goes, and is there until the rest is not: so
// an agent finds what the one before it did not get to.
//
// Threads: any; the files are removed on one of the executor's.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "base/executor.h"
#include "node/node_config.h"

namespace podium::node {

// Shared, because a task of the executor's may come after its owner has gone.
class PodRemains : public std::enable_shared_from_this<PodRemains> {
 public:
  // Both outlive it.
  PodRemains(const NodeConfig& config, Executor& executor) : config_(config), executor_(executor) {}
  PodRemains(const PodRemains&) = delete;
  PodRemains& operator=(const PodRemains&) = delete;

  // Nothing of the pod runs any more, its volumes are unmounted, and nobody knows it from now on.
  void Leave(const api::core::v1::Pod& pod);
  // Those that an earlier agent has left.
  void Recover();

  // Removes all that is left, now. The last call.
  void Finish();

  std::string ManifestOf(std::string_view uid) const;

 private:
  std::string RecordOf(std::string_view uid) const;
  void Add(const std::string& uid, std::string logs);
  // With the lock held.
  void SetTimer(std::chrono::milliseconds delay);
  void RemoveAll();

  const NodeConfig& config_;
  Executor& executor_;
  std::mutex removing_;  // one at a time
  std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, std::string> left_;  // folders of logs, by uid
  Executor::TimerId timer_ = 0;
};

}  // namespace podium::node
