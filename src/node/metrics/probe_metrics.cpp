#include "node/metrics/probe_metrics.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "node/metrics/node_metrics.h"

namespace podium::node {

ProbeCounts::ProbeCounts(Labels labels) : duration(kDefaultBuckets), labels_(std::move(labels)) {}

std::shared_ptr<ProbeCounts> ProbeMetrics::Make(ProbeCounts::Labels labels) {
  auto counts = std::make_shared<ProbeCounts>(std::move(labels));
  const std::lock_guard lock(mutex_);
  // Nobody may ever ask for them.
  if (all_.size() >= clean_at_) {
    std::erase_if(all_, [](const auto& each) { return each.expired(); });
    clean_at_ = std::max<size_t>(clean_at_, 2 * all_.size());
  }
  all_.push_back(counts);
  return counts;
}

std::vector<std::shared_ptr<const ProbeCounts>> ProbeMetrics::All() const {
  std::vector<std::shared_ptr<const ProbeCounts>> out;
  {
    const std::lock_guard lock(mutex_);
    out.reserve(all_.size());
    for (const auto& each : all_) {
      if (auto counts = each.lock()) out.push_back(std::move(counts));
    }
  }
  std::ranges::sort(out, {}, [](const auto& counts) {
    const ProbeCounts::Labels& labels = counts->labels();
    return std::tie(labels.name_space, labels.pod, labels.uid, labels.container, labels.type);
  });
  return out;
}

}  // namespace podium::node
