// How often probes were run and how long that took, of each probe of each container
// (prober_probe_total and prober_probe_duration_seconds of upstream's pkg/kubelet/prober, release
// 1.36). A container that is started again goes on with the same numbers; they go with whoever
// probes it, as upstream's go with their workers.
//
// Threads: any. Counting takes no lock.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "node/metrics/series.h"

namespace podium::node {

class ProbeCounts {
 public:
  struct Labels {
    std::string name_space;
    std::string pod;
    std::string uid;
    std::string container;
    std::string type;  // "Liveness", "Readiness", "Startup"
  };
  explicit ProbeCounts(Labels labels);

  Counter successful;
  Counter failed;
  Counter unknown;
  Histogram duration;

  const Labels& labels() const { return labels_; }

 private:
  const Labels labels_;
};

class ProbeMetrics {
 public:
  // They are told of as long as somebody holds them.
  std::shared_ptr<ProbeCounts> Make(ProbeCounts::Labels labels);
  // By namespace, pod, uid, container and type.
  std::vector<std::shared_ptr<const ProbeCounts>> All() const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::weak_ptr<ProbeCounts>> all_;  // under mutex_
  size_t clean_at_ = 64;                                 // under mutex_
};

}  // namespace podium::node
