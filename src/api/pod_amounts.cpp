#include "api/pod_amounts.h"

#include <algorithm>

#include "api/validation/resources.h"

namespace podium::api {
namespace {

using Amounts = reflect::Map<Quantity>;
using core::v1::Container;
using core::v1::ContainerStatus;
using core::v1::Pod;

void Replace(const Amounts& own, Amounts* amounts) {
  for (const auto& [name, amount] : own) {
    if (name == "cpu" || name == "memory" || name.starts_with("hugepages-")) {
      (*amounts)[name] = amount;
    }
  }
}

void RaiseTo(const Amounts& other, Amounts* amounts) {
  for (const auto& [name, amount] : other) {
    const auto [found, added] = amounts->emplace(name, amount);
    if (!added && found->second < amount) found->second = amount;
  }
}

// The node has said that it will never have room.
bool IsResizeInfeasible(const Pod& pod) {
  return std::ranges::any_of(pod.status.conditions, [](const auto& condition) {
    return condition.type == "PodResizePending" && condition.reason == "Infeasible";
  });
}

void Charge(const reflect::List<ContainerStatus>& statuses, bool infeasible, Container* container) {
  const auto status = std::ranges::find(statuses, container->name, &ContainerStatus::name);
  if (status == statuses.end() || !status->resources) return;
  if (infeasible) {
    container->resources.requests = status->resources->requests;
    container->resources.limits = status->resources->limits;
  } else {
    RaiseTo(status->resources->requests, &container->resources.requests);
    RaiseTo(status->resources->limits, &container->resources.limits);
  }
  RaiseTo(status->allocatedResources, &container->resources.requests);
}

}  // namespace

PodAmounts AmountsOf(const core::v1::PodSpec& spec, bool with_overhead) {
  PodAmounts amounts{AggregateContainerRequests(spec), AggregateContainerLimits(spec)};
  if (spec.resources) {
    Replace(spec.resources->requests, &amounts.requests);
    Replace(spec.resources->limits, &amounts.limits);
  }
  if (!with_overhead) return amounts;
  for (const auto& [name, amount] : spec.overhead) {
    amounts.requests[name].Add(amount);
    const auto limit = amounts.limits.find(name);
    if (limit != amounts.limits.end() && !limit->second.IsZero()) limit->second.Add(amount);
  }
  return amounts;
}

PodAmounts ChargedAmountsOf(const Pod& pod) {
  if (pod.status.containerStatuses.empty() && pod.status.initContainerStatuses.empty()) {
    return AmountsOf(pod.spec, true);
  }
  const bool infeasible = IsResizeInfeasible(pod);
  core::v1::PodSpec spec = pod.spec;
  for (Container& each : spec.containers) Charge(pod.status.containerStatuses, infeasible, &each);
  for (Container& each : spec.initContainers) {
    // Others than sidecars are not resized.
    if (each.restartPolicy == "Always") {
      Charge(pod.status.initContainerStatuses, infeasible, &each);
    }
  }
  return AmountsOf(spec, true);
}

}  // namespace podium::api
