// Policies of admission, after pkg/apis/admissionregistration/validation but for expressions, which
// nobody compiles.
#include <string>

#include "api/types/admissionregistration_v1.h"
#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using admissionregistration::v1::MutatingAdmissionPolicy;
using admissionregistration::v1::MutatingAdmissionPolicyBinding;
using admissionregistration::v1::ValidatingAdmissionPolicy;
using admissionregistration::v1::ValidatingAdmissionPolicyBinding;

constexpr char kPolicy[] = R"({"metadata": {"name": "p"}, "spec": {
  "paramKind": {"apiVersion": "example.com/v1", "kind": "Limit"},
  "matchConstraints": {"resourceRules": [{"resourceNames": ["a"], "operations": ["DELETE"],
    "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["*"]}]},
  "matchConditions": [{"name": "c", "expression": "true"}],
  "variables": [{"name": "_v1", "expression": "1"}],
  "validations": [{"expression": "true", "message": " m ", "messageExpression": "'m'",
    "reason": "Forbidden"}],
  "auditAnnotations": [{"key": "k", "valueExpression": "'v'"}]}})";

constexpr char kMutatingPolicy[] = R"({"metadata": {"name": "p"}, "spec": {
  "matchConstraints": {"resourceRules": [{"operations": ["CREATE", "UPDATE", "CONNECT"],
    "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["*"]}]},
  "reinvocationPolicy": "IfNeeded",
  "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}},
    {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{}"}}]}})";

constexpr char kBinding[] = R"({"metadata": {"name": "b"}, "spec": {"policyName": "p",
  "paramRef": {"name": "n", "parameterNotFoundAction": "Deny"},
  "matchResources": {"excludeResourceRules": [{"operations": ["*"], "apiGroups": ["apps"],
    "apiVersions": ["v1"], "resources": ["pods"]}]}}})";

const std::string kBadVersion =  // NOLINT: a constant of tests
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

TEST(AdmissionPolicyTest, Spec) {
  ExpectCreate<ValidatingAdmissionPolicy>(
      kPolicy,
      {
          {{}, {}},
          // Finalizers of this group need no domain.
          {{"metadata.finalizers=[\"f\"]"}, {}},
          {{"metadata.name=\"A\"", "spec.auditAnnotations"},
           {"metadata.name: Invalid value: \"A\": " + kBadSubdomain}},
          {{"spec.failurePolicy=\"Maybe\""},
           {"spec.failurePolicy: Unsupported value: \"Maybe\": supported values: \"Fail\", "
            "\"Ignore\""}},
          {{"spec.matchConstraints"}, {"spec.matchConstraints: Required value"}},
          {{"spec.matchConstraints.resourceRules"},
           {"spec.matchConstraints.resourceRules: Required value"}},
          {{"spec.validations"}, {}},
          {{"spec.auditAnnotations"}, {}},
          {{"spec.validations", "spec.auditAnnotations"},
           {"spec.validations: Required value: validations or auditAnnotations must contain at "
            "least one item",
            "spec.auditAnnotations: Required value: validations or auditAnnotations must contain "
            "at least one item"}},
          {{"spec.matchConditions=[{\"name\":\"c\",\"expression\":\"\\u00a0\"},"
            "{\"name\":\"c\",\"expression\":\"1\"},{\"name\":\"\",\"expression\":\"1\"},"
            "{\"name\":\"-\",\"expression\":\"1\"}]"},
           {"spec.matchConditions[0].expression: Required value",
            "spec.matchConditions[1].name: Duplicate value: \"c\"",
            "spec.matchConditions[2].name: Required value",
            "spec.matchConditions[3].name: Invalid value: \"-\": " + kBadQualified}},
      });
}

// Of objects that have no defaults, as none that is stored.
TEST(AdmissionPolicyTest, WithoutDefaults) {
  auto policy = Load<ValidatingAdmissionPolicy>(kPolicy);
  policy.spec.failurePolicy.reset();
  policy.spec.matchConstraints->matchPolicy.reset();
  policy.spec.matchConstraints->namespaceSelector.reset();
  policy.spec.matchConstraints->objectSelector.reset();
  policy.metadata.name.clear();
  EXPECT_THAT(
      Texts(ValidateCreate(policy)),
      ::testing::ElementsAre(
          "metadata.name: Required value: name or generateName is required",
          "spec.failurePolicy: Required value", "spec.matchConstraints.matchPolicy: Required value",
          "spec.matchConstraints.namespaceSelector: Required value",
          "spec.matchConstraints.objectSelector: Required value",
          "spec.auditAnnotations[0].key: Invalid value: \"k\": requires metadata.name be "
          "non-empty"));
}

TEST(AdmissionPolicyTest, ParamKind) {
  const std::string version = "spec.paramKind.apiVersion";
  const std::string kind = "spec.paramKind.kind";
  ExpectCreate<ValidatingAdmissionPolicy>(
      kPolicy,
      {
          {{"spec.paramKind"}, {}},
          {{version + "=\"v1\""}, {}},
          {{"spec.paramKind={}"}, {version + ": Required value", kind + ": Required value"}},
          {{version + "=\"a/b/c\""},
           {version + ": Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c"}},
          {{version + "=\"/\""}, {version + ": Invalid value: \"/\": version must be specified"}},
          {{version + "=\"A/V\""},
           {version + ": Invalid value: \"A\": " + kBadSubdomain,
            version + ": Invalid value: \"V\": " + kBadVersion}},
          {{version + "=\"" + std::string(64, 'V') + "\""},
           {version + ": Invalid value: \"" + std::string(64, 'V') +
            "\": must be no more than 63 bytes," + kBadVersion}},
          {{kind + "=\"1\""},
           {kind + ": Invalid value: \"1\": may have mixed case, but should otherwise match: " +
            kBadVersion}},
      });
}

TEST(AdmissionPolicyTest, MatchResources) {
  const std::string m = "spec.matchConstraints";
  const std::string rule = m + ".resourceRules[0]";
  ExpectCreate<ValidatingAdmissionPolicy>(
      kPolicy,
      {
          {{m + ".matchPolicy=\"Other\""},
           {m + ".matchPolicy: Unsupported value: \"Other\": supported values: \"Equivalent\", "
                "\"Exact\""}},
          {{m + R"(.namespaceSelector={"matchLabels":{"a":"-"}})",
            m + R"(.objectSelector={"matchLabels":{"-":"a"}})"},
           {m + ".namespaceSelector.matchLabels: Invalid value: \"-\": " + kBadLabelValue,
            m + ".objectSelector.matchLabels: Invalid value: \"-\": " + kBadQualified}},
          {{rule + R"(.resourceNames=["a","b/c","a"])"},
           {rule + ".resourceNames[1]: Invalid value: \"b/c\": may not contain '/'",
            rule + ".resourceNames[2]: Duplicate value: \"a\""}},
          {{m + R"(.excludeResourceRules=[{"operations":["PATCH"],"apiGroups":[],
               "apiVersions":["v1","*"],"resources":["*","pods"],"scope":"All"}])"},
           {m + ".excludeResourceRules[0].operations[0]: Unsupported value: \"PATCH\": supported "
                "values: \"*\", \"CONNECT\", \"CREATE\", \"DELETE\", \"UPDATE\"",
            m + ".excludeResourceRules[0].apiGroups: Required value",
            m + ".excludeResourceRules[0].apiVersions: Invalid value: [\"v1\",\"*\"]: if '*' is "
                "present, must not specify other API versions",
            m + ".excludeResourceRules[0].resources: Invalid value: [\"*\",\"pods\"]: if '*' is "
                "present, must not specify other resources without subresources",
            m + ".excludeResourceRules[0].scope: Unsupported value: \"All\": supported values: "
                "\"*\", \"Cluster\", \"Namespaced\""}},
      });
}

