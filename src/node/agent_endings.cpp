// What ends pods from outside, and what is there of those that have ended.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/agent.h"
#include "node/stats/metrics_text.h"

namespace podium::node {

void Agent::SetPressures(std::vector<std::string> conditions) {
  const std::lock_guard lock(mutex_);
  pressures_ = std::move(conditions);
}

void Agent::SetShuttingDown(bool shutting_down) {
  const std::lock_guard lock(mutex_);
  shutting_down_ = shutting_down;
}

void Agent::Evict(const std::string& uid, const PodFailure& why, int64_t grace) {
  std::shared_ptr<PodWorker> worker;
  {
    std::lock_guard lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) return;
    worker = found->second.worker;
  }
  if (!worker->Evict(why, grace) || why.signal.empty()) return;
  parts_.metrics.evictions.At(MetricsText::LabelsText({{"eviction_signal", why.signal}})).Add();
}

bool Agent::HasEnded(std::string_view uid) const {
  const std::lock_guard lock(mutex_);
  const auto found = pods_.find(uid);
  return found == pods_.end() || found->second.unmounted;
}

void Agent::Unmounted(const std::string& uid) {
  remains_->LeaveVolumes(uid);
  {
    const std::lock_guard lock(mutex_);
    const auto found = pods_.find(uid);
    if (found != pods_.end()) found->second.unmounted = true;
  }
  if (parts_.on_end) parts_.on_end();
}

}  // namespace podium::node
