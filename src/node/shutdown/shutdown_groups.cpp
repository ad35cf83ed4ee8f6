#include "node/shutdown/shutdown_groups.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "base/clock.h"
#include "node/critical_pods.h"

namespace podium::node {

Result<ShutdownGraces> GracesOf(api::Duration all, api::Duration critical) {
  const auto bad = [](const std::string& what) {
    return Error(Code::kInvalidArgument, "invalid configuration: " + what);
  };
  const auto named = [](const char* name, api::Duration value) {
    return std::string(name) + " {" + value.String() + "}";
  };
  const std::string all_named = named("shutdownGracePeriod", all);
  const std::string critical_named = named("shutdownGracePeriodCriticalPods", critical);
  if (critical > all) return bad(critical_named + " must be <= " + all_named);
  const auto fits = [](api::Duration value) {
    return value.IsZero() || value >= api::Duration::FromSeconds(1);
  };
  constexpr const char* kTooShort = " must be either zero or otherwise >= 1 sec";
  if (!fits(all)) return bad(all_named + kTooShort);
  if (!fits(critical)) return bad(critical_named + kTooShort);
  if (all.IsZero()) return ShutdownGraces();
  const int64_t for_critical = critical.nanos() / kNanosPerSecond;
  return ShutdownGraces{
      {.priority = 0, .seconds = (all.nanos() - critical.nanos()) / kNanosPerSecond},
      {.priority = kSystemCriticalPriority, .seconds = for_critical}};
}

std::chrono::seconds TotalOf(const ShutdownGraces& graces) {
  int64_t sum = 0;
  for (const ShutdownGrace& each : graces) sum += each.seconds;
  return std::chrono::seconds(sum);
}

int64_t ShutdownGroup::GraceOf(const v1::Pod& pod) const {
  return std::min(pod.spec.terminationGracePeriodSeconds.value_or(seconds), seconds);
}

std::vector<ShutdownGroup> GroupByPriority(const ShutdownGraces& graces, const RankedPods& pods) {
  if (graces.empty()) return {};
  std::vector<ShutdownGroup> groups(graces.size());
  for (size_t i = 0; i < graces.size(); ++i) groups[i].seconds = graces[i].seconds;
  for (const auto& pod : pods) {
    const auto above = std::ranges::upper_bound(graces, pod->spec.priority.value_or(0), {},
                                                &ShutdownGrace::priority);
    const auto at = above == graces.begin() ? 0 : std::distance(graces.begin(), above) - 1;
    groups[static_cast<size_t>(at)].pods.push_back(pod);
  }
  std::erase_if(groups, [](const ShutdownGroup& group) { return group.pods.empty(); });
  return groups;
}

}  // namespace podium::node
