#include "api/validation/webhooks.h"

#include "api/validation/kind_cases.h"

namespace podium::api {
namespace {

using admissionregistration::v1::MutatingWebhookConfiguration;
using admissionregistration::v1::ValidatingWebhookConfiguration;

constexpr char kBase[] = R"({"metadata": {"name": "w"}, "webhooks": [{"name": "a.b.c",
  "admissionReviewVersions": ["v1"], "sideEffects": "None",
  "clientConfig": {"url": "https://a.b/c"},
  "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
             "resources": ["pods"]}]}]})";
const std::string kHook = "webhooks[0]";                       // NOLINT: constants of tests
const std::string kRule = kHook + ".rules[0]";                 // NOLINT: likewise
const std::string kUrl = kHook + ".clientConfig.url";          // NOLINT: likewise
const std::string kService = kHook + ".clientConfig.service";  // NOLINT: likewise

// Both kinds have these rules.
void ExpectNew(const std::vector<ErrorCase>& cases) {
  ExpectCreate<ValidatingWebhookConfiguration>(kBase, cases);
  ExpectCreate<MutatingWebhookConfiguration>(kBase, cases);
}

void ExpectChanged(std::string_view base, const std::vector<ErrorCase>& cases) {
  ExpectUpdate<ValidatingWebhookConfiguration>(base, cases);
  ExpectUpdate<MutatingWebhookConfiguration>(base, cases);
}

TEST(Webhooks, Rules) {
  const std::string star = ": if '*' is present, must not specify other ";
  ExpectNew(
      {{{}, {}},
       {{kRule + R"(={"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],)"
                 R"("resources":["*","pods/status","*/scale"],"scope":"Cluster"})"},
        {}},
       {{kRule + "={}"},
        {kRule + ".operations: Required value", kRule + ".apiGroups: Required value",
         kRule + ".apiVersions: Required value", kRule + ".resources: Required value"}},
       {{kRule + R"(={"apiGroups":["*","a"],"apiVersions":["*",""],"operations":["*","GET"],)"
                 R"("resources":["*/*","","pods"],"scope":"X"})"},
        {kRule + ".operations: Invalid value: [\"*\",\"GET\"]" + star + "operations",
         kRule + ".operations[1]: Unsupported value: \"GET\": supported values: \"*\", "
                 "\"CONNECT\", \"CREATE\", \"DELETE\", \"UPDATE\"",
         kRule + ".apiGroups: Invalid value: [\"*\",\"a\"]" + star + "API groups",
         kRule + ".apiVersions: Invalid value: [\"*\",\"\"]" + star + "API versions",
         kRule + ".apiVersions[1]: Required value", kRule + ".resources[1]: Required value",
         kRule + ".resources: Invalid value: [\"*/*\",\"\",\"pods\"]: if '*/*' is present, must "
                 "not specify other resources",
         kRule + ".scope: Unsupported value: \"X\": supported values: \"*\", \"Cluster\", "
                 "\"Namespaced\""}},
       {{kRule + R"(.resources=["pods/*","pods/log","*/scale","x/scale","*","pods"])"},
        {kRule + ".resources[1]: Invalid value: \"pods/log\": if 'pods/*' is present, must not "
                 "specify pods/log",
         kRule + ".resources[3]: Invalid value: \"x/scale\": if '*/scale' is present, must not "
                 "specify x/scale",
         kRule +
             R"(.resources: Invalid value: ["pods/*","pods/log","*/scale","x/scale","*","pods"])"
             ": if '*' is present, must not specify other resources without subresources"}},
       // Upstream looks at the last one only.
       {{kRule + R"(.resources=["pods","*"])"}, {}}});
}

