#include "api/validation/custom_resource_definition.h"

#include "api/validation/definition_cases.h"
#include "reflect/base64.h"
#include "support/x509_samples.h"

namespace podium::api {
namespace {

using apiextensions::v1::CustomResourceDefinition;

// Two versions that share nothing.
constexpr char kTwo[] = R"({"metadata": {"name": "cups.example.com"}, "spec": {
  "group": "example.com", "scope": "Namespaced", "names": {"plural": "cups", "kind": "Cup"},
  "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
      "schema": {"openAPIV3Schema": {"type": "object"}}},
    {"name": "v2", "served": false, "storage": false, "schema": {"openAPIV3Schema":
      {"type": "object", "properties": {"spec": {"type": "object", "properties":
        {"size": {"type": "integer"}}}}}}}]}})";
const std::string kV0 = "spec.versions[0]";           // NOLINT: constants of tests
const std::string kV1 = "spec.versions[1]";           // NOLINT: likewise
const std::string kNames = "spec.names";              // NOLINT: likewise
const std::string kStored = "status.storedVersions";  // NOLINT: likewise
const std::string kBadDns1035 =                       // NOLINT: likewise
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

TEST(CustomResourceDefinition, Metadata) {
  const std::string must = "must be spec.names.plural+\".\"+spec.group";
  ExpectNewDefinition(
      {{{}, {}},
       {{"metadata.name=\"cups.example.org\""},
        {"metadata.name: Invalid value: \"cups.example.org\": " + must}},
       {{"metadata.name=\"A\"", "metadata.generateName=\"a\""},
        {"metadata.generateName: Invalid value: \"a\": " + must,
         "metadata.name: Invalid value: \"A\": " + kBadSubdomain,
         "metadata.name: Invalid value: \"A\": " + must}},
       {{"metadata.name"}, {"metadata.name: Required value: name or generateName is required"}},
       {{"metadata.namespace=\"n\""},
        {"metadata.namespace: Forbidden: not allowed on this type"}}});
}

TEST(CustomResourceDefinition, GroupAndScope) {
  ExpectNewDefinition(
      {{{"spec.scope=\"Cluster\""}, {}},
       {{"spec.scope=\"X\""},
        {"spec.scope: Unsupported value: \"X\": supported values: \"Cluster\", \"Namespaced\""}},
       {{"spec.scope=\"\""}, {"spec.scope: Required value"}},
       {{"spec.group=\"\"", "metadata.name=\"cups.\""},
        {"metadata.name: Invalid value: \"cups.\": " + kBadSubdomain,
         "spec.group: Required value"}},
       {{"spec.group=\"com\"", "metadata.name=\"cups.com\""},
        {"spec.group: Invalid value: \"com\": should be a domain with at least one dot"}},
       {{"spec.group=\"a.B\"", "metadata.name=\"cups.a.B\""},
        {"metadata.name: Invalid value: \"cups.a.B\": " + kBadSubdomain,
         "spec.group: Invalid value: \"a.B\": " + kBadSubdomain}}});
}

TEST(CustomResourceDefinition, Names) {
  const std::string mixed = "may have mixed case, but should otherwise match: " + kBadDns1035;
  ExpectNewDefinition(
      {{{kNames + R"(={"plural":"cups","singular":"c","kind":"CUP","listKind":"Cups",)"
                  R"("shortNames":["cp"],"categories":["all"]})"},
        {}},
       {{kNames + "={}", "metadata.name=\".example.com\""},
        {"metadata.name: Invalid value: \".example.com\": " + kBadSubdomain,
         kNames + ".plural: Required value", kNames + ".singular: Required value",
         kNames + ".kind: Required value", kNames + ".listKind: Required value"}},
       {{kNames + R"(={"plural":"Cups","singular":"1","kind":"c_","listKind":"-",)"
                  R"("shortNames":["cp",""],"categories":["all","A"]})",
         "metadata.name=\"Cups.example.com\""},
        {"metadata.name: Invalid value: \"Cups.example.com\": " + kBadSubdomain,
         kNames + ".plural: Invalid value: \"Cups\": " + kBadDns1035,
         kNames + ".singular: Invalid value: \"1\": " + kBadDns1035,
         kNames + ".kind: Invalid value: \"c_\": " + mixed,
         kNames + ".listKind: Invalid value: \"-\": " + mixed,
         kNames + ".shortNames[1]: Invalid value: \"\": " + kBadDns1035,
         kNames + ".categories[1]: Invalid value: \"A\": " + kBadDns1035}},
       {{kNames + ".listKind=\"Cup\""},
        {kNames + ".listKind: Invalid value: \"Cup\": kind and listKind may not be the same"}},
       {{"status.acceptedNames={\"plural\":\"A\"}"},
        {"status.acceptedNames.plural: Invalid value: \"A\": " + kBadDns1035}}});
}

