#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/status.h"
#include "api/types/rbac_v1.h"
#include "apiserver/authorization/authorizers.h"
#include "apiserver/authorization/forbidden.h"
#include "apiserver/authorization/policy_rules.h"
#include "apiserver/authorization/rbac_authorizer.h"
#include "apiserver/authorization/rbac_objects.h"
#include "apiserver/test_store.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::ClusterRoleBinding;
using api::rbac::v1::PolicyRule;
using api::rbac::v1::Role;
using api::rbac::v1::RoleBinding;

PolicyRule PathRule(std::vector<std::string> verbs, std::vector<std::string> paths) {
  PolicyRule rule;
  rule.verbs = std::move(verbs);
  rule.nonResourceURLs = std::move(paths);
  return rule;
}

struct RbacTest : testing::Test {
  TestStore store;
  RbacAuthorizer rbac{store.memory};

  Authorization Ask(const User& user, std::string_view verb, std::string_view resource,
                    std::string_view name_space = "", std::string_view name = "") {
    return rbac.Authorize(
        {.user = user, .verb = verb, .namespace_ = name_space, .resource = resource, .name = name});
  }
  bool May(const User& user, std::string_view verb, std::string_view resource,
           std::string_view name_space = "", std::string_view name = "") {
    return Ask(user, verb, resource, name_space, name).decision == Decision::kAllow;
  }
};

TEST(RuleTest, Resources) {
  const User user{.name = "x"};
  const auto allows = [&](const PolicyRule& rule, std::string_view verb, std::string_view group,
                          std::string_view resource, std::string_view subresource,
                          std::string_view name) {
    return RuleAllows({.user = user,
                       .verb = verb,
                       .group = group,
                       .resource = resource,
                       .subresource = subresource,
                       .name = name},
                      rule);
  };
  const PolicyRule log = RuleOf({"get"}, {""}, {"pods/log"});
  EXPECT_TRUE(allows(log, "get", "", "pods", "log", "a"));
  EXPECT_FALSE(allows(log, "get", "", "pods", "", "a"));
  EXPECT_FALSE(allows(log, "get", "", "pods", "logs", "a"));
  EXPECT_FALSE(allows(log, "get", "", "xpods", "log", "a"));
  EXPECT_FALSE(allows(log, "get", "apps", "pods", "log", "a"));
  EXPECT_FALSE(allows(log, "list", "", "pods", "log", "a"));
  // A role for the resource is none for what is below it.
  EXPECT_FALSE(allows(RuleOf({"*"}, {"*"}, {"pods"}), "get", "", "pods", "exec", "a"));
  const PolicyRule scale = RuleOf({"get"}, {"*"}, {"*/scale"});
  EXPECT_TRUE(allows(scale, "get", "apps", "deployments", "scale", "a"));
  EXPECT_FALSE(allows(scale, "get", "apps", "deployments", "", "a"));
  EXPECT_FALSE(allows(scale, "get", "apps", "deployments", "upscale", "a"));
  // Only "*/name" stands for several; "pods/*" is a name like others.
  EXPECT_FALSE(allows(RuleOf({"get"}, {""}, {"pods/*"}), "get", "", "pods", "log", "a"));
  EXPECT_TRUE(allows(RuleOf({"*"}, {"*"}, {"*"}), "bind", "x.org", "things", "status", ""));
  PolicyRule named = RuleOf({"get"}, {""}, {"secrets"});
  named.resourceNames = {"one", "two"};
  EXPECT_TRUE(allows(named, "get", "", "secrets", "", "two"));
  EXPECT_FALSE(allows(named, "get", "", "secrets", "", "three"));
  EXPECT_FALSE(allows(named, "get", "", "secrets", "", ""));
}

TEST(RuleTest, Paths) {
  const User user{.name = "x"};
  const auto allows = [&](std::vector<std::string> paths, std::string_view path) {
    return RuleAllows({.user = user, .verb = "get", .is_resource = false, .path = path},
                      PathRule({"get"}, std::move(paths)));
  };
  EXPECT_TRUE(allows({"/healthz"}, "/healthz"));
  EXPECT_FALSE(allows({"/healthz"}, "/healthz/etcd"));
  EXPECT_TRUE(allows({"/healthz/*"}, "/healthz/etcd"));
  EXPECT_FALSE(allows({"/healthz/*"}, "/healthz"));
  EXPECT_TRUE(allows({"/health*"}, "/healthz"));
  EXPECT_TRUE(allows({"*"}, "/metrics"));
  EXPECT_FALSE(allows({"/*/etcd"}, "/healthz/etcd"));
  // Rules for resources are none for paths, nor the other way round.
  EXPECT_FALSE(RuleAllows({.user = user, .verb = "get", .is_resource = false, .path = "/metrics"},
                          RuleOf({"*"}, {"*"}, {"*"})));
  EXPECT_FALSE(
      RuleAllows({.user = user, .verb = "get", .resource = "pods"}, PathRule({"*"}, {"*"})));
}