TEST(Webhooks, Fields) {
  ExpectNew(
      {{{kHook + ".failurePolicy=\"Ignore\"", kHook + ".matchPolicy=\"Exact\"",
         kHook + ".sideEffects=\"NoneOnDryRun\"", kHook + ".timeoutSeconds=30"},
        {}},
       {{"metadata.name=\"A\""}, {"metadata.name: Invalid value: \"A\": " + kBadSubdomain}},
       {{kHook + ".name=\"a\"", kHook + ".failurePolicy=\"X\"", kHook + ".matchPolicy=\"X\"",
         kHook + ".sideEffects=\"Some\"", kHook + ".timeoutSeconds=31",
         kHook + R"(.namespaceSelector.matchLabels={"a":"-"})",
         kHook + R"(.objectSelector.matchLabels={"a":"-"})", kHook + ".clientConfig={}",
         kHook + ".admissionReviewVersions=[]"},
        {kHook + ".name: Invalid value: \"a\": should be a domain with at least three segments "
                 "separated by dots",
         kHook + ".failurePolicy: Unsupported value: \"X\": supported values: \"Fail\", "
                 "\"Ignore\"",
         kHook + ".matchPolicy: Unsupported value: \"X\": supported values: \"Equivalent\", "
                 "\"Exact\"",
         kHook + ".sideEffects: Unsupported value: \"Some\": supported values: \"None\", "
                 "\"NoneOnDryRun\"",
         kHook + ".timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 "
                 "seconds",
         kHook + ".namespaceSelector.matchLabels: Invalid value: \"-\": " + kBadLabelValue,
         kHook + ".objectSelector.matchLabels: Invalid value: \"-\": " + kBadLabelValue,
         kHook + ".clientConfig: Required value: exactly one of url or service is required",
         kHook + ".admissionReviewVersions: Required value: must specify one of v1, v1beta1"}},
       {{kHook + ".sideEffects", kHook + ".timeoutSeconds=0"},
        {kHook + ".sideEffects: Required value: must specify one of None, NoneOnDryRun",
         kHook + ".timeoutSeconds: Invalid value: 0: the timeout value must be between 1 and 30 "
                 "seconds"}},
       {{kHook + R"(.admissionReviewVersions=["x","v1","v1beta1"])"}, {}},
       // Of one that repeats another no more is said.
       {{kHook + R"(.admissionReviewVersions=["1","1","v1"])"},
        {kHook + ".admissionReviewVersions[0]: Invalid value: \"1\": a DNS-1035 label must "
                 "consist of lower case alphanumeric characters or '-', start with an alphabetic "
                 "character, and end with an alphanumeric character (e.g. 'my-name',  or "
                 "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
         kHook + ".admissionReviewVersions[1]: Invalid value: \"1\": duplicate version"}},
       {{kHook + R"(.admissionReviewVersions=["x","x"])"},
        {kHook + ".admissionReviewVersions[1]: Invalid value: \"x\": duplicate version",
         kHook + ".admissionReviewVersions: Invalid value: [\"x\",\"x\"]: must include at least "
                 "one of v1, v1beta1"}}});
  const std::string again = ".reinvocationPolicy";
  ExpectCreate<MutatingWebhookConfiguration>(
      kBase, {{{kHook + again + "=\"IfNeeded\""}, {}},
              {{kHook + again + "=\"X\""},
               {kHook + again +
                ": Unsupported value: \"X\": supported values: \"IfNeeded\", "
                "\"Never\""}}});
}

