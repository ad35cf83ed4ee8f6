// Pod-level resources from those of the containers (KEP 2837). They are filled in only where the
// writer began them: a Pod without spec.resources keeps none.
#include <string_view>

#include "api/defaults/rules.h"
#include "api/types/core_v1.h"

namespace podium::api::defaults {
namespace {

bool IsHugePages(std::string_view resource) { return resource.starts_with("hugepages-"); }
bool MayBeOvercommitted(std::string_view resource) {
  return resource == "cpu" || resource == "memory";
}
// The resources that can be set for a whole Pod.
bool IsPodLevel(std::string_view resource) {
  return MayBeOvercommitted(resource) || IsHugePages(resource);
}

void Add(const ResourceList& from, ResourceList& to) {
  for (const auto& [name, quantity] : from) {
    auto [at, is_new] = to.try_emplace(name, quantity);
    if (!is_new) at->second.Add(quantity);
  }
}

void RaiseTo(const ResourceList& from, ResourceList& to) {
  for (const auto& [name, quantity] : from) {
    auto [at, is_new] = to.try_emplace(name, quantity);
    if (!is_new && quantity.Cmp(at->second) > 0) at->second = quantity;
  }
}

// The most that the containers use at once. Those with restartPolicy Always run beside the init
// containers that follow them and beside the main ones:
//   init a: 3, sidecar s: 1, init b: 4, main c: 2   →   max(3, 1 + 4, 1 + 2) = 5
ResourceList Aggregate(const core::v1::PodSpec& spec,
                       ResourceList core::v1::ResourceRequirements::* list) {
  ResourceList running;
  for (const core::v1::Container& container : spec.containers) {
    Add(container.resources.*list, running);
  }
  ResourceList sidecars;
  ResourceList starting;
  for (const core::v1::Container& container : spec.initContainers) {
    ResourceList now = sidecars;
    Add(container.resources.*list, now);
    if (container.restartPolicy == "Always") {
      Add(container.resources.*list, running);
      sidecars = now;
    }
    RaiseTo(now, starting);
  }
  RaiseTo(starting, running);
  return running;
}

}  // namespace

void DefaultPodResources(core::v1::PodSpec& spec) {
  if (!spec.resources) return;
  ResourceList& limits = spec.resources->limits;
  ResourceList& requests = spec.resources->requests;

  if (!limits.empty() || !requests.empty()) {
    for (const auto& [name, quantity] : Aggregate(spec, &core::v1::ResourceRequirements::limits)) {
      if (IsHugePages(name) && !requests.contains(name)) limits.try_emplace(name, quantity);
    }
  }
  if (limits.empty()) return;
  for (const auto& [name, quantity] : Aggregate(spec, &core::v1::ResourceRequirements::requests)) {
    if (MayBeOvercommitted(name)) requests.try_emplace(name, quantity);
  }
  for (const auto& [name, quantity] : limits) {
    if (IsPodLevel(name)) requests.try_emplace(name, quantity);
  }
}

}  // namespace podium::api::defaults
