#include "node/preemption.h"

#include <fmt/format.h>

#include <utility>

#include "api/pod_amounts.h"
#include "api/validation/resources.h"
#include "node/critical_pods.h"

namespace podium::node {
namespace {

using Missing = std::vector<MissingResource>;

Missing Without(const Missing& missing, const PodList& pods) {
  Missing left;
  for (const MissingResource& each : missing) {
    int64_t amount = each.amount;
    for (const auto& pod : pods) amount -= RequestOf(*pod, each.name);
    if (amount > 0) left.push_back({each.name, amount});
  }
  return left;
}

// How far the pod alone is from what is missing: each resource counts the same.
double Distance(const Missing& missing, const v1::Pod& pod) {
  double distance = 0;
  for (const MissingResource& each : missing) {
    const auto left = static_cast<double>(each.amount - RequestOf(pod, each.name));
    if (left <= 0) continue;
    const double part = left / static_cast<double>(each.amount);
    distance += part * part;
  }
  return distance;
}

bool IsNotLarger(const v1::Pod& pod, const v1::Pod& than) {
  for (const char* resource : {"memory", "cpu"}) {
    const int64_t one = RequestOf(pod, resource);
    const int64_t other = RequestOf(than, resource);
    if (one != other) return one < other;
  }
  return true;
}

Error NotEnough(const Missing& missing) {
  std::string list;
  for (const MissingResource& each : missing) {
    list += fmt::format("(res: {}, q: {}), ", each.name, each.amount);
  }
  return Error(Code::kResourceExhausted,
               "no set of running pods found to reclaim resources: [" + list + "]");
}

// The nearest one, again and again, until nothing is missing.
Result<PodList> Nearest(PodList pods, Missing missing) {
  PodList chosen;
  while (!missing.empty()) {
    if (pods.empty()) return NotEnough(missing);
    size_t best = 0;
    double best_distance = static_cast<double>(missing.size()) + 1;
    for (size_t i = 0; i < pods.size(); ++i) {
      const double distance = Distance(missing, *pods[i]);
      if (distance < best_distance ||
          (distance == best_distance && IsNotLarger(*pods[i], *pods[best]))) {
        best = i;
        best_distance = distance;
      }
    }
    missing = Without(missing, {pods[best]});
    chosen.push_back(std::move(pods[best]));
    if (best + 1 < pods.size()) pods[best] = std::move(pods.back());
    pods.pop_back();
  }
  return chosen;
}

PodList Both(PodList a, const PodList& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

int64_t RequestOf(const v1::Pod& pod, const std::string& resource) {
  if (resource == "pods") return 1;
  const auto requests = api::AmountsOf(pod.spec, true).requests;
  const auto found = requests.find(resource);
  if (found == requests.end()) return 0;
  return resource == "cpu" ? found->second.MilliValue() : found->second.Value();
}

Result<PodList> PodsToPreempt(const v1::Pod& preemptor, const PodList& pods,
                              const std::vector<MissingResource>& missing) {
  PodList best_effort;
  PodList burstable;
  PodList guaranteed;
  for (const auto& pod : pods) {
    if (!IsPreemptable(preemptor, *pod)) continue;
    const std::string_view qos = api::ComputePodQos(pod->spec);
    (qos == "Guaranteed"  ? guaranteed
     : qos == "Burstable" ? burstable
                          : best_effort)
        .push_back(pod);
  }
  const PodList lower = Both(best_effort, burstable);
  if (const Missing left = Without(missing, Both(lower, guaranteed)); !left.empty()) {
    return NotEnough(left);
  }
  TRY(const PodList first, Nearest(guaranteed, Without(missing, lower)));
  TRY(const PodList second, Nearest(burstable, Without(missing, Both(best_effort, first))));
  TRY(const PodList third, Nearest(best_effort, Without(missing, Both(second, first))));
  return Both(Both(third, second), first);
}

}  // namespace podium::node
