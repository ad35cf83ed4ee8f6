// Pods that are given to this node: by an API server, by its files, or at its socket.
#include <algorithm>
#include <string>
#include <utility>

#include "api/grace_period.h"
#include "api/names.h"
#include "api/status.h"
#include "api/validation/resources.h"
#include "node/agent.h"
#include "node/labels.h"
#include "node/pod_origin.h"
#include "node/pod_status.h"
#include "node/shutdown/shutdown_manager.h"
#include "node/stats/metrics_text.h"
#include "reflect/copy.h"

namespace podium::node {
namespace {

// Folders are named after these; who writes an API server's store could name anything.
Result<void> CheckNames(const v1::Pod& pod) {
  const auto refuse = [&](const char* what, const api::Messages& why) -> Result<void> {
    if (why.empty()) return {};
    return Error(Code::kInvalidArgument, "pod \"" + pod.metadata.namespace_ + "/" +
                                             pod.metadata.name + "\": " + what + ": " +
                                             why.front());
  };
  TRY_VOID(refuse("uid", api::NameIsDNSSubdomain(pod.metadata.uid, false)));
  TRY_VOID(refuse("namespace", api::IsDNS1123Label(pod.metadata.namespace_)));
  TRY_VOID(refuse("name", api::NameIsDNSSubdomain(pod.metadata.name, false)));
  const auto check = [&](const char* what, const auto& named) -> Result<void> {
    for (const auto& each : named) TRY_VOID(refuse(what, api::IsDNS1123Label(each.name)));
    return {};
  };
  TRY_VOID(check("init container", pod.spec.initContainers));
  TRY_VOID(check("container", pod.spec.containers));
  TRY_VOID(check("ephemeral container", pod.spec.ephemeralContainers));
  return check("volume", pod.spec.volumes);
}

// RFC 3339 with as many digits as there are.
std::string NanoTime(int64_t now) {
  std::string text = api::Time::FromUnix(now / kNanosPerSecond).String();
  std::string nanos = std::to_string(now % kNanosPerSecond);
  nanos.insert(0, 9 - nanos.size(), '0');
  while (nanos.ends_with('0')) nanos.pop_back();
  if (nanos.empty()) return text;
  text.pop_back();  // Z
  return text + '.' + nanos + 'Z';
}

void NoteOrigin(PodOrigin origin, int64_t now, v1::Pod* pod) {
  if (origin == PodOrigin::kSocket) return;
  auto& annotations = pod->metadata.annotations;
  annotations[std::string(kConfigSourceAnnotation)] = origin == PodOrigin::kFile ? "file" : "api";
  annotations[std::string(kConfigSeenAnnotation)] = NanoTime(now);
}

// Somebody else has said at the API server that a pod ended which runs here: upstream's pod workers
// end it then. (The phase there stays: cluster/status_manager.h.)
std::optional<PodFailure> EndByOthers(const v1::PodStatus& shown, const v1::PodStatus& known) {
  if (!IsTerminalPhase(shown.phase) || IsTerminalPhase(known.phase)) return std::nullopt;
  return PodFailure{shown.reason, shown.message};
}

// What the API server shows of it beside what this node has written.
bool SameAsKnown(const v1::Pod& known, v1::Pod shown) {
  shown.metadata.resourceVersion = known.metadata.resourceVersion;
  return reflect::Equal(known, shown);
}

}  // namespace

Admission Agent::Admit(const v1::Pod& pod, std::unique_lock<std::mutex>& lock) {
  const auto admit = [&](bool now) -> Admission {
    std::shared_ptr<const v1::Node> node;
    if (now) {
      lock.unlock();
      node = parts_.node(true);
      lock.lock();
    } else if (parts_.node) {
      node = parts_.node(false);
    }
    return AdmitPod({.pod = pod,
                     .others = Others(pod.metadata.uid),
                     .node = node.get(),
                     .sysctls = sysctls_,
                     .pressures = pressures_,
                     .apparmor = parts_.config.apparmor,
                     .shutting_down = shutting_down_});
  };
  Admission admission = admit(false);
  // Whoever scheduled it may have seen labels that have not come here yet.
  return admission.refusal && admission.labels_alone ? admit(true) : admission;
}

void Agent::CountPreemptions(const Admission& admission) {
  parts_.metrics.preemptions
      .At(MetricsText::LabelsText({{"preemption_signal", admission.preempted_for}}))
      .Add(static_cast<int64_t>(admission.preempted.size()));
}

Result<void> Agent::TakeOn(v1::Pod pod, PodOrigin origin, std::optional<PodFailure> refusal,
                           bool held) {
  NoteOrigin(origin, parts_.clock.Now(), &pod);
  std::optional<PodFailure> refused = std::move(refusal);
  const bool runs = !refused && !IsTerminalPhase(pod.status.phase);
  if (runs && parts_.cpus) {
    if (const auto given = parts_.cpus->Allocate(pod); !given.ok()) {
      refused =
          PodFailure{"UnexpectedAdmissionError",
                     "Allocate failed due to " + given.error().message() + ", which is unexpected"};
    }
  }
  if (refused) {
    pod.status.phase = "Failed";
    pod.status.reason = refused->reason;
    pod.status.message = "Pod was rejected: " + refused->message;
    pod.status.observedGeneration = pod.metadata.generation;
  }
  const std::string version = pod.metadata.resourceVersion;
  TRY(const auto stored, Change(std::move(pod), ChangeType::kAdded));
  v1::Pod shown = *stored;
  if (origin != PodOrigin::kSocket) shown.metadata.resourceVersion = version;
  if (refused) {
    sink_.Record(shown, std::nullopt, EventType::kWarning, refused->reason, refused->message);
  }
  StartWorker(shown, held);
  return {};
}

void Agent::EndWaiting(Waiting waiting) {
  const auto refusal = shutting_down_ ? std::optional(ShutdownRefusal()) : std::nullopt;
  if (waiting.origin != PodOrigin::kSocket) {
    // Without room on the disk it is not there, and its origin gives it again when it changes.
    (void)TakeOn(std::move(waiting.pod), waiting.origin, refusal);
    return;
  }
  const auto found = pods_.find(waiting.pod.metadata.uid);
  if (found == pods_.end()) return;
  if (refusal) {
    found->second.worker->Evict({refusal->reason, "Pod was rejected: " + refusal->message}, 0);
  } else {
    found->second.worker->Release();
  }
}

void Agent::WaitFor(v1::Pod pod, PodOrigin origin, const AdmissionInput::Pods& others,
                    std::vector<std::shared_ptr<PodWorker>>* preempted) {
  Waiting& waiting = waiting_[pod.metadata.uid];
  waiting.pod = std::move(pod);
  waiting.origin = origin;
  const PodFailure why = PreemptionFailure();
  for (const auto& each : others) {
    sink_.Record(*each, std::nullopt, EventType::kWarning, why.reason, why.message);
    waiting.for_.insert(each->metadata.uid);
    preempted->push_back(pods_.at(each->metadata.uid).worker);
  }
}

void Agent::NoteEnd(const std::string& uid) {
  std::vector<std::string> ready;
  for (auto& [waiting_uid, waiting] : waiting_) {
    if (waiting.for_.erase(uid) > 0 && waiting.for_.empty()) ready.push_back(waiting_uid);
  }
  for (const std::string& each : ready) {
    EndWaiting(std::move(waiting_.extract(each).mapped()));
  }
  RetryResizesLocked();
}

Result<void> Agent::Assign(v1::Pod pod, PodOrigin origin, std::unique_lock<std::mutex>& lock,
                           std::vector<std::shared_ptr<PodWorker>>* preempted) {
  // As admission is to see it.
  NoteOrigin(origin, parts_.clock.Now(), &pod);
  Admission admission;
  if (!IsTerminalPhase(pod.status.phase) && !pod.metadata.deletionTimestamp) {
    admission = Admit(pod, lock);
  }
  const std::string uid = pod.metadata.uid;
  if (pods_.contains(uid) || waiting_.contains(uid)) return {};
  if (admission.preempted.empty()) return TakeOn(std::move(pod), origin, admission.refusal);
  WaitFor(std::move(pod), origin, admission.preempted, preempted);
  CountPreemptions(admission);
  return {};
}

Result<void> Agent::Assign(v1::Pod pod, PodOrigin origin) {
  TRY_VOID(CheckNames(pod));
  pod.metadata.managedFields.clear();
  const std::string uid = pod.metadata.uid;
  if (origin == PodOrigin::kApi) parts_.metrics.start_times.Observe(pod, parts_.clock.Now());
  std::shared_ptr<PodWorker> worker;
  std::optional<v1::Pod> changed;
  std::vector<std::shared_ptr<PodWorker>> preempted;
  std::optional<PodFailure> end;
  {
    std::unique_lock lock(mutex_);
    if (finished_.contains(uid)) return {};
    if (const auto waiting = waiting_.find(uid); waiting != waiting_.end()) {
      waiting->second.pod = std::move(pod);
      return {};
    }
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      TRY_VOID(Assign(std::move(pod), origin, lock, &preempted));
    } else {
      const v1::Pod& before = *found->second.pod;
      KeepLocalAnnotations(before, &pod);
      v1::PodStatus status = before.status;
      end = EndByOthers(pod.status, status);
      TakeOthersPart(pod.status, &status);
      pod.status = std::move(status);
      Entry& entry = found->second;
      worker = entry.worker;
      if (!SameAsKnown(before, pod)) {
        const v1::PodSpec had = Allocated(entry).spec;
        TRY_VOID(Change(pod, ChangeType::kModified));
        source_.Follow(pod);
        Grant(entry, had, &preempted);
        changed = Allocated(entry);
      }
    }
  }
  if (changed) worker->Update(*std::move(changed));
  if (end) worker->Evict(*std::move(end), std::nullopt);
  for (const auto& each : preempted) each->Evict(PreemptionFailure(), std::nullopt);
  return {};
}

