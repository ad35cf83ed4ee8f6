// What pods ask for, as upstream's component-helpers/resource counts it.
#include <algorithm>

#include "api/describe/parts.h"
#include "api/resource_names.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: the parts of a pod, named once
using Amounts = reflect::Map<Quantity>;

void TakeLarger(const Amounts& from, Amounts* to) {
  for (const auto& [name, amount] : from) {
    const auto [at, inserted] = to->try_emplace(name, amount);
    if (!inserted && amount.Cmp(at->second) > 0) at->second = amount;
  }
}

const ContainerStatus* StatusOf(const Pod& pod, const std::string& name) {
  for (const auto* list : {&pod.status.containerStatuses, &pod.status.initContainerStatuses}) {
    const auto found = std::ranges::find(*list, name, &ContainerStatus::name);
    if (found != list->end()) return &*found;
  }
  return nullptr;
}

bool IsResizeInfeasible(const Pod& pod) {
  const auto found =
      std::ranges::find(pod.status.conditions, "PodResizePending", &PodCondition::type);
  return found != pod.status.conditions.end() && found->reason == "Infeasible";
}

// At the time an init container runs, the sidecars declared before it run too. `amounts_of` gives
// what one container counts for.
template <class AmountsOf>
Amounts Aggregate(const Pod& pod, const AmountsOf& amounts_of) {
  Amounts total;
  for (const Container& container : pod.spec.containers) {
    AddAmounts(amounts_of(container), &total);
  }
  Amounts sidecars;
  Amounts peak;
  for (const Container& container : pod.spec.initContainers) {
    const Amounts& current = amounts_of(container);
    if (container.restartPolicy == "Always") {
      AddAmounts(current, &total);
      AddAmounts(current, &sidecars);
      TakeLarger(sidecars, &peak);
    } else {
      Amounts together = current;
      AddAmounts(sidecars, &together);
      TakeLarger(together, &peak);
    }
  }
  TakeLarger(peak, &total);
  return total;
}

// The sum over the containers: what they ask for; and while they are resized, what they were
// allocated and what they run with, if that is more. A resize that cannot be done counts for
// nothing.
Amounts ContainersAmounts(const Pod& pod, Amounts ResourceRequirements::* amounts,
                          bool as_running) {
  const auto specified = [&](const Container& container) -> const Amounts& {
    return container.resources.*amounts;
  };
  if (!as_running) return Aggregate(pod, specified);
  static const Amounts kNothing;
  const bool infeasible = IsResizeInfeasible(pod);
  const bool is_requests = amounts == &ResourceRequirements::requests;
  const auto allocated = [&](const Container& container) -> const Amounts& {
    const ContainerStatus* status = StatusOf(pod, container.name);
    if (is_requests && status && !status->allocatedResources.empty()) {
      return status->allocatedResources;
    }
    return infeasible ? kNothing : specified(container);
  };
  const auto actuated = [&](const Container& container) -> const Amounts& {
    const ContainerStatus* status = StatusOf(pod, container.name);
    if (status && status->resources && !((*status->resources).*amounts).empty()) {
      return (*status->resources).*amounts;
    }
    return allocated(container);
  };
  Amounts total = Aggregate(pod, actuated);
  if (is_requests) TakeLarger(Aggregate(pod, allocated), &total);
  if (!infeasible) TakeLarger(Aggregate(pod, specified), &total);
  return total;
}

bool IsPodLevel(std::string_view name) {
  return name == "cpu" || name == "memory" || IsHugePageResourceName(name);
}

// The pod's own amounts stand in place of the sums.
Amounts PodAmounts(const Pod& pod, Amounts ResourceRequirements::* amounts, bool as_running) {
  Amounts total = ContainersAmounts(pod, amounts, as_running);
  if (!pod.spec.resources) return total;
  for (const auto& [name, amount] : (*pod.spec.resources).*amounts) {
    if (IsPodLevel(name)) total.insert_or_assign(name, amount);
  }
  return total;
}

}  // namespace

void AddAmounts(const Amounts& from, Amounts* to) {
  for (const auto& [name, amount] : from) {
    const auto [at, inserted] = to->try_emplace(name, amount);
    if (!inserted) at->second.Add(amount);
  }
}

Amounts PodRequests(const Pod& pod, bool as_running) {
  Amounts total = PodAmounts(pod, &ResourceRequirements::requests, as_running);
  AddAmounts(pod.spec.overhead, &total);
  return total;
}

Amounts PodLimits(const Pod& pod, bool as_running) {
  Amounts total = PodAmounts(pod, &ResourceRequirements::limits, as_running);
  for (const auto& [name, amount] : pod.spec.overhead) {
    const auto found = total.find(name);
    if (found != total.end() && !found->second.IsZero()) found->second.Add(amount);
  }
  return total;
}

}  // namespace podium::api
