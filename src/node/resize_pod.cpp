#include "node/resize_pod.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "node/back_off.h"
#include "node/resources.h"

namespace podium::node {
namespace {

constexpr int64_t kRetryDelay = 10 * kNanosPerSecond;

// A container that runs, and is to have something else.
struct Change {
  const v1::Container* container = nullptr;
  const ObservedContainer* state = nullptr;
  bool shrinks = false;  // its limit of memory
};

int64_t MemoryLimit(const v1::ResourceRequirements& resources) {
  const auto limit = resources.limits.find("memory");
  return limit == resources.limits.end() ? 0 : limit->second.Value();
}

// 0 is no limit.
bool IsLess(int64_t limit, int64_t than) { return limit != 0 && (than == 0 || limit < than); }

uint64_t UsageOf(const reflect::Box<cri::MemoryUsage>& memory) {
  return memory && memory->usage_bytes ? memory->usage_bytes->value : 0;
}

class Resizing {
 public:
  Resizing(PodServices& services, ResizeState& state, const v1::Pod& pod,
           const ObservedPod& observed)
      : services_(services), state_(state), pod_(pod), observed_(observed), before_(pod) {
    before_.spec = ActuatedSpec(pod, observed, state.given);
    FindChanges();
  }

  Result<void> Run() {
    TRY_VOID(CheckMemory());
    const auto had = PodResources(before_, services_.config);
    const auto wanted = PodResources(pod_, services_.config);
    auto most = wanted;
    if (IsLess(wanted.memory_limit_in_bytes, had.memory_limit_in_bytes)) {
      most.memory_limit_in_bytes = had.memory_limit_in_bytes;
    }
    if (IsLess(wanted.cpu_quota, had.cpu_quota)) most.cpu_quota = had.cpu_quota;
    TRY_VOID(SetPod(most));
    for (const Change& change : changes_) TRY_VOID(SetContainer(change));
    if (most.memory_limit_in_bytes == wanted.memory_limit_in_bytes &&
        most.cpu_quota == wanted.cpu_quota) {
      return {};
    }
    return SetPod(wanted);
  }

 private:
  void FindChanges() {
    const auto look = [&](const v1::Container& container) {
      const ObservedContainer* state = observed_.Find(container.name);
      if (!state || !state->running()) return;
      const auto actuated = ActuatedOf(pod_, container, *state, state_.given);
      if (SameAmounts(actuated, container.resources)) return;
      if (ResizeNeedsRestart(container, actuated)) return;
      changes_.push_back(
          {.container = &container,
           .state = state,
           .shrinks = IsLess(MemoryLimit(container.resources), MemoryLimit(actuated))});
    };
    for (const v1::Container& each : pod_.spec.initContainers) {
      if (IsSidecar(each)) look(each);
    }
    for (const v1::Container& each : pod_.spec.containers) look(each);
    // What is given back first may be what others get.
    std::ranges::sort(changes_, std::ranges::greater(), &Change::shrinks);
  }

  Result<void> CheckMemory() const {
    std::vector<std::string> problems;
    const auto limit = PodResources(pod_, services_.config).memory_limit_in_bytes;
    if (IsLess(limit, PodResources(before_, services_.config).memory_limit_in_bytes)) {
      TRY(const auto stats, services_.runtime.PodSandboxStats(Sandbox()));
      const uint64_t used = stats.linux_ ? UsageOf(stats.linux_->memory) : 0;
      if (used > static_cast<uint64_t>(limit)) {
        problems.push_back("attempting to set pod memory limit (" + std::to_string(limit) +
                           ") below current usage (" + std::to_string(used) + ")");
      }
    }
    for (const Change& change : changes_) {
      if (!change.shrinks) continue;
      const int64_t own = MemoryLimit(change.container->resources);
      TRY(const auto stats, services_.runtime.ContainerStats(change.state->id));
      const uint64_t used = UsageOf(stats.memory);
      if (used > static_cast<uint64_t>(own)) {
        problems.push_back("attempting to set container \"" + change.container->name +
                           "\" memory limit (" + std::to_string(own) + ") below current usage (" +
                           std::to_string(used) + ")");
      }
    }
    if (problems.empty()) return {};
    std::string text = Join(problems, ", ");
    if (problems.size() > 1) text = "[" + text + "]";
    return Error(Code::kUnavailable, "cannot decrease memory limits: " + text);
  }

  Result<void> SetPod(const cri::LinuxContainerResources& resources) {
    auto pinned = resources;
    PinPod(services_.cpus, pod_.metadata.uid, &pinned);
    return services_.runtime.UpdatePodSandboxResources(Sandbox(), pinned);
  }

  Result<void> SetContainer(const Change& change) {
    auto resources = ContainerResources(pod_, *change.container, services_.config);
    PinContainer(services_.cpus, pod_.metadata.uid, change.container->name, &resources);
    TRY_VOID(services_.runtime.UpdateContainerResources(change.state->id, resources));
    state_.given[change.container->name] = {.container_id = change.state->id,
                                            .resources = change.container->resources};
    return {};
  }

  const std::string& Sandbox() const { return observed_.sandboxes.front().id; }

  PodServices& services_;
  ResizeState& state_;
  const v1::Pod& pod_;
  const ObservedPod& observed_;
  v1::Pod before_;  // with what its containers have
  std::vector<Change> changes_;
};

}  // namespace

std::optional<int64_t> ResizePod(PodServices& services, ResizeState& state, const v1::Pod& pod,
                                 const ObservedPod& observed) {
  if (!state.progress || !observed.ReadySandbox()) return std::nullopt;
  const auto done = Resizing(services, state, pod, observed).Run();
  if (done.ok()) {
    state.progress->error.clear();
    return std::nullopt;
  }
  if (std::exchange(state.progress->error, done.error().message()) != done.error().message()) {
    services.events.Record(
        pod, std::nullopt, EventType::kWarning, "ResizeError",
        ResizeMessage("error", pod.spec, state.progress->generation, done.error().message()));
  }
  return services.clock.Now() + kRetryDelay;
}

}  // namespace podium::node
