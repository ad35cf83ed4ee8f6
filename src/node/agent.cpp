#include "node/agent.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "api/defaults.h"
#include "api/grace_period.h"
#include "api/status.h"
#include "api/validation/pod.h"
#include "api/validation/resources.h"
#include "api/validation/validation.h"
#include "base/random_name.h"
#include "node/files.h"
#include "node/keep_metadata.h"
#include "node/labels.h"
#include "node/pod_conditions.h"
#include "node/pod_origin.h"
#include "node/shutdown/shutdown_manager.h"
#include "node/stats/metrics_text.h"
#include "node/unsupported.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

constexpr size_t kMaxHistory = 2000;
constexpr size_t kMaxPod = size_t{8} << 20;

// What the registry does before a pod is stored.
void Prepare(const NodeConfig& config, const Clock& clock, v1::Pod* pod) {
  auto& meta = pod->metadata;
  pod->kind = "Pod";
  pod->apiVersion = "v1";
  if (meta.namespace_.empty()) meta.namespace_ = "default";
  if (meta.name.empty() && !meta.generateName.empty()) meta.name = GeneratedName(meta.generateName);
  meta.uid = NewUid();
  meta.generation = 1;
  meta.creationTimestamp = api::Time::FromUnix(clock.Now() / kNanosPerSecond);
  meta.deletionTimestamp.reset();
  meta.deletionGracePeriodSeconds.reset();
  meta.resourceVersion.clear();
  if (pod->spec.nodeName.empty()) pod->spec.nodeName = config.name;
  pod->status = {};
  pod->status.phase = "Pending";
  api::SetDefaults(*pod, {.now = meta.creationTimestamp});
  pod->status.qosClass = api::ComputePodQos(pod->spec);
}

// A static pod that was ended before the machine went down: its file begins it anew, as after a
// boot that leaves nothing of RUN.
bool EndedWithTheMachine(const v1::Pod& pod) {
  const PodFailure why = ShutdownFailure();
  return OriginOf(pod) == PodOrigin::kFile && pod.status.phase == "Failed" &&
         pod.status.reason == why.reason && pod.status.message == why.message;
}

// Who asks for it at the agent's socket.
Error ElsewhereError(const v1::Pod& pod) {
  const std::string where = OriginOf(pod) == PodOrigin::kFile
                                ? "is a static pod: change its manifest on the node"
                                : "is the API server's: change it there";
  return api::ForbiddenError({"", "pods"}, pod.metadata.name, where);
}

}  // namespace

Agent::Agent(const Parts& parts, SysctlRules sysctls)
    : parts_(parts),
      source_(parts.source ? *parts.source : parts.objects),
      remains_(std::make_shared<PodRemains>(parts.config, parts.executor)),
      users_(parts.config),
      sink_(parts.sink ? *parts.sink : parts.events),
      pulls_(parts.images, parts.clock, sink_, parts.config, &parts.metrics.start_times),
      services_{parts.config,  parts.clock, parts.executor, parts.runtime,  pulls_,
                parts.volumes, source_,     parts.network,  parts.commands, parts.wheel,
                sink_,         users_,      parts.metrics,  parts.cpus},
      storage_(std::make_shared<StorageMonitor>(
          StorageMonitor::Services{parts.config, parts.clock, parts.executor, parts.runtime, sink_},
          [this] {
            uint64_t version = 0;
            return ListPods("", &version);
          },
          [this](const std::string& uid, const PodFailure& why, int64_t grace) {
            Evict(uid, why, grace);
          })),
      logs_(std::make_shared<LogRotator>(
          LogRotator::Services{parts.config, parts.clock, parts.executor, parts.runtime})),
      shared_cpus_(parts.cpus
                       ? std::make_shared<SharedCpus>(*parts.cpus, parts.runtime, parts.executor)
                       : nullptr),
      sysctls_(std::move(sysctls)) {}

