#include "node/eviction/eviction_manager.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "node/critical_pods.h"

namespace podium::node {
namespace {

constexpr const char* kReason = "Evicted";
constexpr int64_t kPatience = 30 * kNanosPerSecond;  // podCleanupTimeout
constexpr int64_t kFilesFollow = kNanosPerSecond;
constexpr std::chrono::milliseconds kSoon{500};

}  // namespace

EvictionManager::EvictionManager(Services services, const EvictionSettings& settings)
    : services_(std::move(services)),
      settings_(settings),
      thresholds_(EffectiveThresholds(settings.thresholds)),
      watch_(thresholds_, settings.transition_period) {}

void EvictionManager::Look() {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || posted_) return;
    if (looking_) {
      again_ = true;
      return;
    }
    posted_ = true;
  }
  services_.executor.Post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->LookNow();
  });
}

void EvictionManager::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  if (timer_ != 0) services_.executor.Cancel(timer_);
  timer_ = 0;
  idle_.wait(lock, [this] { return !looking_; });
}

void EvictionManager::LookAgainSoon() {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  if (timer_ != 0) services_.executor.Cancel(timer_);
  timer_ = services_.executor.PostAfter(kSoon, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Look();
  });
}

void EvictionManager::LookNow() {
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    if (stopped_) return;
    looking_ = true;
  }
  const Observations observations = services_.observe();
  if (services_.expect) services_.expect(LeftUntilPressure(thresholds_, observations));
  const PressureWatch::Verdict verdict = watch_.Look(observations, services_.clock.Now());
  if (verdict.conditions != conditions_) {
    conditions_ = verdict.conditions;
    services_.on_conditions(conditions_);
  }
  if (!verdict.met.empty()) {
    Relieve(verdict.met.front(), verdict, observations);
  } else if (!evicted_.empty() && IsWaiting(services_.pods())) {
    // Its end is noticed now, and not when memory is scarce again.
    LookAgainSoon();
  }
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    looking_ = false;
    again = std::exchange(again_, false);
    idle_.notify_all();
  }
  if (again) Look();
}

// Whether the pod that was evicted last still holds what it held.
bool EvictionManager::IsWaiting(const RankedPods& pods) {
  if (evicted_.empty()) return false;
  const bool there =
      std::ranges::any_of(pods, [&](const auto& pod) { return pod->metadata.uid == evicted_; });
  const int64_t now = services_.clock.Now();
  if (!there && ended_at_ == 0) ended_at_ = now;
  // Its end is told before its files are put aside.
  const bool holds = there || now - ended_at_ < kFilesFollow || services_.is_removing();
  if (holds && now - evicted_at_ < kPatience) return true;
  evicted_.clear();
  return false;
}

void EvictionManager::Relieve(const EvictionThreshold& threshold,
                              const PressureWatch::Verdict& verdict,
                              const Observations& observations) {
  RankedPods pods = services_.pods();
  if (IsWaiting(pods)) return LookAgainSoon();
  const std::string resource(ResourceOfSignal(threshold.signal));
  services_.events.RecordNode(EventType::kWarning, "EvictionThresholdMet",
                              "Attempting to reclaim " + resource);
  if (ConditionOfSignal(threshold.signal) == "DiskPressure") {
    services_.reclaim_disk();
    if (watch_.IsRelieved(services_.observe())) return;
  }
  const PodUses uses = services_.measure(threshold.signal, pods);
  RankForEviction(resource, uses, &pods);
  for (const auto& pod : pods) {
    if (IsCriticalPod(*pod)) continue;
    const auto use = uses.find(pod->metadata.uid);
    const EvictionWords words = WordsOfEviction(
        resource, *pod, use == uses.end() ? nullptr : &use->second, verdict.met, observations);
    services_.events.RecordAnnotated(*pod, words.annotations, EventType::kWarning, kReason,
                                     words.message);
    services_.evict(
        pod->metadata.uid,
        {.reason = kReason, .message = words.message, .disrupts = true, .signal = threshold.signal},
        EvictionGrace(threshold, *pod, settings_.max_pod_grace_seconds));
    evicted_ = pod->metadata.uid;
    evicted_at_ = services_.clock.Now();
    ended_at_ = 0;
    return LookAgainSoon();
  }
}

}  // namespace podium::node