TEST(RuleTest, WhatIsCovered) {
  const auto covers = [](const PolicyRules& owned, const PolicyRule& wanted) {
    return MissingRules(owned, {wanted}).empty();
  };
  const PolicyRule both = RuleOf({"get", "list"}, {"", "apps"}, {"pods", "pods/log"});
  EXPECT_TRUE(covers({both}, both));
  EXPECT_TRUE(covers({RuleOf({"*"}, {"*"}, {"*"})}, both));
  // Several rules, each a part.
  EXPECT_TRUE(
      covers({RuleOf({"get", "list"}, {"", "apps"}, {"pods"}),
              RuleOf({"list"}, {"", "apps"}, {"*/log"}), RuleOf({"get"}, {"*"}, {"pods/log"})},
             both));
  EXPECT_FALSE(covers({RuleOf({"get"}, {"", "apps"}, {"pods", "pods/log"})}, both));
  // A star is only given by a star.
  EXPECT_FALSE(
      covers({RuleOf({"get", "list", "watch"}, {"*"}, {"*"})}, RuleOf({"*"}, {""}, {"pods"})));
  EXPECT_FALSE(covers({RuleOf({"get"}, {"*"}, {"pods"})}, RuleOf({"get"}, {"*"}, {"*/log"})));
  PolicyRule named = RuleOf({"get"}, {""}, {"secrets"});
  named.resourceNames = {"one"};
  EXPECT_TRUE(covers({RuleOf({"get"}, {""}, {"secrets"})}, named));
  EXPECT_FALSE(covers({named}, RuleOf({"get"}, {""}, {"secrets"})));
  EXPECT_TRUE(covers({PathRule({"get"}, {"/a/*"})}, PathRule({"get"}, {"/a/b", "/a/b/*"})));
  EXPECT_FALSE(covers({PathRule({"get"}, {"/a/*"})}, PathRule({"get"}, {"*"})));
  EXPECT_FALSE(covers({PathRule({"get"}, {"/a/*"})}, PathRule({"get"}, {"/a"})));
  EXPECT_FALSE(covers({PathRule({"*"}, {"*"})}, RuleOf({"get"}, {""}, {"pods"})));
  EXPECT_FALSE(covers({RuleOf({"*"}, {"*"}, {"*"})}, PathRule({"get"}, {"/a"})));
}

TEST(RuleTest, AsMessagesHaveThem) {
  PolicyRule named = RuleOf({"get"}, {""}, {"secrets"});
  named.resourceNames = {"o\"ne"};
  EXPECT_EQ(DescribeRule(named),
            R"({APIGroups:[""], Resources:["secrets"], ResourceNames:["o\"ne"], Verbs:["get"]})");
  EXPECT_EQ(DescribeRule(PathRule({"get", "post"}, {"/x"})),
            R"({NonResourceURLs:["/x"], Verbs:["get" "post"]})");
  const PolicyRules compact =
      CompactRules({RuleOf({"get"}, {""}, {"pods"}), named, RuleOf({"list"}, {""}, {"pods"})});
  ASSERT_EQ(compact.size(), 2U);
  EXPECT_EQ(DescribeRule(compact[0]),
            R"({APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]})");
}

TEST_F(RbacTest, UsersGroupsAndAccounts) {
  store.Put(ClusterRoleOf("reader", {RuleOf({"get", "list"}, {""}, {"pods"})}));
  store.Put(ClusterRoleBindingOf("jane", "reader", {UserSubject("jane")}));
  store.Put(ClusterRoleBindingOf("devs", "reader", {UserSubject("nobody"), GroupSubject("devs")}));
  store.Put(RoleBindingOf("here", "a", "ClusterRole", "reader", {AccountSubject("", "robot")}));

  EXPECT_TRUE(May({.name = "jane"}, "get", "pods"));
  EXPECT_TRUE(May({.name = "jane"}, "list", "pods", "a"));
  EXPECT_FALSE(May({.name = "jane"}, "delete", "pods", "a"));
  EXPECT_FALSE(May({.name = "Jane"}, "get", "pods"));
  EXPECT_FALSE(May({.name = "devs"}, "get", "pods"));
  EXPECT_EQ(
      Ask({.name = "joe", .groups = {"x", "devs"}}, "get", "pods").reason,
      R"(RBAC: allowed by ClusterRoleBinding "devs" of ClusterRole "reader" to Group "devs")");

  const User robot{.name = "system:serviceaccount:a:robot"};
  EXPECT_EQ(
      Ask(robot, "get", "pods", "a").reason,
      R"(RBAC: allowed by RoleBinding "here/a" of ClusterRole "reader" to ServiceAccount "robot/a")");
  // Only in the binding's namespace, and only the account of that namespace.
  EXPECT_FALSE(May(robot, "get", "pods", "b"));
  EXPECT_FALSE(May(robot, "get", "pods"));
  EXPECT_FALSE(May({.name = "system:serviceaccount:b:robot"}, "get", "pods", "a"));
}

