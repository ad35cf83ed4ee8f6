// ShutdownManager: ends the node's pods before the machine goes down, so that each of them has its
// time to end well (upstream's pkg/kubelet/nodeshutdown, release 1.36).
//
// From Begin on the node is not ready and takes no pods. Its pods end in groups, the least
// important first (shutdown_groups.h); the next group follows when all of one have ended and their
// volumes are unmounted, or when its time is over. Cancel makes the node ready again; what has
// ended stays so. Pods that end while nobody waits for them are no concern of this.
//
// Threads: any. Works in tasks of the executor, under a lock of its own: what it is given to call
// does not call it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/executor.h"
#include "node/event_recorder.h"
#include "node/pod_status.h"
#include "node/shutdown/shutdown_groups.h"

namespace podium::node {

// Why a pod was ended, and why one is not taken any more.
PodFailure ShutdownFailure();
PodFailure ShutdownRefusal();
// What the condition Ready says meanwhile.
inline constexpr const char* kShutdownProblem = "node is shutting down";

class ShutdownManager : public std::enable_shared_from_this<ShutdownManager> {
 public:
  struct Services {
    Executor& executor;
    EventSink& events;
    // Those that have not ended.
    std::function<RankedPods()> pods;
    std::function<void(const std::string& uid, const PodFailure& why, int64_t grace_seconds)> end;
    // Nothing of it runs any more, and its volumes are unmounted.
    std::function<bool(const std::string& uid)> has_ended;
    // Whether the machine goes down, each time that it changes; before any pod is ended for it.
    std::function<void(bool shutting_down)> on_change;
    // Every pod has ended or had its time: the machine may go.
    std::function<void()> on_done;
  };

  ShutdownManager(Services services, ShutdownGraces graces)
      : services_(std::move(services)), graces_(std::move(graces)) {}

  const ShutdownGraces& graces() const { return graces_; }

  // The machine is about to go down. Returns at once; nothing happens when that is known already.
  void Begin() { Begin(graces_); }
  // With other periods than the node's own.
  void Begin(const ShutdownGraces& graces);
  // It does not, after all.
  void Cancel();
  // A pod may have ended.
  void PodEnded();
  // No more steps. For good.
  void Stop();

  struct State {
    bool shutting_down = false;
    bool done = false;  // every pod has ended or had its time
  };
  State state() const;

 private:
  // All with the lock held.
  void PostStep();
  void Step();
  void BeginGroup();
  void DropGroups();

  const Services services_;
  const ShutdownGraces graces_;

  mutable std::mutex mutex_;
  // Under mutex_.
  State state_;
  bool posted_ = false;
  bool stopped_ = false;
  std::vector<ShutdownGroup> groups_;  // that are not done yet
  bool begun_ = false;                 // pods of the first of them were told to end
  bool time_over_ = false;             // that they had
  uint64_t turn_ = 0;                  // of that group, among all that ever were
  Executor::TimerId timer_ = 0;
};

}  // namespace podium::node
