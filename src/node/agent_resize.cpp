// Who gets more when pods are to be resized while they run: upstream's pkg/kubelet/allocation of
// release 1.36.
//
// What a pod was granted is what its specification says, unless it waits for more: then it stands
// in a file of the pod's folder, so that a new agent does not take the wish for the grant.
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "api/pod_amounts.h"
#include "api/validation/resources.h"
#include "node/agent.h"
#include "node/files.h"
#include "node/labels.h"
#include "node/pod_origin.h"
#include "node/resize.h"
#include "node/resources.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

constexpr size_t kMostSpec = size_t{4} << 20;

std::string AllocatedFile(const NodeConfig& config, const v1::Pod& pod) {
  return PodFolder(config, pod.metadata.uid) + "/allocated.json";
}

using Amounts = reflect::Map<api::Quantity>;

api::Quantity AmountIn(const Amounts& amounts, std::string_view name) {
  const auto found = amounts.find(name);
  return found == amounts.end() ? api::Quantity() : found->second;
}

bool AsksForMore(const v1::PodSpec& wanted, const v1::PodSpec& has) {
  const Amounts more = api::AmountsOf(wanted, true).requests;
  const Amounts less = api::AmountsOf(has, true).requests;
  return AmountIn(more, "cpu") > AmountIn(less, "cpu") ||
         AmountIn(more, "memory") > AmountIn(less, "memory");
}

// Of each container that may be resized.
std::vector<int64_t> CpuRequests(const v1::PodSpec& spec) {
  std::vector<int64_t> out;
  const auto add = [&](const v1::Container& container) {
    out.push_back(AmountIn(container.resources.requests, "cpu").MilliValue());
  };
  for (const v1::Container& each : spec.initContainers) {
    if (IsSidecar(each)) add(each);
  }
  for (const v1::Container& each : spec.containers) add(each);
  return out;
}

// What no room on this node is enough for; empty: it would fit if it were alone.
std::string OverCapacity(const v1::Pod& pod, const v1::Node& node) {
  const Amounts asked = api::AmountsOf(pod.spec, true).requests;
  const Amounts& all = node.status.allocatable;
  const auto over = [](const char* what, int64_t requested, int64_t capacity) {
    return "Node didn't have enough capacity: " + std::string(what) +
           ", requested: " + std::to_string(requested) + ", capacity: " + std::to_string(capacity);
  };
  const int64_t memory = AmountIn(asked, "memory").Value();
  const int64_t has_memory = AmountIn(all, "memory").Value();
  if (memory > has_memory) return over("memory", memory, has_memory);
  const int64_t cpu = AmountIn(asked, "cpu").MilliValue();
  const int64_t has_cpu = AmountIn(all, "cpu").MilliValue();
  return cpu > has_cpu ? over("cpu", cpu, has_cpu) : std::string();
}

// A container that may swap gets another request of memory, and is not started again for it
// (pkg/kubelet/allocation, disallowResizeForSwappableContainers).
bool ResizesSwap(const v1::Pod& pod, const v1::PodSpec& had, const NodeConfig& config) {
  if (!config.counts_swap || !config.limited_swap) return false;
  v1::Pod before = pod;
  before.spec = had;
  return std::ranges::any_of(pod.spec.containers, [&](const v1::Container& next) {
    const auto old = std::ranges::find(had.containers, next.name, &v1::Container::name);
    if (old == had.containers.end()) return false;
    if (AmountIn(next.resources.requests, "memory")
            .Cmp(AmountIn(old->resources.requests, "memory")) == 0) {
      return false;
    }
    const bool restarts = std::ranges::any_of(old->resizePolicy, [](const auto& policy) {
      return policy.resourceName == "memory" && policy.restartPolicy == "RestartContainer";
    });
    return !restarts && (SwapLimit(pod, next, config) > 0 || SwapLimit(before, *old, config) > 0);
  });
}

}  // namespace

v1::Pod Agent::Allocated(const Entry& entry) {
  v1::Pod pod = *entry.pod;
  if (entry.allocated) CopyAmounts(*entry.allocated, &pod.spec);
  return pod;
}

AdmissionInput::Pods Agent::Others(const std::string& uid) const {
  AdmissionInput::Pods others;
  for (const auto& [other, entry] : pods_) {
    if (other == uid || IsTerminalPhase(entry.pod->status.phase)) continue;
    others.push_back(entry.allocated ? std::make_shared<const v1::Pod>(Allocated(entry))
                                     : entry.pod);
  }
  for (const auto& [other, waiting] : waiting_) {
    if (pods_.contains(other)) continue;
    others.push_back(std::make_shared<const v1::Pod>(waiting.pod));
  }
  return others;
}

