#include "node/prober.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

namespace podium::node {
namespace {

std::string_view Title(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup:
      return "Startup";
    case ProbeKind::kLiveness:
      return "Liveness";
    case ProbeKind::kReadiness:
      break;
  }
  return "Readiness";
}

// The API knows no shorter one than a second; whoever says so must not keep the node busy.
int64_t PeriodOf(const v1::Probe& probe) {
  return int64_t{std::max(probe.periodSeconds, 1)} * kNanosPerSecond;
}

void Count(ProbeResult result, int64_t nanoseconds, ProbeCounts* counts) {
  counts->duration.ObserveNanos(nanoseconds);
  (result == ProbeResult::kSuccess   ? counts->successful
   : result == ProbeResult::kFailure ? counts->failed
                                     : counts->unknown)
      .Add();
}

}  // namespace

const v1::Probe* Prober::ProbeOf(const v1::Container& container, ProbeKind kind) {
  switch (kind) {
    case ProbeKind::kStartup:
      return container.startupProbe.get();
    case ProbeKind::kLiveness:
      return container.livenessProbe.get();
    case ProbeKind::kReadiness:
      break;
  }
  return container.readinessProbe.get();
}

void Prober::Sync(const std::shared_ptr<const v1::Pod>& pod, const ObservedPod& observed) {
  const v1::PodSpec& spec = pod->spec;
  std::vector<std::string> addresses = observed.Addresses();
  const std::string address = !addresses.empty() ? addresses.front()
                              : spec.hostNetwork ? pod->status.hostIP
                                                 : std::string();
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  std::set<std::string, std::less<>> running;
  const auto look = [&](const v1::Container& container, ContainerRef ref) {
    const ObservedContainer* state = observed.Find(container.name);
    if (!state || !state->running()) return;
    running.insert(state->id);
    Add(pod, container, ref, *state, address);
  };
  for (size_t i = 0; i < spec.initContainers.size(); ++i) {
    if (IsSidecar(spec.initContainers[i])) look(spec.initContainers[i], {ContainerKind::kInit, i});
  }
  for (size_t i = 0; i < spec.containers.size(); ++i) {
    look(spec.containers[i], {ContainerKind::kRegular, i});
  }
  std::erase_if(entries_, [&](const auto& entry) {
    if (running.contains(entry.first.first)) return false;
    services_.wheel.Cancel(entry.second.place);
    return true;
  });
}

void Prober::Add(const std::shared_ptr<const v1::Pod>& pod, const v1::Container& container,
                 ContainerRef ref, const ObservedContainer& observed, const std::string& address) {
  for (ProbeKind kind : {ProbeKind::kStartup, ProbeKind::kLiveness, ProbeKind::kReadiness}) {
    const v1::Probe* probe = ProbeOf(container, kind);
    if (!probe) continue;
    const Key key(observed.id, kind);
    auto [at, added] = entries_.try_emplace(key);
    at->second.address = address;
    if (!added) continue;
    Entry& entry = at->second;
    entry.container = &container;
    entry.ref = ref;
    entry.pod = pod;
    entry.generation = ++last_generation_;
    entry.on_hold = ending_ && kind != ProbeKind::kReadiness;
    entry.counts = CountsFor(*pod, container, kind);
    if (entry.on_hold) continue;
    Schedule(key, &entry, services_.wheel.Now() + FirstDelay(key, *probe, observed.started_at));
  }
}

std::shared_ptr<ProbeCounts> Prober::CountsFor(const v1::Pod& pod, const v1::Container& container,
                                               ProbeKind kind) {
  auto& counts = counts_[{container.name, kind}];
  if (!counts) {
    counts = services_.metrics.Make({.name_space = pod.metadata.namespace_,
                                     .pod = pod.metadata.name,
                                     .uid = pod.metadata.uid,
                                     .container = container.name,
                                     .type = std::string(Title(kind))});
  }
  return counts;
}

int64_t Prober::FirstDelay(const Key& key, const v1::Probe& probe, int64_t started_at) const {
  const int64_t now = services_.clock.Now();
  const int64_t begin = started_at + (int64_t{probe.initialDelaySeconds} * kNanosPerSecond);
  int64_t delay = std::max<int64_t>(begin - now, 0);
  const int64_t age = services_.wheel.Age().count();
  const int64_t period = PeriodOf(probe);
  if (age >= period || started_at >= now - age) return delay;
  // Ids are random already.
  const uint64_t part = std::hash<std::string>()(key.first) + static_cast<uint64_t>(key.second);
  return std::max(delay, static_cast<int64_t>(part % static_cast<uint64_t>(period)));
}

void Prober::StopLivenessAndStartup() {
  std::lock_guard lock(mutex_);
  ending_ = true;
  for (auto& [key, entry] : entries_) {
    if (key.second == ProbeKind::kReadiness) continue;
    entry.on_hold = true;
    services_.wheel.Cancel(entry.place);
  }
}

void Prober::Stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  for (auto& [key, entry] : entries_) services_.wheel.Cancel(entry.place);
  entries_.clear();
  counts_.clear();
}