Result<std::unique_ptr<Agent>> Agent::Open(const Parts& parts) {
  TRY(SysctlRules sysctls, SysctlRules::Of(parts.config.allowed_unsafe_sysctls));
  std::unique_ptr<Agent> agent(new Agent(parts, std::move(sysctls)));
  if (parts.cpus) {
    parts.cpus->OnChange([shared = agent->shared_cpus_] { shared->Changed(); });
  }
  TRY_VOID(agent->Recover());
  return agent;
}

Agent::~Agent() {
  parts_.runtime.SetEventHandler(nullptr);
  parts_.runtime.SetLogHandler(nullptr, 0);
  logs_->Stop();
  storage_->Stop();
  if (shared_cpus_) {
    parts_.cpus->OnChange({});
    shared_cpus_->Stop();
  }
  std::vector<std::shared_ptr<PodWorker>> workers;
  {
    std::lock_guard lock(mutex_);
    for (auto& [uid, entry] : pods_) workers.push_back(entry.worker);
  }
  for (const auto& worker : workers) worker->Stop();
  remains_->Finish();
}

Result<void> Agent::Save(const v1::Pod& pod) const {
  TRY(const std::string text, reflect::ToJson(pod));
  return WriteFile(remains_->ManifestOf(pod.metadata.uid), text, 0600);
}

Result<void> Agent::LoadPods() {
  const std::string folder = parts_.config.run_dir + "/pods";
  TRY_VOID(MakeFolders(folder, 0700));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const bool finished = entry.path().extension() == PodRemains::kEnd;
    if (entry.path().extension() != ".json" && !finished) continue;
    TRY(const std::string text, ReadSmallFile(entry.path(), kMaxPod));
    TRY(auto pod, reflect::FromJson<v1::Pod>(text, {.strict = false}));
    uint64_t version = 0;
    const std::string& written = pod.metadata.resourceVersion;
    std::from_chars(written.data(), written.data() + written.size(), version);
    version_ = std::max(version_, version);
    if (finished) {
      const std::string uid = pod.metadata.uid;
      finished_[uid] = std::make_shared<const v1::Pod>(std::move(pod));
      continue;
    }
    if (EndedWithTheMachine(pod)) {
      (void)unlink(entry.path().c_str());
      continue;
    }
    users_.Recover(pod.metadata.uid);
    // Of two of one name, the one that is not being deleted came later.
    const auto [named, first] = names_.try_emplace(KeyOf(pod), pod.metadata.uid);
    if (!first && !pod.metadata.deletionTimestamp) named->second = pod.metadata.uid;
    Entry& kept = pods_[pod.metadata.uid];
    kept.pod = std::make_shared<const v1::Pod>(std::move(pod));
  }
  // Killed while it said that the pod was at its end: it will come to that again.
  std::erase_if(finished_, [this](const auto& each) { return pods_.contains(each.first); });
  return {};
}

// Sandboxes, volumes and logs of pods that nobody knows: the agent was killed between a pod's
// removal and the last file of it.
void Agent::RemoveOrphans() {
  auto sandboxes = parts_.runtime.ListPodSandbox({});
  if (!sandboxes.ok()) return;
  for (const auto& sandbox : *sandboxes) {
    const std::string uid = sandbox.metadata ? sandbox.metadata->uid : std::string();
    if (!pods_.contains(uid)) (void)parts_.runtime.RemovePodSandbox(sandbox.id);
  }
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(parts_.config.data_dir + "/pods", error)) {
    const std::string uid = entry.path().filename();
    if (!pods_.contains(uid)) unclaimed_.insert(uid);
  }
  silent_ = parts_.origins;
  RemoveUnclaimed();
}

void Agent::RemoveUnclaimed() {
  std::set<std::string> unclaimed;
  {
    const std::lock_guard lock(mutex_);
    if (!silent_.empty()) return;
    unclaimed.swap(unclaimed_);
    std::erase_if(unclaimed, [&](const std::string& uid) {
      return pods_.contains(uid) || waiting_.contains(uid) || finished_.contains(uid);
    });
  }
  for (const std::string& uid : unclaimed) {
    if (parts_.volumes.TearDown(uid).ok()) remains_->LeaveFolder(uid);
  }
}

