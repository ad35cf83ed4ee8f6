// The quality-of-service class of a pod.

#include "api/validation/resources.h"

namespace podium::api {

using core::v1::Container;
using core::v1::PodSpec;

namespace {

struct Totals {
  reflect::Map<Quantity> requests;
  reflect::Map<Quantity> limits;
  bool all_limited = true;  // every part limits both cpu and memory
};

// Adds amounts of cpu and memory that are above zero; returns how many kinds there were.
int AddCompute(const reflect::Map<Quantity>& from, reflect::Map<Quantity>* to) {
  int kinds = 0;
  for (std::string_view name : {"cpu", "memory"}) {
    auto found = from.find(name);
    if (found == from.end() || found->second.Sign() <= 0) continue;
    ++kinds;
    auto [at, inserted] = to->try_emplace(found->first, found->second);
    if (!inserted) at->second.Add(found->second);
  }
  return kinds;
}

void AddContainer(const Container& container, Totals* totals) {
  AddCompute(container.resources.requests, &totals->requests);
  if (AddCompute(container.resources.limits, &totals->limits) < 2) totals->all_limited = false;
}

}  // namespace

std::string_view ComputePodQos(const PodSpec& spec) {
  Totals totals;
  if (spec.resources) {
    AddCompute(spec.resources->requests, &totals.requests);
    const reflect::Map<Quantity>& limits = spec.resources->limits;
    if (AddCompute(limits, &totals.limits) < 2 && !limits.empty()) totals.all_limited = false;
  } else {
    for (const Container& container : spec.containers) AddContainer(container, &totals);
    for (const Container& container : spec.initContainers) AddContainer(container, &totals);
  }
  if (totals.requests.empty() && totals.limits.empty()) return "BestEffort";
  return totals.all_limited && totals.requests == totals.limits ? "Guaranteed" : "Burstable";
}

}  // namespace podium::api