std::optional<PendingResize> Agent::RefuseResize(
    const v1::Pod& pod, const v1::PodSpec& had,
    std::vector<std::shared_ptr<PodWorker>>* preempted) {
  const auto refuse = [&](bool infeasible, std::string message) {
    return PendingResize{.infeasible = infeasible,
                         .message = std::move(message),
                         .generation = pod.metadata.generation};
  };
  if (OriginOf(pod) == PodOrigin::kFile) {
    return refuse(true, "In-place resize of static-pods is not supported");
  }
  if (parts_.cpus && api::ComputePodQos(pod.spec) == "Guaranteed" &&
      CpuRequests(pod.spec) != CpuRequests(had)) {
    return refuse(true,
                  "Resize is infeasible for Guaranteed Pods alongside CPU Manager policy "
                  "\"static\"");
  }
  if (ResizesSwap(pod, had, parts_.config)) {
    return refuse(true, "In-place resize of containers with swap is not supported.");
  }
  const auto node = parts_.node ? parts_.node(false) : nullptr;
  if (node) {
    std::string over = OverCapacity(pod, *node);
    if (!over.empty()) return refuse(true, std::move(over));
  }
  const Admission admission = AdmitPod({.pod = pod,
                                        .others = Others(pod.metadata.uid),
                                        .node = node.get(),
                                        .sysctls = sysctls_,
                                        .apparmor = parts_.config.apparmor});
  if (admission.refusal) return refuse(false, admission.refusal->message);
  if (admission.preempted.empty()) return std::nullopt;
  const PodFailure why = PreemptionFailure();
  for (const auto& each : admission.preempted) {
    sink_.Record(*each, std::nullopt, EventType::kWarning, why.reason, why.message);
    preempted->push_back(pods_.at(each->metadata.uid).worker);
  }
  CountPreemptions(admission);
  return refuse(false, "Waiting for pods of lower priority to end");
}

void Agent::Grant(Entry& entry, const v1::PodSpec& had,
                  std::vector<std::shared_ptr<PodWorker>>* preempted) {
  const v1::Pod& pod = *entry.pod;
  if (IsTerminalPhase(pod.status.phase) || pod.metadata.deletionTimestamp) return;
  const bool same = SameAmounts(had, pod.spec);
  if (same && !entry.pending) return;
  std::optional<PendingResize> pending = same ? std::nullopt : RefuseResize(pod, had, preempted);
  const std::string file = AllocatedFile(parts_.config, pod);
  if (!pending) {
    entry.allocated.reset();
    (void)unlink(file.c_str());
    if (parts_.tiers) (void)parts_.tiers->Add(pod);
  } else {
    pending->since = entry.pending ? entry.pending->since : parts_.clock.Now();
    if (!entry.allocated) {
      entry.allocated = had;
      // Where it cannot be written, a new agent grants the rest without being asked.
      const auto text = reflect::ToJson(had);
      if (text.ok()) (void)WriteFile(file, *text, 0600);
    }
    if (entry.pending != pending) {
      const char* reason = pending->infeasible ? "Infeasible" : "Deferred";
      sink_.Record(pod, std::nullopt, EventType::kWarning, std::string("Resize") + reason,
                   ResizeMessage(reason, pod.spec, pending->generation, pending->message));
    }
  }
  entry.worker->SetPendingResize(pending);
  entry.pending = std::move(pending);
}

void Agent::RetryResizesLocked() {
  // First those that ask for less, then by priority and class, then those that wait longest.
  std::vector<std::pair<std::tuple<bool, int64_t, bool, int64_t>, std::string>> order;
  for (const auto& [uid, entry] : pods_) {
    if (!entry.pending || entry.pending->infeasible) continue;
    const v1::PodSpec& spec = entry.pod->spec;
    order.emplace_back(std::tuple(AsksForMore(spec, *entry.allocated), -spec.priority.value_or(0),
                                  api::ComputePodQos(spec) != "Guaranteed", entry.pending->since),
                       uid);
  }
  std::ranges::sort(order);
  for (const auto& [rank, uid] : order) {
    Entry& entry = pods_.at(uid);
    std::vector<std::shared_ptr<PodWorker>> preempted;
    Grant(entry, Allocated(entry).spec, &preempted);
    if (!entry.pending) entry.worker->Update(*entry.pod);
    for (const auto& each : preempted) each->Evict(PreemptionFailure(), std::nullopt);
  }
}

void Agent::RetryResizes() {
  const std::lock_guard lock(mutex_);
  RetryResizesLocked();
}

void Agent::LoadAllocated(Entry& entry) const {
  const auto text = ReadSmallFile(AllocatedFile(parts_.config, *entry.pod), kMostSpec);
  if (!text.ok()) return;
  auto spec = reflect::FromJson<v1::PodSpec>(*text);
  if (!spec.ok()) return;
  entry.allocated = *std::move(spec);
  entry.pending = PendingResize{};
}

}  // namespace podium::node
