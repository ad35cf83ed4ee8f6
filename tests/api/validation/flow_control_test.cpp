// FlowSchemas and PriorityLevelConfigurations, after pkg/apis/flowcontrol/validation.
#include <string>

#include "api/types/flowcontrol_v1.h"
#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using flowcontrol::v1::FlowSchema;
using flowcontrol::v1::PriorityLevelConfiguration;

constexpr char kSchema[] = R"({"metadata": {"name": "s"}, "spec": {
  "priorityLevelConfiguration": {"name": "level"}, "matchingPrecedence": 100,
  "distinguisherMethod": {"type": "ByNamespace"},
  "rules": [{"subjects": [
      {"kind": "User", "user": {"name": "*"}},
      {"kind": "Group", "group": {"name": "admins"}},
      {"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": "ns"}}],
    "resourceRules": [{"verbs": ["get", "proxy"], "apiGroups": ["", "apps"], "resources": ["*"],
      "namespaces": ["a", "b"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["/", "/healthz", "/api/*"]}]}]}})";

constexpr char kAnyRequest[] = R"("resourceRules": [{"verbs": ["*"], "apiGroups": ["*"],
    "resources": ["*"], "clusterScope": true, "namespaces": ["*"]}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}]}})";

TEST(FlowSchemaTest, Spec) {
  const std::string precedence = "spec.matchingPrecedence: Invalid value: ";
  ExpectCreate<FlowSchema>(
      kSchema,
      {
          {{}, {}},
          {{"spec.matchingPrecedence=0"}, {}},  // the default
          {{"spec.matchingPrecedence=10000", "spec.distinguisherMethod={\"type\":\"ByUser\"}"}, {}},
          {{"spec.matchingPrecedence=-1"}, {precedence + "-1: must be a positive value"}},
          {{"spec.matchingPrecedence=10001"},
           {precedence + "10001: must not be greater than 10000"}},
          {{"spec.matchingPrecedence=1"},
           {precedence + "1: only the schema named 'exempt' may have matchingPrecedence 1"}},
          {{"spec.distinguisherMethod.type=\"ByPod\"", "metadata.name=\"A\""},
           {"metadata.name: Invalid value: \"A\": " + kBadSubdomain,
            "spec.distinguisherMethod.type: Unsupported value: {\"Type\":\"ByPod\"}: supported "
            "values: \"ByNamespace\", \"ByUser\""}},
          {{"spec.priorityLevelConfiguration.name=\"\""},
           {"spec.priorityLevelConfiguration.name: Required value: must reference a priority "
            "level"}},
          {{"spec.priorityLevelConfiguration.name=\"A\""},
           {"spec.priorityLevelConfiguration.name: Invalid value: \"A\": " + kBadSubdomain}},
          {{"spec.rules"}, {}},
          {{"spec.rules=[{\"subjects\":[]}]"},
           {"spec.rules[0].subjects: Required value: subjects must contain at least one value",
            "spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has "
            "to be non-empty"}},
          {{"spec.rules[0].resourceRules"}, {}},
          {{"spec.rules[0].nonResourceRules"}, {}},
      });
}

