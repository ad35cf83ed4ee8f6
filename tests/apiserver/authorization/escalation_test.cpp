#include "apiserver/authorization/escalation.h"

#include <gtest/gtest.h>

#include <string>

#include "api/status.h"
#include "apiserver/authorization/rbac_authorizer.h"
#include "apiserver/authorization/rbac_objects.h"
#include "apiserver/test_store.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::PolicyRule;
using api::rbac::v1::Role;
using api::rbac::v1::RoleBinding;

// Jane may get pods, and write roles and bindings, everywhere.
struct EscalationTest : testing::Test {
  TestStore store;
  RbacAuthorizer rbac{store.memory};
  EscalationCheck check{rbac, rbac};
  const User jane{.name = "jane", .groups = {"devs", "system:authenticated"}};
  const User admin{.name = "root", .groups = {"system:masters"}};
  const PolicyRule get_pods = RuleOf({"get"}, {""}, {"pods"});
  const PolicyRule all = RuleOf({"*"}, {"*"}, {"*"});

  void SetUp() override {
    store.Put(ClusterRoleOf(
        "jane", {get_pods, RuleOf({"create", "update"}, {"rbac.authorization.k8s.io"}, {"*"})}));
    store.Put(ClusterRoleBindingOf("jane", "jane", {UserSubject("jane")}));
    store.Put(ClusterRoleOf("all", {all}));
    store.Put(RoleOf("a", "pods", {get_pods}));
    store.Put(RoleOf("a", "all", {all}));
  }
  void Give(PolicyRule rule) {
    store.Put(ClusterRoleOf("more", {std::move(rule)}));
    store.Put(ClusterRoleBindingOf("more", "more", {GroupSubject("devs")}));
  }
  static std::string Message(const Result<void>& result) {
    return result.ok() ? "" : api::StatusOf(result.error()).message;
  }
};

TEST_F(EscalationTest, PrivilegeEscalationByRbacRoles) {
  EXPECT_EQ(Message(check.CheckRole(jane, "x", RoleOf("a", "x", {get_pods}), nullptr)), "");
  EXPECT_EQ(Message(check.CheckClusterRole(jane, "x", ClusterRoleOf("x", {get_pods}), nullptr)),
            "");
  const auto refused = check.CheckRole(
      jane, "x", RoleOf("a", "x", {RuleOf({"get", "list", "delete"}, {"", "apps"}, {"pods"})}),
      nullptr);
  EXPECT_EQ(Message(refused),
            "roles.rbac.authorization.k8s.io \"x\" is forbidden: user \"jane\" (groups=[\"devs\" "
            "\"system:authenticated\"]) is attempting to grant RBAC permissions not currently "
            "held:\n"
            "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"list\" \"delete\"]}\n"
            "{APIGroups:[\"apps\"], Resources:[\"pods\"], Verbs:[\"get\" \"list\" \"delete\"]}");
  EXPECT_EQ(api::StatusOf(refused.error()).code, 403);
  EXPECT_NE(Message(check.CheckClusterRole(jane, "x", ClusterRoleOf("x", {all}), nullptr)), "");
  // What one has in a namespace is good for a role in that namespace, and for nothing else.
  store.Put(RoleBindingOf("jane", "a", "ClusterRole", "all", {UserSubject("jane")}));
  EXPECT_EQ(Message(check.CheckRole(jane, "x", RoleOf("a", "x", {all}), nullptr)), "");
  EXPECT_NE(Message(check.CheckRole(jane, "x", RoleOf("b", "x", {all}), nullptr)), "");
  EXPECT_NE(Message(check.CheckClusterRole(jane, "x", ClusterRoleOf("x", {all}), nullptr)), "");
}

TEST_F(EscalationTest, PrivilegeEscalationByRbacUnlessEscalate) {
  const Role role = RoleOf("a", "x", {all});
  EXPECT_EQ(Message(check.CheckRole(admin, "x", role, nullptr)), "");
  PolicyRule escalate = RuleOf({"escalate"}, {"rbac.authorization.k8s.io"}, {"roles"});
  escalate.resourceNames = {"x"};
  Give(escalate);
  EXPECT_EQ(Message(check.CheckRole(jane, "x", role, nullptr)), "");
  EXPECT_NE(Message(check.CheckRole(jane, "y", RoleOf("a", "y", {all}), nullptr)), "");
  EXPECT_NE(Message(check.CheckClusterRole(jane, "x", ClusterRoleOf("x", {all}), nullptr)), "");
}

