#include "api/cluster_role_aggregation.h"

#include <algorithm>
#include <string_view>

#include "api/labels.h"
#include "reflect/type.h"

namespace podium::api {
namespace {

using rbac::v1::ClusterRole;
using rbac::v1::PolicyRule;

void AddRules(const ClusterRole& from, std::vector<PolicyRule>* rules) {
  for (const PolicyRule& rule : from.rules) {
    const bool has = std::ranges::any_of(*rules, [&](const PolicyRule& own) {
      return reflect::EqualObjects(reflect::TypeOf<PolicyRule>(), &own, &rule);
    });
    if (!has) rules->push_back(rule);
  }
}

}  // namespace

Result<std::vector<PolicyRule>> AggregatedRules(const ClusterRole& role,
                                                std::span<const ClusterRole* const> roles) {
  std::vector<const ClusterRole*> by_name(roles.begin(), roles.end());
  std::ranges::sort(
      by_name, {}, [](const ClusterRole* other) { return std::string_view(other->metadata.name); });
  std::vector<PolicyRule> rules;
  for (const auto& text : role.aggregationRule->clusterRoleSelectors) {
    TRY(const labels::Selector selector, labels::LabelSelectorAsSelector(&text));
    for (const ClusterRole* other : by_name) {
      if (other->metadata.name == role.metadata.name) continue;
      if (selector.Matches(other->metadata.labels)) AddRules(*other, &rules);
    }
  }
  return rules;
}

}  // namespace podium::api