TEST(CustomResourceDefinition, Versions) {
  const std::string plain = R"({"Name":"v1","Served":true,"Storage":true,"Deprecated":false,)"
                            R"("DeprecationWarning":null,"Schema":null,"Subresources":null,)"
                            R"("AdditionalPrinterColumns":null,"SelectableFields":null})";
  const std::string unique = ": must contain unique version names";
  const std::string one = ": must have exactly one version marked as storage version";
  ExpectNewDefinition(
      {{{"spec.versions=[]"},
        {"spec.versions: Invalid value: []" + one,
         kStored + ": Invalid value: null: must have at least one stored version"}},
       {{kV0 + ".name=\"1\""},
        {kV0 + ".name: Invalid value: \"1\": " + kBadDns1035,
         "spec.version: Invalid value: \"1\": " + kBadDns1035}},
       {{kV0 + ".name=\"\""}, {kV0 + ".name: Invalid value: \"\": " + kBadDns1035}},
       {{kV1 + R"(={"name":"v1","served":true,"storage":true,)"
               R"("schema":{"openAPIV3Schema":{"type":"object"}}})"},
        {"spec.versions: Invalid value: [" + plain + "," + plain + "]" + unique,
         "spec.versions: Invalid value: [" + plain + "," + plain + "]" + one,
         kStored + ": Invalid value: [\"v1\"]: must have the storage version v1"}},
       {{kV0 + ".schema"}, {kV0 + ".schema.openAPIV3Schema: Required value: schemas are required"}},
       {{kV0 + ".schema={}", kV0 + ".served=false"},
        {kV0 + ".schema.openAPIV3Schema: Required value: schemas are required"}}});
  // Where versions differ, each shows its own.
  ExpectCreate<CustomResourceDefinition>(
      R"({"metadata": {"name": "cups.example.com"}, "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "cups", "kind": "Cup"},
        "versions": [{"name": "v1", "served": true, "storage": false, "deprecated": true,
            "deprecationWarning": "d", "schema": {"openAPIV3Schema": {"type": "object"}},
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.a",
              "statusReplicasPath": ".status.b"}},
            "additionalPrinterColumns": [{"name": "a", "type": "date", "jsonPath": ".a"}]},
          {"name": "v2", "served": true, "storage": false,
            "schema": {"openAPIV3Schema": {"type": "object"}}}]}})",
      {{{kStored + "=[\"v1\"]"},
        {R"(spec.versions: Invalid value: [{"Name":"v1","Served":true,"Storage":false,)"
         R"("Deprecated":true,"DeprecationWarning":"d","Schema":null,"Subresources":{"Status":{},)"
         R"("Scale":{"SpecReplicasPath":".spec.a","StatusReplicasPath":".status.b",)"
         R"("LabelSelectorPath":null}},"AdditionalPrinterColumns":[{"Name":"a","Type":"date",)"
         R"("Format":"","Description":"","Priority":0,"JSONPath":".a"}],"SelectableFields":null},)"
         R"({"Name":"v2","Served":true,"Storage":false,"Deprecated":false,)"
         R"("DeprecationWarning":null,"Schema":null,"Subresources":null,)"
         R"("AdditionalPrinterColumns":null,"SelectableFields":null}])" +
         one}}});
}

