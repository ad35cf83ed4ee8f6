#include "apiserver/admission/pod_amounts.h"

#include "api/validation/resources.h"

namespace podium::apiserver {
namespace {

using Amounts = reflect::Map<api::Quantity>;

void Replace(const Amounts& own, Amounts* amounts) {
  for (const auto& [name, amount] : own) {
    if (name == "cpu" || name == "memory" || name.starts_with("hugepages-")) {
      (*amounts)[name] = amount;
    }
  }
}

}  // namespace

PodAmounts AmountsOf(const api::core::v1::PodSpec& spec, bool with_overhead) {
  PodAmounts amounts{api::AggregateContainerRequests(spec), api::AggregateContainerLimits(spec)};
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

}  // namespace podium::apiserver