TEST(AdmissionPolicyTest, Variables) {
  const std::string v = "spec.variables[0]";
  ExpectCreate<ValidatingAdmissionPolicy>(
      kPolicy, {
                   {{v + ".name=\"while1\""}, {}},
                   {{v + ".name=\"while\""},
                    {v + ".name: Invalid value: \"while\": must be a valid CEL identifier"}},
                   {{v + ".name=\"1v\""},
                    {v + ".name: Invalid value: \"1v\": must be a valid CEL identifier"}},
                   {{v + R"(={"name": " ", "expression": "\n"})"},
                    {v + ".name: Required value: name is not specified",
                     v + ".expression: Required value: expression is not specified"}},
               });
}

TEST(AdmissionPolicyTest, Validations) {
  const std::string v = "spec.validations[0]";
  ExpectCreate<ValidatingAdmissionPolicy>(
      kPolicy,
      {
          {{v + ".message=\"\"", v + ".messageExpression=\"\""}, {}},
          // Line breaks at the ends do not count.
          {{v + ".message=\"\\nm\\n\""}, {}},
          {{v + R"(={"expression": " ", "message": "\t", "messageExpression": " "})"},
           {v + ".expression: Required value: expression is not specified",
            v + ".messageExpression: Invalid value: \" \": must be non-empty if specified",
            v + ".message: Invalid value: \"\\t\": must be non-empty if specified"}},
          {{v + ".message=\"a\\nb\"", v + ".reason=\"Unauthorized\""},
           {v + ".message: Invalid value: \"a\\nb\": must not contain line breaks",
            v + ".reason: Unsupported value: \"Unauthorized\": supported values: \"Forbidden\", "
                "\"Invalid\", \"RequestEntityTooLarge\""}},
      });
}

