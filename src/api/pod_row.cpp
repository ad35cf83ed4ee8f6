#include "api/pod_row.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>

namespace podium::api {
namespace {

using core::v1::Container;
using core::v1::ContainerStatus;
using core::v1::Pod;

// As spans of time read best: the larger unit, and the smaller one while it says something.
std::string InUnits(int64_t larger, char larger_unit, int64_t smaller, char smaller_unit) {
  std::string out = std::to_string(larger) + larger_unit;
  if (smaller != 0) out += std::to_string(smaller) + smaller_unit;
  return out;
}

// The first condition of the type is the one that counts.
bool IsInitialized(const Pod& pod) {
  const auto found =
      std::ranges::find(pod.status.conditions, "Initialized", &core::v1::PodCondition::type);
  return found != pod.status.conditions.end() && found->status == "True";
}

bool HasCondition(const Pod& pod, std::string_view type) {
  return std::ranges::any_of(pod.status.conditions, [&](const auto& condition) {
    return condition.type == type && condition.status == "True";
  });
}

bool IsGated(const Pod& pod) {
  return std::ranges::any_of(pod.status.conditions, [](const auto& condition) {
    return condition.type == "PodScheduled" && condition.reason == "SchedulingGated";
  });
}

// The names of the init containers that keep running.
std::set<std::string_view> SidecarsOf(const Pod& pod) {
  std::set<std::string_view> out;
  for (const Container& container : pod.spec.initContainers) {
    if (container.restartPolicy == "Always") out.insert(container.name);
  }
  return out;
}

// Restarts of some containers, and when the last one was.
struct Restarts {
  int64_t count = 0;
  Time last;

  void Add(const ContainerStatus& status) {
    count += status.restartCount;
    if (status.lastState.terminated.has_value()) {
      last = std::max(last, status.lastState.terminated->finishedAt);
    }
  }
};

std::string EndOf(const core::v1::ContainerStateTerminated& end) {
  if (!end.reason.empty()) return end.reason;
  if (end.signal != 0) return "Signal:" + std::to_string(end.signal);
  return "ExitCode:" + std::to_string(end.exitCode);
}

class Summary {
 public:
  explicit Summary(const Pod& pod) : pod_(pod) {
    status_ = pod.status.reason.empty() ? pod.status.phase : pod.status.reason;
    if (IsGated(pod)) status_ = "SchedulingGated";
    total_ = pod.spec.containers.size() +
             std::ranges::count(pod.spec.initContainers, "Always", &Container::restartPolicy);
    const bool initializing = LookAtInitContainers();
    if (!initializing || IsInitialized(pod)) LookAtContainers();
    if (!pod.metadata.deletionTimestamp) return;
    const bool over = pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
    if (pod.status.reason == "NodeLost") {
      status_ = "Unknown";
    } else if (!over) {
      status_ = "Terminating";
    }
  }

  const std::string& status() const { return status_; }
  std::string Ready() const { return std::to_string(ready_) + '/' + std::to_string(total_); }
  const Restarts& restarts() const { return restarts_; }

 private:
  // Whether one of them is what the pod waits for.
  bool LookAtInitContainers() {
    const std::set<std::string_view> sidecars = SidecarsOf(pod_);
    for (size_t i = 0; i < pod_.status.initContainerStatuses.size(); ++i) {
      const ContainerStatus& container = pod_.status.initContainerStatuses[i];
      const auto& terminated = container.state.terminated;
      const auto& waiting = container.state.waiting;
      const bool sidecar = sidecars.contains(container.name);
      restarts_.Add(container);
      if (sidecar) sidecar_restarts_.Add(container);
      if (terminated.has_value() && terminated->exitCode == 0) continue;
      if (sidecar && container.started.value_or(false)) {
        if (container.ready) ++ready_;
        continue;
      }
      if (terminated.has_value()) {
        status_ = "Init:" + EndOf(*terminated);
      } else if (waiting.has_value() && !waiting->reason.empty() &&
                 waiting->reason != "PodInitializing") {
        status_ = "Init:" + waiting->reason;
      } else {
        status_ =
            "Init:" + std::to_string(i) + '/' + std::to_string(pod_.spec.initContainers.size());
      }
      return true;
    }
    return false;
  }

  void LookAtContainers() {
    restarts_ = sidecar_restarts_;
    bool has_running = false;
    std::string failure;
    const auto& statuses = pod_.status.containerStatuses;
    for (auto container = statuses.rbegin(); container != statuses.rend(); ++container) {
      restarts_.Add(*container);
      const auto& state = container->state;
      if (state.waiting.has_value() && !state.waiting->reason.empty()) {
        status_ = state.waiting->reason;
      } else if (state.terminated.has_value()) {
        status_ = EndOf(*state.terminated);
        if (state.terminated->exitCode != 0) failure = status_;
      } else if (container->ready && state.running.has_value()) {
        has_running = true;
        ++ready_;
      }
    }
    // One has completed; others run on, or have failed.
    if (status_ != "Completed") return;
    if (has_running && HasCondition(pod_, "Ready")) {
      status_ = "Running";
    } else if (!failure.empty()) {
      status_ = failure;
    } else if (has_running) {
      status_ = "NotReady";
    }
  }

  const Pod& pod_;
  std::string status_;
  size_t ready_ = 0;
  size_t total_ = 0;
  Restarts restarts_;
  Restarts sidecar_restarts_;
};

std::string OrNone(const std::string& text) { return text.empty() ? "<none>" : text; }

// Where the older field differs from the list it is the one that is right, as in upstream's
// conversion of a pod's status.
const std::string& IpOf(const core::v1::PodStatus& status) {
  return status.podIP.empty() && !status.podIPs.empty() ? status.podIPs[0].ip : status.podIP;
}

std::string Since(Time then, Time now) {
  return HumanDuration(now.unix_seconds() - then.unix_seconds());
}

}  // namespace

std::string HumanDuration(int64_t seconds) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  constexpr int64_t kYear = 365 * kDay;
  // Go's durations are nanoseconds; a longer span is the longest one.
  constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / 1'000'000'000;
  seconds = std::min(seconds, kLongest);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 2 * kMinute) return std::to_string(seconds) + 's';
  const int64_t minutes = seconds / kMinute;
  if (minutes < 10) return InUnits(minutes, 'm', seconds % kMinute, 's');
  if (minutes < 180) return std::to_string(minutes) + 'm';
  const int64_t hours = seconds / kHour;
  if (hours < 8) return InUnits(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return std::to_string(hours) + 'h';
  if (seconds < 8 * kDay) return InUnits(hours / 24, 'd', hours % 24, 'h');
  if (seconds < 2 * kYear) return std::to_string(seconds / kDay) + 'd';
  if (seconds < 8 * kYear) return InUnits(seconds / kYear, 'y', seconds / kDay % 365, 'd');
  return std::to_string(seconds / kYear) + 'y';
}

PodRow RowOf(const Pod& pod, Time now) {
  const Summary summary(pod);
  PodRow row;
  row.name = pod.metadata.name;
  row.ready = summary.Ready();
  row.status = summary.status();
  row.restarts = std::to_string(summary.restarts().count);
  if (summary.restarts().count != 0 && !summary.restarts().last.IsZero()) {
    row.restarts += " (" + Since(summary.restarts().last, now) + " ago)";
  }
  const Time created = pod.metadata.creationTimestamp;
  row.age = created.IsZero() ? "<unknown>" : Since(created, now);
  row.ip = OrNone(IpOf(pod.status));
  row.node = OrNone(pod.spec.nodeName);
  return row;
}

}  // namespace podium::api
