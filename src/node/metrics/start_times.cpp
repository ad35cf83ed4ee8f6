#include "node/metrics/start_times.h"

#include <algorithm>

#include "node/metrics/node_metrics.h"

namespace podium::node {
namespace {

bool WasUnschedulable(const v1::Pod& pod) {
  return std::ranges::any_of(pod.status.conditions, [](const v1::PodCondition& condition) {
    return condition.type == "PodScheduled" && condition.status == "False";
  });
}

bool KeepsSomething(const v1::Pod& pod) {
  return std::ranges::any_of(pod.spec.volumes, [](const v1::Volume& volume) {
    return !volume.secret && !volume.configMap && !volume.downwardAPI && !volume.emptyDir &&
           !volume.projected;
  });
}

bool AllStarted(const v1::Pod& pod) {
  return !pod.status.containerStatuses.empty() &&
         std::ranges::all_of(pod.status.containerStatuses, [](const v1::ContainerStatus& status) {
           return status.state.running && !status.state.running->startedAt.IsZero();
         });
}

// They run one after the other; sidecars are still there.
int64_t InitNanos(const v1::Pod& pod) {
  int64_t seconds = 0;
  for (const v1::ContainerStatus& status : pod.status.initContainerStatuses) {
    const auto& ended = status.state.terminated;
    if (!ended || ended->startedAt.IsZero() || ended->finishedAt.IsZero()) continue;
    seconds +=
        std::max<int64_t>(ended->finishedAt.unix_seconds() - ended->startedAt.unix_seconds(), 0);
  }
  return seconds * kNanosPerSecond;
}

}  // namespace

StartTimes::StartTimes() : total(kPodStartBuckets), sli(kPodStartBuckets) {}

void StartTimes::Observe(const v1::Pod& pod, int64_t now) {
  const std::string& uid = pod.metadata.uid;
  const bool over = pod.status.phase == "Failed" || pod.status.phase == "Succeeded";
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (over) {
    if (found != pods_.end()) pods_.erase(found);
    return;
  }
  if (excluded_.contains(uid)) return;
  if (WasUnschedulable(pod)) {
    if (found != pods_.end() || !pod.status.startTime) excluded_.insert(uid);
    if (found != pods_.end()) pods_.erase(found);
    return;
  }
  if (found == pods_.end()) {
    if (!pod.status.startTime) pods_.emplace(uid, Pod());
    return;
  }
  Pod& known = found->second;
  if (known.recorded || pod.metadata.creationTimestamp.IsZero() || !AllStarted(pod)) return;
  known.recorded = true;
  const int64_t whole = now - (pod.metadata.creationTimestamp.unix_seconds() * kNanosPerSecond);
  total.ObserveNanos(whole);
  if (KeepsSomething(pod)) return;
  const int64_t own = std::max<int64_t>(whole - known.pulled - InitNanos(pod), 0);
  sli.ObserveNanos(own);
  if (!pod.spec.hostNetwork && !first_with_network_) {
    first_with_network_ = static_cast<double>(own) / static_cast<double>(kNanosPerSecond);
  }
}

void StartTimes::PullBegins(std::string_view uid, int64_t now) {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return;
  if (found->second.pulling++ == 0) found->second.pulling_since = now;
}

void StartTimes::PullEnds(std::string_view uid, int64_t now) {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end() || found->second.pulling == 0) return;
  Pod& pod = found->second;
  if (--pod.pulling == 0) pod.pulled += std::max<int64_t>(now - pod.pulling_since, 0);
}

void StartTimes::Forget(std::string_view uid) {
  const std::lock_guard lock(mutex_);
  if (const auto found = pods_.find(uid); found != pods_.end()) pods_.erase(found);
  if (const auto found = excluded_.find(uid); found != excluded_.end()) excluded_.erase(found);
}

std::optional<double> StartTimes::first_with_network() const {
  const std::lock_guard lock(mutex_);
  return first_with_network_;
}

}  // namespace podium::node
