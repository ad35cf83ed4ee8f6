#include "apiserver/audit/policy.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace podium::apiserver {
namespace {

constexpr std::string_view kHead = "apiVersion: audit.k8s.io/v1\nkind: Policy\n";

AuditPolicy Read(const std::string& rules) {
  auto policy = AuditPolicy::Parse(std::string(kHead) + rules);
  EXPECT_TRUE(policy.ok()) << (policy.ok() ? "" : policy.error().message());
  return policy.ok() ? *std::move(policy) : AuditPolicy();
}

std::string ProblemOf(const std::string& text) {
  const auto policy = AuditPolicy::Parse(text);
  return policy.ok() ? "" : policy.error().message();
}

class AuditPolicyTest : public testing::Test {
 protected:
  // The level of a request for a resource.
  std::string_view Of(const AuditPolicy& policy) const {
    return NameOf(policy.RuleFor(question_).level);
  }

  User user_{.name = "jane", .groups = {"devs", "system:authenticated"}};
  AuthorizationQuestion question_{.user = user_,
                                  .verb = "get",
                                  .namespace_ = "team",
                                  .version = "v1",
                                  .resource = "pods",
                                  .name = "web"};
};

TEST_F(AuditPolicyTest, TheFirstRuleThatFitsCounts) {
  const AuditPolicy policy = Read(
      "rules:\n"
      "- {level: None, users: [bob]}\n"
      "- {level: Request, userGroups: [ops, devs], verbs: [get, list]}\n"
      "- {level: Metadata}\n");
  EXPECT_EQ(Of(policy), "Request");
  question_.verb = "delete";
  EXPECT_EQ(Of(policy), "Metadata");
  user_ = {.name = "bob"};
  EXPECT_EQ(Of(policy), "None");
}

TEST_F(AuditPolicyTest, NothingFitsIsLevelNone) {
  EXPECT_EQ(Of(Read("rules: [{level: Request, verbs: [create]}]")), "None");
}

TEST_F(AuditPolicyTest, ResourcesWithSubresourcesAndNames) {
  const auto of = [&](const std::string& resources) {
    return Of(Read("rules: [{level: Metadata, resources: [" + resources + "]}]"));
  };
  EXPECT_EQ(of("{group: ''}"), "Metadata");
  EXPECT_EQ(of("{group: apps}"), "None");
  EXPECT_EQ(of("{resources: [pods]}"), "Metadata");
  EXPECT_EQ(of("{resources: [pods/log]}"), "None");
  EXPECT_EQ(of("{resources: [services, '*']}"), "Metadata");
  EXPECT_EQ(of("{resources: [pods], resourceNames: [db]}"), "None");
  EXPECT_EQ(of("{resources: [pods], resourceNames: [db, web]}"), "Metadata");
  question_.subresource = "log";
  EXPECT_EQ(of("{resources: [pods]}"), "None");
  EXPECT_EQ(of("{resources: [pods/log]}"), "Metadata");
  EXPECT_EQ(of("{resources: [pods/*]}"), "Metadata");
  EXPECT_EQ(of("{resources: ['*/log']}"), "Metadata");
  EXPECT_EQ(of("{resources: ['*/scale']}"), "None");
  EXPECT_EQ(of("{resources: ['*']}"), "Metadata");
}

TEST_F(AuditPolicyTest, NamespacesAndPaths) {
  EXPECT_EQ(Of(Read("rules: [{level: Metadata, namespaces: [team]}]")), "Metadata");
  EXPECT_EQ(Of(Read("rules: [{level: Metadata, namespaces: ['']}]")), "None");
  EXPECT_EQ(Of(Read("rules: [{level: Metadata, nonResourceURLs: ['*']}]")), "None");
  const AuthorizationQuestion path{
      .user = user_, .verb = "get", .is_resource = false, .path = "/healthz/etcd"};
  EXPECT_EQ(NameOf(Read("rules: [{level: Metadata, nonResourceURLs: ['*']}]").RuleFor(path).level),
            "Metadata");
  EXPECT_EQ(
      NameOf(
          Read("rules: [{level: Metadata, nonResourceURLs: ['/healthz*']}]").RuleFor(path).level),
      "Metadata");
  EXPECT_EQ(
      NameOf(Read("rules: [{level: Metadata, nonResourceURLs: ['/healthz']}]").RuleFor(path).level),
      "None");
  EXPECT_EQ(NameOf(Read("rules: [{level: Metadata, namespaces: ['']}]").RuleFor(path).level),
            "None");
  EXPECT_EQ(
      NameOf(Read("rules: [{level: Metadata, resources: [{group: ''}]}]").RuleFor(path).level),
      "None");
}

TEST_F(AuditPolicyTest, StagesOfPolicyAndRuleAreBothOmittedAndManagedFieldsAreTheRules) {
  const AuditRule rule = Read(
                             "omitStages: [RequestReceived]\nomitManagedFields: true\n"
                             "rules: [{level: Request, omitStages: [ResponseStarted]}]")
                             .RuleFor(question_);
  EXPECT_TRUE(rule.Omits(AuditStage::kRequestReceived));
  EXPECT_TRUE(rule.Omits(AuditStage::kResponseStarted));
  EXPECT_FALSE(rule.Omits(AuditStage::kResponseComplete));
  EXPECT_TRUE(rule.omit_managed_fields);
  EXPECT_FALSE(Read("omitManagedFields: true\nrules: [{level: Request, omitManagedFields: false}]")
                   .RuleFor(question_)
                   .omit_managed_fields);
}

TEST_F(AuditPolicyTest, WrongPoliciesSayWhatIsWrong) {
  const std::string head(kHead);
  EXPECT_EQ(ProblemOf(head), "loaded illegal policy with 0 rules");
  EXPECT_EQ(ProblemOf("apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: [{level: None}]"),
            "it is of apiVersion \"audit.k8s.io/v1beta1\" and kind \"Policy\"; an audit policy is "
            "of apiVersion \"audit.k8s.io/v1\" and kind \"Policy\"");
  EXPECT_EQ(ProblemOf(head + "rules: [{level: Metadata, user: [a]}]"),
            "unknown field \"rules[0].user\"");
  EXPECT_EQ(ProblemOf(head + "rules: [{verbs: [get]}]"), "rules[0].level: Required value");
  EXPECT_EQ(ProblemOf(head + "rules: [{level: All}]"),
            "rules[0].level: Unsupported value: \"All\": supported values: \"Metadata\", \"None\", "
            "\"Request\", \"RequestResponse\"");
  EXPECT_EQ(ProblemOf(head + "rules: [{level: None, nonResourceURLs: [healthz, '/a*b']}]"),
            "[rules[0].nonResourceURLs[0]: Invalid value: \"healthz\": non-resource URL rules must "
            "begin with a '/' character, rules[0].nonResourceURLs[1]: Invalid value: \"/a*b\": "
            "non-resource URL wildcards '*' must be the final character of the rule]");
  EXPECT_EQ(
      ProblemOf(head + "rules: [{level: None, resources: [{resourceNames: [a]}]}]"),
      "rules[0].resources.resourceNames: Invalid value: [\"a\"]: using resourceNames requires "
      "at least one resource");
  EXPECT_TRUE(ProblemOf(head + "rules: [{level: None, resources: [{group: apps/v1}]}]")
                  .starts_with("rules[0].resources.group: Invalid value: \"apps/v1\": "));
  EXPECT_EQ(ProblemOf(head + "rules: [{level: None, omitStages: [Done]}]"),
            "rules[0].omitStages[0]: Invalid value: \"Done\": allowed stages are "
            "RequestReceived,ResponseStarted,ResponseComplete,Panic");
  EXPECT_EQ(
      ProblemOf(head + "rules: [{level: None, namespaces: [a], nonResourceURLs: ['/healthz']}]"),
      "rules[0].nonResourceURLs: Invalid value: [\"/healthz\"]: rules cannot apply to both "
      "regular resources and non-resource URLs");
  EXPECT_NE(ProblemOf(head + "rules: [{level: None"), "");
  EXPECT_NE(ProblemOf(head + "kind: Policy\nrules: [{level: None}]"), "");
}

TEST_F(AuditPolicyTest, AFileThatIsWrongIsNamed) {
  const auto missing = AuditPolicy::Load("/nowhere/policy.yaml");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message(), "the audit policy /nowhere/policy.yaml cannot be read");
  const std::string path = testing::TempDir() + "podium-audit-policy.yaml";
  std::ofstream(path) << kHead;
  const auto empty = AuditPolicy::Load(path);
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().message(),
            "the audit policy " + path + " is wrong: loaded illegal policy with 0 rules");
}

}  // namespace
}  // namespace podium::apiserver