void Prober::Schedule(const Key& key, Entry* entry, int64_t at) {
  entry->due = at;
  entry->place =
      services_.wheel.Add(at, [self = shared_from_this(), key, generation = entry->generation] {
        self->Run(key, generation);
      });
}

void Prober::ScheduleNext(const Key& key, Entry* entry) {
  const int64_t period = PeriodOf(*ProbeOf(*entry->container, key.second));
  const int64_t now = services_.wheel.Now();
  int64_t next = entry->due + period;
  if (next < now) next += (now - next) / period * period;
  Schedule(key, entry, next);
}

void Prober::HurryLocked(const std::string& id) {
  const Key key(id, ProbeKind::kReadiness);
  auto at = entries_.find(key);
  // One that has no place runs just now.
  if (at == entries_.end() || at->second.place.number == 0) return;
  services_.wheel.Cancel(at->second.place);
  // Not of the task that may be on its way already.
  at->second.generation = ++last_generation_;
  Schedule(key, &at->second, services_.wheel.Now());
}

void Prober::Run(const Key& key, uint64_t generation) {
  std::shared_ptr<const v1::Pod> pod;
  const v1::Container* container = nullptr;
  std::string address;
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(key);
    if (at == entries_.end() || at->second.generation != generation) return;
    Entry& entry = at->second;
    entry.place = {};
    if (entry.on_hold) return;
    if (key.second != ProbeKind::kStartup && !StartedLocked(*entry.container, key.first)) {
      return ScheduleNext(key, &entry);
    }
    pod = entry.pod;
    container = entry.container;
    address = entry.address;
  }
  RunProbe({.probe = *ProbeOf(*container, key.second),
            .container = *container,
            .container_id = key.first,
            .address = std::move(address)},
           services_.commands, services_.network,
           [self = shared_from_this(), key, generation, begun = services_.wheel.Now()](
               const ProbeOutcome& outcome) { self->Finished(key, generation, begun, outcome); });
}

void Prober::Finished(const Key& key, uint64_t generation, int64_t begun,
                      const ProbeOutcome& outcome) {
  bool changed = false;
  std::shared_ptr<const v1::Pod> pod;
  ContainerRef ref;
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(key);
    if (at == entries_.end() || at->second.generation != generation || at->second.on_hold) return;
    pod = at->second.pod;
    ref = at->second.ref;
    Count(outcome.result, services_.wheel.Now() - begun, at->second.counts.get());
    changed = Note(key, &at->second, outcome.result);
    if (!at->second.on_hold) ScheduleNext(key, &at->second);
    if (changed && key.second == ProbeKind::kStartup) HurryLocked(key.first);
  }
  const std::string title(Title(key.second));
  if (outcome.result == ProbeResult::kFailure) {
    services_.events.Record(*pod, ref, EventType::kWarning, "Unhealthy",
                            title + " probe failed: " + outcome.output);
  } else if (outcome.result == ProbeResult::kUnknown) {
    services_.events.Record(
        *pod, ref, EventType::kWarning, "Unhealthy",
        title + " probe errored and resulted in unknown state: " + outcome.output);
  } else if (outcome.warning) {
    services_.events.Record(*pod, ref, EventType::kWarning, "ProbeWarning",
                            title + " probe warning: " + outcome.output);
  }
  if (changed) changed_();
}

bool Prober::Note(const Key& key, Entry* entry, ProbeResult result) {
  if (result == ProbeResult::kUnknown) return false;
  entry->run = entry->last == result ? entry->run + 1 : 1;
  entry->last = result;
  const v1::Probe& probe = *ProbeOf(*entry->container, key.second);
  const bool failed = result == ProbeResult::kFailure;
  if (entry->run < (failed ? probe.failureThreshold : probe.successThreshold)) return false;
  const bool changed = entry->result != result;
  entry->result = result;
  // What is to be restarted is left alone, and so is what has started.
  if (failed && key.second != ProbeKind::kReadiness) entry->on_hold = true;
  if (!failed && key.second == ProbeKind::kStartup) entry->on_hold = true;
  return changed;
}

std::optional<ProbeResult> Prober::Find(std::string_view id, ProbeKind kind) const {
  auto at = entries_.find(Key(id, kind));
  return at == entries_.end() ? std::nullopt : at->second.result;
}

std::optional<ProbeResult> Prober::Startup(std::string_view container_id) const {
  std::lock_guard lock(mutex_);
  return Find(container_id, ProbeKind::kStartup);
}

std::optional<ProbeResult> Prober::Liveness(std::string_view container_id) const {
  std::lock_guard lock(mutex_);
  return Find(container_id, ProbeKind::kLiveness);
}

bool Prober::StartedLocked(const v1::Container& container, std::string_view id) const {
  return !container.startupProbe || Find(id, ProbeKind::kStartup) == ProbeResult::kSuccess;
}

bool Prober::Started(const v1::Container& container, std::string_view container_id) const {
  std::lock_guard lock(mutex_);
  return StartedLocked(container, container_id);
}

bool Prober::Ready(const v1::Container& container, std::string_view container_id) const {
  std::lock_guard lock(mutex_);
  return !container.readinessProbe ||
         Find(container_id, ProbeKind::kReadiness) == ProbeResult::kSuccess;
}

}  // namespace podium::node