Result<void> Agent::Recover() {
  parts_.runtime.SetEventHandler([this](const auto& event) { HandleEvent(event); });
  parts_.runtime.SetLogHandler(
      [this](const std::string& id, uint64_t written) { logs_->Grown(id, written); },
      LogRotator::BoundOf(parts_.config));
  TRY_VOID(parts_.objects.Load());
  TRY_VOID(LoadPods());
  pulls_.Recover();
  TRY(const auto recovery, parts_.runtime.Recover());
  (void)recovery;
  remains_->Recover();
  RemoveOrphans();
  if (parts_.cpus) {
    parts_.cpus->ReleaseOthers([this](std::string_view uid) {
      const auto found = pods_.find(uid);
      return found != pods_.end() && !IsTerminalPhase(found->second.pod->status.phase);
    });
    shared_cpus_->Changed();
  }
  for (auto& [uid, entry] : pods_) {
    LoadAllocated(entry);
    StartWorker(Allocated(entry));
  }
  RetryResizes();
  // Nobody did while there was no agent.
  RotateLogs();
  return {};
}

void Agent::StartWorker(const v1::Pod& pod, bool held) {
  // Shares only weigh pods against each other: without them a pod runs, too.
  if (parts_.tiers && !IsTerminalPhase(pod.status.phase)) (void)parts_.tiers->Add(pod);
  source_.Follow(pod);
  Entry& entry = pods_[pod.metadata.uid];
  entry.worker =
      PodWorker::Create(services_, pod,
                        {.status = [this](const std::string& uid,
                                          const v1::PodStatus& status) { SetStatus(uid, status); },
                         .unmounted = [this](const std::string& uid) { Unmounted(uid); },
                         .gone =
                             [this](const std::string& uid) {
                               Forget(uid);
                               if (parts_.on_end) parts_.on_end();
                             }},
                        entry.trace, held);
}

void Agent::HandleEvent(const wire::cri::ContainerEventResponse& event) {
  if (!event.pod_sandbox_status || !event.pod_sandbox_status->metadata) return;
  std::shared_ptr<PodWorker> worker;
  {
    std::lock_guard lock(mutex_);
    const auto found = pods_.find(event.pod_sandbox_status->metadata->uid);
    if (found == pods_.end()) return;
    worker = found->second.worker;
  }
  if (worker) worker->Wake();
}

Result<std::shared_ptr<const v1::Pod>> Agent::Change(v1::Pod pod, ChangeType type) {
  pod.metadata.resourceVersion = std::to_string(++version_);
  if (type == ChangeType::kDeleted) {
    remains_->Leave(pod);
  } else {
    const TraceSpan span("save pod");
    TRY_VOID(Save(pod));
  }
  auto shared = std::make_shared<const v1::Pod>(std::move(pod));
  const std::string& uid = shared->metadata.uid;
  if (type == ChangeType::kDeleted) {
    pods_.erase(uid);
    const auto named = names_.find(KeyOf(*shared));
    if (named != names_.end() && named->second == uid) names_.erase(named);
  } else {
    pods_[uid].pod = shared;
    if (type == ChangeType::kAdded) names_[KeyOf(*shared)] = uid;
  }
  Tell({.type = type, .version = version_, .pod = shared});
  return shared;
}

void Agent::Tell(PodChange change) {
  const TraceSpan span("tell watchers");
  history_.push_back(std::move(change));
  if (history_.size() > kMaxHistory) history_.pop_front();
  for (const auto& [id, observer] : observers_) observer(history_.back());
}

