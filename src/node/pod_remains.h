// What is on disk of pods that are gone: their folders and logs, and what was in their volumes. To
// remove files takes a disk's time, so nobody waits for it.
//
// A pod's manifest in RUN/pods is renamed when the pod goes, and is there until the rest is not;
// the folder of volumes that are no more was renamed, too (PodVolumes::TearDown). So an agent finds
// what the one before it did not get to.
//
// Threads: any; the files are removed on one of the executor's, one pod at a time.
#pragma once

#include <atomic>
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
  // How long Finish takes at the most, but for a single entry that takes longer.
  static constexpr std::chrono::milliseconds kPatience{2000};

  // Both outlive it.
  PodRemains(const NodeConfig& config, Executor& executor) : config_(config), executor_(executor) {}
  PodRemains(const PodRemains&) = delete;
  PodRemains& operator=(const PodRemains&) = delete;

  // Nothing of the pod runs any more, its volumes are unmounted, and nobody knows it from now on.
  void Leave(const api::core::v1::Pod& pod);
  // The same of a pod of which nothing but its folder is known.
  void LeaveFolder(const std::string& uid);
  // The pod stays; what was in its volumes was put aside.
  void LeaveVolumes(const std::string& uid);
  // What an earlier agent has left.
  void Recover();

  // The pod's manifest as it is now is there also after Leave, as RUN/pods/UID with kEnd, until
  // DropEnd: how it ended is still to be told.
  static constexpr std::string_view kEnd = ".finished";
  void KeepEnd(std::string_view uid) const;
  void DropEnd(std::string_view uid) const;

  // Whether something is left that no attempt to remove it has failed for.
  bool busy() const;

  // Removes what is left, now; what takes longer than kPatience is left to the next agent. The last
  // call.
  void Finish(std::chrono::milliseconds patience = kPatience);

  std::string ManifestOf(std::string_view uid) const;

 private:
  // Of one pod.
  struct Left {
    bool whole = false;  // the pod is gone; otherwise its old volumes alone
    std::string logs;    // their folder; empty: none is known
    bool failed = false;
  };

  std::string RecordOf(std::string_view uid) const;
  std::string EndOf(std::string_view uid) const;
  void Add(const std::string& uid, Left left);
  // With the lock held.
  void SetTimer(std::chrono::milliseconds delay);
  void RemoveAll();
  // Whether all of it is gone.
  bool Remove(const std::string& uid, const Left& left) const;

  const NodeConfig& config_;
  Executor& executor_;
  std::mutex removing_;  // one at a time
  // When removing ends, whatever is left. Of the steady clock.
  std::atomic<std::chrono::steady_clock::time_point> until_ =
      std::chrono::steady_clock::time_point::max();
  mutable std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, Left> left_;  // by uid
  size_t in_work_ = 0;
  Executor::TimerId timer_ = 0;
};

}  // namespace podium::node