TEST(AdmissionPolicyTest, AuditAnnotations) {
  const std::string a = "spec.auditAnnotations";
  const auto many = [&](int count) {
    std::string list = a + "=[";
    for (int i = 0; i < count; ++i) {
      list += (i > 0 ? "," : "") + std::string(R"({"key":"k)") + std::to_string(i) +
              R"(","valueExpression":"1"})";
    }
    return list + "]";
  };
  std::string printed;
  for (int i = 0; i < 21; ++i) {
    printed += (i > 0 ? "," : "") + std::string(R"({"Key":"k)") + std::to_string(i) +
               R"(","ValueExpression":"1"})";
  }
  ExpectCreate<ValidatingAdmissionPolicy>(
      kPolicy,
      {
          {{many(20)}, {}},
          {{many(21)},
           {a + ": Invalid value: [" + printed + "]: must not have more than 20 auditAnnotations"}},
          {{a + R"(=[{"key":"k","valueExpression":""},{"key":"k","valueExpression":"1"}])"},
           {a + "[0].valueExpression: Required value: valueExpression is not specified",
            a + "[1].key: Duplicate value: \"k\""}},
          {{a + "[0].key=\"-\""}, {a + "[0].key: Invalid value: \"p/-\": " + kBadQualified}},
          {{a + "[0].valueExpression=\" " + std::string(5120, '1') + " \""}, {}},
          {{a + "[0].valueExpression=\"" + std::string(5121, '1') + "\""},
           {a + "[0].valueExpression: Required value: must not exceed 5120 bytes in length"}},
      });
}

TEST(AdmissionPolicyTest, Update) {
  const std::string bad = Edited(kPolicy, {"spec.matchConditions[0].name=\"-\""});
  const std::string problem = "spec.matchConditions[0].name: Invalid value: \"-\": ";
  // Conditions are looked at when they or what they may speak of change.
  ExpectUpdate<ValidatingAdmissionPolicy>(
      bad, {{{"spec.validations[0].message=\"new\""}, {}},
            {{"spec.paramKind"}, {problem + kBadQualified}},
            {{"spec.matchConditions[0].expression=\"1\""}, {problem + kBadQualified}},
            {{"spec.failurePolicy=\"Maybe\""},
             {"spec.failurePolicy: Unsupported value: \"Maybe\": supported values: \"Fail\", "
              "\"Ignore\""}}});
}

