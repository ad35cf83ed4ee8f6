#include "node/probe_wheel.h"

#include <algorithm>
#include <utility>

namespace podium::node {
namespace {

constexpr int64_t kSlotNanos = std::chrono::nanoseconds(ProbeWheel::kSlot).count();

}  // namespace

ProbeWheel::ProbeWheel(Executor& executor, std::function<int64_t()> now)
    : state_(std::make_shared<State>(executor, std::move(now))), began_(state_->now()) {}

ProbeWheel::~ProbeWheel() {
  // Destroyed outside of the lock: tasks may own whoever takes places back when it goes.
  std::map<int64_t, std::map<uint64_t, Task>> dropped;
  const std::lock_guard lock(state_->mutex);
  dropped.swap(state_->slots);
  if (state_->timer != 0) state_->executor.Cancel(state_->timer);
}

ProbeWheel::Place ProbeWheel::Add(int64_t at, Task task) {
  if (at <= Now()) {
    state_->executor.Post(std::move(task));
    return {};
  }
  const std::lock_guard lock(state_->mutex);
  const Place place{.slot = (at + kSlotNanos - 1) / kSlotNanos, .number = ++state_->last_number};
  state_->slots[place.slot].emplace(place.number, std::move(task));
  SetTimerLocked(state_);
  return place;
}

void ProbeWheel::Cancel(Place place) {
  Task dropped;  // outside of the lock, as above
  const std::lock_guard lock(state_->mutex);
  const auto slot = state_->slots.find(place.slot);
  if (slot == state_->slots.end()) return;
  const auto found = slot->second.find(place.number);
  if (found == slot->second.end()) return;
  dropped = std::move(found->second);
  slot->second.erase(found);
  if (slot->second.empty()) state_->slots.erase(slot);
  SetTimerLocked(state_);
}

size_t ProbeWheel::size() const {
  const std::lock_guard lock(state_->mutex);
  size_t count = 0;
  for (const auto& [slot, tasks] : state_->slots) count += tasks.size();
  return count;
}

void ProbeWheel::SetTimerLocked(const std::shared_ptr<State>& state) {
  const int64_t first = state->slots.empty() ? 0 : state->slots.begin()->first;
  if (state->timer != 0 && state->timer_slot == first) return;
  if (state->timer != 0) state->executor.Cancel(std::exchange(state->timer, 0));
  if (first == 0) return;
  const int64_t delay = std::max<int64_t>((first * kSlotNanos) - state->now(), 0);
  state->timer_slot = first;
  state->timer = state->executor.PostAfter(std::chrono::nanoseconds(delay),
                                           [weak = std::weak_ptr(state), first] {
                                             if (const auto self = weak.lock()) Run(self, first);
                                           });
}

void ProbeWheel::Run(const std::shared_ptr<State>& state, int64_t slot) {
  std::vector<Task> due;
  {
    const std::lock_guard lock(state->mutex);
    const int64_t now = state->now() / kSlotNanos;
    while (!state->slots.empty() && state->slots.begin()->first <= now) {
      for (auto& [number, task] : state->slots.begin()->second) due.push_back(std::move(task));
      state->slots.erase(state->slots.begin());
    }
    // Another one may have taken its place meanwhile.
    if (state->timer_slot == slot) state->timer = 0;
    SetTimerLocked(state);
  }
  for (Task& task : due) {
    task();
    task = nullptr;  // what it holds is released at once
  }
}

}  // namespace podium::node
