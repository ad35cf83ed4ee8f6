#include "apiserver/authorization/default_roles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "api/cluster_role_aggregation.h"
#include "api/validation/rbac.h"
#include "apiserver/authorization/rbac_authorizer.h"
#include "apiserver/authorization/rbac_objects.h"
#include "apiserver/authorization/reconcile.h"
#include "apiserver/test_store.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::ClusterRoleBinding;
using api::rbac::v1::PolicyRule;

template <class T>
const T& Named(const std::vector<T>& objects, std::string_view name) {
  const auto found = std::ranges::find_if(
      objects, [name](const T& object) { return object.metadata.name == name; });
  EXPECT_NE(found, objects.end()) << name;
  return *found;
}

// A cluster as it is after its first start, and after its controllers had their say.
struct Bootstrapped {
  TestStore store;
  RbacAuthorizer rbac{store.memory};

  Bootstrapped() {
    const DefaultRoles roles = MakeDefaultRoles();
    // Several times: admin has what edit has, which has what view has.
    std::vector<ClusterRole> next = roles.cluster_roles;
    for (int i = 0; i < 3; ++i) {
      std::vector<const ClusterRole*> known;
      for (const auto& role : next) known.push_back(&role);
      std::vector<ClusterRole> after = next;
      for (auto& role : after) {
        if (!role.aggregationRule) continue;
        const auto rules = api::AggregatedRules(role, known);
        EXPECT_TRUE(rules.ok());
        role.rules = *rules;
      }
      next = after;
    }
    for (const auto& role : next) store.Put(role);
    for (const auto& binding : roles.cluster_role_bindings) store.Put(binding);
    for (const auto& role : roles.roles) store.Put(role);
    for (const auto& binding : roles.role_bindings) store.Put(binding);
  }
  bool May(const User& user, std::string_view verb, std::string_view group,
           std::string_view resource, std::string_view name_space = "",
           std::string_view subresource = "", std::string_view name = "") {
    return rbac.Authorize({.user = user,
                           .verb = verb,
                           .namespace_ = name_space,
                           .group = group,
                           .resource = resource,
                           .subresource = subresource,
                           .name = name})
               .decision == Decision::kAllow;
  }
  bool MayGet(const User& user, std::string_view path) {
    return rbac.Authorize({.user = user, .verb = "get", .is_resource = false, .path = path})
               .decision == Decision::kAllow;
  }
};

TEST(DefaultRolesTest, AreValid) {
  const DefaultRoles roles = MakeDefaultRoles();
  EXPECT_EQ(roles.cluster_roles.size(), 32U + 38U) << "31 of upstream, and metrics-server's";
  EXPECT_EQ(roles.cluster_role_bindings.size(), 12U + 38U);
  EXPECT_EQ(roles.roles.size(), 7U);
  EXPECT_EQ(roles.role_bindings.size(), 7U);
  std::set<std::string> names;
  for (const auto& role : roles.cluster_roles) {
    EXPECT_TRUE(names.insert(role.metadata.name).second) << role.metadata.name;
    EXPECT_TRUE(api::ValidateClusterRole(role).empty()) << role.metadata.name;
    EXPECT_EQ(role.metadata.labels.at("kubernetes.io/bootstrapping"), "rbac-defaults");
    EXPECT_EQ(role.metadata.annotations.at("rbac.authorization.kubernetes.io/autoupdate"), "true");
    EXPECT_EQ(role.rules.empty(), role.aggregationRule.has_value()) << role.metadata.name;
    for (const PolicyRule& rule : role.rules) {
      EXPECT_TRUE(std::ranges::is_sorted(rule.verbs)) << DescribeRule(rule);
      EXPECT_TRUE(std::ranges::is_sorted(rule.resources)) << DescribeRule(rule);
    }
  }
  for (const auto& binding : roles.cluster_role_bindings) {
    EXPECT_TRUE(api::ValidateClusterRoleBinding(binding).empty()) << binding.metadata.name;
    EXPECT_TRUE(names.contains(binding.roleRef.name)) << binding.metadata.name;
  }
  for (const auto& role : roles.roles) {
    EXPECT_TRUE(api::ValidateRole(role).empty()) << role.metadata.name;
  }
  for (const auto& binding : roles.role_bindings) {
    EXPECT_TRUE(api::ValidateRoleBinding(binding).empty()) << binding.metadata.name;
    EXPECT_TRUE(std::ranges::any_of(roles.roles, [&](const auto& role) {
      return role.metadata.name == binding.roleRef.name &&
             role.metadata.namespace_ == binding.metadata.namespace_;
    })) << binding.metadata.name;
  }
}