TEST(AdmissionPolicyTest, StatusUpdate) {
  const std::string w = "status.typeChecking.expressionWarnings";
  ExpectUpdate<ValidatingAdmissionPolicy>(
      kPolicy,
      {
          {{R"(status.typeChecking={})"}, {}},
          {{w + R"(=[{"fieldRef":" spec.validations[0].expression ","warning":"w"}])"}, {}},
          {{w + R"(=[{"fieldRef":" ","warning":""},{"fieldRef":"spec[0","warning":"w"}])",
            "spec.failurePolicy=\"Maybe\""},
           {w + "[0].warning: Required value", w + "[0].fieldRef: Required value",
            w + "[1].fieldRef: Invalid value: \"spec[0\": invalid JSONPath: unterminated array"}},
          {{R"(status.conditions=[{"type":"A","status":"True","reason":"R","message":"",
               "lastTransitionTime":"2024-01-01T00:00:00Z"}])"},
           {}},
          {{R"(status.conditions=[{"type":"A","status":"Yes","reason":"R","message":"",
               "lastTransitionTime":"2024-01-01T00:00:00Z"}])"},
           {"status.conditions[0].status: Unsupported value: \"Yes\": supported values: \"False\", "
            "\"True\", \"Unknown\""}},
      },
      "status");
}

TEST(AdmissionPolicyTest, Bindings) {
  const std::string p = "spec.paramRef";
  const std::string both = ": Forbidden: name and selector are mutually exclusive";
  const std::vector<ErrorCase> cases = {
      {{}, {}},
      {{"spec.paramRef", "spec.matchResources"}, {}},
      {{"metadata.name=\"A\"", "spec.policyName=\"\""},
       {"metadata.name: Invalid value: \"A\": " + kBadSubdomain,
        "spec.policyName: Required value"}},
      {{"spec.policyName=\"A\""}, {"spec.policyName: Invalid value: \"A\": " + kBadSubdomain}},
      {{p + "={}"},
       {p + ": Required value: one of name or selector must be specified",
        p + ".parameterNotFoundAction: Required value"}},
      {{p + R"(={"selector":{},"parameterNotFoundAction":"Allow"})"}, {}},
      {{p +
        R"(={"name":"a/b","selector":{"matchLabels":{"-":""}},"parameterNotFoundAction":"Warn"})"},
       {p + ".name: Invalid value: \"a/b\": may not contain '/'", p + ".name" + both,
        p + ".selector.matchLabels: Invalid value: \"-\": " + kBadQualified, p + ".selector" + both,
        p + ".parameterNotFoundAction: Unsupported value: \"Warn\": supported values: \"Deny\", "
            "\"Allow\""}},
      {{"spec.matchResources.matchPolicy=\"Other\""},
       {"spec.matchResources.matchPolicy: Unsupported value: \"Other\": supported values: "
        "\"Equivalent\", \"Exact\""}},
  };
  ExpectCreate<MutatingAdmissionPolicyBinding>(kBinding, cases);
  const std::string validating = Edited(kBinding, {R"(spec.validationActions=["Deny","Audit"])"});
  ExpectCreate<ValidatingAdmissionPolicyBinding>(validating, cases);
  // Nothing is said of what was there before.
  const std::vector<ErrorCase> updates = {
      {{"spec.policyName=\"q\""}, {}},
      {{"spec.policyName=\"\""}, {"spec.policyName: Required value"}}};
  ExpectUpdate<MutatingAdmissionPolicyBinding>(kBinding, updates);
  ExpectUpdate<ValidatingAdmissionPolicyBinding>(validating, updates);
}

