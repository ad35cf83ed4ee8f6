#include "node/pod_worker.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "api/grace_period.h"
#include "node/container_draft.h"
#include "node/files.h"
#include "node/log_files.h"
#include "node/pod_conditions.h"
#include "reflect/copy.h"

namespace podium::node {
namespace {

constexpr int64_t kRetryDelay = kNanosPerSecond;
// Why there is a round, as a label.
constexpr std::string_view kCreateRound = R"(operation_type="create")";
// Seconds that any pod has to end before that is worth an event.
constexpr int64_t kShortestWaitForEnd = 10;
constexpr std::string_view kNeverBegan =
    "The pod's sandbox ended before all of its containers had begun, and its restart policy allows "
    "no other one.";
constexpr std::string_view kKillRound = R"(operation_type="kill")";
constexpr std::string_view kSyncRound = R"(operation_type="sync")";
constexpr std::string_view kUpdateRound = R"(operation_type="update")";
// Of volumes of running containers, as upstream's volume manager.
constexpr int64_t kFirstRefreshRetry = kNanosPerSecond / 2;
constexpr int64_t kLastRefreshRetry = 122 * kNanosPerSecond;

void Sooner(std::optional<int64_t>* at, const std::optional<int64_t>& other) {
  if (other) *at = std::min(at->value_or(*other), *other);
}

}  // namespace

std::shared_ptr<PodWorker> PodWorker::Create(PodServices& services, v1::Pod pod,
                                             Callbacks callbacks, std::shared_ptr<Trace> trace,
                                             bool held) {
  std::shared_ptr<PodWorker> worker(
      new PodWorker(services, std::move(pod), std::move(callbacks), std::move(trace), held));
  worker->Start();
  return worker;
}

PodWorker::PodWorker(PodServices& services, v1::Pod pod, Callbacks callbacks,
                     std::shared_ptr<Trace> trace, bool held)
    : services_(services),
      callbacks_(std::move(callbacks)),
      trace_(std::move(trace)),
      pod_(std::make_shared<const v1::Pod>(std::move(pod))),
      held_(held),
      observer_(services.runtime),
      conflicts_(services.runtime, services.clock, services.events) {
  const v1::PodStatus& told = pod_->status;
  if (!told.startTime && !IsTerminalPhase(told.phase)) first_seen_ = services.clock.Now();
}

void PodWorker::Start() {
  // Tasks of both may outlive the worker's last owner.
  const auto wake = [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Wake();
  };
  killer_ = std::make_shared<ContainerKiller>(
      ContainerKiller::Services{services_.clock, services_.executor, services_.runtime,
                                services_.network, services_.events},
      wake);
  prober_ = std::make_shared<Prober>(
      Prober::Services{services_.clock, services_.wheel, services_.commands, services_.network,
                       services_.events, services_.metrics.probes},
      wake);
  sync_.emplace(services_, *killer_, memory_);
  auto cancellation = http::Cancellation::Create();
  if (cancellation.ok()) cancellation_ = *std::move(cancellation);
  Wake();
}

void PodWorker::Update(v1::Pod pod) {
  {
    std::lock_guard lock(mutex_);
    v1::PodStatus status = pod_->status;
    TakeOthersPart(pod.status, &status);
    pod.status = std::move(status);
    // A deletion ends whatever a round waits for.
    if (pod.metadata.deletionTimestamp && cancellation_) cancellation_->Cancel();
    // Files and subPathExpr may come from these.
    refresh_ = refresh_ || pod.metadata.labels != pod_->metadata.labels ||
               pod.metadata.annotations != pod_->metadata.annotations;
    resized_ = resized_ || !SameAmounts(pod.spec, pod_->spec);
    pod_ = std::make_shared<const v1::Pod>(std::move(pod));
    updated_ = true;
  }
  Wake();
}

void PodWorker::SetPendingResize(std::optional<PendingResize> pending) {
  {
    std::lock_guard lock(mutex_);
    if (pending_resize_ == pending) return;
    pending_resize_ = std::move(pending);
  }
  Wake();
}

void PodWorker::Refresh() {
  {
    std::lock_guard lock(mutex_);
    refresh_ = true;
  }
  Wake();
}

void PodWorker::Release() {
  {
    const std::lock_guard lock(mutex_);
    held_ = false;
  }
  Wake();
}

void PodWorker::Wake() {
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  dirty_ = true;
  if (running_) return;
  running_ = true;
  services_.executor.Post([self = shared_from_this()] { self->Run(); });
}

void PodWorker::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  if (cancellation_) cancellation_->Cancel();
  if (timer_ != 0) services_.executor.Cancel(timer_);
  timer_ = 0;
  if (late_ != 0) services_.executor.Cancel(late_);
  late_ = 0;
  prober_->Stop();
  // A task that is only posted finds that it has nothing to do, and touches nothing of the node's.
  idle_.wait(lock, [this] { return !in_round_; });
}