TEST(Webhooks, Clients) {
  const std::string form = "; desired format: https://host[/path]";
  ExpectNew({{{kUrl + "=\"https://a:8443\""}, {}},
             {{kService + R"(={"namespace":"n","name":"s"})", kUrl}, {}},
             {{kService + R"(={"namespace":"n","name":"s","port":1,"path":"/a/b/"})", kUrl}, {}},
             {{kService + R"(={"namespace":"n","name":"s","path":"/"})", kUrl}, {}},
             {{kService + R"(={"namespace":"n","name":"s"})"},
              {kHook + ".clientConfig: Required value: exactly one of url or service is required"}},
             {{kUrl + "=\"HTTP:///x\""},
              {kUrl + ": Invalid value: \"http\": 'https' is the only allowed URL scheme" + form,
               kUrl + ": Invalid value: \"\": host must be specified" + form}},
             {{kUrl + "=\"HTTPS://a\""}, {}},
             {{kUrl + "=\"https://a:b#c\""},
              {kUrl +
               ": Required value: url must be a valid URL: parse \"https://a:b\": invalid "
               "port \":b\" after host" +
               form}},
             {{kUrl + "=\"a/b:c\""},
              {kUrl + ": Invalid value: \"\": 'https' is the only allowed URL scheme" + form,
               kUrl + ": Invalid value: \"\": host must be specified" + form}},
             {{kUrl + "=\"https://u:p@a/b?c=d#e\""},
              {kUrl + ": Invalid value: \"u:p\": user information is not permitted in the URL",
               kUrl + ": Invalid value: \"e\": fragments are not permitted in the URL",
               kUrl + ": Invalid value: \"c=d\": query parameters are not permitted in the URL"}},
             {{kService + R"(={"port":0,"path":"x/B"})", kUrl},
              {kService + ".name: Required value", kService + ".namespace: Required value",
               kService + ".port: Invalid value: 0: port is not valid: " + kBadPort,
               kService + ".path: Invalid value: \"x/B\": must start with a '/'",
               kService + ".path: Invalid value: \"x/B\": segment[0] may not be empty",
               kService + ".path: Invalid value: \"x/B\": segment[1]: " + kBadSubdomain}},
             {{kService + R"(={"namespace":"n","path":"//"})", kUrl},
              {kService + ".namespace: Required value",
               kService + ".path: Invalid value: \"//\": segment[0] may not be empty"}}});
}

TEST(Webhooks, MatchConditions) {
  const std::string conditions = kHook + ".matchConditions";
  std::string many = conditions + "=[";
  for (int i = 0; i < 65; ++i) {
    many += (i == 0 ? "" : ",") + std::string(R"({"name":"c)") + std::to_string(i) +
            R"(","expression":"true"})";
  }
  const std::string bad = conditions +
                          R"(=[{},{"name":"-","expression":" "},{"name":"a","expression":"true"},)"
                          R"({"name":"a","expression":"true"}])";
  ExpectNew(
      {{{conditions + R"(=[{"name":"a.b/c","expression":"true"}])"}, {}},
       {{many + "]"}, {conditions + ": Too many: 65: must have at most 64 items"}},
       {{bad},
        {conditions + "[0].expression: Required value", conditions + "[0].name: Required value",
         conditions + "[1].expression: Required value",
         conditions + "[1].name: Invalid value: \"-\": " + kBadQualified,
         conditions + "[3].name: Duplicate value: \"a\""}}});
  // Those that were there stay.
  ExpectChanged(Edited(kBase, {bad}), {{{kHook + ".timeoutSeconds=5"}, {}},
                                       {{conditions + "=[{\"name\":\"a\"}]"},
                                        {conditions + "[0].expression: Required value"}}});
}

TEST(Webhooks, OldHooks) {
  const std::string second = Edited(kBase, {R"(webhooks[1]={"name":"a.b.c",
    "admissionReviewVersions":["x"],"sideEffects":"Unknown","clientConfig":{"url":"https://a"},
    "objectSelector":{"matchExpressions":[{"key":"a","operator":"In","values":["-"]}]}})"});
  const std::vector<std::string> errors = {
      "webhooks[1].sideEffects: Unsupported value: \"Unknown\": supported values: \"None\", "
      "\"NoneOnDryRun\"",
      "webhooks[1].objectSelector.matchExpressions[0].values[0]: Invalid value: \"-\": " +
          kBadLabelValue,
      "webhooks[1].admissionReviewVersions: Invalid value: [\"x\"]: must include at least one of "
      "v1, v1beta1",
      "webhooks[1].name: Duplicate value: \"a.b.c\""};
  ExpectCreate<ValidatingWebhookConfiguration>(second, {{{}, errors}});
  ExpectChanged(second, {{{"metadata.labels={\"a\":\"b\"}"}, {}},
                         {{"webhooks[1].sideEffects=\"X\""},
                          {"webhooks[1].sideEffects: Unsupported value: \"X\": supported values: "
                           "\"None\", \"NoneOnDryRun\", \"Some\", \"Unknown\""}}});
  ExpectChanged(kBase, {{{kHook + ".timeoutSeconds=5"}, {}},
                        {{kHook + ".admissionReviewVersions=[\"x\"]"},
                         {kHook + ".admissionReviewVersions: Invalid value: [\"x\"]: must include "
                                  "at least one of v1, v1beta1"}}});
}

}  // namespace
}  // namespace podium::api