TEST(FlowSchemaTest, Subjects) {
  const std::string s = "spec.rules[0].subjects[0]";
  const auto subject = [](const std::string& json) {
    return std::vector<std::string>{"spec.rules[0].subjects=[" + json + "]"};
  };
  const std::string all =
      R"("user": {"name": "u"}, "group": {"name": "g"},
         "serviceAccount": {"name": "a", "namespace": "n"}})";
  const std::string no_user = s +
                              ".user: Forbidden: user is forbidden when subject kind is not "
                              "'User'";
  const std::string no_group = s +
                               ".group: Forbidden: group is forbidden when subject kind is not "
                               "'Group'";
  const std::string no_account =
      s +
      ".serviceAccount: Forbidden: serviceAccount is forbidden when subject kind is not "
      "'ServiceAccount'";
  ExpectCreate<FlowSchema>(
      kSchema,
      {
          {subject(R"({"kind": "User"})"),
           {s + ".user: Required value: user is required when subject kind is 'User'"}},
          {subject(R"({"kind": "Group"})"),
           {s + ".group: Required value: group is required when subject kind is 'Group'"}},
          {subject(R"({"kind": "ServiceAccount"})"),
           {s + ".serviceAccount: Required value: serviceAccount is required when subject kind is "
                "'ServiceAccount'"}},
          {subject(R"({"kind": "User", )" + all), {no_account, no_group}},
          {subject(R"({"kind": "Group", )" + all), {no_account, no_user}},
          {subject(R"({"kind": "ServiceAccount", )" + all), {no_user, no_group}},
          {subject(R"({"kind": "Pod", )" + all),
           {s + ".kind: Unsupported value: \"Pod\": supported values: \"Group\", "
                "\"ServiceAccount\", \"User\""}},
          {subject(R"({"kind": "User", "user": {"name": ""}})"),
           {s + ".user.name: Required value"}},
          {subject(R"({"kind": "Group", "group": {"name": ""}})"),
           {s + ".group.name: Required value"}},
          {subject(
               R"({"kind": "ServiceAccount", "serviceAccount": {"name": "", "namespace": ""}})"),
           {s + ".serviceAccount.name: Required value",
            s + ".serviceAccount.namespace: Required value: must specify namespace for service "
                "account"}},
          {subject(R"({"kind": "ServiceAccount", "serviceAccount": {"name": "A",
                       "namespace": "a.b"}})"),
           {s + ".serviceAccount.name: Invalid value: \"A\": " + kBadSubdomain,
            s + ".serviceAccount.namespace: Invalid value: \"a.b\": must not contain dots"}},
      });
}

TEST(FlowSchemaTest, ResourceRules) {
  const std::string r = "spec.rules[0].resourceRules[0]";
  const auto rule = [&](const std::string& edit) { return r + "." + edit; };
  const std::string verbs =
      "supported values: \"create\", \"delete\", \"deletecollection\", \"get\", \"list\", "
      "\"patch\", \"proxy\", \"update\", \"watch\"";
  ExpectCreate<FlowSchema>(
      kSchema,
      {
          {{r + "={}"},
           {r + ".verbs: Required value: verbs must contain at least one value",
            r + ".apiGroups: Required value: resource rules must supply at least one api group",
            r + ".resources: Required value: resource rules must supply at least one resource",
            r + ".namespaces: Required value: resource rules that are not cluster scoped must "
                "supply at least one namespace"}},
          {{rule("namespaces=[]"), rule("clusterScope=true")}, {}},
          {{rule("namespaces=[\"*\"]"), rule("verbs=[\"*\"]"), rule("apiGroups=[\"*\"]")}, {}},
          {{rule("verbs=[\"get\",\"exec\"]")},
           {r + ".verbs: Unsupported value: [\"get\",\"exec\"]: " + verbs}},
          {{rule("verbs=[\"get\",\"*\"]"), rule("apiGroups=[\"*\",\"a\"]"),
            rule("resources=[\"pods\",\"*\"]"), rule("namespaces=[\"*\",\"A\"]")},
           {r + ".verbs: Invalid value: [\"get\",\"*\"]: if '*' is present, must not specify other "
                "verbs",
            r + ".apiGroups: Invalid value: [\"*\",\"a\"]: if '*' is present, must not specify "
                "other api groups",
            r + ".resources: Invalid value: [\"pods\",\"*\"]: if '*' is present, must not specify "
                "other resources",
            r + ".namespaces: Invalid value: [\"*\",\"A\"]: if '*' is present, must not specify "
                "other namespaces"}},
          {{rule("namespaces=[\"a\",\"A\"]"), rule("clusterScope=true")},
           {r +
            ".namespaces[1]: Invalid value: \"A\": each member of this list must be '*' or a "
            "DNS-1123 label; " +
            kBadLabel}},
      });
}

