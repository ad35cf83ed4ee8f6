#include "node/shutdown/shutdown_manager.h"

#include <algorithm>
#include <utility>

namespace podium::node {
namespace {

constexpr const char* kEvent = "NodeShutdown";

}  // namespace

PodFailure ShutdownFailure() {
  return {.reason = "Terminated",
          .message = "Pod was terminated in response to imminent node shutdown.",
          .disrupts = true};
}

PodFailure ShutdownRefusal() {
  return {.reason = kEvent, .message = "Pod was rejected as the node is shutting down."};
}

void ShutdownManager::Begin(const ShutdownGraces& graces) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || state_.shutting_down) return;
  state_ = {.shutting_down = true};
  services_.events.RecordNode(EventType::kNormal, kEvent,
                              "Shutdown manager detected shutdown event");
  // From here on no pod comes that the list has not.
  services_.on_change(true);
  groups_ = GroupByPriority(graces, services_.pods());
  begun_ = false;
  PostStep();
}

void ShutdownManager::Cancel() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || !state_.shutting_down) return;
  state_ = {};
  DropGroups();
  services_.events.RecordNode(EventType::kNormal, kEvent,
                              "Shutdown manager detected shutdown cancellation");
  services_.on_change(false);
}

void ShutdownManager::PodEnded() {
  const std::lock_guard lock(mutex_);
  if (begun_) PostStep();
}

void ShutdownManager::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  DropGroups();
}

ShutdownManager::State ShutdownManager::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void ShutdownManager::PostStep() {
  if (stopped_ || std::exchange(posted_, true)) return;
  services_.executor.Post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    const std::lock_guard lock(self->mutex_);
    self->Step();
  });
}

void ShutdownManager::Step() {
  posted_ = false;
  if (stopped_ || !state_.shutting_down || state_.done) return;
  const auto has_ended = [&](const auto& pod) { return services_.has_ended(pod->metadata.uid); };
  while (!groups_.empty()) {
    if (!begun_) BeginGroup();
    if (!time_over_ && !std::ranges::all_of(groups_.front().pods, has_ended)) return;
    groups_.erase(groups_.begin());
    begun_ = false;
  }
  DropGroups();
  state_.done = true;
  services_.on_done();
}

void ShutdownManager::BeginGroup() {
  begun_ = true;
  time_over_ = false;
  const ShutdownGroup& group = groups_.front();
  const PodFailure why = ShutdownFailure();
  for (const auto& pod : group.pods) {
    services_.end(pod->metadata.uid, why, group.GraceOf(*pod));
  }
  if (timer_ != 0) services_.executor.Cancel(timer_);
  timer_ = services_.executor.PostAfter(std::chrono::seconds(group.seconds),
                                        [weak = weak_from_this(), turn = ++turn_] {
                                          const auto self = weak.lock();
                                          if (!self) return;
                                          const std::lock_guard lock(self->mutex_);
                                          if (!self->begun_ || self->turn_ != turn) return;
                                          self->time_over_ = true;
                                          self->PostStep();
                                        });
}

void ShutdownManager::DropGroups() {
  groups_.clear();
  begun_ = false;
  if (timer_ != 0) services_.executor.Cancel(timer_);
  timer_ = 0;
}

}  // namespace podium::node
