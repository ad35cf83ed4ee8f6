// Prober: keeps the probes of running containers going, and remembers what they say (upstream's
// pkg/kubelet/prober, release 1.36). All probers of a node share one wheel, and no probe has a
// thread while it waits.
//
//   startup     until it succeeds once; the others wait for it
//   liveness    taken for well until it fails failureThreshold times
//   readiness   taken for not ready until it succeeds
// A container whose startup or liveness failed is not probed on: it is to be restarted. Once it has
// started, readiness is asked for at once.
//
// Containers that ran before the agent are probed first at a part of their period that differs from
// one to the next, so that a node's probes do not all begin with the agent. (Upstream makes new
// containers wait as well while a kubelet is young.)
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "node/command_runner.h"
#include "node/container_status.h"
#include "node/event_recorder.h"
#include "node/metrics/probe_metrics.h"
#include "node/network_probes.h"
#include "node/pod_actions.h"
#include "node/probe_runner.h"
#include "node/probe_wheel.h"

namespace podium::node {

enum class ProbeKind : uint8_t { kStartup, kLiveness, kReadiness };

// Of one pod. Threads: any; tasks hold it alive.
class Prober : public ProbeResults, public Readiness, public std::enable_shared_from_this<Prober> {
 public:
  struct Services {
    const Clock& clock;
    ProbeWheel& wheel;
    CommandRunner& commands;
    NetworkProbes& network;
    EventSink& events;
    ProbeMetrics& metrics;
  };
  // `changed` is called, from any thread, when something else is to be said of a container.
  Prober(const Services& services, std::function<void()> changed)
      : services_(services), changed_(std::move(changed)) {}

  // Begins to probe what runs, and ends it for what does not.
  void Sync(const std::shared_ptr<const v1::Pod>& pod, const ObservedPod& observed);
  // Of a pod that ends: nothing is restarted any more.
  void StopLivenessAndStartup();
  void Stop();

  std::optional<ProbeResult> Startup(std::string_view container_id) const override;
  std::optional<ProbeResult> Liveness(std::string_view container_id) const override;
  bool Started(const v1::Container& container, std::string_view container_id) const override;
  bool Ready(const v1::Container& container, std::string_view container_id) const override;

 private:
  using Key = std::pair<std::string, ProbeKind>;  // container id
  struct Entry {
    std::shared_ptr<const v1::Pod> pod;
    const v1::Container* container = nullptr;  // of the pod
    ContainerRef ref;
    std::string address;
    uint64_t generation = 0;  // tells a timer of an entry that is gone
    std::optional<ProbeResult> result;
    ProbeResult last = ProbeResult::kUnknown;
    int run = 0;  // how often the last outcome came in a row
    bool on_hold = false;
    int64_t due = 0;  // as the wheel counts
    ProbeWheel::Place place;
    std::shared_ptr<ProbeCounts> counts;
  };

  static const v1::Probe* ProbeOf(const v1::Container& container, ProbeKind kind);
  void Add(const std::shared_ptr<const v1::Pod>& pod, const v1::Container& container,
           ContainerRef ref, const ObservedContainer& observed, const std::string& address);
  // When a probe that is new runs first, from now.
  int64_t FirstDelay(const Key& key, const v1::Probe& probe, int64_t started_at) const;
  std::shared_ptr<ProbeCounts> CountsFor(const v1::Pod& pod, const v1::Container& container,
                                         ProbeKind kind);
  void Schedule(const Key& key, Entry* entry, int64_t at);
  // A period after it was due. Of the times that it missed it makes up for one, at once.
  void ScheduleNext(const Key& key, Entry* entry);
  void Run(const Key& key, uint64_t generation);
  // It was begun then, as the wheel counts.
  void Finished(const Key& key, uint64_t generation, int64_t begun, const ProbeOutcome& outcome);
  // Readiness, where it waits for its time.
  void HurryLocked(const std::string& id);
  // Whether what is to be said changes.
  bool Note(const Key& key, Entry* entry, ProbeResult result);
  bool StartedLocked(const v1::Container& container, std::string_view id) const;
  std::optional<ProbeResult> Find(std::string_view id, ProbeKind kind) const;

  const Services services_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
  // By container and kind: of all its runs together.
  std::map<std::pair<std::string, ProbeKind>, std::shared_ptr<ProbeCounts>> counts_;
  uint64_t last_generation_ = 0;
  bool ending_ = false;
  bool stopped_ = false;
};

}  // namespace podium::node
