// Agent: the pods of this node, each with its worker. They are kept in RUN/pods/UID.json, written
// before anything is done for them, so that a new agent after kill -9 goes on with every pod there
// was, and with what it knew of it.
//
// Pods come through the agent's socket (agent_api.h), and are its own then; from an API server
// (cluster/pod_source.h) or from files (static_pods.h), where alone they are changed and deleted.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/trace.h"
#include "node/admission.h"
#include "node/change_type.h"
#include "node/cpus/cpu_manager.h"
#include "node/cpus/shared_cpus.h"
#include "node/event_recorder.h"
#include "node/image_pulls.h"
#include "node/local_storage.h"
#include "node/log_rotator.h"
#include "node/metrics/node_metrics.h"
#include "node/object_store.h"
#include "node/pod_origin.h"
#include "node/pod_remains.h"
#include "node/pod_services.h"
#include "node/pod_worker.h"
#include "node/qos_tiers.h"
#include "node/sysctl_rules.h"
#include "node/user_namespaces.h"

namespace podium::node {

struct PodChange {
  ChangeType type = ChangeType::kAdded;
  uint64_t version = 0;  // resourceVersion
  std::shared_ptr<const v1::Pod> pod;
};

class Agent {
 public:
  // All outlive the agent. `events` belongs to whoever made it, and so does the objects' store,
  // which the volumes read as well.
  struct Parts {
    const NodeConfig& config;
    const Clock& clock;
    Executor& executor;
    runtime::Runtime& runtime;
    ImageService& images;
    PodVolumes& volumes;
    ObjectStore& objects;
    NetworkProbes& network;
    CommandRunner& commands;
    ProbeWheel& wheel;
    EventRecorder& events;
    NodeMetrics& metrics;
    QosTiers* tiers = nullptr;  // null: nobody has cgroups
    // Null: no container has CPUs of its own.
    CpuManager* cpus = nullptr;
    // What pods read; null: `objects`.
    ObjectSource* source = nullptr;
    // Who is told what happens to pods; null: `events`.
    EventSink* sink = nullptr;
    // The Node as the server has it, or will have it: as it was seen last, or, for `now`, as it is
    // when asked. For pods that are assigned; not called with a lock of the agent's held for `now`.
    // Empty: its capacity, labels and taints count for nothing.
    std::function<std::shared_ptr<const v1::Node>(bool now)> node = {};
    // Somewhere HasEnded has become true. Without a lock of the agent's.
    std::function<void()> on_end = {};
    // Those that will say which pods are theirs (UnassignOthers). Until all have, what is on disk
    // of pods that are not known stays: after a boot they come with the same volumes.
    std::set<PodOrigin> origins = {};
  };

  // Recovers the runtime, takes away what belongs to no pod, and goes on with the pods there are.
  static Result<std::unique_ptr<Agent>> Open(const Parts& parts);
  // Ends rounds, leaves every container as it is.
  ~Agent();

  // Defaulted, named and validated as the API server does; then it is ours to run, if this node can
  // (as with Assign). The steps of its start go to the trace, if there is one; TraceOf finds it.
  Result<v1::Pod> CreatePod(v1::Pod pod, std::shared_ptr<Trace> trace = nullptr);
  // Null for a pod that is not there, or was made without one.
  std::shared_ptr<const Trace> TraceOf(std::string_view uid) const;
  Result<v1::Pod> GetPod(std::string_view name_space, std::string_view name) const;
  // By namespace and name; of all namespaces for "". `version`: that of the list.
  std::vector<std::shared_ptr<const v1::Pod>> ListPods(std::string_view name_space,
                                                       uint64_t* version) const;
  // The pod as it is then: it goes when its containers have ended. A grace period that is not given
  // is the pod's own.
  Result<v1::Pod> DeletePod(std::string_view name_space, std::string_view name,
                            std::optional<int64_t> grace, std::string_view uid = {});
  // What may be changed of a pod becomes what it is here: images, labels, deadlines; a container
  // whose image changes is started again with the new one. A node that is not named, and what only
  // the server writes, are taken from the stored pod. The pod as it is then; nothing is written
  // where nothing changes.
  Result<v1::Pod> UpdatePod(v1::Pod next);
  // Adds ephemeral containers to a running pod; the rest of the pod must be the same.
  Result<v1::Pod> UpdateEphemeralContainers(const v1::Pod& next);