TEST(CustomResourceDefinition, DeprecationWarnings) {
  const std::string warning = kV0 + ".deprecationWarning";
  const std::string deprecated = kV0 + ".deprecated=true";
  const std::string long_text(257, 'a');
  const std::string printable = "must only contain printable UTF-8 characters";
  ExpectNewDefinition(
      {{{deprecated, warning + "=\"use v2: ä\""}, {}},
       {{warning + "=\"d\""},
        {warning + ": Invalid value: \"d\": can only be set for deprecated versions"}},
       {{deprecated, warning + "=\"\""},
        {warning + ": Invalid value: \"\": must not be an empty string"}},
       {{deprecated, warning + "=\"" + long_text + "\""},
        {warning + ": Invalid value: \"" + long_text + "\": must be <= 256 characters long"}},
       {{deprecated, warning + R"(="a\tb\n")"},
        {warning + R"(: Invalid value: "a\tb\n": )" + printable +
         "; non-printable character found at index 1"}}});
}

TEST(CustomResourceDefinition, SubresourcesOfAll) {
  const std::string scale = kV0 + ".subresources.scale";
  const std::string path = "spec.subresources.scale.";
  const std::string simple = "must be a simple json path starting with .";
  ExpectNewDefinition(
      {{{kV0 + ".subresources={\"status\":{}}"}, {}},
       {{scale + R"(={"specReplicasPath":".spec.a.b","statusReplicasPath":".status.c",)"
                 R"("labelSelectorPath":".spec.d"})"},
        {}},
       {{scale + R"(={"specReplicasPath":".spec.a","statusReplicasPath":".status.c",)"
                 R"("labelSelectorPath":""})"},
        {}},
       {{scale + "={}"},
        {path + "specReplicasPath: Required value", path + "statusReplicasPath: Required value"}},
       {{scale + R"(={"specReplicasPath":"a","statusReplicasPath":"b","labelSelectorPath":"c"})"},
        {path + "specReplicasPath: Invalid value: \"a\": " + simple,
         path + "statusReplicasPath: Invalid value: \"b\": " + simple,
         path + "labelSelectorPath: Invalid value: \"c\": " + simple}},
       {{scale + R"(={"specReplicasPath":".spec","statusReplicasPath":".spec.b",)"
                 R"("labelSelectorPath":".metadata.c"})"},
        {path + "specReplicasPath: Invalid value: \".spec\": should be a json path under .spec",
         path + "statusReplicasPath: Invalid value: \".spec.b\": should be a json path under "
                ".status",
         path + "labelSelectorPath: Invalid value: \".metadata.c\": should be a json path under "
                "either .spec or .status"}}});
}

TEST(CustomResourceDefinition, ColumnsOfAll) {
  const std::string columns = kV0 + ".additionalPrinterColumns";
  const std::string path = "spec.additionalPrinterColumns[0].";
  ExpectNewDefinition(
      {{{columns + R"(=[{"name":"a","type":"string","format":"password","jsonPath":".a"}])"}, {}},
       {{columns + "=[{}]"},
        {path + "name: Required value",
         path + "type: Required value: must be one of boolean,date,integer,number,string",
         path + "JSONPath: Required value"}},
       {{columns + R"(=[{"name":"a","type":"int","format":"name","jsonPath":"a"}])"},
        {path + "type: Invalid value: \"int\": must be one of boolean,date,integer,number,string",
         path + "format: Invalid value: \"name\": must be one of byte,date,date-time,double,float,"
                "int32,int64,password",
         path + "JSONPath: Invalid value: \"a\": must be a simple json path starting with ."}}});
}

