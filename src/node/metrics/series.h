// What is counted while the node works: counters and histograms as Prometheus knows them. Counting
// takes an atomic addition or two; only a label that comes from outside takes a look-up under a
// lock that nobody holds for long.
//
// Threads: any.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace podium::node {

class Counter {
 public:
  void Add(int64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

class Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

class Histogram {
 public:
  // Upper ends, inclusive and ascending, in seconds; they outlive it.
  explicit Histogram(std::span<const double> ends) : ends_(ends), counts_(ends.size() + 1) {}

  void Observe(double seconds) {
    const auto at = static_cast<size_t>(std::ranges::lower_bound(ends_, seconds) - ends_.begin());
    counts_[at].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(seconds, std::memory_order_relaxed);
  }
  // Of a clock that may have been put back meanwhile.
  void ObserveNanos(int64_t nanoseconds) {
    Observe(static_cast<double>(std::max<int64_t>(nanoseconds, 0)) /
            static_cast<double>(kNanosPerSecond));
  }

  std::span<const double> ends() const { return ends_; }
  // Of what lies in each part alone; one more than there are ends.
  std::vector<uint64_t> Counts() const {
    std::vector<uint64_t> out;
    out.reserve(counts_.size());
    for (const auto& count : counts_) out.push_back(count.load(std::memory_order_relaxed));
    return out;
  }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::span<const double> ends_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_ = 0;
};

// Those of one name, by their labels as MetricsText::LabelsText makes them. Whoever gives labels
// sees to it that clients cannot make many.
template <class Metric>
class Series {
 public:
  Series() : make_([] { return std::make_unique<Metric>(); }) {}
  explicit Series(std::span<const double> ends)
      : make_([ends] { return std::make_unique<Metric>(ends); }) {}

  // Made if it is not there; lives as long as this.
  Metric& At(std::string_view labels) {
    const std::lock_guard lock(mutex_);
    auto found = all_.find(labels);
    if (found == all_.end()) found = all_.emplace(std::string(labels), make_()).first;
    return *found->second;
  }
  // In the order of their labels.
  void ForEach(const std::function<void(const std::string& labels, const Metric&)>& look) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [labels, metric] : all_) look(labels, *metric);
  }

 private:
  const std::function<std::unique_ptr<Metric>()> make_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Metric>, std::less<>> all_;  // under mutex_
};

}  // namespace podium::node