  // A pod for this node as its origin, an API server or a file, shows it now: one that is new is
  // run, of a known one (by its uid) the specification, the metadata and what others wrote into its
  // status become what they are here. One that cannot run here fails, and says why (admission.h);
  // a critical one waits until those that end for it have ended.
  // kInvalidArgument for one with names that no API server accepts.
  Result<void> Assign(v1::Pod pod, PodOrigin origin);
  // Its origin does not have it any more. What still runs of it ends.
  void Unassign(std::string_view uid);
  using Uids = std::set<std::string, std::less<>>;
  // Of all pods of this origin that are here, also of those that wait or have come to their end.
  Uids UidsOf(PodOrigin origin) const;
  // Of `known`, which UidsOf told, the origin has only `uids` for this node; it was asked after
  // that. What has been assigned since is not among either, and stays.
  void UnassignOthers(PodOrigin origin, const Uids& uids, const Uids& known);
  // Pods of an API server's that have come to their end here, as they were then, and that it may
  // still have: nobody else knows how they ended. Over restarts, until they are unassigned.
  std::vector<std::shared_ptr<const v1::Pod>> FinishedPods() const;

  // Somebody has put an image here by hand, under this name: every pod may use it.
  void AllowImage(const std::string& image, const std::string& id) { pulls_.Allow(image, id); }

  // ConfigMaps or Secrets of the namespace have changed.
  void ObjectsChanged(std::string_view name_space);

  // Calls with every change after `version`, those that lie back first, at once and in order, then
  // from any thread; it must not wait, nor call the agent. kExpired when `version` is too old.
  using Observer = std::function<void(const PodChange&)>;
  Result<uint64_t> Watch(uint64_t version, Observer observer);
  void Unwatch(uint64_t watch);

  // Rotates logs that have grown too large (log_rotator.h). To be called every ten seconds or so;
  // returns at once.
  void RotateLogs() { logs_->LookAtAll(); }
  // Evicts pods that keep more on the disk than they may (local_storage.h). To be called every ten
  // seconds; returns at once.
  void CheckStorage() { storage_->Look(); }

  // Resizes that had no room are looked at again. To be called every minute or so; returns at once.
  void RetryResizes();

  // Conditions of the node that are true now (admission.h, eviction/eviction_manager.h).
  void SetPressures(std::vector<std::string> conditions);
  // The machine is about to go down, or not any more: no pod is taken meanwhile.
  void SetShuttingDown(bool shutting_down);
  // Nothing of it runs here, and nothing of its volumes is mounted.
  bool HasEnded(std::string_view uid) const;
  // It fails, and its containers end within so many seconds. Nothing for one that is not there, or
  // has ended.
  void Evict(const std::string& uid, const PodFailure& why, int64_t grace_seconds);

  // Whether files of pods that are gone are still being removed (pod_remains.h).
  bool IsRemoving() const { return remains_->busy(); }

  const NodeConfig& config() const { return parts_.config; }
  runtime::Runtime& runtime() { return parts_.runtime; }
  ObjectStore& objects() { return parts_.objects; }
  EventRecorder& events() { return parts_.events; }
  const Clock& clock() const { return parts_.clock; }
  Executor& executor() { return parts_.executor; }

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, name
  static Key KeyOf(const v1::Pod& pod) { return {pod.metadata.namespace_, pod.metadata.name}; }
  struct Entry {
    std::shared_ptr<const v1::Pod> pod;
    std::shared_ptr<PodWorker> worker;
    std::shared_ptr<Trace> trace;  // null: nobody asked for one
    bool unassigned = false;       // its origin does not have it any more
    bool unmounted = false;        // nothing of it is left but what can be read of it
    // What it has while it waits for more, of cpu and memory (agent_resize.cpp).
    std::optional<v1::PodSpec> allocated = {};
    std::optional<PendingResize> pending = {};
  };