TEST(CustomResourceDefinition, SelectableFieldsOfAll) {
  const std::string schema =
      kV0 +
      ".schema.openAPIV3Schema.properties={"
      R"("metadata":{"type":"object","properties":{"name":{"type":"string"}}},)"
      R"("spec":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"boolean"},)"
      R"("c":{"type":"integer"},"d":{"type":"number"}}},)"
      R"("map":{"type":"object","additionalProperties":{"type":"string"}}})";
  const std::string fields = kV0 + ".selectableFields";
  const std::string path = "spec.selectableFields";
  const auto at = [&](int index) {
    return path + "[" + std::to_string(index) + "].jsonPath: Invalid value: ";
  };
  const std::string type =
      ": must point to a field of type string, boolean or integer. Enum string fields and strings "
      "with formats are allowed.";
  ExpectNewDefinition(
      {{{schema, fields + R"(=[{"jsonPath":".spec.a"},{"jsonPath":".spec.b"},)"
                          R"({"jsonPath":".spec.c"},{"jsonPath":".map.x"}])"},
        {}},
       {{schema, fields + R"(=[{},{"jsonPath":".spec.x"},{"jsonPath":".spec.d"},)"
                          R"({"jsonPath":".metadata.name"},{"jsonPath":".spec.a"},)"
                          R"({"jsonPath":".spec.a"},{"jsonPath":".spec['a']"},)"
                          R"({"jsonPath":"spec"},{"jsonPath":".spec."}])"},
        {path + "[0].jsonPath: Required value",
         at(1) + "\".spec.x\": is an invalid path: does not refer to a valid field",
         at(2) + "\".spec.d\"" + type,
         at(3) + "\".metadata.name\": must not point to fields in metadata",
         path + "[5].jsonPath: Duplicate value: \".spec.a\"",
         at(6) + "\".spec['a']\": is an invalid path: array notation is not allowed",
         at(7) + "\"spec\": is an invalid path: expected [ or . but got: spec",
         at(8) + "\".spec.\": is an invalid path: unexpected end of JSON path"}},
       {{schema, fields + R"(=[{"jsonPath":".map.a"},{"jsonPath":".map.b"},{"jsonPath":".map.c"},)"
                          R"({"jsonPath":".map.d"},{"jsonPath":".map.e"},{"jsonPath":".map.f"},)"
                          R"({"jsonPath":".map.g"},{"jsonPath":".map.h"},{"jsonPath":".map.i"}])"},
        {path + ": Too many: 9: must have at most 8 items"}},
       {{kV0 + ".schema", fields + R"(=[{"jsonPath":".spec.a"}])"},
        {kV0 + ".schema.openAPIV3Schema: Required value: schemas are required",
         path + ": Invalid value: \"\": selectableFields may only be set when validations.schema "
                "is included"}}});
}

TEST(CustomResourceDefinition, VersionsThatDiffer) {
  const std::string schema = kV1 + ".schema.openAPIV3Schema";
  ExpectCreate<CustomResourceDefinition>(
      kTwo,
      {{{}, {}},
       // The version's own status counts.
       {{schema + ".enum=[{}]"}, {}},
       {{schema + ".type=\"array\""},
        {schema + ".items: Required value: must be specified",
         schema + ".type: Invalid value: \"array\": must be object at the root"}},
       {{kV1 +
             R"(.subresources={"scale":{"specReplicasPath":"a","statusReplicasPath":".status.b"}})",
         kV1 + R"(.additionalPrinterColumns=[{"name":"a","type":"date"}])",
         kV1 + R"(.selectableFields=[{"jsonPath":".spec.color"}])"},
        {kV1 + ".subresources.scale.specReplicasPath: Invalid value: \"a\": must be a simple json "
               "path starting with .",
         kV1 + ".additionalPrinterColumns[0].JSONPath: Required value",
         kV1 + ".selectableFields[0].jsonPath: Invalid value: \".spec.color\": is an invalid path: "
               "does not refer to a valid field"}},
       // Upstream says the opposite of what it means.
       {{kV0 + ".schema={\"openAPIV3Schema\":{\"type\":\"object\"}}",
         kV1 + ".schema={\"openAPIV3Schema\":{\"type\":\"object\"}}",
         kV1 + R"(.selectableFields=[{"jsonPath":".spec.color"}])"},
        {kV1 + ".selectableFields: Invalid value: \"\": selectableFields may only be set when "
               "version.schema.openAPIV3Schema is not included"}},
       // Equal as values, though not as text.
       {{kV0 +
             R"(.schema={"openAPIV3Schema":{"type":"object","example":{"a":1,"b":1.0},"id":"x"}})",
         kV1 + R"(.schema={"openAPIV3Schema":{"type":"object","example":{"b":1,"a":1},"id":"x"}})"},
        {R"(spec.validation.openAPIV3Schema: Invalid value: {"ID":"x","Schema":"","Ref":null,)"
         R"("Description":"","Type":"object","Nullable":false,"Format":"","Title":"",)"
         R"("Default":null,"Maximum":null,"ExclusiveMaximum":false,"Minimum":null,)"
         R"("ExclusiveMinimum":false,"MaxLength":null,"MinLength":null,"Pattern":"",)"
         R"("MaxItems":null,"MinItems":null,"UniqueItems":false,"MultipleOf":null,"Enum":null,)"
         R"("MaxProperties":null,"MinProperties":null,"Required":null,"Items":null,"AllOf":null,)"
         R"("OneOf":null,"AnyOf":null,"Not":null,"Properties":null,"AdditionalProperties":null,)"
         R"("PatternProperties":null,"Dependencies":null,"AdditionalItems":null,)"
         R"("Definitions":null,"ExternalDocs":null,"Example":{"a":1,"b":1},)"
         R"("XPreserveUnknownFields":null,"XEmbeddedResource":false,"XIntOrString":false,)"
         R"("XListMapKeys":null,"XListType":null,"XMapType":null,"XValidations":null}: only )"
         "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum "
         "MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items "
         "Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed "
         "at the root of the schema if the status subresource is enabled",
         "spec.validation.openAPIV3Schema.id: Forbidden: id is not supported"}}});
}

