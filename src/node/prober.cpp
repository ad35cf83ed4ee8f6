#include "node/prober.h"

#include <algorithm>
#include <set>

#include "node/probe_runner.h"

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

void Prober::Sync(const v1::Pod& pod, const ObservedPod& observed) {
  std::vector<std::string> addresses = observed.Addresses();
  const std::string address = !addresses.empty()     ? addresses.front()
                              : pod.spec.hostNetwork ? pod.status.hostIP
                                                     : std::string();
  std::shared_ptr<const v1::Pod> shared;
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  std::set<std::string, std::less<>> running;
  const auto look = [&](const v1::Container& container, ContainerRef ref) {
    const ObservedContainer* state = observed.Find(container.name);
    if (!state || !state->running()) return;
    running.insert(state->id);
    if (!container.startupProbe && !container.livenessProbe && !container.readinessProbe) return;
    if (!shared) shared = std::make_shared<const v1::Pod>(pod);
    Add(shared, container, ref, *state, address);
  };
  for (size_t i = 0; i < pod.spec.initContainers.size(); ++i) {
    if (IsSidecar(pod.spec.initContainers[i])) {
      look(pod.spec.initContainers[i], {ContainerKind::kInit, i});
    }
  }
  for (size_t i = 0; i < pod.spec.containers.size(); ++i) {
    look(pod.spec.containers[i], {ContainerKind::kRegular, i});
  }
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (running.contains(at->first.first)) {
      ++at;
      continue;
    }
    if (at->second.timer != 0) services_.executor.Cancel(at->second.timer);
    at = entries_.erase(at);
  }
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
    entry.container = container;
    entry.ref = ref;
    entry.pod = pod;
    entry.generation = ++last_generation_;
    const int64_t begin =
        observed.started_at + (int64_t{probe->initialDelaySeconds} * kNanosPerSecond);
    Schedule(key, &entry, std::max<int64_t>(begin - services_.clock.Now(), 0));
  }
}

void Prober::Stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  for (auto& [key, entry] : entries_) {
    if (entry.timer != 0) services_.executor.Cancel(entry.timer);
  }
  entries_.clear();
}

void Prober::Schedule(const Key& key, Entry* entry, int64_t delay) {
  entry->timer = services_.executor.PostAfter(
      std::chrono::nanoseconds(delay),
      [self = shared_from_this(), key, generation = entry->generation] {
        self->Run(key, generation);
      });
}

void Prober::Run(const Key& key, uint64_t generation) {
  v1::Container container;
  std::shared_ptr<const v1::Pod> pod;
  std::string address;
  ContainerRef ref;
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(key);
    if (at == entries_.end() || at->second.generation != generation) return;
    Entry& entry = at->second;
    entry.timer = 0;
    const v1::Probe* probe = ProbeOf(entry.container, key.second);
    const bool waits =
        key.second != ProbeKind::kStartup && !StartedLocked(entry.container, key.first);
    if (entry.on_hold) return;
    if (waits) {
      Schedule(key, &entry, PeriodOf(*probe));
      return;
    }
    container = entry.container;
    pod = entry.pod;
    address = entry.address;
    ref = entry.ref;
  }
  const v1::Probe& probe = *ProbeOf(container, key.second);
  const int64_t begin = services_.clock.Now();
  const ProbeOutcome outcome = RunProbe(
      {.probe = probe, .container = container, .container_id = key.first, .address = address},
      services_.runtime, services_.network);
  if (outcome.result != ProbeResult::kSuccess) {
    const bool errored = outcome.result == ProbeResult::kUnknown;
    services_.events.Record(
        *pod, ref, EventType::kWarning, "Unhealthy",
        std::string(Title(key.second)) +
            (errored ? " probe errored and resulted in unknown state: " : " probe failed: ") +
            outcome.output);
  }
  bool changed = false;
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(key);
    if (at == entries_.end() || at->second.generation != generation) return;
    changed = Note(key, &at->second, outcome.result);
    const int64_t next = begin + PeriodOf(probe);
    if (!at->second.on_hold) {
      Schedule(key, &at->second, std::max<int64_t>(next - services_.clock.Now(), 0));
    }
  }
  if (changed) changed_();
}

bool Prober::Note(const Key& key, Entry* entry, ProbeResult result) {
  if (result == ProbeResult::kUnknown) return false;
  entry->run = entry->last == result ? entry->run + 1 : 1;
  entry->last = result;
  const v1::Probe& probe = *ProbeOf(entry->container, key.second);
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
