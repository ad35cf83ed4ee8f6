// That no resource of the API is forgotten.
#include "api/validation/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "api/scheme.h"
#include "api/types/resources.h"
#include "api/validation/kind_rules.h"

namespace podium::api {
namespace {

// What has no rules of its own, and why: the metadata is checked, or nothing is there to check.
const std::map<std::string, std::string>& WithoutRules() {
  static const std::map<std::string, std::string> kNames = {
      {"authentication.k8s.io/v1 SelfSubjectReview", "it has no spec"},
      {"authentication.k8s.io/v1 TokenReview", "a missing token is a bad request, no bad field"},
      {"authorization.k8s.io/v1 SelfSubjectRulesReview", "every namespace may be asked about"},
      {"batch/v1 CronJob/status", "upstream takes every status"},
      {"batch/v1beta1 CronJob/status", "likewise"},
      {"networking.k8s.io/v1 ServiceCIDR/status", "upstream looks at the metadata only"},
      {"v1 Pod/eviction", "the pod's name is all it has, and that is the URL's"}};
  return kNames;
}

// "apps/v1 Deployment", "apps/v1 Deployment/status".
std::string NameOf(const Resource& resource, std::string_view subresource = "") {
  std::string name(resource.group);
  name.append(name.empty() ? "" : "/").append(resource.version).append(" ").append(resource.kind);
  return subresource.empty() ? name : name.append("/").append(subresource);
}

const KindRules* RulesOf(const reflect::Type* type, std::string_view subresource) {
  for (const auto& table : {CoreRules(), WorkloadRules(), ClusterRules(), ServerRules()}) {
    for (const KindRules& rules : table) {
      if (rules.type == type && rules.subresource == subresource) return &rules;
    }
  }
  return nullptr;
}

bool Contains(std::span<const std::string_view> verbs, std::string_view verb) {
  return std::ranges::find(verbs, verb) != verbs.end();
}

// Whether what can be created and changed with these verbs is checked then.
bool HasRulesFor(std::span<const std::string_view> verbs, const KindRules* rules) {
  if (Contains(verbs, "create") && !(rules && rules->create)) return false;
  return !Contains(verbs, "update") || (rules && rules->update);
}

// Subresources of the object's own kind have rules under their name, others those of their kind.
bool HasRulesFor(const Resource& resource, const struct Subresource& subresource) {
  const std::string group(subresource.group);
  const reflect::Type* type =
      FindType(group.empty() ? std::string(subresource.version)
                             : group + "/" + std::string(subresource.version),
               subresource.kind);
  return HasRulesFor(subresource.verbs,
                     RulesOf(type, type == resource.type ? subresource.name : ""));
}

TEST(ValidationTest, EveryResourceHasRules) {
  std::set<std::string> without;
  for (const Resource& resource : kResources) {
    if (!HasRulesFor(resource.verbs, RulesOf(resource.type, ""))) without.insert(NameOf(resource));
    for (const auto& subresource : resource.subresources) {
      // What is streamed: its options stand in the URL.
      if (subresource.kind.ends_with("Options")) continue;
      if (!HasRulesFor(resource, subresource)) without.insert(NameOf(resource, subresource.name));
    }
  }
  std::set<std::string> expected;
  for (const auto& [name, reason] : WithoutRules()) expected.insert(name);
  EXPECT_EQ(without, expected);
}

}  // namespace
}  // namespace podium::api