  Agent(const Parts& parts, SysctlRules sysctls);
  Result<void> Recover();
  Result<void> LoadPods();
  void RemoveOrphans();
  // What is on disk of pods that no origin has; nothing while one has not said.
  void RemoveUnclaimed();
  void StartWorker(const v1::Pod& pod, bool held = false);
  // A pod that waits until others have ended for it.
  // One of the socket's is there meanwhile, with a worker that is held; any other is not.
  struct Waiting {
    v1::Pod pod;
    PodOrigin origin = PodOrigin::kApi;
    std::set<std::string, std::less<>> for_;  // uids
  };
  // One that was given at the socket.
  Result<v1::Pod> Admit(v1::Pod pod, std::shared_ptr<Trace> trace);
  // With the lock held; it is not held while the server is asked.
  Admission Admit(const v1::Pod& pod, std::unique_lock<std::mutex>& lock);
  void CountPreemptions(const Admission& admission);
  // With the lock held.
  Result<void> TakeOn(v1::Pod pod, PodOrigin origin, std::optional<PodFailure> refusal,
                      bool held = false);
  // With the lock held: nobody is waited for any more.
  void EndWaiting(Waiting waiting);
  // With the lock held: it waits for these, and they are told to end.
  void WaitFor(v1::Pod pod, PodOrigin origin, const AdmissionInput::Pods& others,
               std::vector<std::shared_ptr<PodWorker>>* preempted);
  Result<void> Assign(v1::Pod pod, PodOrigin origin, std::unique_lock<std::mutex>& lock,
                      std::vector<std::shared_ptr<PodWorker>>* preempted);
  // The pod with what it was granted.
  static v1::Pod Allocated(const Entry& entry);
  // All others that have not ended, with what they were granted. With the lock held.
  AdmissionInput::Pods Others(const std::string& uid) const;
  // Why the pod cannot have what it says. With the lock held; those that end for it are appended.
  std::optional<PendingResize> RefuseResize(const v1::Pod& pod, const v1::PodSpec& had,
                                            std::vector<std::shared_ptr<PodWorker>>* preempted);
  // The pod may be another than before, and `had` is what it was granted. With the lock held.
  void Grant(Entry& entry, const v1::PodSpec& had,
             std::vector<std::shared_ptr<PodWorker>>* preempted);
  void RetryResizesLocked();
  // What an agent before this one has granted, if it is less than the pod says.
  void LoadAllocated(Entry& entry) const;
  // With the lock held: what it had for itself alone is free again.
  void GiveBack(const std::string& uid);
  // With the lock held: this one has ended, which others may have waited for.
  void NoteEnd(const std::string& uid);
  void EndUnassigned(const std::string& uid);
  void HandleEvent(const wire::cri::ContainerEventResponse& event);
  void SetStatus(const std::string& uid, const v1::PodStatus& status);
  void Unmounted(const std::string& uid);
  void Forget(const std::string& uid);
  Result<void> Save(const v1::Pod& pod) const;
  // With the lock held: gives the pod a new version, keeps it and tells the observers.
  Result<std::shared_ptr<const v1::Pod>> Change(v1::Pod pod, ChangeType type);
  void Tell(PodChange change);
  // An error refuses it. `pod` is `before` until it is edited.
  using PodEdit = std::function<Result<void>(const v1::Pod& before, v1::Pod* pod)>;
  // Edits a pod under the lock, and tells its worker if that changed it.
  Result<v1::Pod> ChangePod(std::string_view name_space, std::string_view name,
                            const PodEdit& edit);

  const Parts parts_;
  ObjectSource& source_;
  const std::shared_ptr<PodRemains> remains_;
  UserNamespaces users_;
  EventSink& sink_;
  ImagePulls pulls_;
  PodServices services_;
  const std::shared_ptr<StorageMonitor> storage_;
  const std::shared_ptr<LogRotator> logs_;
  const std::shared_ptr<SharedCpus> shared_cpus_;  // null: without Parts::cpus

  const SysctlRules sysctls_;

  mutable std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, Entry, std::less<>> pods_;  // by uid
  // Assigned and admitted, and not in pods_ yet; by uid.
  std::map<std::string, Waiting, std::less<>> waiting_;
  // Of several pods of one name, which follow each other at the API server, the newest.
  std::map<Key, std::string> names_;
  // Assigned, and at an end here, but not yet gone at the API server; by uid.
  std::map<std::string, std::shared_ptr<const v1::Pod>, std::less<>> finished_;
  std::vector<std::string> pressures_;
  bool shutting_down_ = false;
  std::set<PodOrigin> silent_;       // of Parts::origins
  std::set<std::string> unclaimed_;  // uids of pods of which nothing but a folder is known
  uint64_t version_ = 1;
  std::deque<PodChange> history_;
  std::map<uint64_t, Observer> observers_;
  uint64_t last_watch_ = 0;
};

}  // namespace podium::node