TEST(CustomResourceDefinition, Conversion) {
  const std::string conversion = "spec.conversion";
  const std::string client = conversion + ".webhookClientConfig";
  const std::string versions = conversion + ".conversionReviewVersions";
  const std::string hook = conversion + R"(={"strategy":"Webhook","webhook":)";
  const std::string not_set = ": Forbidden: should not be set when strategy is not set to Webhook";
  ExpectNewDefinition(
      {{{conversion + "={\"strategy\":\"None\"}"}, {}},
       {{hook + R"({"clientConfig":{"url":"https://a"},"conversionReviewVersions":["v9","v1"]}})"},
        {}},
       {{hook + R"({"clientConfig":{"service":{"namespace":"n","name":"s","path":"/"}},)"
                R"("conversionReviewVersions":["v1beta1"]}})"},
        {}},
       {{conversion + "={}"}, {conversion + ".strategy: Required value"}},
       {{conversion + R"(={"strategy":"X","webhook":{"clientConfig":{},)"
                      R"("conversionReviewVersions":["v1"]}})"},
        {conversion +
             ".strategy: Unsupported value: \"X\": supported values: \"None\", \"Webhook\"",
         client + not_set, versions + not_set}},
       {{conversion + "={\"strategy\":\"Webhook\"}"},
        {client + ": Required value: required when strategy is set to Webhook",
         versions + ": Required value"}},
       {{hook + R"({"clientConfig":{},"conversionReviewVersions":["A","b","b"]}})"},
        {client + ": Required value: exactly one of url or service is required",
         versions + "[0]: Invalid value: \"A\": " + kBadDns1035,
         versions + "[2]: Invalid value: \"b\": duplicate version",
         versions + ": Invalid value: [\"A\",\"b\",\"b\"]: must include at least one of v1, "
                    "v1beta1"}},
       {{hook + R"({"clientConfig":{"url":"http://a"},"conversionReviewVersions":["v1"]}})"},
        {client + ".url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired "
                  "format: https://host[/path]"}},
       {{hook + R"({"clientConfig":{"service":{"port":0}},"conversionReviewVersions":["v1"]}})"},
        {client + ".service.name: Required value", client + ".service.namespace: Required value",
         client + ".service.port: Invalid value: 0: port is not valid: " + kBadPort}},
       {{"spec.preserveUnknownFields=true",
         hook + R"({"clientConfig":{"url":"https://a"},"conversionReviewVersions":["v1"]}})"},
        {conversion + ".strategy: Invalid value: \"Webhook\": must be None if "
                      "spec.preserveUnknownFields is true",
         "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
         "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"}}});
}

TEST(CustomResourceDefinition, StoredVersions) {
  const std::string gone =
      "missing from spec.versions; v0 was previously a storage version, and "
      "must remain in spec.versions until a storage migration ensures no data "
      "remains persisted in v0 and removes v0 from status.storedVersions";
  ExpectNewDefinition({{{kStored + "=[\"v1\"]"}, {}},
                       {{kStored + "=[\"v0\"]"},
                        {kStored + ": Invalid value: [\"v0\"]: must have the storage version v1",
                         kStored + "[0]: Invalid value: \"v0\": " + gone}}});
}

TEST(CustomResourceDefinition, ApprovedGroups) {
  const std::string group = "spec.group=\"x.k8s.io\"";
  const std::string name = "metadata.name=\"cups.x.k8s.io\"";
  const std::string approval = "metadata.annotations['api-approved.kubernetes.io']";
  const std::string path = "metadata.annotations[api-approved.kubernetes.io]: ";
  const std::string protect =
      "protected groups must have approval annotation "
      "\"api-approved.kubernetes.io\"";
  const std::string see = ", see https://github.com/kubernetes/enhancements/pull/1111";
  const std::string bad =
      protect + " with either a URL or a reason starting with \"unapproved\"" + see;
  std::vector<ErrorCase> cases = {
      {{group, name, approval + "=\"https://github.com/k/e/pull/1\""}, {}},
      {{group, name, approval + "=\"unapproved, experimental\""}, {}},
      {{"spec.group=\"notk8s.io\"", "metadata.name=\"cups.notk8s.io\""}, {}},
      {{"spec.group=\"kubernetes.io\"", "metadata.name=\"cups.kubernetes.io\""},
       {path + "Required value: " + protect + see}},
      {{group, name}, {path + "Required value: " + protect + see}},
  };
  for (const std::string text : {"bad", "/path", "https:///path", "https:host", "https://u@/p"}) {
    cases.push_back({{group, name, approval + "=\"" + text + "\""},
                     {path + "Invalid value: \"" + text + "\": " + bad}});
  }
  ExpectNewDefinition(cases);
}

TEST(CustomResourceDefinition, Update) {
  const std::string established = R"(status.conditions=[{"type":"Established","status":"True"}])";
  const std::string stored = kStored + "=[\"v1\"]";
  const std::string base = Edited(kDefinition, {established, stored});
  const std::string same = ": field is immutable";
  ExpectUpdate<CustomResourceDefinition>(
      base,
      {{{}, {}},
       {{kNames + ".shortNames=[\"c\"]"}, {}},
       {{"spec.scope=\"Cluster\"", kNames + ".kind=\"Mug\"", kNames + ".plural=\"mugs\"",
         "spec.group=\"example.org\""},
        {"spec.scope: Invalid value: \"Cluster\"" + same,
         "spec.names.kind: Invalid value: \"Mug\"" + same,
         "spec.group: Invalid value: \"example.org\"" + same,
         "spec.names.plural: Invalid value: \"mugs\"" + same}},
       {{kV0 + ".name=\"v2\""},
        {kStored + ": Invalid value: [\"v1\"]: must have the storage version v2",
         kStored + "[0]: Invalid value: \"v1\": missing from spec.versions; v1 was "
                   "previously a storage version, and must remain in spec.versions until a "
                   "storage migration ensures no data remains persisted in v1 and removes v1 "
                   "from status.storedVersions"}},
       {{"spec.preserveUnknownFields=true"},
        {"spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
         "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"}}});
  // Not served yet: kind and scope may change.
  ExpectUpdate<CustomResourceDefinition>(
      kDefinition, {{{"spec.scope=\"Cluster\"", kNames + ".kind=\"Mug\""}, {}}});
}

TEST(CustomResourceDefinition, CABundles) {
  const auto hook = [](const std::string& bundle) {
    return R"(spec.conversion={"strategy":"Webhook","webhook":{"clientConfig":{"url":"https://a",)"
           R"("caBundle":")" +
           bundle + R"("},"conversionReviewVersions":["v1"]}})";
  };
  const auto pem = [](const std::string& type, const std::string& body) {
    std::string bundle;
    reflect::AppendBase64(
        "-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n", &bundle);
    return bundle;
  };
  const std::string certificate = pem("CERTIFICATE", testing::kCertificate);
  const std::string broken = pem("CERTIFICATE", "YWJj");
  const std::string key = pem("PRIVATE KEY", "YWJj");
  const std::string headers = pem("CERTIFICATE", "a: b\n\n" + std::string(testing::kCertificate));
  const auto bad = [](const std::string& bundle, const std::string& problem) {
    return "spec.conversion.webhookClientConfig.caBundle: Invalid value: \"" + bundle +
           "\": unable to load root certificates: " + problem;
  };
  const std::string none = "no valid certificate authority data seen";
  // Of a definition that is not served nobody asks.
  ExpectNewDefinition({{{hook("YWJj")}, {}}});
  ExpectUpdate<CustomResourceDefinition>(kDefinition, {{{hook("YWJj")}, {}}});
  const std::string established = R"(status.conditions=[{"type":"Established","status":"True"}])";
  ExpectUpdate<CustomResourceDefinition>(
      Edited(kDefinition, {established}),
      {{{hook(certificate)}, {}},
       {{hook("")}, {}},
       {{hook("YWJj")}, {bad("YWJj", "unable to parse bytes as PEM block")}},
       {{hook(broken)}, {bad(broken, "failed to parse certificate: x509: malformed certificate")}},
       {{hook(key)}, {bad(key, none)}},
       {{hook(headers)}, {bad(headers, none)}}});
  // What was wrong before may stay wrong.
  ExpectUpdate<CustomResourceDefinition>(Edited(kDefinition, {established, hook("YWJj")}),
                                         {{{hook(broken)}, {}}});
  ExpectUpdate<CustomResourceDefinition>(
      Edited(kDefinition, {established, hook(certificate)}),
      {{{hook("YWJj")}, {bad("YWJj", "unable to parse bytes as PEM block")}}});
}