Result<v1::Pod> Agent::CreatePod(v1::Pod pod, std::shared_ptr<Trace> trace) {
  api::field::ErrorList errors;
  {
    const TraceSpan span("default and validate");
    Prepare(parts_.config, parts_.clock, &pod);
    errors = api::ValidateCreate(pod);
    errors.Append(UnsupportedFields(pod));
  }
  if (!errors.empty()) {
    return api::InvalidError("", "Pod", pod.metadata.name, errors);
  }
  if (pod.spec.nodeName != parts_.config.name) {
    return api::BadRequestError("the pod is for the node " + pod.spec.nodeName + ", and this is " +
                                parts_.config.name);
  }
  return Admit(std::move(pod), std::move(trace));
}

std::shared_ptr<const Trace> Agent::TraceOf(std::string_view uid) const {
  std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : found->second.trace;
}

Result<v1::Pod> Agent::GetPod(std::string_view name_space, std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto named = names_.find(Key(name_space, name));
  if (named == names_.end()) return api::NotFoundError({"", "pods"}, name);
  return *pods_.at(named->second).pod;
}

std::vector<std::shared_ptr<const v1::Pod>> Agent::ListPods(std::string_view name_space,
                                                            uint64_t* version) const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const v1::Pod>> out;
  for (const auto& [uid, entry] : pods_) {
    const v1::Pod& pod = *entry.pod;
    if (name_space.empty() || pod.metadata.namespace_ == name_space) out.push_back(entry.pod);
  }
  std::ranges::sort(out, {}, [](const auto& pod) { return KeyOf(*pod); });
  *version = version_;
  return out;
}

Result<v1::Pod> Agent::ChangePod(std::string_view name_space, std::string_view name,
                                 const PodEdit& edit) {
  std::shared_ptr<const v1::Pod> stored;
  std::shared_ptr<PodWorker> worker;
  {
    std::lock_guard lock(mutex_);
    const auto named = names_.find(Key(name_space, name));
    if (named == names_.end()) return api::NotFoundError({"", "pods"}, name);
    const Entry& entry = pods_.at(named->second);
    const v1::Pod& before = *entry.pod;
    if (OriginOf(before) != PodOrigin::kSocket) return ElsewhereError(before);
    v1::Pod pod = before;
    TRY_VOID(edit(before, &pod));
    if (reflect::Equal(pod, before)) return pod;
    if (!reflect::Equal(pod.spec, before.spec)) ++pod.metadata.generation;
    worker = entry.worker;
    auto changed = Change(std::move(pod), ChangeType::kModified);
    if (!changed.ok()) return changed.error();
    stored = *changed;
    source_.Follow(*stored);
  }
  worker->Update(*stored);
  return *stored;
}

Result<v1::Pod> Agent::DeletePod(std::string_view name_space, std::string_view name,
                                 std::optional<int64_t> grace, std::string_view uid) {
  return ChangePod(name_space, name, [&](const v1::Pod& before, v1::Pod* pod) -> Result<void> {
    if (!uid.empty() && uid != before.metadata.uid) {
      return api::DeletePreconditionError({"", "Pod"}, name, "UID", uid, before.metadata.uid);
    }
    int64_t seconds = std::max<int64_t>(
        grace.value_or(before.spec.terminationGracePeriodSeconds.value_or(30)), 0);
    // Nothing runs of a pod that has ended.
    if (IsTerminalPhase(before.status.phase) && !grace) seconds = 0;
    if (!before.metadata.deletionTimestamp) {
      ++pod->metadata.generation;
    } else if (seconds >= before.metadata.deletionGracePeriodSeconds.value_or(seconds)) {
      return {};  // a grace period can only become shorter
    }
    pod->metadata.deletionTimestamp = api::Time::FromUnix((parts_.clock.Now() / kNanosPerSecond) +
                                                          api::BoundedGracePeriod(seconds));
    pod->metadata.deletionGracePeriodSeconds = seconds;
    return {};
  });
}