TEST(FlowSchemaTest, NonResourceRules) {
  const std::string r = "spec.rules[0].nonResourceRules[0]";
  const std::string urls = r + ".nonResourceURLs";
  const auto with = [&](const std::string& list) {
    return std::vector<std::string>{urls + "=[" + list + "]"};
  };
  ExpectCreate<FlowSchema>(
      kSchema,
      {
          {{r + "={}"},
           {r + ".verbs: Required value: verbs must contain at least one value",
            urls + ": Required value: nonResourceURLs must contain at least one value"}},
          {with("\"*\""), {}},
          {with("\"*\",\"/a\""),
           {urls + ": Invalid value: [\"*\",\"/a\"]: if '*' is present, must not specify other "
                   "non-resource URLs"}},
          {with(R"("", "a", "/a b", "/a//b", "/a*", "/*/b", "/*/*", "/*")"),
           {urls + "[0]: Invalid value: \"\": must not be empty",
            urls + "[1]: Invalid value: \"a\": must start with slash",
            urls + "[2]: Invalid value: \"/a b\": must not contain white-space",
            urls + "[3]: Invalid value: \"/a//b\": must not contain double slash",
            urls + "[4]: Invalid value: \"/a*\": wildcard can only do suffix matching",
            urls + "[5]: Invalid value: \"/*/b\": wildcard can only do suffix matching",
            urls + "[6]: Invalid value: \"/*/*\": wildcard can only do suffix matching"}},
      });
}

TEST(FlowSchemaTest, MandatoryObjects) {
  const std::string exempt = std::string(R"({"metadata": {"name": "exempt"}, "spec": {
      "priorityLevelConfiguration": {"name": "exempt"}, "matchingPrecedence": 1,
      "rules": [{"subjects": [{"kind": "Group", "group": {"name": "system:masters"}}], )") +
                             kAnyRequest;
  ExpectCreate<FlowSchema>(
      exempt,
      {
          {{}, {}},
          {{"spec.rules", "spec.matchingPrecedence=2"},
           {"spec: Invalid value: {\"PriorityLevelConfiguration\":{\"Name\":\"exempt\"},"
            "\"MatchingPrecedence\":2,\"DistinguisherMethod\":null,\"Rules\":null}: spec of "
            "'exempt' must equal the fixed value"}},
          {{"spec.rules[0].nonResourceRules"},
           {"spec: Invalid value: {\"PriorityLevelConfiguration\":{\"Name\":\"exempt\"},"
            "\"MatchingPrecedence\":1,\"DistinguisherMethod\":null,\"Rules\":[{\"Subjects\":["
            "{\"Kind\":\"Group\",\"User\":null,\"Group\":{\"Name\":\"system:masters\"},"
            "\"ServiceAccount\":null}],\"ResourceRules\":[{\"Verbs\":[\"*\"],\"APIGroups\":[\"*\"],"
            "\"Resources\":[\"*\"],\"ClusterScope\":true,\"Namespaces\":[\"*\"]}],"
            "\"NonResourceRules\":null}]}: spec of 'exempt' must equal the fixed value"}},
          {{"spec.rules", "metadata.name=\"other\""},
           {"spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have "
            "matchingPrecedence 1"}},
      });
  const std::string catch_all = std::string(R"({"metadata": {"name": "catch-all"}, "spec": {
      "priorityLevelConfiguration": {"name": "catch-all"}, "matchingPrecedence": 10000,
      "distinguisherMethod": {"type": "ByUser"},
      "rules": [{"subjects": [{"kind": "Group", "group": {"name": "system:unauthenticated"}},
        {"kind": "Group", "group": {"name": "system:authenticated"}}], )") +
                                kAnyRequest;
  ExpectCreate<FlowSchema>(
      catch_all, {{{}, {}},
                  {{"spec.rules", "spec.distinguisherMethod"},
                   {"spec: Invalid value: {\"PriorityLevelConfiguration\":{\"Name\":\"catch-all\"},"
                    "\"MatchingPrecedence\":10000,\"DistinguisherMethod\":null,\"Rules\":null}: "
                    "spec of 'catch-all' must equal the fixed value"}}});
}

TEST(FlowSchemaTest, Update) {
  ExpectUpdate<FlowSchema>(
      kSchema, {
                   {{"spec.matchingPrecedence=7"}, {}},
                   // Nothing is said of what was there before.
                   {{"metadata.name=\"t\""}, {}},
                   {{"metadata.name=\"T\"", "spec.matchingPrecedence=-7"},
                    {"metadata.name: Invalid value: \"T\": " + kBadSubdomain,
                     "spec.matchingPrecedence: Invalid value: -7: must be a positive value"}},
                   {{R"(status.conditions=[{}])"}, {"status.conditions[0].type: Required value"}},
               });
}

TEST(FlowSchemaTest, StatusUpdate) {
  ExpectUpdate<FlowSchema>(
      kSchema,
      {
          {{R"(status.conditions=[{"type":"Dangling"},{"type":"Other"}])"}, {}},
          // Of an object that is not looked at otherwise.
          {{R"(status.conditions=[{"type":"a"},{"type":"a"},{}])", "spec.matchingPrecedence=-7"},
           {"status.conditions[1].type: Duplicate value: \"a\"",
            "status.conditions[2].type: Required value"}},
      },
      "status");
}

constexpr char kLevel[] = R"({"metadata": {"name": "level"}, "spec": {"type": "Limited",
  "limited": {"nominalConcurrencyShares": 0, "lendablePercent": 100, "borrowingLimitPercent": 0,
    "limitResponse": {"type": "Queue",
      "queuing": {"queues": 64, "handSize": 8, "queueLengthLimit": 50}}}}})";

TEST(PriorityLevelTest, Type) {
  const std::string only_exempt = ": must be 'Exempt' if and only if `name` is 'exempt'";
  ExpectCreate<PriorityLevelConfiguration>(
      kLevel,
      {
          {{}, {}},
          {{"metadata.name=\"A\""}, {"metadata.name: Invalid value: \"A\": " + kBadSubdomain}},
          {{"metadata.annotations['flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares']="
            "\"\""},
           {"metadata.annotations: Forbidden: annotation "
            "'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares' is forbidden"}},
          {{"spec.type=\"Exempt\""},
           {"spec.type: Invalid value: \"Exempt\"" + only_exempt,
            "spec.limited: Forbidden: must be nil if the type is not Limited"}},
          {{"spec.type=\"\""}, {"spec.type: Required value"}},
          {{"spec.type=\"Other\""},
           {"spec.type: Unsupported value: \"Other\": supported values: \"Exempt\", \"Limited\""}},
          {{"spec.limited"},
           {"spec.limited: Required value: must not be empty when type is Limited"}},
          {{"spec.exempt={}"}, {"spec.exempt: Forbidden: must be nil if the type is Limited"}},
      });
}

TEST(PriorityLevelTest, Limited) {
  const std::string l = "spec.limited";
  ExpectCreate<PriorityLevelConfiguration>(
      kLevel,
      {
          {{l + ".nominalConcurrencyShares=-1", l + ".lendablePercent=101",
            l + ".borrowingLimitPercent=-1", l + ".limitResponse={}"},
           {l + ".nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
            l + ".limitResponse.type: Required value",
            l + ".lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
            l + ".borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative "
                "integer"}},
          {{l + ".lendablePercent=-1"},
           {l + ".lendablePercent: Invalid value: -1: must be between 0 and 100, inclusive"}},
          {{l + ".borrowingLimitPercent=1000", l + ".lendablePercent=0"}, {}},
          {{l + R"(.limitResponse={"type":"Reject"})"}, {}},
          {{l + ".limitResponse.type=\"Reject\""},
           {l + ".limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is "
                "not Limited"}},
          {{l + ".limitResponse.queuing"},
           {l + ".limitResponse.queuing: Required value: must not be empty if "
                "limited.limitResponse.type is Limited"}},
          {{l + ".limitResponse.type=\"Drop\""},
           {l + ".limitResponse.type: Unsupported value: \"Drop\": supported values: \"Queue\", "
                "\"Reject\""}},
      });
}

TEST(PriorityLevelTest, Queuing) {
  const std::string q = "spec.limited.limitResponse.queuing";
  const auto queues = [&](const std::string& count, const std::string& hand_size) {
    return std::vector<std::string>{q + ".queues=" + count, q + ".handSize=" + hand_size};
  };
  const auto bits = [&](const std::string& count, const std::string& hand_size) {
    return q + ".handSize: Invalid value: " + hand_size + ": required entropy bits of deckSize " +
           count + " and handSize " + hand_size + " should not be greater than 60";
  };
  ExpectCreate<PriorityLevelConfiguration>(
      kLevel, {
                  {{q + ".queueLengthLimit=-1"},
                   {q + ".queueLengthLimit: Invalid value: -1: must be positive"}},
                  {queues("-1", "-1"),
                   {q + ".queues: Invalid value: -1: must be positive",
                    q + ".handSize: Invalid value: -1: must be positive"}},
                  {queues("10000000", "2"), {}},
                  {queues("10000001", "2"),
                   {q + ".queues: Invalid value: 10000001: must not be greater than 10000000"}},
                  {queues("8", "8"), {}},
                  {queues("8", "9"),
                   {q + ".handSize: Invalid value: 9: should not be greater than queues (8)"}},
                  // 60 bits exactly, and 6.02 for each of ten cards.
                  {queues("64", "10"), {}},
                  {queues("65", "10"), {bits("65", "10")}},
                  {queues("512", "7"), {bits("512", "7")}},
                  {queues("2147483647", "2147483647"),
                   {q + ".queues: Invalid value: 2147483647: must not be greater than 10000000",
                    bits("2147483647", "2147483647")}},
              });
}

TEST(PriorityLevelTest, MandatoryObjects) {
  constexpr char kExempt[] =
      R"({"metadata": {"name": "exempt"}, "spec": {"type": "Exempt", "exempt": {}}})";
  const std::string fixed =
      ": spec of 'exempt' except the 'spec.exempt' field must equal the fixed value";
  ExpectCreate<PriorityLevelConfiguration>(
      kExempt,
      {
          {{}, {}},
          {{"spec.exempt"}, {}},
          {{R"(spec.exempt={"nominalConcurrencyShares":7,"lendablePercent":100})"}, {}},
          {{R"(spec.exempt={"nominalConcurrencyShares":-1,"lendablePercent":101})"},
           {"spec.exempt.nominalConcurrencyShares: Invalid value: -1: must be a non-negative "
            "integer",
            "spec.exempt.lendablePercent: Invalid value: 101: must be between 0 and 100, "
            "inclusive"}},
          {{R"(spec={"type":"Limited","limited":{"limitResponse":{"type":"Reject"}}})"},
           {"spec.type: Invalid value: \"Limited\": must be 'Exempt' if and only if `name` is "
            "'exempt'",
            "spec: Invalid value: {\"Type\":\"Limited\",\"Limited\":{\"NominalConcurrencyShares\":"
            "30,\"LimitResponse\":{\"Type\":\"Reject\",\"Queuing\":null},\"LendablePercent\":0,"
            "\"BorrowingLimitPercent\":null},\"Exempt\":null}" +
                fixed}},
      });
  constexpr char kCatchAll[] = R"({"metadata": {"name": "catch-all"}, "spec": {"type": "Limited",
      "limited": {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject"}}}})";
  ExpectCreate<PriorityLevelConfiguration>(
      kCatchAll,
      {{{}, {}},
       {{"spec.limited.borrowingLimitPercent=1"},
        {"spec: Invalid value: {\"Type\":\"Limited\",\"Limited\":{\"NominalConcurrencyShares\":5,"
         "\"LimitResponse\":{\"Type\":\"Reject\",\"Queuing\":null},\"LendablePercent\":0,"
         "\"BorrowingLimitPercent\":1},\"Exempt\":null}: spec of 'catch-all' must equal the fixed "
         "value"}}});
}

TEST(PriorityLevelTest, Updates) {
  ExpectUpdate<PriorityLevelConfiguration>(
      kLevel, {{{"spec.limited.lendablePercent=1"}, {}},
               {{"spec.type=\"\""}, {"spec.type: Required value"}},
               {{R"(status.conditions=[{}])"}, {"status.conditions[0].type: Required value"}}});
  ExpectUpdate<PriorityLevelConfiguration>(
      kLevel,
      {{{R"(status.conditions=[{"type":"ConcurrencyShared"}])"}, {}},
       {{R"(status.conditions=[{"type":"a"},{"type":"a"},{}])", "spec.type=\"\""},
        {"status.conditions[1].type: Duplicate value: \"a\"",
         "status.conditions[2].type: Required value"}}},
      "status");
}

}  // namespace
}  // namespace podium::api