TEST(DefaultRolesTest, AsUpstreamsFirstStart) {
  const DefaultRoles roles = MakeDefaultRoles();
  const ClusterRole& job = Named(roles.cluster_roles, "system:controller:job-controller");
  ASSERT_EQ(job.rules.size(), 5U);
  EXPECT_EQ(
      DescribeRule(job.rules[0]),
      R"({APIGroups:["batch"], Resources:["jobs"], Verbs:["get" "list" "patch" "update" "watch"]})");
  EXPECT_EQ(
      DescribeRule(job.rules[4]),
      R"({APIGroups:["" "events.k8s.io"], Resources:["events"], Verbs:["create" "patch" "update"]})");
  const ClusterRole& signer =
      Named(roles.cluster_roles, "system:certificates.k8s.io:kubelet-serving-approver");
  EXPECT_EQ(
      DescribeRule(signer.rules[0]),
      R"({APIGroups:["certificates.k8s.io"], Resources:["signers"], ResourceNames:["kubernetes.io/kubelet-serving"], Verbs:["approve"]})");
  const ClusterRole& edit = Named(roles.cluster_roles, "edit");
  EXPECT_EQ(edit.metadata.labels.at("rbac.authorization.k8s.io/aggregate-to-admin"), "true");
  EXPECT_EQ(edit.aggregationRule->clusterRoleSelectors[0].matchLabels.at(
                "rbac.authorization.k8s.io/aggregate-to-edit"),
            "true");
  // Nodes go by the node authorizer; the binding is there and binds nobody.
  EXPECT_TRUE(Named(roles.cluster_role_bindings, "system:node").subjects.empty());
  const auto& binding = Named(roles.cluster_role_bindings, "system:controller:job-controller");
  ASSERT_EQ(binding.subjects.size(), 1U);
  EXPECT_EQ(binding.subjects[0].kind, "ServiceAccount");
  EXPECT_EQ(binding.subjects[0].namespace_, "kube-system");
  EXPECT_EQ(binding.subjects[0].name, "job-controller");
}

