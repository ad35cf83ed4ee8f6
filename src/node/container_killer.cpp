#include "node/container_killer.h"

#include <algorithm>

#include "api/grace_period.h"
#include "node/hooks.h"

namespace podium::node {
namespace {

// Upstream's minimumGracePeriodInSeconds.
constexpr int64_t kMinGrace = 2;
constexpr std::chrono::seconds kRetry{1};

const v1::LifecycleHandler* PreStopOf(const v1::Container& container) {
  return container.lifecycle ? container.lifecycle->preStop.get() : nullptr;
}

}  // namespace

int KillRank(const v1::PodSpec& spec, ContainerRef container) {
  if (container.kind != ContainerKind::kInit || !IsSidecar(spec.initContainers[container.index])) {
    return 0;
  }
  return static_cast<int>(spec.initContainers.size() - container.index);
}

void ContainerKiller::Kill(const std::shared_ptr<const v1::Pod>& pod, KillRequest request) {
  request.grace = api::BoundedGracePeriod(request.grace);
  const int64_t deadline = services_.clock.Now() + (request.grace * kNanosPerSecond);
  std::lock_guard lock(mutex_);
  auto at = entries_.find(request.id);
  if (at == entries_.end()) {
    const std::string name = ContainerNameAt(*pod, request.container);
    if (request.message.empty()) request.message = "Stopping container " + name;
    services_.events.Record(*pod, request.container, EventType::kNormal, "Killing",
                            request.message);
    const std::string id = request.id;
    Entry& entry = entries_[id];
    entry.pod = pod;
    entry.request = std::move(request);
    entry.deadline = deadline;
    Begin(&entry);
    return;
  }
  Entry& entry = at->second;
  // Whoever asks again in the same words means the same end, give or take what seconds cut off.
  if (deadline + kNanosPerSecond >= entry.deadline && request.grace > 0) return;
  if (entry.request.grace == 0) return;
  entry.deadline = deadline;
  entry.request.grace = request.grace;
  if (entry.state == State::kStopping || request.grace == 0) {
    Stop(&entry);
  } else {
    const std::string id = entry.request.id;
    SetTimer(&entry, deadline, [self = shared_from_this(), id] { self->AfterPreStop(id); });
  }
}

bool ContainerKiller::Killing(std::string_view container_id) const {
  std::lock_guard lock(mutex_);
  return entries_.contains(container_id);
}

bool ContainerKiller::Idle() const {
  std::lock_guard lock(mutex_);
  return entries_.empty();
}

void ContainerKiller::SetTimer(Entry* entry, int64_t at, std::function<void()> task) {
  if (entry->timer != 0) services_.executor.Cancel(entry->timer);
  const int64_t delay = std::max<int64_t>(at - services_.clock.Now(), 0);
  entry->timer = services_.executor.PostAfter(std::chrono::nanoseconds(delay), std::move(task));
}

void ContainerKiller::Begin(Entry* entry) {
  const std::string id = entry->request.id;
  const v1::Container container = ContainerAt(*entry->pod, entry->request.container);
  const v1::LifecycleHandler* hook = PreStopOf(container);
  if (entry->request.grace == 0) {
    Stop(entry);
  } else if (!hook || !entry->request.pre_stop) {
    entry->state = State::kWaiting;
    // Those that go before it may still be asked for, in this very round.
    services_.executor.Post([self = shared_from_this(), id] { self->AfterPreStop(id); });
  } else {
    const int64_t sleep = SleepOf(*hook).count() * kNanosPerSecond;
    const int64_t until =
        sleep > 0 ? std::min(services_.clock.Now() + sleep, entry->deadline) : entry->deadline;
    SetTimer(entry, until, [self = shared_from_this(), id] { self->AfterPreStop(id); });
    if (sleep == 0) {
      services_.executor.Post([self = shared_from_this(), id] { self->RunPreStop(id); });
    }
  }
}

void ContainerKiller::RunPreStop(const std::string& id) {
  std::shared_ptr<const v1::Pod> pod;
  KillRequest request;
  int64_t seconds = 0;
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(id);
    if (at == entries_.end() || at->second.state != State::kPreStop) return;
    pod = at->second.pod;
    request = at->second.request;
    seconds = std::max<int64_t>(SecondsLeft(at->second), 1);
  }
  const v1::Container container = ContainerAt(*pod, request.container);
  auto ran = RunHook(*PreStopOf(container),
                     {.pod = *pod,
                      .container = container,
                      .container_id = id,
                      .address = request.address,
                      .timeout = std::chrono::seconds(seconds)},
                     {services_.runtime, services_.network, services_.events});
  if (!ran.ok()) {
    services_.events.Record(*pod, request.container, EventType::kWarning, "FailedPreStopHook",
                            "PreStopHook failed");
  }
  AfterPreStop(id);
}

void ContainerKiller::AfterPreStop(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto at = entries_.find(id);
  if (at == entries_.end() || at->second.state == State::kStopping) return;
  Entry& entry = at->second;
  entry.state = State::kWaiting;
  if (services_.clock.Now() >= entry.deadline) {
    Stop(&entry);
  } else {
    SetTimer(&entry, entry.deadline, [self = shared_from_this(), id] { self->AfterPreStop(id); });
    GiveTurns();
  }
}

void ContainerKiller::GiveTurns() {
  for (auto& [id, entry] : entries_) {
    if (entry.state != State::kWaiting) continue;
    const bool first = std::ranges::none_of(entries_, [&](const auto& other) {
      return other.second.request.rank < entry.request.rank;
    });
    if (first) Stop(&entry);
  }
}

int64_t ContainerKiller::SecondsLeft(const Entry& entry) const {
  const int64_t left = entry.deadline - services_.clock.Now();
  return left <= 0 ? 0 : (left + kNanosPerSecond - 1) / kNanosPerSecond;
}

void ContainerKiller::Stop(Entry* entry) {
  const std::string id = entry->request.id;
  if (entry->timer != 0) services_.executor.Cancel(entry->timer);
  entry->timer = 0;
  entry->state = State::kStopping;
  const int64_t seconds = entry->request.grace == 0 ? 0 : std::max(SecondsLeft(*entry), kMinGrace);
  services_.executor.Post([self = shared_from_this(), id, seconds] {
    // What cannot be stopped now is still there afterwards, and is tried again; not at once.
    auto stopped = self->services_.runtime.StopContainer(id, std::chrono::seconds(seconds));
    if (stopped.ok()) return self->Stopped(id);
    self->services_.executor.PostAfter(kRetry, [self, id] { self->Stopped(id); });
  });
}

void ContainerKiller::Stopped(const std::string& id) {
  {
    std::lock_guard lock(mutex_);
    auto at = entries_.find(id);
    if (at == entries_.end()) return;
    if (at->second.timer != 0) services_.executor.Cancel(at->second.timer);
    entries_.erase(at);
    GiveTurns();
  }
  changed_();
}

}  // namespace podium::node