Result<v1::Pod> Agent::UpdatePod(v1::Pod next) {
  const std::string name_space = next.metadata.namespace_;
  const std::string name = next.metadata.name;
  return ChangePod(name_space, name, [&](const v1::Pod& before, v1::Pod* pod) -> Result<void> {
    *pod = std::move(next);
    TRY_VOID(KeepMetadata("pods", before.metadata, &pod->metadata));
    pod->kind = before.kind;
    pod->apiVersion = before.apiVersion;
    pod->status = before.status;
    if (pod->spec.nodeName.empty()) pod->spec.nodeName = before.spec.nodeName;
    api::SetDefaults(*pod, {.now = pod->metadata.creationTimestamp});
    api::field::ErrorList errors = api::ValidateUpdate(*pod, before);
    errors.Append(UnsupportedFields(*pod));
    if (!errors.empty()) return api::InvalidError("", "Pod", name, errors);
    return {};
  });
}

Result<v1::Pod> Agent::UpdateEphemeralContainers(const v1::Pod& next) {
  return ChangePod(next.metadata.namespace_, next.metadata.name,
                   [&](const v1::Pod& before, v1::Pod* pod) -> Result<void> {
                     pod->spec.ephemeralContainers = next.spec.ephemeralContainers;
                     api::SetDefaults(*pod, {.now = pod->metadata.creationTimestamp});
                     const auto errors = api::ValidatePodEphemeralContainersUpdate(
                         *pod, before,
                         api::PodValidationOptionsFor(&before.spec, &before.metadata));
                     if (!errors.empty())
                       return api::InvalidError("", "Pod", next.metadata.name, errors);
                     return {};
                   });
}

void Agent::SetStatus(const std::string& uid, const v1::PodStatus& status) {
  std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return;
  v1::Pod pod = *found->second.pod;
  const bool resized = FindCondition(pod.status, kResizeInProgress) != nullptr &&
                       FindCondition(status, kResizeInProgress) == nullptr;
  pod.status = status;
  if (IsTerminalPhase(status.phase)) GiveBack(uid);
  // Without room on the disk the status is told nevertheless; it is made anew after a restart.
  (void)Change(std::move(pod), ChangeType::kModified);
  if (IsTerminalPhase(status.phase)) {
    NoteEnd(uid);
  } else if (resized) {
    // What it has given back is there from now on.
    RetryResizesLocked();
  }
}

void Agent::GiveBack(const std::string& uid) {
  if (parts_.tiers) (void)parts_.tiers->Remove(uid);
  if (parts_.cpus) parts_.cpus->Release(uid);
}

void Agent::Forget(const std::string& uid) {
  std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return;
  v1::Pod pod = *found->second.pod;
  if (OriginOf(pod) == PodOrigin::kApi && !found->second.unassigned) {
    remains_->KeepEnd(uid);
    finished_.insert_or_assign(uid, found->second.pod);
  }
  source_.Unfollow(uid);
  parts_.metrics.start_times.Forget(uid);
  waiting_.erase(uid);
  (void)Change(std::move(pod), ChangeType::kDeleted);
  GiveBack(uid);
  NoteEnd(uid);
}

void Agent::ObjectsChanged(std::string_view name_space) {
  std::vector<std::shared_ptr<PodWorker>> workers;
  {
    std::lock_guard lock(mutex_);
    for (auto& [uid, entry] : pods_) {
      if (entry.pod->metadata.namespace_ == name_space) workers.push_back(entry.worker);
    }
  }
  for (const auto& worker : workers) worker->Refresh();
}

Result<uint64_t> Agent::Watch(uint64_t version, Observer observer) {
  std::lock_guard lock(mutex_);
  const uint64_t oldest = history_.empty() ? version_ : history_.front().version - 1;
  if (version < oldest || version > version_) {
    return Error(Code::kExpired, "too old resource version: " + std::to_string(version) + " (" +
                                     std::to_string(oldest) + ")");
  }
  for (const PodChange& change : history_) {
    if (change.version > version) observer(change);
  }
  observers_.emplace(++last_watch_, std::move(observer));
  return last_watch_;
}

void Agent::Unwatch(uint64_t watch) {
  std::lock_guard lock(mutex_);
  observers_.erase(watch);
}

}  // namespace podium::node
