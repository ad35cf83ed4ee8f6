// How long pods take until they run, as upstream's service level has it
// (pkg/kubelet/util/pod_startup_latency_tracker.go, release 1.36): from the pod's creation until
// the API server shows all of its containers as started. Of pods that this process saw before they
// had begun, and that were schedulable at once.
//
//   total   all of it
//   sli     without the time in which images were pulled or init containers ran; not of pods with
//           volumes that keep something
//
// Upstream takes a pod with a projected volume, as each with a service account's token has, for one
// that keeps something; the definition does not, and neither does this.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/types/core_v1.h"
#include "base/clock.h"
#include "node/metrics/series.h"

namespace podium::node {

namespace v1 = api::core::v1;

class StartTimes {
 public:
  StartTimes();

  // The pod as the API server shows it at this time.
  void Observe(const v1::Pod& pod, int64_t now);
  void PullBegins(std::string_view uid, int64_t now);
  void PullEnds(std::string_view uid, int64_t now);
  void Forget(std::string_view uid);

  Histogram total;
  Histogram sli;
  // Seconds; of the first pod with a network of its own.
  std::optional<double> first_with_network() const;

 private:
  struct Pod {
    int pulling = 0;
    int64_t pulling_since = 0;
    int64_t pulled = 0;  // nanoseconds in which something was pulled
    bool recorded = false;
  };

  mutable std::mutex mutex_;
  // Under mutex_; by uid.
  std::map<std::string, Pod, std::less<>> pods_;
  std::set<std::string, std::less<>> excluded_;
  std::optional<double> first_with_network_;
};

}  // namespace podium::node
