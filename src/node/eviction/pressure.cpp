#include "node/eviction/pressure.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace podium::node {
namespace {

enum class Reclaim : uint8_t { kIgnore, kEnforce };

bool IsMet(const EvictionThreshold& threshold, const Observations& observations, Reclaim reclaim) {
  const auto observed = observations.find(threshold.signal);
  if (observed == observations.end()) return false;
  api::Quantity least = threshold.amount().Of(observed->second.capacity);
  if (reclaim == Reclaim::kEnforce && threshold.min_reclaim) {
    least.Add(threshold.min_reclaim->Of(observed->second.capacity));
  }
  return least.Cmp(observed->second.available) > 0;
}

bool IsMemory(const EvictionThreshold& threshold) {
  return ResourceOfSignal(threshold.signal) == "memory";
}

// What is left of a threshold for telling it from another: how much more is to be reclaimed says
// nothing of what it is.
bool SameThreshold(const EvictionThreshold& a, const EvictionThreshold& b) {
  return a.signal == b.signal && a.grace_period == b.grace_period && a.amount() == b.amount();
}

}  // namespace

std::map<std::string, int64_t> LeftUntilPressure(const std::vector<EvictionThreshold>& thresholds,
                                                 const Observations& observations) {
  std::map<std::string, int64_t> left;
  for (const EvictionThreshold& each : thresholds) {
    const auto observed = observations.find(each.signal);
    if (observed == observations.end()) continue;
    api::Quantity free = observed->second.available;
    free.Sub(each.amount().Of(observed->second.capacity));
    if (free.Sign() < 0) continue;
    const auto [known, first] = left.try_emplace(each.signal, free.Value());
    if (!first) known->second = std::min(known->second, free.Value());
  }
  return left;
}

PressureWatch::Verdict PressureWatch::Look(const Observations& observations, int64_t now) {
  std::vector<EvictionThreshold> met;
  for (const EvictionThreshold& each : thresholds_) {
    const bool before = std::ranges::any_of(
        met_, [&](const EvictionThreshold& other) { return SameThreshold(each, other); });
    const Reclaim reclaim = before ? Reclaim::kEnforce : Reclaim::kIgnore;
    if (IsMet(each, observations, reclaim)) met.push_back(each);
  }
  std::vector<std::pair<EvictionThreshold, int64_t>> first_seen;
  for (const EvictionThreshold& each : met) {
    const auto known = std::ranges::find_if(
        first_seen_, [&](const auto& entry) { return SameThreshold(entry.first, each); });
    first_seen.emplace_back(each, known == first_seen_.end() ? now : known->second);
  }
  first_seen_ = std::move(first_seen);
  for (const EvictionThreshold& each : met) {
    last_seen_[std::string(ConditionOfSignal(each.signal))] = now;
  }
  Verdict verdict;
  for (const auto& [condition, seen] : last_seen_) {
    if (seen == now || now - seen < transition_period_) verdict.conditions.push_back(condition);
  }
  met_.clear();
  for (const auto& [threshold, since] : first_seen_) {
    if (now - since >= threshold.grace_period) met_.push_back(threshold);
  }
  std::ranges::copy_if(met_, std::back_inserter(verdict.met), IsMemory);
  std::ranges::copy_if(met_, std::back_inserter(verdict.met), std::not_fn(IsMemory));
  return verdict;
}

bool PressureWatch::IsRelieved(const Observations& observations) const {
  return std::ranges::none_of(thresholds_, [&](const EvictionThreshold& each) {
    return IsMet(each, observations, Reclaim::kEnforce);
  });
}

}  // namespace podium::node