TEST_F(RbacTest, ARoleCountsFromItsWriteOn) {
  const User jane{.name = "jane"};
  EXPECT_FALSE(May(jane, "get", "pods", "a"));
  store.Put(RoleOf("a", "reader", {RuleOf({"get"}, {""}, {"pods"})}));
  EXPECT_FALSE(May(jane, "get", "pods", "a"));
  store.Put(RoleBindingOf("jane", "a", "Role", "reader", {UserSubject("jane")}));
  EXPECT_TRUE(May(jane, "get", "pods", "a"));
  EXPECT_FALSE(May(jane, "get", "pods", "b"));
  // Other rules, then other subjects, then nothing.
  store.Put(RoleOf("a", "reader", {RuleOf({"list"}, {""}, {"pods"})}));
  EXPECT_FALSE(May(jane, "get", "pods", "a"));
  EXPECT_TRUE(May(jane, "list", "pods", "a"));
  store.Put(RoleBindingOf("jane", "a", "Role", "reader", {UserSubject("joe")}));
  EXPECT_FALSE(May(jane, "list", "pods", "a"));
  EXPECT_TRUE(May({.name = "joe"}, "list", "pods", "a"));
  store.Remove<RoleBinding>("a", "jane");
  EXPECT_FALSE(May({.name = "joe"}, "list", "pods", "a"));
}

TEST_F(RbacTest, ABindingWhoseRoleIsMissing) {
  store.Put(ClusterRoleBindingOf("jane", "gone", {UserSubject("jane")}));
  store.Put(RoleBindingOf("jane", "a", "Role", "away", {UserSubject("jane")}));
  const User jane{.name = "jane"};
  const Authorization answer = Ask(jane, "get", "pods");
  EXPECT_EQ(answer.decision, Decision::kNoOpinion);
  EXPECT_EQ(answer.reason, R"(RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found)");
  EXPECT_EQ(
      Ask(jane, "get", "pods", "a").reason,
      R"(RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "away" not found])");
  // Others are not told.
  EXPECT_EQ(Ask({.name = "joe"}, "get", "pods", "a").reason, "");
  // It does not get in the way of others.
  store.Put(ClusterRoleOf("all", {RuleOf({"*"}, {"*"}, {"*"})}));
  store.Put(ClusterRoleBindingOf("zz", "all", {UserSubject("jane")}));
  EXPECT_TRUE(May(jane, "get", "pods"));
  // A ClusterRole is no Role of the same name.
  store.Put(ClusterRoleOf("away", {RuleOf({"*"}, {"*"}, {"*"})}));
  store.Remove<ClusterRoleBinding>("", "zz");
  EXPECT_FALSE(May(jane, "get", "pods", "a"));
}

TEST_F(RbacTest, HistoryThatWasGivenUpIsReadAnew) {
  const User jane{.name = "jane"};
  store.Put(ClusterRoleOf("reader", {RuleOf({"get"}, {""}, {"pods"})}));
  EXPECT_FALSE(May(jane, "get", "pods"));
  store.Put(ClusterRoleBindingOf("jane", "reader", {UserSubject("jane")}));
  store.Remove<ClusterRole>("", "reader");
  store.Put(ClusterRoleOf("reader", {RuleOf({"list"}, {""}, {"pods"})}));
  ASSERT_TRUE(store.memory.CompactAndWait(store.memory.health().revision).ok());
  EXPECT_FALSE(May(jane, "get", "pods"));
  EXPECT_TRUE(May(jane, "list", "pods"));
}

TEST_F(RbacTest, WhatIsDamagedGivesNothingAndIsTold) {
  const User jane{.name = "jane"};
  store.Put("/registry/clusterroles/bad", R"({"metadata":{"name":"bad"},"rules":3})");
  store.Put("/registry/rolebindings/a/worse", "[]");
  EXPECT_NE(Ask(jane, "get", "pods").reason.find("RBAC: /registry/clusterroles/bad: "),
            std::string::npos);
  EXPECT_EQ(Ask(jane, "get", "pods").reason.find("worse"), std::string::npos);
  EXPECT_NE(Ask(jane, "get", "pods", "a").reason.find("/registry/rolebindings/a/worse"),
            std::string::npos);
  store.Remove<RoleBinding>("a", "worse");
  store.Put(ClusterRoleOf("bad", {RuleOf({"get"}, {""}, {"pods"})}));
  EXPECT_EQ(Ask(jane, "get", "pods", "a").reason, "");
}

