// EvictionManager: looks at how full the node is, tells its conditions, and wins back what is
// missing: images and the like first, then pods, one at a time (upstream's
// pkg/kubelet/eviction/eviction_manager.go, release 1.36).
//
// Whose is what: the manager says the conditions MemoryPressure, DiskPressure and PIDPressure, and
// refuses pods while they are true (admission.h); the cluster's node lifecycle controller makes the
// taints of them. Critical pods are never evicted.
//
// An evicted pod is waited for, for half a minute at most, before the next one goes: what it held
// comes back only then. Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "node/event_recorder.h"
#include "node/eviction/pressure.h"
#include "node/eviction/ranking.h"
#include "node/pod_status.h"

namespace podium::node {

struct EvictionSettings {
  std::vector<EvictionThreshold> thresholds = DefaultEvictionHard();
  int64_t transition_period = 300 * kNanosPerSecond;
  int64_t max_pod_grace_seconds = 0;  // of soft thresholds; negative: the pod's own
};

class EvictionManager : public std::enable_shared_from_this<EvictionManager> {
 public:
  struct Services {
    const Clock& clock;
    Executor& executor;
    EventSink& events;
    // How much is left. Reads some files of the kernel.
    std::function<Observations()> observe;
    // What these pods use of a resource, so far as the order of eviction and its words need it. May
    // take long for disks. `signal`: the one that is to be relieved.
    std::function<PodUses(std::string_view signal, const RankedPods& pods)> measure;
    // Those that have not ended.
    std::function<RankedPods()> pods;
    // Whether files of pods that have ended are still being removed.
    std::function<bool()> is_removing;
    // Removes containers that have ended for good, then images that nobody uses.
    std::function<void()> reclaim_disk;
    std::function<void(const std::string& uid, const PodFailure& why, int64_t grace_seconds)> evict;
    // Those that are true now, by name; each time that they change.
    std::function<void(const std::vector<std::string>& conditions)> on_conditions;
    // How much is left until the next thresholds (LeftUntilPressure), at each look. May be empty.
    std::function<void(const std::map<std::string, int64_t>& left)> expect{};
  };

  EvictionManager(Services services, const EvictionSettings& settings);

  // To be called every ten seconds, and whenever memory may have become scarce. Returns at once.
  void Look();
  // No more of it; waits for a look that goes on.
  void Stop();

 private:
  void LookNow();
  void Relieve(const EvictionThreshold& threshold, const PressureWatch::Verdict& verdict,
               const Observations& observations);
  bool IsWaiting(const RankedPods& pods);
  void LookAgainSoon();

  const Services services_;
  const EvictionSettings settings_;
  const std::vector<EvictionThreshold> thresholds_;  // that are looked at

  std::mutex mutex_;
  std::condition_variable idle_;
  // Under mutex_.
  bool posted_ = false;
  bool looking_ = false;
  bool again_ = false;  // asked for while one went on
  bool stopped_ = false;
  Executor::TimerId timer_ = 0;
  // Of the look that goes on alone.
  PressureWatch watch_;
  std::vector<std::string> conditions_;
  std::string evicted_;  // uid of the pod that is waited for; "": none
  int64_t evicted_at_ = 0;
  int64_t ended_at_ = 0;  // 0: it has not
};

}  // namespace podium::node