bool PodWorker::Evict(PodFailure why, std::optional<int64_t> grace) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (IsTerminalPhase(pod_->status.phase)) return false;
    first = !eviction_;
    if (first) {
      ExpectEnd(grace.value_or(pod_->spec.terminationGracePeriodSeconds.value_or(0)));
      eviction_.emplace(std::move(why), grace);
    } else if (grace) {
      eviction_->grace = std::min(*grace, eviction_->grace.value_or(*grace));
    }
    if (cancellation_) cancellation_->Cancel();
  }
  Wake();
  return first;
}

void PodWorker::ExpectEnd(int64_t grace) {
  if (stopped_pod_ || stopped_) return;
  const int64_t most = api::BoundedGracePeriod(grace);
  const int64_t seconds = std::max(most + (most / 2), kShortestWaitForEnd);
  late_ = services_.executor.PostAfter(std::chrono::seconds(seconds), [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->NoteLateEnd();
  });
}

void PodWorker::NoteLateEnd() {
  std::shared_ptr<const v1::Pod> pod;
  {
    const std::lock_guard lock(mutex_);
    late_ = 0;
    if (stopped_ || stopped_pod_) return;
    pod = pod_;
  }
  services_.events.Record(*pod, std::nullopt, EventType::kWarning, "ExceededGracePeriod",
                          "Container runtime did not kill the pod within specified grace period.");
}

v1::PodStatus PodWorker::status() const {
  std::lock_guard lock(mutex_);
  return pod_->status;
}

void PodWorker::Run() {
  bool stopped = false;
  {
    std::lock_guard lock(mutex_);
    dirty_ = false;
    stopped = stopped_;
    in_round_ = !stopped;
    if (timer_ != 0) services_.executor.Cancel(timer_);
    timer_ = 0;
  }
  std::optional<int64_t> again;
  if (!stopped && !gone_) again = MeasureRound();
  std::lock_guard lock(mutex_);
  running_ = false;
  in_round_ = false;
  idle_.notify_all();
  if (stopped_ || gone_) return;
  if (dirty_) {
    running_ = true;
    services_.executor.Post([self = shared_from_this()] { self->Run(); });
  } else if (again) {
    const int64_t delay = std::max<int64_t>(*again - services_.clock.Now(), 0);
    timer_ =
        services_.executor.PostAfter(std::chrono::nanoseconds(delay), [weak = weak_from_this()] {
          if (auto self = weak.lock()) self->Wake();
        });
  }
}

std::optional<int64_t> PodWorker::MeasureRound() {
  NodeMetrics& metrics = services_.metrics;
  const int64_t begin = services_.clock.Now();
  bool updated = false;
  {
    const std::lock_guard lock(mutex_);
    updated = std::exchange(updated_, false);
  }
  const bool first = !std::exchange(began_, true);
  if (first && first_seen_ > 0) metrics.pod_worker_start.ObserveNanos(begin - first_seen_);
  const auto again = RunRound();
  // As it has turned out: what ends a pod may be seen in the round alone.
  const std::string_view why = ending_   ? kKillRound
                               : first   ? kCreateRound
                               : updated ? kUpdateRound
                                         : kSyncRound;
  metrics.pod_worker.At(why).ObserveNanos(services_.clock.Now() - begin);
  return again;
}

