#include "controllers/cluster_role_aggregation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/types/rbac_v1.h"
#include "controllers/cluster.h"

namespace podium::controllers {
namespace {

using namespace std::chrono_literals;
using api::rbac::v1::ClusterRole;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kToView = "rbac.authorization.k8s.io/aggregate-to-view";
constexpr const char* kToEdit = "rbac.authorization.k8s.io/aggregate-to-edit";

class ClusterRoleAggregationTest : public ControllersTest {
 protected:
  // A role with one rule, of `resource`, or an aggregated one.
  void Role(const std::string& name, const std::string& resource, const std::string& label,
            const std::string& selects = "") {
    ClusterRole role;
    role.metadata.name = name;
    if (!label.empty()) role.metadata.labels[label] = "true";
    if (!resource.empty()) {
      auto& rule = role.rules.emplace_back();
      rule.resources = {resource};
      rule.verbs = {"get"};
      rule.apiGroups = {""};
    }
    if (!selects.empty()) {
      auto& selectors = role.aggregationRule.ensure().clusterRoleSelectors;
      selectors.emplace_back().matchLabels[selects] = "true";
    }
    Put(role);
  }
  std::vector<std::string> ResourcesOf(const std::string& name) {
    std::vector<std::string> resources;
    for (const auto& rule : Get<ClusterRole>("", name)->rules) {
      resources.insert(resources.end(), rule.resources.begin(), rule.resources.end());
    }
    return resources;
  }
};

TEST_F(ClusterRoleAggregationTest, RulesFollowTheRolesThatAreSelected) {
  Role("view", "", kToEdit, kToView);
  Role("edit", "", "", kToEdit);
  Role("a", "pods", kToView);
  Role("b", "secrets", kToEdit);
  Role("c", "nodes", "");
  const auto controller = MakeClusterRoleAggregation(Context());
  Start(*controller);
  EXPECT_THAT(ResourcesOf("view"), ElementsAre("pods"));
  EXPECT_THAT(ResourcesOf("edit"), ElementsAre("secrets", "pods"));
  EXPECT_THAT(ResourcesOf("c"), ElementsAre("nodes"));

  Role("d", "events", kToView);
  time.RunFor(1s);
  EXPECT_THAT(ResourcesOf("view"), ElementsAre("pods", "events"));
  EXPECT_THAT(ResourcesOf("edit"), ElementsAre("secrets", "pods", "events"));

  // One that loses its label, and one that goes.
  ClusterRole plain = reflect::Copy(*Get<ClusterRole>("", "a"));
  plain.metadata.labels.clear();
  ASSERT_TRUE(server.Update(At<ClusterRole>("", "a"), plain, {}).ok());
  Delete<ClusterRole>("", "d");
  time.RunFor(1s);
  EXPECT_THAT(ResourcesOf("view"), IsEmpty());
  EXPECT_THAT(ResourcesOf("edit"), ElementsAre("secrets"));
  EXPECT_THAT(errors, IsEmpty());
}

TEST_F(ClusterRoleAggregationTest, RulesByHandAreOverwrittenAndNothingElse) {
  Role("view", "nodes", "mine", kToView);
  Role("a", "pods", kToView);
  const auto controller = MakeClusterRoleAggregation(Context());
  Start(*controller);
  EXPECT_THAT(ResourcesOf("view"), ElementsAre("pods"));
  const auto view = Get<ClusterRole>("", "view");
  EXPECT_EQ(view->metadata.labels.at("mine"), "true");
  EXPECT_TRUE(view->aggregationRule);
  const int patches = server.calls("patch");
  time.RunFor(60s);
  EXPECT_EQ(server.calls("patch"), patches);
}

}  // namespace
}  // namespace podium::controllers
