// When this node went down gracefully the last time, for the metrics
// kubelet_graceful_shutdown_start_time_seconds and …_end_time_seconds (upstream's
// pkg/kubelet/nodeshutdown, release 1.36). Kept as upstream keeps it, since whoever asks does so
// after the machine is up again:
//
//   DATA/graceful_node_shutdown_state    {"startTime": RFC 3339, "endTime": RFC 3339 or absent}
//
// Threads: any, one at a time.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "node/metrics/series.h"

namespace podium::node {

class ShutdownRecord {
 public:
  struct Services {
    const Clock& clock;
    // Both outlive it. Seconds since 1970; 0: not known.
    Gauge& start;
    Gauge& end;
  };
  ShutdownRecord(const Services& services, const std::string& data_dir);

  // What is kept is told from here on. Nothing is fine.
  Result<void> Load();
  // Told even where it cannot be kept.
  Result<void> Begin();
  // Nothing when it has ended already, or not begun.
  Result<void> End();

 private:
  Result<void> Keep();
  int64_t Seconds() const { return services_.clock.Now() / kNanosPerSecond; }

  const Services services_;
  const std::string path_;
};

}  // namespace podium::node