std::optional<int64_t> PodWorker::RunRound() {
  const TraceScope scope(trace_.get());
  const TraceSpan span("round");
  std::shared_ptr<const v1::Pod> pod;
  bool refresh = false;
  bool resized = false;
  {
    std::lock_guard lock(mutex_);
    // Its end needs no room.
    if (held_ && !eviction_ && !pod_->metadata.deletionTimestamp) return std::nullopt;
    pod = pod_;
    refresh = std::exchange(refresh_, false);
    resized = std::exchange(resized_, false);
    memory_.resize.pending = pending_resize_;
  }
  const int64_t now = services_.clock.Now();
  auto observed = Observe(*pod);
  if (!observed.ok()) return now + kRetryDelay;
  if (pod->metadata.deletionTimestamp || ending_ || IsTerminalPhase(pod->status.phase)) {
    return Terminate(pod, *observed);
  }
  if (refresh) memory_.hold.clear();
  // Others may have changed it while there was no agent.
  const bool first = !std::exchange(refreshed_, true);
  if (observed->ReadySandbox()) RefreshVolumes(*pod, refresh || first);
  BeginResize(*pod, resized, first);
  prober_->Sync(pod, *observed);
  Tell(pod, *observed, false);
  {
    std::lock_guard lock(mutex_);
    pod = pod_;
  }
  if (ending_) return Terminate(pod, *observed);
  RemoveDead(*pod, *observed);
  std::optional<int64_t> again = Sync(pod, *observed, ActiveDeadline(*pod, pod->status.startTime));
  Sooner(&again, refresh_retry_ ? refresh_retry_ : services_.volumes.RefreshAt(pod->metadata.uid));
  return again;
}

void PodWorker::BeginResize(const v1::Pod& pod, bool resized, bool first) {
  auto& progress = memory_.resize.progress;
  if (resized) {
    progress = {.generation = pod.metadata.generation};
    services_.events.Record(pod, std::nullopt, EventType::kNormal, "ResizeStarted",
                            ResizeMessage("started", pod.spec, pod.metadata.generation, ""));
  } else if (const auto* told = FindCondition(pod.status, kResizeInProgress);
             first && told != nullptr) {
    progress = {.generation = told->observedGeneration, .error = told->message};
  }
}

void PodWorker::EndResize(const v1::Pod& pod, const ObservedPod& observed) {
  auto& progress = memory_.resize.progress;
  if (!progress || !memory_.due.empty()) return;
  if (!SameAmounts(pod.spec, ActuatedSpec(pod, observed, memory_.resize.given))) return;
  services_.events.Record(pod, std::nullopt, EventType::kNormal, "ResizeCompleted",
                          ResizeMessage("completed", pod.spec, progress->generation, ""));
  progress.reset();
}

void PodWorker::RefreshVolumes(const v1::Pod& pod, bool changed) {
  const int64_t now = services_.clock.Now();
  const auto due = refresh_retry_ ? refresh_retry_ : services_.volumes.RefreshAt(pod.metadata.uid);
  if (!changed && (!due || *due > now)) return;
  const std::vector<Error> errors = services_.volumes.SetUp(pod);
  if (errors.empty()) {
    refresh_retry_.reset();
    refresh_delay_ = 0;
    return;
  }
  for (const Error& error : errors) {
    services_.events.Record(pod, std::nullopt, EventType::kWarning, "FailedMount", error.message());
  }
  refresh_delay_ = std::clamp(2 * refresh_delay_, kFirstRefreshRetry, kLastRefreshRetry);
  refresh_retry_ = now + refresh_delay_;
}

void PodWorker::RemoveDead(const v1::Pod& pod, const ObservedPod& observed) {
  std::set<std::string_view> kept;      // names
  std::set<std::string_view> occupied;  // sandboxes
  // Newest first. What cannot be removed now is tried again in the next round.
  for (const ObservedContainer& container : observed.containers) {
    const bool older = container.exited() && !kept.insert(container.name).second;
    if (!older || !services_.runtime.RemoveContainer(container.id).ok()) {
      occupied.insert(container.sandbox_id);
      continue;
    }
    if (!container.log_path.empty()) RemoveLogFiles(container.log_path);
    (void)RemoveTree(
        TerminationFile(services_.config, pod, container.name, container.restart_count));
  }
  for (size_t i = 1; i < observed.sandboxes.size(); ++i) {
    const cri::PodSandboxStatus& sandbox = observed.sandboxes[i];
    if (sandbox.state == cri::PodSandboxState::kSandboxReady || occupied.contains(sandbox.id)) {
      continue;
    }
    (void)services_.runtime.RemovePodSandbox(sandbox.id);
  }
}