Result<v1::Pod> Agent::Admit(v1::Pod pod, std::shared_ptr<Trace> trace) {
  const std::string uid = pod.metadata.uid;
  const Key key = KeyOf(pod);
  std::vector<std::shared_ptr<PodWorker>> preempted;
  v1::Pod stored;
  {
    std::unique_lock lock(mutex_);
    const auto taken = [&] { return api::AlreadyExistsError({"", "pods"}, pod.metadata.name); };
    if (names_.contains(key)) return taken();
    const Admission admission = Admit(pod, lock);
    // Meanwhile another may have come.
    if (names_.contains(key)) return taken();
    const bool waits = !admission.preempted.empty();
    pods_[uid].trace = std::move(trace);
    if (auto done = TakeOn(pod, PodOrigin::kSocket, admission.refusal, waits); !done.ok()) {
      GiveBack(uid);
      pods_.erase(uid);
      return std::move(done).error();
    }
    stored = *pods_.at(uid).pod;
    if (waits) {
      WaitFor(std::move(pod), PodOrigin::kSocket, admission.preempted, &preempted);
      CountPreemptions(admission);
    }
  }
  for (const auto& each : preempted) each->Evict(PreemptionFailure(), std::nullopt);
  return stored;
}

void Agent::EndUnassigned(const std::string& uid) {
  parts_.metrics.start_times.Forget(uid);
  std::shared_ptr<PodWorker> worker;
  v1::Pod pod;
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase(uid);
    if (finished_.erase(uid) > 0) remains_->DropEnd(uid);
    const auto found = pods_.find(uid);
    if (found == pods_.end() || found->second.unassigned) return;
    found->second.unassigned = true;
    worker = found->second.worker;
    pod = *found->second.pod;
    if (pod.metadata.deletionTimestamp) return;
    const int64_t grace =
        api::BoundedGracePeriod(pod.spec.terminationGracePeriodSeconds.value_or(30));
    pod.metadata.deletionTimestamp =
        api::Time::FromUnix((parts_.clock.Now() / kNanosPerSecond) + grace);
    pod.metadata.deletionGracePeriodSeconds = grace;
    // Without room on the disk it ends nevertheless.
    (void)Change(pod, ChangeType::kModified);
  }
  worker->Update(std::move(pod));
}

void Agent::Unassign(std::string_view uid) { EndUnassigned(std::string(uid)); }

Agent::Uids Agent::UidsOf(PodOrigin origin) const {
  Uids uids;
  const std::lock_guard lock(mutex_);
  for (const auto& [uid, entry] : pods_) {
    if (OriginOf(*entry.pod) == origin) uids.insert(uid);
  }
  for (const auto& [uid, waiting] : waiting_) {
    if (waiting.origin == origin) uids.insert(uid);
  }
  for (const auto& [uid, pod] : finished_) {
    if (OriginOf(*pod) == origin) uids.insert(uid);
  }
  return uids;
}

void Agent::UnassignOthers(PodOrigin origin, const Uids& uids, const Uids& known) {
  for (const std::string& uid : known) {
    if (!uids.contains(uid)) EndUnassigned(uid);
  }
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& uid : uids) unclaimed_.erase(uid);
    silent_.erase(origin);
  }
  RemoveUnclaimed();
}

std::vector<std::shared_ptr<const v1::Pod>> Agent::FinishedPods() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const v1::Pod>> pods;
  pods.reserve(finished_.size());
  for (const auto& [uid, pod] : finished_) pods.push_back(pod);
  return pods;
}

}  // namespace podium::node
