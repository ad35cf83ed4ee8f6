// Prober: keeps the probes of running containers going, a timer each and no thread, and remembers
// what they say (upstream's pkg/kubelet/prober, release 1.36).
//
//   startup     until it succeeds once; the others wait for it
//   liveness    taken for well until it fails failureThreshold times
//   readiness   taken for not ready until it succeeds
// A container whose startup or liveness failed is not probed on: it is to be restarted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "node/container_status.h"
#include "node/event_recorder.h"
#include "node/network_probes.h"
#include "node/pod_actions.h"
#include "runtime/runtime.h"

namespace podium::node {

enum class ProbeKind : uint8_t { kStartup, kLiveness, kReadiness };

// Of one pod. Threads: any; tasks hold it alive.
class Prober : public ProbeResults, public Readiness, public std::enable_shared_from_this<Prober> {
 public:
  struct Services {
    const Clock& clock;
    Executor& executor;
    runtime::Runtime& runtime;
    NetworkProbes& network;
    EventSink& events;
  };
  // `changed` is called, from any thread, when something else is to be said of a container.
  Prober(const Services& services, std::function<void()> changed)
      : services_(services), changed_(std::move(changed)) {}

  // Begins to probe what runs, and ends it for what does not.
  void Sync(const v1::Pod& pod, const ObservedPod& observed);
  void Stop();

  std::optional<ProbeResult> Startup(std::string_view container_id) const override;
  std::optional<ProbeResult> Liveness(std::string_view container_id) const override;
  bool Started(const v1::Container& container, std::string_view container_id) const override;
  bool Ready(const v1::Container& container, std::string_view container_id) const override;

 private:
  using Key = std::pair<std::string, ProbeKind>;  // container id
  struct Entry {
    v1::Container container;
    ContainerRef ref;
    std::shared_ptr<const v1::Pod> pod;
    std::string address;
    uint64_t generation = 0;  // tells a timer of an entry that is gone
    std::optional<ProbeResult> result;
    ProbeResult last = ProbeResult::kUnknown;
    int run = 0;  // how often the last outcome came in a row
    bool on_hold = false;
    Executor::TimerId timer = 0;
  };

  static const v1::Probe* ProbeOf(const v1::Container& container, ProbeKind kind);
  void Add(const std::shared_ptr<const v1::Pod>& pod, const v1::Container& container,
           ContainerRef ref, const ObservedContainer& observed, const std::string& address);
  void Schedule(const Key& key, Entry* entry, int64_t delay);
  void Run(const Key& key, uint64_t generation);
  // Whether what is to be said changes.
  bool Note(const Key& key, Entry* entry, ProbeResult result);
  bool StartedLocked(const v1::Container& container, std::string_view id) const;
  std::optional<ProbeResult> Find(std::string_view id, ProbeKind kind) const;

  const Services services_;
  const std::function<void()> changed_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
  uint64_t last_generation_ = 0;
  bool stopped_ = false;
};

}  // namespace podium::node
