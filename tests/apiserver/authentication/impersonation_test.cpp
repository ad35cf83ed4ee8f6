#include "apiserver/authentication/impersonation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "apiserver/authentication/authenticator.h"

namespace podium::apiserver {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Allows what is listed: "verb group resource/subresource namespace name".
struct ListedRights : Authorizer {
  std::set<std::string> rights;
  mutable std::vector<std::string> asked;

  Authorization Authorize(const AuthorizationQuestion& question) const override {
    std::string text = std::string(question.verb) + " " + std::string(question.group) + " " +
                       std::string(question.resource);
    if (!question.subresource.empty()) text += "/" + std::string(question.subresource);
    text += " " + std::string(question.namespace_) + " " + std::string(question.name);
    asked.push_back(text);
    if (rights.contains(text)) return {.decision = Decision::kAllow};
    return {.decision = Decision::kNoOpinion, .reason = "no rule"};
  }
};

class ImpersonationTest : public ::testing::Test {
 protected:
  Result<Impersonated> Try(const User& wanted) {
    rights_.asked.clear();
    return Impersonate(wanted,
                       {.user = alice_,
                        .verb = "list",
                        .namespace_ = "ns",
                        .group = "",
                        .version = "v1",
                        .resource = "pods"},
                       rights_);
  }
  std::string Problem(const User& wanted) {
    const auto result = Try(wanted);
    return result.ok() ? "" : result.error().message();
  }

  User alice_ = {.name = "alice", .groups = {"dev", "system:authenticated"}};
  ListedRights rights_;
};

TEST(ImpersonationHeaders, AreTexts) {
  const auto wanted = WantedUser({{"Impersonate-User", "a\xff"},
                                  {"Impersonate-Uid", "\xc3"},
                                  {"Impersonate-Group", "g\xff"},
                                  {"Impersonate-Extra-K%ff", "v\xff"}});
  ASSERT_TRUE(wanted.ok() && *wanted);
  EXPECT_EQ((*wanted)->name, "a\uFFFD");
  EXPECT_EQ((*wanted)->uid, "\uFFFD");
  EXPECT_THAT((*wanted)->groups, ElementsAre("g\uFFFD"));
  EXPECT_THAT((*wanted)->extra, ElementsAre(::testing::Pair("k\uFFFD", ElementsAre("v\uFFFD"))));
}

TEST(ImpersonationHeaders, SayWhoIsWanted) {
  const http::Headers headers = {{"Impersonate-User", "bob"},
                                 {"impersonate-group", "dev"},
                                 {"Impersonate-Group", "ops"},
                                 {"Impersonate-Uid", "u"},
                                 {"Impersonate-Extra-Scopes", "view"},
                                 {"Impersonate-Extra-Scopes", "edit"},
                                 {"Impersonate-Extra-Acme.com%2FProject", "p"},
                                 {"Accept", "*/*"}};
  const auto wanted = WantedUser(headers);
  ASSERT_TRUE(wanted.ok());
  EXPECT_EQ(**wanted, (User{.name = "bob",
                            .uid = "u",
                            .groups = {"dev", "ops"},
                            .extra = {{"acme.com/project", {"p"}}, {"scopes", {"view", "edit"}}}}));
  http::Headers rest = headers;
  RemoveImpersonation(&rest);
  EXPECT_EQ(rest, (http::Headers{{"Accept", "*/*"}}));
  EXPECT_EQ(*WantedUser(rest), std::nullopt);
}

TEST(ImpersonationHeaders, GroupsWithoutAUser) {
  const auto wanted = WantedUser({{"Impersonate-Group", "a"}});
  ASSERT_FALSE(wanted.ok());
  EXPECT_EQ(wanted.error().message(),
            "requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"a\"}, "
            "Extra:map[string][]string(nil)} without impersonating a user name");
  EXPECT_FALSE(WantedUser({{"Impersonate-Uid", "1"}}).ok());
  EXPECT_FALSE(WantedUser({{"Impersonate-Extra-K", "1"}}).ok());
}

TEST_F(ImpersonationTest, WithoutRights) {
  EXPECT_EQ(Problem({.name = "bob"}),
            "pods is forbidden: User \"alice\" cannot impersonate-on:user-info:list resource "
            "\"pods\" in API group \"\" in the namespace \"ns\": no rule");
  EXPECT_THAT(rights_.asked,
              ElementsAre("impersonate-on:user-info:list  pods ns ", "impersonate  users  bob"));
  EXPECT_EQ(Problem({.name = "system:node:n1", .groups = {"system:masters"}}),
            "users \"system:node:n1\" is forbidden: User \"alice\" cannot impersonate resource "
            "\"users\" in API group \"\" at the cluster scope: no rule");
}

TEST_F(ImpersonationTest, TheLegacyVerb) {
  rights_.rights = {"impersonate  users  bob", "impersonate  groups  dev",
                    "impersonate authentication.k8s.io uids  u",
                    "impersonate authentication.k8s.io userextras/scopes  view"};
  const User wanted = {
      .name = "bob", .uid = "u", .groups = {"dev"}, .extra = {{"scopes", {"view"}}}};
  const auto result = Try(wanted);
  ASSERT_TRUE(result.ok()) << result.error().message();
  User expected = wanted;
  expected.groups = {"dev", "system:authenticated"};
  EXPECT_EQ(result->user, expected);
  EXPECT_THAT(result->constraint, IsEmpty());
  // Each thing that is wanted needs its right.
  for (const std::string right : {"impersonate  users  bob", "impersonate  groups  dev",
                                  "impersonate authentication.k8s.io uids  u",
                                  "impersonate authentication.k8s.io userextras/scopes  view"}) {
    rights_.rights.erase(right);
    EXPECT_NE(Problem(wanted), "") << right;
    rights_.rights.insert(right);
  }
  EXPECT_NE(Problem({.name = "bob", .groups = {"dev", "system:masters"}}), "");
}

TEST_F(ImpersonationTest, ServiceAccounts) {
  rights_.rights = {"impersonate  serviceaccounts ci builder"};
  auto result = Try({.name = "system:serviceaccount:ci:builder"});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_THAT(
      result->user.groups,
      ElementsAre("system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"));
  rights_.rights = {"impersonate-on:serviceaccount:list  pods ns ",
                    "impersonate:serviceaccount authentication.k8s.io serviceaccounts ci builder"};
  result = Try({.name = "system:serviceaccount:ci:builder"});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->constraint, "impersonate:serviceaccount");
  // Only on what the rights name.
  rights_.rights.erase("impersonate-on:serviceaccount:list  pods ns ");
  EXPECT_NE(Problem({.name = "system:serviceaccount:ci:builder"}), "");
}