TEST(AdmissionPolicyTest, ValidationActions) {
  const std::string a = "spec.validationActions";
  ExpectCreate<ValidatingAdmissionPolicyBinding>(
      kBinding,
      {
          {{a + R"(=["Warn","Audit"])"}, {}},
          {{}, {a + ": Required value: at least one validation action is required"}},
          {{a + R"(=["Deny","Warn"])"},
           {a + ": Invalid value: [\"Deny\",\"Warn\"]: must not contain both Deny and Warn "
                "(repeating the same validation failure information in the API response and "
                "headers serves no purpose)"}},
          {{a + R"(=["Log","Log"])"},
           {a + "[0]: Unsupported value: \"Log\": supported values: \"Audit\", \"Deny\", \"Warn\"",
            a + "[1]: Unsupported value: \"Log\": supported values: \"Audit\", \"Deny\", \"Warn\"",
            a + "[1]: Duplicate value: \"Log\""}},
      });
}

TEST(MutatingAdmissionPolicyTest, Spec) {
  const std::string m = "spec.mutations";
  const std::string operations =
      ": Unsupported value: \"DELETE\": supported values: \"*\", "
      "\"CONNECT\", \"CREATE\", \"UPDATE\"";
  ExpectCreate<MutatingAdmissionPolicy>(
      kMutatingPolicy,
      {
          {{}, {}},
          {{"spec.reinvocationPolicy=\"\"", "metadata.name=\"A\""},
           {"metadata.name: Invalid value: \"A\": " + kBadSubdomain,
            "spec.reinvocationPolicy: Required value"}},
          {{"spec.reinvocationPolicy=\"Always\""},
           {"spec.reinvocationPolicy: Unsupported value: \"Always\": supported values: "
            "\"IfNeeded\", \"Never\""}},
          {{"spec.matchConstraints.resourceRules[0].operations=[\"DELETE\"]"},
           {"spec.matchConstraints.resourceRules.operations" + operations}},
          {{m}, {m + ": Required value: mutations must contain at least one item"}},
          {{m + "=[{\"patchType\":\"\"},{\"patchType\":\"Merge\"}]"},
           {m + "[0].patchType: Required value",
            m + "[1].patchType: Unsupported value: \"Merge\": supported values: "
                "\"ApplyConfiguration\", \"JSONPatch\""}},
          {{m + R"(=[{"patchType":"JSONPatch","applyConfiguration":{}},
                     {"patchType":"ApplyConfiguration","jsonPatch":{}}])"},
           {m + "[0].jsonPatch: Required value: must be specified when patchType is JSONPatch",
            m + "[0].applyConfiguration: Invalid value: \"{applyConfiguration}\": must not be "
                "specified when patchType is JSONPatch",
            m + "[1].applyConfiguration: Required value: must be specified when patchType is "
                "ApplyConfiguration",
            m + "[1].jsonPatch: Invalid value: \"{jsonPatch}\": must not be specified when "
                "patchType is ApplyConfiguration"}},
          {{m + "[0].jsonPatch={}", m + "[1].applyConfiguration.expression=\" \""},
           {m + "[0].jsonPatch.expression: Required value",
            m + "[1].applyConfiguration.expression: Required value"}},
          {{"spec.variables=[{\"name\":\"in\",\"expression\":\"1\"}]"},
           {"spec.variables[0].name: Invalid value: \"in\": must be a valid CEL identifier"}},
      });
  const std::string binding_rule = "spec.matchResources.resourceRules";
  ExpectCreate<MutatingAdmissionPolicyBinding>(
      kBinding,
      {{{binding_rule + R"(=[{"operations":["DELETE"],"apiGroups":["a"],"apiVersions":["v1"],
             "resources":["pods"]}])"},
        {binding_rule + ".operations" + operations}}});
}

TEST(MutatingAdmissionPolicyTest, Update) {
  const std::string bad =
      Edited(kMutatingPolicy, {R"(spec.matchConditions=[{"name":"-","expression":"1"}])"});
  const std::string problem = "spec.matchConditions[0].name: Invalid value: \"-\": ";
  ExpectUpdate<MutatingAdmissionPolicy>(
      bad,
      {{{"spec.reinvocationPolicy=\"Never\""}, {}},
       {{R"(spec.paramKind={"apiVersion":"v1","kind":"ConfigMap"})"}, {problem + kBadQualified}}});
}

}  // namespace
}  // namespace podium::api
