#include "apiserver/authorization/server_authorizer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "api/types/core_v1.h"
#include "apiserver/authorization/default_roles.h"
#include "apiserver/authorization/rbac_objects.h"
#include "apiserver/test_store.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Pod;
using api::rbac::v1::RoleBinding;

struct ServerAuthorizerTest : testing::Test {
  TestStore store;
  ServerAuthorizer server{store.memory};

  void SetUp() override {
    const DefaultRoles roles = MakeDefaultRoles();
    for (const auto& role : roles.cluster_roles) store.Put(role);
    for (const auto& binding : roles.cluster_role_bindings) store.Put(binding);
    for (const auto& role : roles.roles) store.Put(role);
    for (const auto& binding : roles.role_bindings) store.Put(binding);
  }
  Authorization Ask(const User& user, const std::string& method, const std::string& path,
                    const std::string& query = "") {
    const auto parameters = http::ParseQuery(query);
    EXPECT_TRUE(parameters.ok());
    const auto info = ReadRequestInfo(method, path, *parameters);
    EXPECT_TRUE(info.ok());
    return server.Authorize(QuestionOf(user, *info, *parameters));
  }
  bool May(const User& user, const std::string& method, const std::string& path,
           const std::string& query = "") {
    return Ask(user, method, path, query).decision == Decision::kAllow;
  }
};

TEST_F(ServerAuthorizerTest, NodeIdentity) {
  Pod pod;
  pod.metadata.namespace_ = "default";
  pod.metadata.name = "web";
  pod.spec.nodeName = "one";
  pod.spec.imagePullSecrets.resize(1);
  pod.spec.imagePullSecrets[0].name = "pull";
  store.Put(pod);
  const User one{.name = "system:node:one", .groups = {"system:nodes", "system:authenticated"}};
  const User two{.name = "system:node:two", .groups = {"system:nodes", "system:authenticated"}};
  const std::string secrets = "/api/v1/namespaces/default/secrets";
  EXPECT_TRUE(May(one, "GET", secrets + "/pull"));
  EXPECT_TRUE(May(one, "GET", secrets, "watch=1&fieldSelector=metadata.name%3Dpull"));
  EXPECT_FALSE(May(two, "GET", secrets + "/pull"));
  EXPECT_FALSE(May(two, "GET", secrets, "fieldSelector=metadata.name%3Dpull"));
  EXPECT_FALSE(May(one, "GET", secrets));
  EXPECT_FALSE(May(one, "GET", "/api/v1/secrets"));
  EXPECT_TRUE(May(one, "GET", "/api/v1/pods", "fieldSelector=spec.nodeName%3Done"));
  EXPECT_FALSE(May(one, "GET", "/api/v1/pods", "fieldSelector=spec.nodeName%3Dtwo"));
  EXPECT_FALSE(May(one, "GET", "/api/v1/pods"));
  EXPECT_FALSE(May(one, "DELETE", "/api/v1/nodes/one"));
  EXPECT_FALSE(May(one, "DELETE", "/api/v1/nodes/two"));
  EXPECT_FALSE(May(one, "GET", "/api/v1/nodes/two"));
  // What all users may, nodes may as well; what no role gives, none may.
  EXPECT_TRUE(May(one, "GET", "/apis"));
  EXPECT_FALSE(May(one, "GET", "/metrics"));
  EXPECT_EQ(Ask(two, "GET", secrets + "/pull").reason,
            "no relationship found between node 'two' and this object");
  // A name that only looks like a node's is nobody's.
  EXPECT_FALSE(May({.name = "system:node:one", .groups = {"system:authenticated"}}, "GET",
                   secrets + "/pull"));
}

TEST_F(ServerAuthorizerTest, MastersMayAllEvenWithoutRoles) {
  TestStore empty;
  const ServerAuthorizer bare(empty.memory);
  const User root{.name = "root", .groups = {"system:masters"}};
  EXPECT_EQ(bare.Authorize({.user = root, .verb = "delete", .resource = "nodes"}).decision,
            Decision::kAllow);
  EXPECT_EQ(
      bare.Authorize({.user = root, .verb = "get", .is_resource = false, .path = "/x"}).decision,
      Decision::kAllow);
  EXPECT_EQ(bare.Authorize({.user = {.name = "x"}, .verb = "get", .resource = "pods"}).decision,
            Decision::kNoOpinion);
}

TEST_F(ServerAuthorizerTest, SelectorsCountWhereManyAreAskedFor) {
  const User user{.name = "x"};
  const http::QueryParameters query = {{"fieldSelector", "spec.nodeName=a"},
                                       {"labelSelector", "b=c"}};
  const auto list = ReadRequestInfo("GET", "/api/v1/pods", query);
  EXPECT_EQ(QuestionOf(user, *list, query).field_selector, "spec.nodeName=a");
  EXPECT_EQ(QuestionOf(user, *list, query).label_selector, "b=c");
  const auto get = ReadRequestInfo("GET", "/api/v1/namespaces/a/pods/b", query);
  EXPECT_EQ(QuestionOf(user, *get, query).field_selector, "");
  EXPECT_EQ(QuestionOf(user, *get, query).name, "b");
  const auto path = ReadRequestInfo("POST", "/version", {});
  const AuthorizationQuestion question = QuestionOf(user, *path, {});
  EXPECT_FALSE(question.is_resource);
  EXPECT_EQ(question.verb, "post");
  EXPECT_EQ(question.path, "/version");
}

TEST_F(ServerAuthorizerTest, RulesOfNodesAreIncomplete) {
  const User node{.name = "system:node:one", .groups = {"system:nodes", "system:authenticated"}};
  const UserRules rules = server.RulesFor(node, "default");
  EXPECT_TRUE(rules.incomplete);
  EXPECT_EQ(rules.error, "node authorizer does not support user rule resolution");
  EXPECT_FALSE(rules.rules.empty());
}

// Whoever was told that a binding is there, or gone, is answered accordingly, whatever others write
// and ask meanwhile.
TEST_F(ServerAuthorizerTest, AcknowledgedWritesCountForWhoeverAsksNext) {
  store.Put(ClusterRoleOf("reader", {RuleOf({"get"}, {""}, {"pods"})}));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const User user{.name = "user-" + std::to_string(t)};
      const RoleBinding binding =
          RoleBindingOf(user.name, "a", "ClusterRole", "reader", {UserSubject(user.name)});
      const auto may = [&] {
        return server
                   .Authorize({.user = user, .verb = "get", .namespace_ = "a", .resource = "pods"})
                   .decision == Decision::kAllow;
      };
      for (int i = 0; i < 100; ++i) {
        store.Put(binding);
        if (!may()) ++wrong;
        store.Remove<RoleBinding>("a", user.name);
        if (may()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace podium::apiserver
