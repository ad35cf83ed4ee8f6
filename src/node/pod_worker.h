// PodWorker: brings one pod to what it should be, and takes it apart when it ends. Rounds run one
// at a time on the executor; whatever happens (an exit, a probe, a timer, a new specification)
// wakes it for another.
//
//   syncing       SyncPod, until the pod has ended (all containers are done, its deadline passed),
//                 is evicted or is deleted
//   terminating   containers end in their order, then the sandboxes; only then is the phase told
//   ended         volumes are taken away. Containers stay, for their logs, until the pod is
//   deleted;
//                 then everything goes, and gone() is called
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/trace.h"
#include "node/container_killer.h"
#include "node/observe.h"
#include "node/pod_services.h"
#include "node/pod_status.h"
#include "node/port_conflicts.h"
#include "node/prober.h"
#include "node/sync_pod.h"

namespace podium::node {

class PodWorker : public std::enable_shared_from_this<PodWorker> {
 public:
  // Called from tasks of the executor, without a lock of the worker's.
  struct Callbacks {
    std::function<void(const std::string& uid, const v1::PodStatus& status)> status;
    // Once: its volumes are no more, and what they held was put aside (PodVolumes::TearDown).
    std::function<void(const std::string& uid)> unmounted;
    std::function<void(const std::string& uid)> gone;  // once; the last call
  };

  // The pod's status is where to go on from: empty for a new pod. The steps of rounds go to the
  // trace; null: nowhere. `held`: nothing of it begins before Release.
  static std::shared_ptr<PodWorker> Create(PodServices& services, v1::Pod pod, Callbacks callbacks,
                                           std::shared_ptr<Trace> trace = nullptr,
                                           bool held = false);

  // A new specification, deletionTimestamp, or what others wrote into the status; the rest of the
  // status stays the worker's own.
  void Update(v1::Pod pod);
  // What of the pod's resize the node has not granted; none: all that the specification says.
  void SetPendingResize(std::optional<PendingResize> pending);
  // There is room for it. Any thread.
  void Release();
  // Something has happened. Any thread.
  void Wake();
  // The content of volumes may have changed.
  void Refresh();
  // It fails with this reason and message, and its containers end within so many seconds (nullopt:
  // those that they have anyway). Of several causes the first counts, and the shortest time. Not
  // what has ended already. Forgotten with the process, as upstream's: whoever saw the cause sees
  // it again. What has not ended when half as long again has passed, ten seconds at least, gets an
  // event, as upstream's killPodNow gives one. True when this is the first. Any thread.
  bool Evict(PodFailure why, std::optional<int64_t> grace);
  // No more rounds; waits for the one that runs.
  void Stop();

  // What was told last.
  v1::PodStatus status() const;

 private:
  struct Eviction {
    PodFailure why;
    std::optional<int64_t> grace;
  };

  PodWorker(PodServices& services, v1::Pod pod, Callbacks callbacks, std::shared_ptr<Trace> trace,
            bool held);
  void Start();
  void Run();
  // The pod was told to end within so many seconds. With the lock held.
  void ExpectEnd(int64_t grace);
  void NoteLateEnd();
  // When to run again.
  std::optional<int64_t> RunRound();
  // The same, measured.
  std::optional<int64_t> MeasureRound();
  std::optional<int64_t> Sync(const std::shared_ptr<const v1::Pod>& pod,
                              const ObservedPod& observed, std::optional<int64_t> deadline);
  std::optional<int64_t> Terminate(const std::shared_ptr<const v1::Pod>& pod,
                                   const ObservedPod& observed);
  void KillAll(const std::shared_ptr<const v1::Pod>& pod, const ObservedPod& observed);
  std::optional<int64_t> CleanUp(const std::shared_ptr<const v1::Pod>& pod,
                                 const ObservedPod& observed);
  // A resize that has been granted begins, or is found under way by a new agent; and its end.
  void BeginResize(const v1::Pod& pod, bool resized, bool first);
  void EndResize(const v1::Pod& pod, const ObservedPod& observed);
  // What volumes hold is made anew where it has changed, grows old, or could not be made before;
  // containers that run see it.
  void RefreshVolumes(const v1::Pod& pod, bool changed);
  // Of each container, the run that ended last stays, for its log and its state; older ones go, and
  // with them sandboxes that are empty then (upstream's container GC with MaxPerPodContainer 1).
  void RemoveDead(const v1::Pod& pod, const ObservedPod& observed);
  Result<void> RemoveSandboxes(const ObservedPod& observed);
  // What is there of the pod now.
  Result<ObservedPod> Observe(const v1::Pod& pod);
  void Tell(const std::shared_ptr<const v1::Pod>& pod, const ObservedPod& observed, bool terminal);
  // Whether it fails whatever its containers do, and why.
  std::optional<PodFailure> FailureOf(const v1::Pod& pod);
  void Note(const v1::PodStatus& status);

  PodServices& services_;
  const Callbacks callbacks_;
  const std::shared_ptr<Trace> trace_;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  // Under mutex_.
  std::shared_ptr<const v1::Pod> pod_;  // status: what was told last
  bool running_ = false;                // a task of Run is posted, or runs
  bool in_round_ = false;               // it runs
  bool dirty_ = false;
  bool refresh_ = false;
  bool resized_ = false;
  std::optional<PendingResize> pending_resize_;
  bool stopped_ = false;
  bool held_ = false;
  Executor::TimerId timer_ = 0;
  Executor::TimerId late_ = 0;  // when one that was evicted should have ended
  std::unique_ptr<http::Cancellation> cancellation_;
  std::optional<Eviction> eviction_;
  bool updated_ = false;
  bool stopped_pod_ = false;  // its containers and sandboxes have ended, for good

  // For rounds alone.
  std::shared_ptr<ContainerKiller> killer_;
  std::shared_ptr<Prober> prober_;
  Observer observer_;
  PortConflicts conflicts_;
  PodMemory memory_;
  std::optional<PodSync> sync_;
  bool ending_ = false;  // it has ended, or fails: from here on it is taken apart
  bool told_deadline_ = false;
  bool refreshed_ = false;                // volumes were looked at in this process
  std::optional<int64_t> refresh_retry_;  // what could not be made anew is tried again then
  int64_t refresh_delay_ = 0;
  bool unmounted_ = false;
  bool gone_ = false;
  bool began_ = false;      // its first round is over
  int64_t first_seen_ = 0;  // 0: before this process
};

}  // namespace podium::node