// What was stored before a rule was made may stay.
TEST(CustomResourceDefinition, UpdateOfOldDefinitions) {
  const std::string pruned = ": Required value: because otherwise all fields are pruned";
  const std::string no_schema = Edited(kDefinition, {kV0 + ".schema", kV0 + ".served=false"});
  ExpectUpdate<CustomResourceDefinition>(
      no_schema, {{{}, {}}, {{kV0 + ".served=true"}, {kV0 + ".schema.openAPIV3Schema" + pruned}}});
  const std::string hook =
      Edited(kDefinition, {R"(spec.conversion={"strategy":"Webhook","webhook":{"clientConfig":)"
                           R"({"url":"https://a"},"conversionReviewVersions":["v9"]}})"});
  ExpectUpdate<CustomResourceDefinition>(hook, {{{kNames + ".shortNames=[\"c\"]"}, {}}});
  const std::string group =
      Edited(kDefinition, {"spec.group=\"x.k8s.io\"", "metadata.name=\"cups.x.k8s.io\"",
                           "metadata.annotations['api-approved.kubernetes.io']=\"bad\""});
  ExpectUpdate<CustomResourceDefinition>(
      group, {{{"metadata.annotations['api-approved.kubernetes.io']=\"worse\""}, {}},
              {{"metadata.annotations['api-approved.kubernetes.io']=\"\""},
               {"metadata.annotations[api-approved.kubernetes.io]: Required value: protected "
                "groups must have approval annotation \"api-approved.kubernetes.io\", see "
                "https://github.com/kubernetes/enhancements/pull/1111"}}});
  const std::string keeps = Edited(kDefinition, {"spec.preserveUnknownFields=true"});
  ExpectUpdate<CustomResourceDefinition>(keeps, {{{kNames + ".shortNames=[\"c\"]"}, {}}});
}

TEST(CustomResourceDefinition, Status) {
  ExpectUpdate<CustomResourceDefinition>(
      kDefinition,
      {{{"status.acceptedNames={\"plural\":\"cups\",\"kind\":\"Cup\"}"}, {}},
       {{"status.storedVersions=[\"v7\"]"}, {}},
       {{"status.acceptedNames={\"kind\":\"C C\"}"},
        {"status.acceptedNames.kind: Invalid value: \"C C\": may have mixed case, but should "
         "otherwise match: " +
         kBadDns1035}},
       {{"metadata.name=\"b\""}, {"metadata.name: Invalid value: \"b\": field is immutable"}}},
      "status");
}

}  // namespace
}  // namespace podium::api
