#include "node/resources.h"

#include <algorithm>

#include "api/pod_amounts.h"
#include "api/validation/resources.h"
#include "node/critical_pods.h"

namespace podium::node {
namespace {

namespace cri = wire::cri;
using api::Quantity;
using Amounts = reflect::Map<Quantity>;

constexpr int64_t kGuaranteedScore = -997;
constexpr int64_t kBestEffortScore = 1000;

int64_t Milli(const Amounts& amounts, std::string_view name) {
  auto found = amounts.find(name);
  return found == amounts.end() ? 0 : found->second.MilliValue();
}

int64_t Value(const Amounts& amounts, std::string_view name) {
  auto found = amounts.find(name);
  return found == amounts.end() ? 0 : found->second.Value();
}

bool Has(const Amounts& amounts, std::string_view name) { return Value(amounts, name) > 0; }

// All regular containers and sidecars, and all others before them, have this limit.
bool AllLimited(const v1::PodSpec& spec, std::string_view name) {
  auto limited = [&](const v1::Container& container) {
    return Has(container.resources.limits, name);
  };
  return std::ranges::all_of(spec.containers, limited) &&
         std::ranges::all_of(spec.initContainers, limited);
}

void SetCpu(int64_t request, int64_t limit, cri::LinuxContainerResources* out) {
  // A container that asks for nothing but is limited asks for its limit.
  out->cpu_shares = SharesOf(request == 0 && limit != 0 ? limit : request);
  out->cpu_period = kCpuPeriod;
  out->cpu_quota = QuotaOf(limit);
}

void SetHugePages(const Amounts& limits, const NodeConfig& config,
                  cri::LinuxContainerResources* out) {
  for (int64_t size : config.huge_page_sizes) {
    out->hugepage_limits.push_back({.page_size = HugePageName(size), .limit = 0});
  }
  for (const auto& [name, amount] : limits) {
    if (!name.starts_with("hugepages-")) continue;
    auto size = Quantity::Parse(std::string_view(name).substr(10));
    if (!size.ok()) continue;  // validation let no other name through
    const std::string page = HugePageName(size->Value());
    const auto limit = static_cast<uint64_t>(amount.Value());
    auto found = std::ranges::find(out->hugepage_limits, page, &cri::HugepageLimit::page_size);
    if (found == out->hugepage_limits.end()) {
      out->hugepage_limits.push_back({.page_size = page, .limit = limit});
    } else {
      found->limit = limit;
    }
  }
}

int64_t MemoryRequest(const v1::Pod& pod, const v1::Container& container) {
  const int64_t own = Value(container.resources.requests, "memory");
  if (!pod.spec.resources || !pod.spec.resources->requests.contains("memory")) return own;
  // What the pod asks for beyond its containers is shared out among them.
  const int64_t all = Value(pod.spec.resources->requests, "memory");
  const int64_t parts = Value(api::AggregateContainerRequests(pod.spec), "memory");
  const auto sidecars = std::ranges::count_if(pod.spec.initContainers, IsSidecar);
  const auto count = static_cast<int64_t>(pod.spec.containers.size()) + sidecars;
  return own + (std::max<int64_t>(all - parts, 0) / std::max<int64_t>(count, 1));
}

}  // namespace

int64_t SharesOf(int64_t milli_cpu) {
  return std::clamp(milli_cpu * 1024 / 1000, kMinShares, kMaxShares);
}

int64_t QuotaOf(int64_t milli_cpu) {
  if (milli_cpu == 0) return 0;
  return std::max(milli_cpu * kCpuPeriod / 1000, kMinQuota);
}

int64_t OomScoreAdj(const v1::Pod& pod, const v1::Container& container, int64_t node_memory) {
  const bool node_critical =
      IsCriticalPod(pod) && pod.spec.priorityClassName == "system-node-critical";
  if (node_critical) return kGuaranteedScore;
  const std::string_view qos = api::ComputePodQos(pod.spec);
  if (qos == "Guaranteed") return kGuaranteedScore;
  if (qos == "BestEffort" || node_memory <= 0) return kBestEffortScore;
  int64_t request = MemoryRequest(pod, container);
  const bool sidecar =
      IsSidecar(container) && std::ranges::any_of(pod.spec.initContainers, [&](const auto& each) {
        return each.name == container.name;
      });
  if (sidecar) {
    int64_t least = -1;
    for (const v1::Container& each : pod.spec.containers) {
      const int64_t its = MemoryRequest(pod, each);
      if (least < 0 || its < least) least = its;
    }
    request = std::max(request, least);
  }
  const auto share = static_cast<int64_t>(static_cast<__int128>(1000) * request / node_memory);
  const int64_t score = 1000 - share;
  if (score < 1000 + kGuaranteedScore) return 1000 + kGuaranteedScore;
  if (score == kBestEffortScore) return score - 1;
  return score;
}

int64_t SwapLimit(const v1::Pod& pod, const v1::Container& container, const NodeConfig& config) {
  if (!config.limited_swap || IsCriticalPod(pod)) return 0;
  if (api::ComputePodQos(pod.spec) != "Burstable") return 0;
  const int64_t request = Value(container.resources.requests, "memory");
  if (request == Value(container.resources.limits, "memory")) return 0;  // neither: both are 0
  if (config.memory_bytes <= 0 || request > config.memory_bytes) return 0;
  return static_cast<int64_t>(static_cast<double>(request) /
                              static_cast<double>(config.memory_bytes) *
                              static_cast<double>(config.swap_bytes));
}

cri::LinuxContainerResources ContainerResources(const v1::Pod& pod, const v1::Container& container,
                                                const NodeConfig& config) {
  cri::LinuxContainerResources out;
  const Amounts& limits = container.resources.limits;
  const Amounts& requests = container.resources.requests;
  SetCpu(Milli(requests, "cpu"), Milli(limits, "cpu"), &out);
  int64_t memory = Value(limits, "memory");
  // Without a limit of its own, the pod's bounds it as well.
  if (pod.spec.resources && limits.empty()) {
    if (memory == 0) memory = Value(pod.spec.resources->limits, "memory");
    if (Milli(limits, "cpu") == 0) {
      out.cpu_quota = QuotaOf(Milli(pod.spec.resources->limits, "cpu"));
    }
  }
  out.memory_limit_in_bytes = memory;
  if (config.counts_swap) {
    out.unified["memory.swap.max"] = std::to_string(SwapLimit(pod, container, config));
  } else {
    // Containers do not swap (the kubelet's NoSwap): memory and swap together are memory alone.
    out.memory_swap_limit_in_bytes = memory;
  }
  out.oom_score_adj = OomScoreAdj(pod, container, config.memory_bytes);
  SetHugePages(limits, config, &out);
  return out;
}

std::optional<api::Quantity> PodLimit(const v1::Pod& pod, std::string_view resource) {
  const Amounts limits = api::AmountsOf(pod.spec, true).limits;
  const auto found = limits.find(resource);
  if (found == limits.end()) return std::nullopt;
  return found->second;
}

int64_t PodCpuRequest(const v1::Pod& pod) {
  return Milli(api::AmountsOf(pod.spec, true).requests, "cpu");
}

cri::LinuxContainerResources PodResources(const v1::Pod& pod, const NodeConfig& config) {
  cri::LinuxContainerResources out;
  const auto [requests, limits] = api::AmountsOf(pod.spec, true);
  const std::string_view qos = api::ComputePodQos(pod.spec);
  const bool whole = pod.spec.resources.has_value();
  out.cpu_shares = SharesOf(qos == "BestEffort" ? 0 : Milli(requests, "cpu"));
  out.cpu_period = kCpuPeriod;
  // The CRI has no field for it. This name means the same on every version of cgroups.
  if (config.pod_pids_limit > 0) out.unified["pids.max"] = std::to_string(config.pod_pids_limit);
  if (qos == "BestEffort") return out;
  const auto bound = [&](std::string_view name) {
    return Has(limits, name) &&
           (AllLimited(pod.spec, name) || (whole && Has(pod.spec.resources->limits, name)));
  };
  if (bound("cpu")) out.cpu_quota = QuotaOf(Milli(limits, "cpu"));
  if (bound("memory")) out.memory_limit_in_bytes = Value(limits, "memory");
  SetHugePages(limits, config, &out);
  return out;
}

cri::LinuxContainerResources OverheadResources(const v1::Pod& pod) {
  cri::LinuxContainerResources out;
  const int64_t cpu = Milli(pod.spec.overhead, "cpu");
  if (cpu > 0) SetCpu(cpu, cpu, &out);
  out.memory_limit_in_bytes = Value(pod.spec.overhead, "memory");
  return out;
}

std::string PodCgroup(const v1::Pod& pod) {
  const std::string_view qos = api::ComputePodQos(pod.spec);
  std::string out = "/kubepods";
  if (qos == "Burstable") out += "/burstable";
  if (qos == "BestEffort") out += "/besteffort";
  return out + "/pod" + pod.metadata.uid;
}

std::string HugePageName(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + kUnits[unit];
}

}  // namespace podium::node
