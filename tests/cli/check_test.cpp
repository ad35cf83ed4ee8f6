#include "cli/check.h"

#include <gtest/gtest.h>

namespace podium::cli {
namespace {

std::string Shown(const Finding& finding) {
  return std::to_string(finding.position.line) + ':' + std::to_string(finding.position.column) +
         ' ' + finding.reason + ' ' + finding.Text();
}

// The findings of all documents of a text, one to a line.
std::string Check(std::string_view text, const CheckOptions& options = {}) {
  DocumentReader reader(text);
  Document document;
  std::string out;
  while (reader.Next(&document)) {
    CheckResult result;
    CheckDocument(document, options, &result);
    for (const Finding& finding : result.findings) out += Shown(finding) + '\n';
  }
  return out;
}

struct Case {
  const char* name;
  const char* text;
  const char* findings;
};

void ExpectFindings(std::span<const Case> cases) {
  for (const Case& each : cases) EXPECT_EQ(Check(each.text), each.findings) << each.name;
}

TEST(Check, WhatADocumentIs) {
  constexpr Case kCases[] = {
      {"no object", "- a\n- b\n", "1:1 FieldValueTypeInvalid expected an object, got a list\n"},
      {"a scalar", "x\n", "1:1 FieldValueTypeInvalid expected an object, got a string\n"},
      {"neither field", "a: 1\n",
       "1:1 FieldValueRequired apiVersion: Required value\n"
       "1:1 FieldValueRequired kind: Required value\n"},
      {"a kind that is none", "apiVersion: v1\nkind: [Pod]\n",
       "2:7 FieldValueTypeInvalid kind: expected a string, got a list\n"},
      {"no kind", "apiVersion: v1\n", "1:1 FieldValueRequired kind: Required value\n"},
      {"unknown kind", "apiVersion: v1\nkind: Pdo\n",
       "2:7 UnknownKind kind: no matches for kind \"Pdo\" in version \"v1\"; did you mean "
       "\"Pod\"?\n"},
      {"unknown version", "apiVersion: example.com/v1\nkind: Widget\n",
       "1:13 UnknownKind apiVersion: no matches for kind \"Widget\" in version "
       "\"example.com/v1\"\n"},
      {"broken YAML", "apiVersion: v1\nkind: [\n",
       "3:1 Syntax did not find expected node content\n"},
      {"broken JSON", "{\"apiVersion\": \"v1\",\n \"kind\": }",
       "2:10 Syntax kind: not a JSON value\n"},
  };
  ExpectFindings(kCases);
}

TEST(Check, LinesOfFields) {
  constexpr Case kCases[] = {
      {"a field that is there",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
       "    - name: a\n      image: b\n      imagePullPolicy: c\n",
       "8:24 FieldValueNotSupported spec.containers[0].imagePullPolicy: Unsupported value: \"c\": "
       "supported values: \"Always\", \"IfNotPresent\", \"Never\"\n"},
      {"a missing one is at its parent",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n"
       "    - image: b\n      name: a\n    - image: b\n",
       "8:7 FieldValueRequired spec.containers[1].name: Required value\n"},
      {"or its grandparent", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n",
       "1:1 FieldValueRequired spec.containers: Required value\n"},
      {"an empty list", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers: []\n",
       "5:3 FieldValueRequired spec.containers: Required value\n"},
      {"an entry of a map that rules name as a whole",
       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels:\n    a: b\n    c: d e\n"
       "    -f: g\n",
       "7:8 FieldValueInvalid metadata.labels: Invalid value: \"d e\": a valid label must be an "
       "empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
       "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
       "used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')\n"
       "8:9 FieldValueInvalid metadata.labels: Invalid value: \"-f\": name part must consist of "
       "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
       "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
       "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')\n"},
      {"a generated name",
       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {}\n  generateName: A\n",
       "5:17 FieldValueInvalid metadata.generateName: Invalid value: \"A\": a lowercase RFC 1123 "
       "subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
       "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
       "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n"
       "5:17 FieldValueInvalid metadata.name: Invalid value: \"Axxxxx\": a lowercase RFC 1123 "
       "subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
       "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
       "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')\n"},
      {"JSON", "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\",\n  \"metadata\": {}}",
       "2:3 FieldValueRequired metadata.name: Required value: name or generateName is required\n"},
  };
  ExpectFindings(kCases);
}

TEST(Check, OneMistakeIsOneFinding) {
  constexpr Case kCases[] = {
      {"a wrong type is not missing as well",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers: {}\n",
       "5:15 FieldValueTypeInvalid spec.containers: expected a list, got an object\n"},
      {"nor what would be below it",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - web\n",
       "6:5 FieldValueTypeInvalid spec.containers[0]: expected an object, got a string\n"},
      {"nor what cannot be read",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - name: a\n"
       "    image: b\n    resources: {limits: {cpu: one}}\n",
       "8:31 FieldValueInvalid spec.containers[0].resources.limits.cpu: quantities must match the "
       "regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'\n"},
      {"nor what is misspelt",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - nmae: a\n"
       "    image: b\n",
       "6:5 UnknownField unknown field \"spec.containers[0].nmae\"; did you mean \"name\"?\n"},
      {"keys that come twice, wherever they are",
       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, name: x}\ndata: {a: b, a: c}\n",
       "3:21 DuplicateField duplicate field \"metadata.name\"\n"
       "4:14 DuplicateField duplicate field \"data.a\"\n"},
      {"in a part of free form",
       "apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: x}\nrevision: 1\n"
       "data: {a: 1, a: 2}\n",
       "5:14 DuplicateField duplicate field \"data.a\"\n"},
  };
  ExpectFindings(kCases);
}

TEST(Check, AfterALimitNothingIsCalledMissing) {
  std::string text = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n";
  for (int i = 0; i < 200; ++i) text += "  unknown" + std::to_string(i) + ": 1\n";
  text += "  containers: [{name: a, image: b}]\n";
  const std::string findings = Check(text);
  EXPECT_EQ(std::count(findings.begin(), findings.end(), '\n'), 100);
  EXPECT_EQ(findings.find("Required"), std::string::npos);
}

TEST(Check, OfVeryManyErrorsTheFirstAreTold) {
  std::string text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n";
  for (int i = 0; i < 5'000; ++i) text += "  bad key " + std::to_string(i) + ": x\n";
  const std::string findings = Check(text);
  EXPECT_EQ(std::count(findings.begin(), findings.end(), '\n'), 101);
  EXPECT_TRUE(
      findings.starts_with("1:1 TooMany has more problems than these\n"
                           "5:14 FieldValueInvalid data[bad key 0]: Invalid value: "))
      << findings.substr(0, 200);
}

TEST(Check, Lists) {
  constexpr Case kCases[] = {
      {"items are objects of their own",
       "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n"
       "  metadata: {name: x}\n  dta: {}\n- apiVersion: v1\n  kind: Pdo\n- kind: Pod\n",
       "7:3 UnknownField unknown field \"items[0].dta\"; did you mean \"data\"?\n"
       "9:9 UnknownKind items[1].kind: no matches for kind \"Pdo\" in version \"v1\"; did you mean "
       "\"Pod\"?\n"
       "10:3 FieldValueRequired items[2].apiVersion: Required value\n"},
      {"of one kind",
       "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: x}\n- metadata: {}\n",
       "5:3 FieldValueRequired items[1].metadata.name: Required value: name or generateName is "
       "required\n"},
      {"within lists",
       "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - kind: "
       "List\n",
       "7:5 FieldValueInvalid items[0].items[0]: a List within a List\n"},
      {"fields of the list itself", "apiVersion: v1\nkind: List\nitmes: []\n",
       "3:1 UnknownField unknown field \"itmes\"; did you mean \"items\"?\n"},
      {"empty", "apiVersion: v1\nkind: List\nitems: []\n", ""},
  };
  ExpectFindings(kCases);
}

TEST(Check, CountsObjects) {
  const struct {
    const char* text;
    size_t objects;
    size_t ignored;
  } cases[] = {
      {"apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n", 1, 0},
      {"apiVersion: v1\nkind: PodList\nitems: [{}, {}]\n", 2, 0},
      {"apiVersion: v1\nkind: List\nitems: [{apiVersion: a/v1, kind: B}, {apiVersion: v1, kind: "
       "Namespace, metadata: {name: a}}]\n",
       1, 1},
      {"apiVersion: a/v1\nkind: B\n", 0, 1},
  };
  for (const auto& [text, objects, ignored] : cases) {
    DocumentReader reader(text);
    Document document;
    CheckResult result;
    ASSERT_TRUE(reader.Next(&document));
    CheckDocument(document, {.ignore_unknown_kinds = true}, &result);
    EXPECT_EQ(result.objects, objects) << text;
    EXPECT_EQ(result.ignored, ignored) << text;
  }
}

TEST(Check, NamesTheObject) {
  DocumentReader reader(
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-, namespace: ns}\ndta: {}\n");
  Document document;
  CheckResult result;
  ASSERT_TRUE(reader.Next(&document));
  CheckDocument(document, {}, &result);
  ASSERT_EQ(result.findings.size(), 1U);
  const ObjectName& object = result.findings[0].object;
  EXPECT_EQ(object.api_version + ' ' + object.kind + ' ' + object.namespace_ + ' ' + object.name,
            "v1 ConfigMap ns x-");
}

TEST(Check, OnlyTheStructure) {
  EXPECT_EQ(Check("apiVersion: v1\nkind: Pod\nspec: {x: 1}\n", {.rules = false}),
            "3:8 UnknownField unknown field \"spec.x\"\n");
}

}  // namespace
}  // namespace podium::cli