std::optional<int64_t> PodWorker::Sync(const std::shared_ptr<const v1::Pod>& pod,
                                       const ObservedPod& observed,
                                       std::optional<int64_t> deadline) {
  const PodActions actions = [&] {
    const TraceSpan span("plan");
    return ComputePodActions(
        {.pod = *pod,
         .observed = observed,
         .probes = *prober_,
         .back_off = memory_.back_off,
         .now = services_.clock.Now(),
         .due = &memory_.due,
         .restarting_all = ShouldRestartAllContainers(*pod, observed, pod->status),
         .given = memory_.resize.progress ? &memory_.resize.given : nullptr});
  }();
  if (actions.is_over) {
    Evict({.reason = "", .message = std::string(kNeverBegan)}, std::nullopt);
    return std::nullopt;
  }
  const SyncOutcome outcome = sync_->Run(
      {.pod = pod, .observed = observed, .actions = actions, .cancellation = cancellation_.get()});
  std::optional<int64_t> again = outcome.retry_at;
  Sooner(&again, actions.wait_until);
  Sooner(&again, deadline);
  if (actions.Empty() && actions.in_back_off.empty()) return again;
  // What was done shows at once, not only when the runtime says so as well.
  auto now = Observe(*pod);
  if (now.ok()) {
    prober_->Sync(pod, *now);
    EndResize(*pod, *now);
    Tell(pod, *now, false);
  }
  return again;
}

void PodWorker::KillAll(const std::shared_ptr<const v1::Pod>& pod, const ObservedPod& observed) {
  const v1::PodSpec& spec = pod->spec;
  int64_t grace = spec.terminationGracePeriodSeconds.value_or(30);
  if (pod->metadata.deletionTimestamp) {
    grace = pod->metadata.deletionGracePeriodSeconds.value_or(grace);
    // Counted from the request: what is left of it after a restart of ours is less.
    const int64_t end = pod->metadata.deletionTimestamp->unix_seconds();
    const int64_t left = end - (services_.clock.Now() / kNanosPerSecond);
    grace = std::clamp<int64_t>(left, grace > 0 ? 1 : 0, grace);
  }
  {
    std::lock_guard lock(mutex_);
    if (eviction_) grace = std::min(grace, eviction_->grace.value_or(grace));
  }
  const auto addresses = observed.Addresses();
  const auto kill = [&](ContainerRef ref) {
    const std::string& name = ContainerNameAt(*pod, ref);
    for (const ObservedContainer& container : observed.containers) {
      const bool runs =
          container.running() || container.state == cri::ContainerState::kContainerUnknown;
      if (container.name != name || !runs) continue;
      killer_->Kill(pod, {.id = container.id,
                          .container = ref,
                          .message = {},
                          .grace = grace,
                          .pre_stop = true,
                          .rank = KillRank(spec, ref),
                          .address = addresses.empty() ? std::string() : addresses.front()});
    }
  };
  for (size_t i = 0; i < spec.initContainers.size(); ++i) kill({ContainerKind::kInit, i});
  for (size_t i = 0; i < spec.containers.size(); ++i) kill({ContainerKind::kRegular, i});
  for (size_t i = 0; i < spec.ephemeralContainers.size(); ++i) kill({ContainerKind::kEphemeral, i});
}

std::optional<int64_t> PodWorker::Terminate(const std::shared_ptr<const v1::Pod>& pod,
                                            const ObservedPod& observed) {
  // Readiness goes on while containers end; what would kill them does not matter any more.
  prober_->StopLivenessAndStartup();
  const bool runs = std::ranges::any_of(observed.containers, [](const auto& container) {
    return container.running() || container.state == cri::ContainerState::kContainerUnknown;
  });
  Tell(pod, observed, true);
  if (runs) {
    KillAll(pod, observed);
    return std::nullopt;  // each end wakes the worker
  }
  prober_->Stop();
  for (const auto& sandbox : observed.sandboxes) {
    if (sandbox.state != cri::PodSandboxState::kSandboxReady) continue;
    if (!services_.runtime.StopPodSandbox(sandbox.id).ok()) {
      return services_.clock.Now() + kRetryDelay;
    }
  }
  return CleanUp(pod, observed);
}