TEST(DefaultRolesTest, WhatTheyAreGoodFor) {
  Bootstrapped cluster;
  const User anonymous{.name = "system:anonymous", .groups = {"system:unauthenticated"}};
  EXPECT_TRUE(cluster.MayGet(anonymous, "/version"));
  EXPECT_TRUE(cluster.MayGet(anonymous, "/livez"));
  EXPECT_FALSE(cluster.MayGet(anonymous, "/metrics"));
  EXPECT_FALSE(cluster.MayGet(anonymous, "/apis"));
  EXPECT_FALSE(cluster.MayGet(anonymous, "/livez/ping"));
  EXPECT_FALSE(cluster.May(anonymous, "list", "", "pods", "default"));

  const User jane{.name = "jane", .groups = {"system:authenticated"}};
  EXPECT_TRUE(cluster.MayGet(jane, "/apis/apps/v1"));
  EXPECT_TRUE(cluster.May(jane, "create", "authorization.k8s.io", "selfsubjectaccessreviews"));
  EXPECT_TRUE(cluster.May(jane, "create", "authentication.k8s.io", "selfsubjectreviews"));
  EXPECT_FALSE(cluster.May(jane, "list", "", "pods", "default"));

  const User admin{.name = "x", .groups = {"system:masters"}};
  EXPECT_TRUE(cluster.May(admin, "escalate", "rbac.authorization.k8s.io", "clusterroles"));
  EXPECT_TRUE(cluster.MayGet(admin, "/metrics"));

  const User account{.name = "system:serviceaccount:a:b", .groups = {"system:serviceaccounts"}};
  EXPECT_TRUE(cluster.MayGet(account, "/openid/v1/jwks"));
  const User scaler{.name = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"};
  EXPECT_TRUE(cluster.May(scaler, "update", "apps", "deployments", "a", "scale"));
  EXPECT_FALSE(cluster.May(scaler, "update", "apps", "deployments", "a"));
  const User scheduler{.name = "system:kube-scheduler"};
  EXPECT_TRUE(cluster.May(scheduler, "create", "", "pods", "a", "binding"));
  EXPECT_TRUE(cluster.May(scheduler, "get", "", "configmaps", "kube-system", "",
                          "extension-apiserver-authentication"));
  EXPECT_FALSE(cluster.May(scheduler, "get", "", "configmaps", "kube-system", "", "other"));
}

TEST(DefaultRolesTest, AdminEditAndView) {
  Bootstrapped cluster;
  for (const std::string role : {"admin", "edit", "view"}) {
    cluster.store.Put(RoleBindingOf(role, "a", "ClusterRole", role, {UserSubject(role)}));
  }
  const User admin{.name = "admin"};
  const User edit{.name = "edit"};
  const User view{.name = "view"};
  for (const User& user : {admin, edit, view}) {
    EXPECT_TRUE(cluster.May(user, "get", "", "pods", "a")) << user.name;
    EXPECT_TRUE(cluster.May(user, "get", "", "pods", "a", "log")) << user.name;
    EXPECT_TRUE(cluster.May(user, "list", "events.k8s.io", "events", "a")) << user.name;
    EXPECT_FALSE(cluster.May(user, "get", "", "pods", "b")) << user.name;
    EXPECT_FALSE(cluster.May(user, "get", "", "nodes")) << user.name;
    EXPECT_FALSE(cluster.May(user, "update", "", "resourcequotas", "a")) << user.name;
  }
  for (const User& user : {admin, edit}) {
    EXPECT_TRUE(cluster.May(user, "create", "apps", "deployments", "a")) << user.name;
    EXPECT_TRUE(cluster.May(user, "get", "", "secrets", "a")) << user.name;
    EXPECT_TRUE(cluster.May(user, "create", "", "pods", "a", "exec")) << user.name;
  }
  EXPECT_FALSE(cluster.May(view, "get", "", "secrets", "a"));
  EXPECT_FALSE(cluster.May(view, "create", "", "pods", "a"));
  EXPECT_FALSE(cluster.May(view, "get", "", "pods", "a", "exec"));
  EXPECT_TRUE(cluster.May(admin, "create", "rbac.authorization.k8s.io", "rolebindings", "a"));
  EXPECT_FALSE(cluster.May(edit, "create", "rbac.authorization.k8s.io", "rolebindings", "a"));
}

TEST(AggregationTest, SelectorBySelectorAndEachRuleOnce) {
  const PolicyRule pods = RuleOf({"get"}, {""}, {"pods"});
  const PolicyRule jobs = RuleOf({"get"}, {"batch"}, {"jobs"});
  const PolicyRule nodes = RuleOf({"get"}, {""}, {"nodes"});
  ClusterRole late = ClusterRoleOf("z", {jobs});
  ClusterRole early = ClusterRoleOf("a", {pods});
  ClusterRole other = ClusterRoleOf("b", {nodes, pods});
  late.metadata.labels["x"] = early.metadata.labels["x"] = "1";
  other.metadata.labels["y"] = "1";
  ClusterRole all = ClusterRoleOf("all", {RuleOf({"*"}, {"*"}, {"*"})});
  all.metadata.labels["x"] = "1";
  auto& selectors = all.aggregationRule.ensure().clusterRoleSelectors;
  selectors.resize(2);
  selectors[0].matchLabels["x"] = "1";
  selectors[1].matchLabels["y"] = "1";
  const std::vector<const ClusterRole*> roles = {&all, &late, &other, &early};
  const auto rules = api::AggregatedRules(all, roles);
  ASSERT_TRUE(rules.ok());
  ASSERT_EQ(rules->size(), 3U);
  EXPECT_TRUE(SameRule((*rules)[0], pods));
  EXPECT_TRUE(SameRule((*rules)[1], jobs));
  EXPECT_TRUE(SameRule((*rules)[2], nodes));
  selectors[0].matchExpressions.resize(1);
  selectors[0].matchExpressions[0].key = "x";
  selectors[0].matchExpressions[0].operator_ = "Near";
  EXPECT_FALSE(api::AggregatedRules(all, roles).ok());
}

TEST(ReconcileTest, RulesAreAddedAndOthersStay) {
  ClusterRole wanted = ClusterRoleOf("x", {RuleOf({"get", "list"}, {""}, {"pods"})});
  wanted.metadata.labels["a"] = "wanted";
  EXPECT_EQ(Reconcile<ClusterRole>(nullptr, wanted).action, ReconcileAction::kCreate);
  EXPECT_EQ(Reconcile(&wanted, wanted).action, ReconcileAction::kNone);

  ClusterRole existing = ClusterRoleOf(
      "x", {RuleOf({"get"}, {"*"}, {"*"}), RuleOf({"delete"}, {"apps"}, {"deployments"})});
  existing.metadata.labels["a"] = "own";
  existing.metadata.uid = "u";
  const auto next = Reconcile(&existing, wanted);
  EXPECT_EQ(next.action, ReconcileAction::kUpdate);
  ASSERT_EQ(next.object.rules.size(), 3U);
  EXPECT_EQ(DescribeRule(next.object.rules[2]),
            R"({APIGroups:[""], Resources:["pods"], Verbs:["list"]})");
  EXPECT_EQ(next.object.metadata.labels.at("a"), "own");
  EXPECT_EQ(next.object.metadata.uid, "u");
  EXPECT_EQ(Reconcile(&next.object, wanted).action, ReconcileAction::kNone);
  // Whoever has more than what is wanted is left alone.
  existing.rules = PolicyRules{RuleOf({"*"}, {"*"}, {"*"})};
  EXPECT_EQ(Reconcile(&existing, wanted).action, ReconcileAction::kNone);
  wanted.metadata.annotations["b"] = "c";
  EXPECT_EQ(Reconcile(&existing, wanted).object.metadata.annotations.at("b"), "c");

  existing.rules.clear();
  existing.metadata.annotations["rbac.authorization.kubernetes.io/autoupdate"] = "false";
  EXPECT_EQ(Reconcile(&existing, wanted).action, ReconcileAction::kNone);
}

TEST(ReconcileTest, AggregationOfRoles) {
  const DefaultRoles roles = MakeDefaultRoles();
  const ClusterRole& wanted = Named(roles.cluster_roles, "admin");
  ClusterRole existing = wanted;
  existing.rules = PolicyRules{RuleOf({"get"}, {""}, {"pods"})};
  auto& selectors = existing.aggregationRule->clusterRoleSelectors;
  selectors.emplace_back().matchLabels["mine"] = "true";
  EXPECT_EQ(Reconcile(&existing, wanted).action, ReconcileAction::kNone);
  selectors.erase(selectors.begin());
  const auto next = Reconcile(&existing, wanted);
  EXPECT_EQ(next.action, ReconcileAction::kUpdate);
  EXPECT_EQ(next.object.aggregationRule->clusterRoleSelectors.size(), 2U);
  EXPECT_EQ(next.object.rules.size(), 1U);

  // One that must not be aggregated stops being so.
  ClusterRole plain = Named(roles.cluster_roles, "system:discovery");
  plain.aggregationRule = existing.aggregationRule;
  const auto mended = Reconcile(&plain, Named(roles.cluster_roles, "system:discovery"));
  EXPECT_EQ(mended.action, ReconcileAction::kUpdate);
  EXPECT_FALSE(mended.object.aggregationRule);
}

TEST(ReconcileTest, SubjectsAreAddedAndABindingOfAnotherRoleIsMadeAnew) {
  const ClusterRoleBinding wanted =
      ClusterRoleBindingOf("x", "y", {GroupSubject("a"), UserSubject("b")});
  ClusterRoleBinding existing =
      ClusterRoleBindingOf("x", "y", {UserSubject("mine"), UserSubject("b")});
  const auto next = Reconcile(&existing, wanted);
  EXPECT_EQ(next.action, ReconcileAction::kUpdate);
  ASSERT_EQ(next.object.subjects.size(), 3U);
  EXPECT_EQ(next.object.subjects[0].name, "mine");
  EXPECT_EQ(next.object.subjects[2].name, "a");
  EXPECT_EQ(Reconcile(&next.object, wanted).action, ReconcileAction::kNone);

  existing.roleRef.name = "other";
  const auto anew = Reconcile(&existing, wanted);
  EXPECT_EQ(anew.action, ReconcileAction::kRecreate);
  EXPECT_EQ(anew.object.subjects.size(), 2U);
  existing.metadata.annotations["rbac.authorization.kubernetes.io/autoupdate"] = "false";
  EXPECT_EQ(Reconcile(&existing, wanted).action, ReconcileAction::kNone);
}

}  // namespace
}  // namespace podium::apiserver