TEST_F(RbacTest, RulesOfAUser) {
  store.Put(ClusterRoleOf("one", {RuleOf({"get"}, {""}, {"pods"}), PathRule({"get"}, {"/x"})}));
  store.Put(RoleOf("a", "two", {RuleOf({"list"}, {""}, {"pods"})}));
  store.Put(ClusterRoleBindingOf("one", "one", {UserSubject("jane"), GroupSubject("devs")}));
  store.Put(RoleBindingOf("two", "a", "Role", "two", {GroupSubject("devs")}));
  store.Put(RoleBindingOf("gone", "a", "Role", "gone", {GroupSubject("devs")}));
  const User jane{.name = "jane", .groups = {"devs"}};
  const UserRules everywhere = rbac.RulesFor(jane, "");
  EXPECT_EQ(everywhere.rules.size(), 2U);
  EXPECT_EQ(everywhere.error, "");
  const UserRules here = rbac.RulesFor(jane, "a");
  EXPECT_EQ(here.rules.size(), 3U);
  EXPECT_EQ(here.error, R"(role.rbac.authorization.k8s.io "gone" not found)");
  EXPECT_FALSE(here.incomplete);
  EXPECT_TRUE(rbac.RulesFor({.name = "joe"}, "a").rules.empty());
}

struct Fixed : Authorizer {
  explicit Fixed(Authorization the_answer) : answer(std::move(the_answer)) {}
  Authorization Authorize(const AuthorizationQuestion&) const override { return answer; }
  Authorization answer;
};

TEST(UnionTest, TheFirstOpinionDecides) {
  const Fixed first({.reason = "a", .evaluation_error = "x"});
  const Fixed second({.reason = "b", .evaluation_error = "y"});
  const Fixed denies({.decision = Decision::kDeny, .reason = "no"});
  const Fixed allows({.decision = Decision::kAllow, .reason = "yes"});
  const User user{.name = "x"};
  const AuthorizationQuestion question{.user = user, .verb = "get", .resource = "pods"};
  const Authorization none = AuthorizerUnion({&first, &second}).Authorize(question);
  EXPECT_EQ(none.decision, Decision::kNoOpinion);
  EXPECT_EQ(none.reason, "a\nb");
  EXPECT_EQ(none.evaluation_error, "[x, y]");
  const Authorization yes = AuthorizerUnion({&first, &allows, &denies}).Authorize(question);
  EXPECT_EQ(yes.decision, Decision::kAllow);
  EXPECT_EQ(yes.reason, "yes");
  EXPECT_EQ(yes.evaluation_error, "");
  EXPECT_EQ(AuthorizerUnion({&denies, &allows}).Authorize(question).decision, Decision::kDeny);
}

TEST(UnionTest, MastersMayAll) {
  const PrivilegedGroupAuthorizer masters(kMastersGroup);
  const User admin{.name = "x", .groups = {"system:masters"}};
  const User other{.name = "system:masters"};
  EXPECT_EQ(masters.Authorize({.user = admin, .verb = "x", .resource = "y"}).decision,
            Decision::kAllow);
  EXPECT_EQ(masters.Authorize({.user = other, .verb = "x", .resource = "y"}).decision,
            Decision::kNoOpinion);
}

TEST(ForbiddenTest, Messages) {
  const User jane{.name = "jane"};
  const auto message = [](const AuthorizationQuestion& question, std::string_view reason) {
    const auto status = api::StatusOf(ForbiddenQuestionError(question, reason));
    EXPECT_EQ(status.code, 403);
    EXPECT_EQ(status.reason, "Forbidden");
    return status.message;
  };
  EXPECT_EQ(
      message({.user = jane, .verb = "list", .namespace_ = "default", .resource = "pods"}, ""),
      R"(pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default")");
  EXPECT_EQ(
      message({.user = jane,
               .verb = "get",
               .group = "apps",
               .resource = "deployments",
               .subresource = "scale",
               .name = "web"},
              "RBAC: x"),
      R"(deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" at the cluster scope: RBAC: x)");
  EXPECT_EQ(message({.user = jane, .verb = "get", .is_resource = false, .path = "/metrics"}, ""),
            R"(forbidden: User "jane" cannot get path "/metrics")");
  const User script{.name = "<script>&"};
  EXPECT_EQ(message({.user = script, .verb = "get", .is_resource = false, .path = "/x"}, ""),
            R"(forbidden: User "&lt;script&gt;&amp;" cannot get path "/x")");
}

}  // namespace
}  // namespace podium::apiserver