TEST_F(ImpersonationTest, Nodes) {
  rights_.rights = {"impersonate-on:arbitrary-node:list  pods ns ",
                    "impersonate:arbitrary-node authentication.k8s.io nodes  n1"};
  auto result = Try({.name = "system:node:n1"});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_THAT(result->user.groups, ElementsAre("system:nodes", "system:authenticated"));
  EXPECT_NE(Problem({.name = "system:node:n2"}), "");

  rights_.rights = {"impersonate-on:associated-node:list  pods ns ",
                    "impersonate:associated-node authentication.k8s.io nodes  *"};
  EXPECT_NE(Problem({.name = "system:node:n1"}), "");
  alice_ = {
      .name = "system:serviceaccount:kube-system:agent",
      .groups = {},
      .extra = {{std::string(kPodNameKey), {"agent-x"}}, {std::string(kNodeNameKey), {"n1"}}}};
  result = Try({.name = "system:node:n1"});
  ASSERT_TRUE(result.ok()) << result.error().message();
  EXPECT_EQ(result->user.name, "system:node:n1");
  EXPECT_EQ(result->constraint, "impersonate:associated-node");
  EXPECT_NE(Problem({.name = "system:node:n2"}), "");
}

TEST_F(ImpersonationTest, Nobody) {
  rights_.rights = {"impersonate  users  system:anonymous", "impersonate  users  bob",
                    "impersonate  groups  system:unauthenticated"};
  EXPECT_THAT(Try({.name = "system:anonymous"})->user.groups,
              ElementsAre("system:unauthenticated"));
  EXPECT_THAT(Try({.name = "bob", .groups = {"system:unauthenticated"}})->user.groups,
              ElementsAre("system:unauthenticated"));
}

}  // namespace
}  // namespace podium::apiserver