TEST_F(EscalationTest, PrivilegeEscalationByRbacBindings) {
  const auto bind = [&](const std::string& kind, const std::string& role) {
    return Message(check.CheckRoleBinding(
        jane, RoleBindingOf("x", "a", kind, role, {UserSubject("jane")}), nullptr));
  };
  const auto bind_cluster = [&](const std::string& role) {
    return Message(check.CheckClusterRoleBinding(
        jane, ClusterRoleBindingOf("x", role, {UserSubject("joe")}), nullptr));
  };
  EXPECT_EQ(bind("Role", "pods"), "");
  EXPECT_EQ(bind("ClusterRole", "jane"), "");
  EXPECT_EQ(bind("Role", "all"),
            "rolebindings.rbac.authorization.k8s.io \"x\" is forbidden: user \"jane\" "
            "(groups=[\"devs\" \"system:authenticated\"]) is attempting to grant RBAC permissions "
            "not currently held:\n{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}");
  EXPECT_NE(bind("ClusterRole", "all"), "");
  EXPECT_NE(bind_cluster("all"), "");
  EXPECT_EQ(bind("Role", "gone"), "roles.rbac.authorization.k8s.io \"gone\" not found");
  EXPECT_EQ(bind_cluster("gone"), "clusterroles.rbac.authorization.k8s.io \"gone\" not found");
  // Who may bind it, may bind just it, and where.
  PolicyRule may_bind = RuleOf({"bind"}, {"rbac.authorization.k8s.io"}, {"clusterroles"});
  may_bind.resourceNames = {"all"};
  store.Put(RoleOf("a", "binder", {may_bind}));
  store.Put(RoleBindingOf("binder", "a", "Role", "binder", {UserSubject("jane")}));
  EXPECT_EQ(bind("ClusterRole", "all"), "");
  EXPECT_NE(bind("Role", "all"), "");
  EXPECT_NE(bind_cluster("all"), "");
  EXPECT_EQ(Message(check.CheckClusterRoleBinding(
                admin, ClusterRoleBindingOf("x", "gone", {UserSubject("joe")}), nullptr)),
            "");
}

TEST_F(EscalationTest, PrivilegeEscalationByRbacAggregation) {
  ClusterRole gathers = ClusterRoleOf("x", {});
  gathers.aggregationRule.ensure().clusterRoleSelectors.emplace_back().matchLabels["a"] = "b";
  const std::string message =
      "clusterroles.rbac.authorization.k8s.io \"x\" is forbidden: must have cluster-admin "
      "privileges to use the aggregationRule";
  EXPECT_EQ(Message(check.CheckClusterRole(jane, "x", gathers, nullptr)), message);
  // Neither may it be taken away.
  EXPECT_EQ(Message(check.CheckClusterRole(jane, "x", ClusterRoleOf("x", {}), &gathers)), message);
  // Every verb that there is, on all: still none that is to come.
  Give(RuleOf({"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"},
              {"*"}, {"*"}));
  EXPECT_EQ(Message(check.CheckClusterRole(jane, "x", gathers, nullptr)), message);
  Give(all);
  EXPECT_EQ(Message(check.CheckClusterRole(jane, "x", gathers, nullptr)), "");
}

TEST_F(EscalationTest, OwnersAndFinalizersMayBeChangedByAll) {
  const Role old_role = RoleOf("a", "x", {all});
  Role role = old_role;
  role.metadata.finalizers = {"x.org/y"};
  role.metadata.ownerReferences.resize(1);
  EXPECT_EQ(Message(check.CheckRole(jane, "x", role, &old_role)), "");
  role.metadata.labels["a"] = "b";
  EXPECT_NE(Message(check.CheckRole(jane, "x", role, &old_role)), "");
  const RoleBinding old_binding = RoleBindingOf("x", "a", "Role", "all", {UserSubject("joe")});
  RoleBinding binding = old_binding;
  binding.metadata.finalizers = {"x.org/y"};
  EXPECT_EQ(Message(check.CheckRoleBinding(jane, binding, &old_binding)), "");
  binding.subjects.push_back(UserSubject("jane"));
  EXPECT_NE(Message(check.CheckRoleBinding(jane, binding, &old_binding)), "");
}

}  // namespace
}  // namespace podium::apiserver
