#include "node/eviction/ranking.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "api/pod_amounts.h"
#include "base/text.h"

namespace podium::node {
namespace {

using api::Quantity;

constexpr std::string_view kMemory = "memory";
constexpr std::string_view kStorage = "ephemeral-storage";
constexpr std::string_view kPids = "pids";

constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();

Quantity Bytes(int64_t bytes) { return Quantity::FromInt(bytes, Quantity::Format::kBinarySI); }

Quantity Get(const reflect::Map<Quantity>& list, std::string_view name) {
  const auto found = list.find(name);
  return found == list.end() ? Quantity() : found->second;
}

// What the order of one pod depends on; the lesser goes first.
struct Rank {
  bool known = false;
  bool within = false;  // what it asked for
  int32_t priority = 0;
  int64_t beyond = 0;  // its request, negated

  auto operator<=>(const Rank&) const = default;
};

int64_t UseOf(std::string_view resource, const PodUse& use) {
  if (resource == kMemory) return use.memory.value_or(0);
  return resource == kStorage ? use.disk : use.inodes;
}

Rank RankOf(std::string_view resource, const PodUses& uses, const v1::Pod& pod) {
  const int32_t priority = pod.spec.priority.value_or(0);
  const auto use = uses.find(pod.metadata.uid);
  if (resource == kPids) {
    const int64_t beyond = use == uses.end() ? kFirst : -use->second.processes;
    return {.known = true, .within = true, .priority = priority, .beyond = beyond};
  }
  if (use == uses.end()) return {.priority = priority};
  const int64_t used = UseOf(resource, use->second);
  const int64_t request =
      Get(api::AmountsOf(pod.spec, true).requests, resource == kMemory ? kMemory : kStorage)
          .Value();
  const int64_t limit = resource == "inodes" ? 0 : request;
  return {
      .known = true, .within = used <= limit, .priority = priority, .beyond = -(used - request)};
}

}  // namespace

void RankForEviction(std::string_view resource, const PodUses& uses, RankedPods* pods) {
  // Of two of the same rank the one that stands first.
  std::vector<std::pair<Rank, size_t>> ranked;
  ranked.reserve(pods->size());
  for (size_t i = 0; i < pods->size(); ++i) {
    ranked.emplace_back(RankOf(resource, uses, *(*pods)[i]), i);
  }
  std::ranges::sort(ranked);
  RankedPods in_order;
  for (const auto& [rank, index] : ranked) in_order.push_back(std::move((*pods)[index]));
  *pods = std::move(in_order);
}

namespace {

// What one container uses of it, where messages tell that.
std::optional<int64_t> ToldUse(std::string_view resource, const ContainerUse& use) {
  if (resource == kMemory) return use.memory;
  if (resource == kStorage && use.root && use.logs) return *use.root + *use.logs;
  return std::nullopt;
}

const v1::Container* FindContainer(const v1::Pod& pod, std::string_view name) {
  const auto find = [&](const auto& list) -> const v1::Container* {
    const auto found = std::ranges::find(list, name, &v1::Container::name);
    return found == list.end() ? nullptr : &*found;
  };
  const v1::Container* container = find(pod.spec.containers);
  return container ? container : find(pod.spec.initContainers);
}

void TellPod(const v1::Pod& pod, const PodUse& use, EvictionWords* words) {
  if (!pod.spec.resources || !use.memory) return;
  const auto request = pod.spec.resources->requests.find(kMemory);
  if (request == pod.spec.resources->requests.end()) return;
  const std::string used = Bytes(*use.memory).String();
  words->message +=
      fmt::format("Pod {} was using {}, request is {}, has larger consumption of memory. ",
                  pod.metadata.name, used, request->second.String());
  words->annotations["offending_pod"] = pod.metadata.name;
  words->annotations["offending_pod_usage"] = used;
}

}  // namespace

EvictionWords WordsOfEviction(std::string_view resource, const v1::Pod& pod, const PodUse* use,
                              const std::vector<EvictionThreshold>& met,
                              const Observations& observations) {
  EvictionWords words;
  words.message = fmt::format("The node was low on resource: {}. ", resource);
  for (const EvictionThreshold& each : met) {
    const auto observed = observations.find(each.signal);
    if (ResourceOfSignal(each.signal) != resource || observed == observations.end()) continue;
    words.message += fmt::format("Threshold quantity: {}, available: {}. ",
                                 each.amount().Of(observed->second.capacity).String(),
                                 observed->second.available.String());
    break;
  }
  if (!use) return words;
  if (resource == kMemory) TellPod(pod, *use, &words);
  std::vector<std::string> names;
  std::vector<std::string> used;
  for (const ContainerUse& each : use->containers) {
    const v1::Container* container = FindContainer(pod, each.name);
    const auto amount = ToldUse(resource, each);
    if (!container || !amount) continue;
    const Quantity request = Get(container->resources.requests, resource);
    const Quantity usage = Bytes(*amount);
    if (usage.Cmp(request) <= 0) continue;
    words.message +=
        fmt::format("Container {} was using {}, request is {}, has larger consumption of {}. ",
                    each.name, usage.String(), request.String(), resource);
    names.push_back(each.name);
    used.push_back(usage.String());
  }
  words.annotations["offending_containers"] = Join(names, ",");
  words.annotations["offending_containers_usage"] = Join(used, ",");
  words.annotations["starved_resource"] = resource;
  return words;
}

int64_t EvictionGrace(const EvictionThreshold& threshold, const v1::Pod& pod, int64_t max_seconds) {
  constexpr int64_t kAtOnce = 1;  // immediateEvictionGracePeriodSeconds
  if (threshold.hard()) return kAtOnce;
  const int64_t wanted = pod.spec.terminationGracePeriodSeconds.value_or(30);
  return std::max(kAtOnce, max_seconds < 0 ? wanted : std::min(wanted, max_seconds));
}

}  // namespace podium::node