std::optional<int64_t> PodWorker::CleanUp(const std::shared_ptr<const v1::Pod>& pod,
                                          const ObservedPod& observed) {
  {
    const std::lock_guard lock(mutex_);
    stopped_pod_ = true;
    if (late_ != 0) services_.executor.Cancel(late_);
    late_ = 0;
  }
  auto now = Observe(*pod);
  if (!now.ok()) return services_.clock.Now() + kRetryDelay;
  Tell(pod, *now, true);
  if (!unmounted_) {
    if (!services_.volumes.TearDown(pod->metadata.uid).ok()) {
      return services_.clock.Now() + kRetryDelay;
    }
    unmounted_ = true;
    callbacks_.unmounted(pod->metadata.uid);
  }
  if (!pod->metadata.deletionTimestamp) return std::nullopt;
  if (!RemoveSandboxes(observed).ok()) return services_.clock.Now() + kRetryDelay;
  gone_ = true;
  services_.images.Forget(*pod);
  services_.users.Release(pod->metadata.uid);
  callbacks_.gone(pod->metadata.uid);
  return std::nullopt;
}

Result<void> PodWorker::RemoveSandboxes(const ObservedPod& observed) {
  for (const auto& sandbox : observed.sandboxes) {
    TRY_VOID(services_.runtime.RemovePodSandbox(sandbox.id));
  }
  return {};
}

Result<ObservedPod> PodWorker::Observe(const v1::Pod& pod) {
  TRY(ObservedPod observed,
      observer_.Observe(pod.metadata.uid, PodLogFolder(services_.config, pod.metadata.namespace_,
                                                       pod.metadata.name, pod.metadata.uid)));
  conflicts_.Look(pod, &observed);
  return observed;
}

std::optional<PodFailure> PodWorker::FailureOf(const v1::Pod& pod) {
  {
    std::lock_guard lock(mutex_);
    if (eviction_) return eviction_->why;
  }
  const auto deadline = ActiveDeadline(pod, pod.status.startTime);
  if (!deadline || *deadline > services_.clock.Now()) return std::nullopt;
  return PodFailure{std::string(kDeadlineExceeded), std::string(kDeadlineMessage)};
}

void PodWorker::Tell(const std::shared_ptr<const v1::Pod>& pod, const ObservedPod& observed,
                     bool terminal) {
  const TraceSpan span("status");
  v1::Pod current = *pod;
  {
    std::lock_guard lock(mutex_);
    current.status = pod_->status;
  }
  const std::optional<PodFailure> failure = FailureOf(current);
  v1::PodStatus status = GeneratePodStatus({.pod = current,
                                            .observed = observed,
                                            .waiting = memory_.waiting,
                                            .readiness = *prober_,
                                            .host_addresses = services_.config.addresses,
                                            .now = services_.clock.Now(),
                                            .terminal = terminal,
                                            .failure = failure,
                                            .resize = memory_.resize});
  ending_ = ending_ || IsTerminalPhase(status.phase);
  if (!IsTerminalPhase(current.status.phase) && failure && failure->reason == kDeadlineExceeded &&
      !std::exchange(told_deadline_, true)) {
    services_.events.Record(current, std::nullopt, EventType::kNormal, kDeadlineExceeded,
                            kDeadlineMessage);
  }
  status = WithholdEnd(std::move(status), current.status, observed.AnythingRuns());
  if (reflect::Equal(status, current.status)) return;
  if (first_seen_ > 0 && current.status.phase != "Running" && status.phase == "Running") {
    services_.metrics.pod_start.ObserveNanos(services_.clock.Now() - first_seen_);
    first_seen_ = 0;
  }
  Note(status);
  callbacks_.status(pod->metadata.uid, status);
}

void PodWorker::Note(const v1::PodStatus& status) {
  std::lock_guard lock(mutex_);
  v1::Pod next = *pod_;
  next.status = status;
  pod_ = std::make_shared<const v1::Pod>(std::move(next));
}

}  // namespace podium::node
