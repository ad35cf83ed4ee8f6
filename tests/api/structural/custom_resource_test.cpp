// Values against schemas, by upstream's
// k8s.io/apiextensions-apiserver/pkg/apiserver/validation/validation_test.go, .../schema/listtype
// and .../schema/objectmeta, and the messages of k8s.io/kube-openapi/pkg/validation/errors.
#include "api/structural/custom_resource.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "reflect/yaml.h"
#include "support/cpu_time.h"

namespace podium::api {
namespace {

using reflect::JsonValue;
using ::testing::ElementsAreArray;

JsonValue Yaml(std::string_view text) {
  auto json = reflect::YamlToJson(text);
  EXPECT_TRUE(json.ok()) << text;
  return *reflect::ParseJson(json->json);
}

std::unique_ptr<reflect::Structural> Schema(std::string_view text) {
  auto schema = reflect::ParseStructural(Yaml(text));
  EXPECT_TRUE(schema.ok()) << text << ": " << (schema.ok() ? "" : schema.error().message());
  return *std::move(schema);
}

std::vector<std::string> Texts(const field::ErrorList& errors) {
  std::vector<std::string> out;
  for (const field::Error& error : errors) out.push_back(error.Text());
  return out;
}

struct Case {
  std::string_view schema;  // of the member f
  std::string_view value;   // its value
  std::vector<std::string> errors;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto schema = Schema("{type: object, properties: {f: " + std::string(c.schema) + "}}");
    const JsonValue value = Yaml("{f: " + std::string(c.value) + "}");
    EXPECT_THAT(Texts(ValidateCustomResource(*schema, value, field::Path())),
                ElementsAreArray(c.errors))
        << c.schema << " on " << c.value;
  }
}

std::string WrongType(const std::string& expected, const std::string& got) {
  return "f: Invalid value: \"" + got + "\": f in body must be of type " + expected + ": \"" + got +
         "\"";
}

TEST(ValidateCustomResourceTest, Types) {
  Check({
      {"{type: object}", "{}", {}},
      {"{type: object}", "foo", {WrongType("object", "string")}},
      {"{type: object}", "42", {WrongType("object", "integer")}},
      {"{type: object}", "1.2", {WrongType("object", "number")}},
      {"{type: object}", "[]", {WrongType("object", "array")}},
      {"{type: object}", "null", {WrongType("object", "null")}},
      {"{type: object, nullable: true}", "null", {}},
      {"{type: object, nullable: true}", "true", {WrongType("object", "boolean")}},
      {"{nullable: true}", "[1]", {}},
      {"{}", "null", {}},
      {"{type: integer}", "1.0", {}},
      {"{type: integer}", "1.5", {WrongType("integer", "number")}},
      {"{type: number}", "3", {}},
      {"{type: string}", "3", {WrongType("string", "integer")}},
      {"{type: boolean}", "x", {WrongType("boolean", "string")}},
      {"{x-kubernetes-int-or-string: true}", "42", {}},
      {"{x-kubernetes-int-or-string: true}", "foo", {}},
      {"{x-kubernetes-int-or-string: true}", "null", {WrongType("integer,string", "null")}},
      {"{x-kubernetes-int-or-string: true}", "true", {WrongType("integer,string", "boolean")}},
      {"{x-kubernetes-int-or-string: true}", "1.2", {WrongType("integer,string", "number")}},
      {"{x-kubernetes-int-or-string: true, nullable: true}", "null", {}},
      {"{x-kubernetes-int-or-string: true, nullable: true, anyOf: [{type: integer}, {type: "
       "string}]}",
       "true",
       {WrongType("integer,string", "boolean"),
        "<nil>: Invalid value: \"\": \"f\" must validate at least one schema (anyOf)",
        WrongType("integer", "boolean")}},
      {"{x-kubernetes-int-or-string: true, allOf: [{anyOf: [{type: integer}, {type: string}]}]}",
       "[]",
       {WrongType("integer,string", "array"),
        "<nil>: Invalid value: \"\": \"f\" must validate at least one schema (anyOf)",
        WrongType("integer", "array"),
        "<nil>: Invalid value: \"\": \"f\" must validate all the schemas (allOf). None validated"}},
      {"{type: integer, format: int32}",
       "1.5",
       {"f: Invalid value: \"float64\": f in body must be of type int32: \"float64\""}},
      {"{type: integer, format: int32}", "x", {WrongType("integer", "string")}},
      {"{type: integer, format: wide}", "true", {WrongType("integer", "boolean")}},
  });
}

TEST(ValidateCustomResourceTest, StringsAndFormats) {
  Check({
      {"{type: string, maxLength: 2}", "äöü", {"f: Too long: may not be more than 2 bytes"}},
      {"{type: string, maxLength: 3}", "äöü", {}},
      {"{type: string, minLength: 2}",
       "ü",
       {"f: Invalid value: \"ü\": f in body should be at least 2 chars long"}},
      {"{type: string, pattern: '^a+$'}",
       "aab",
       {"f: Invalid value: \"aab\": f in body should match '^a+$'"}},
      {"{type: string, pattern: a}", "bab", {}},
      {"{type: string, pattern: '+'}",
       "foo",
       {"f: Invalid value: \"foo\": f in body should match '+, but pattern is invalid: error "
        "parsing regexp: missing argument to repetition operator: `+`'"}},
      {"{type: string, format: ipv4}",
       "1.2.3",
       {"f: Invalid value: \"1.2.3\": f in body must be of type ipv4: \"1.2.3\""}},
      {"{type: string, format: date-time}",
       "x",
       {"f: Invalid value: \"x\": f in body must be of type date-time: \"x\""}},
      {"{type: string, format: unheard-of}", "x", {}},
      {"{type: string, enum: [a, b]}",
       "c",
       {"f: Unsupported value: \"c\": supported values: \"a\", \"b\""}},
      {"{type: string, enum: [a, b]}", "b", {}},
      {"{type: integer, enum: [1, 2]}",
       "3",
       {"f: Unsupported value: 3: supported values: \"1\", \"2\""}},
      {"{enum: [{a: 1, b: [x]}]}", "{b: [x], a: 1}", {}},
  });
}

TEST(ValidateCustomResourceTest, Numbers) {
  Check({
      {"{type: integer, minimum: 2, maximum: 4}", "3", {}},
      {"{type: integer, minimum: 2}",
       "1",
       {"f: Invalid value: 1: f in body should be greater than or equal to 2"}},
      {"{type: integer, minimum: 2, exclusiveMinimum: true}",
       "2",
       {"f: Invalid value: 2: f in body should be greater than 2"}},
      {"{type: number, maximum: 2.5}",
       "2.6",
       {"f: Invalid value: 2.6: f in body should be less than or equal to 2.5"}},
      {"{type: number, maximum: 1000000, exclusiveMaximum: true}",
       "2000000.5",
       {"f: Invalid value: 2.0000005e+06: f in body should be less than 1e+06"}},
      {"{type: integer, multipleOf: 3}", "9", {}},
      {"{type: integer, multipleOf: 3}",
       "10",
       {"f: Invalid value: 10: f in body should be a multiple of 3"}},
      {"{type: number, multipleOf: 0.1}", "0.3", {}},
      {"{type: number, multipleOf: 0.5}",
       "0.7",
       {"f: Invalid value: 0.7: f in body should be a multiple of 0.5"}},
      {"{type: integer, multipleOf: 5, maximum: 3, minimum: 9}",
       "7",
       {"f: Invalid value: 7: f in body should be a multiple of 5",
        "f: Invalid value: 7: f in body should be greater than or equal to 9",
        "f: Invalid value: 7: f in body should be less than or equal to 3"}},
  });
}

TEST(ValidateCustomResourceTest, ListsAndObjects) {
  Check({
      {"{type: array, items: {type: string}}",
       "[a, 1, b, true]",
       {"f[1]: Invalid value: \"integer\": f[1] in body must be of type string: \"integer\"",
        "f[3]: Invalid value: \"boolean\": f[3] in body must be of type string: \"boolean\""}},
      {"{type: array, minItems: 2}",
       "[1]",
       {"f: Invalid value: 1: f in body should have at least 2 items"}},
      {"{type: array, maxItems: 1}", "[1, 2]", {"f: Too many: 2: must have at most 1 item"}},
      {"{type: array, uniqueItems: true}",
       "[{a: 1, b: 2}, {b: 2, a: 1}]",
       {"f: Invalid value: \"\": f in body shouldn't contain duplicates"}},
      {"{type: object, minProperties: 1, required: [a]}",
       "{}",
       {"f: Invalid value: 0: f in body should have at least 1 properties"}},
      {"{type: object, maxProperties: 1}",
       "{a: 1, b: 2}",
       {"f: Too many: 2: must have at most 1 item"}},
      {"{type: object, required: [b, a], properties: {a: {}, b: {}}}",
       "{c: 1}",
       {"f.b: Required value", "f.a: Required value"}},
      {"{type: object, properties: {b: {type: integer}, a: {type: object, required: [x]}}}",
       "{b: x, a: {}}",
       {"f.a.x: Required value",
        "f.b: Invalid value: \"string\": f.b in body must be of type integer: \"string\""}},
      {"{type: object, additionalProperties: {type: integer}}",
       "{z: x, y: 1}",
       {"f.z: Invalid value: \"string\": f.z in body must be of type integer: \"string\""}},
      {"{type: object, additionalProperties: false, properties: {a: {}}}",
       "{a: 1, b: 2}",
       {"f: Invalid value: \"b\": f.b in body is a forbidden property"}},
  });
}

TEST(ValidateCustomResourceTest, Junctors) {
  Check({
      {"{type: integer, anyOf: [{minimum: 5}, {maximum: 1}]}", "6", {}},
      // The branch with more that holds is blamed, the first of equal ones.
      {"{type: integer, anyOf: [{minimum: 5}, {maximum: 1}]}",
       "3",
       {"<nil>: Invalid value: \"\": \"f\" must validate at least one schema (anyOf)",
        "f: Invalid value: 3: f in body should be greater than or equal to 5"}},
      {"{type: object, oneOf: [{required: [a]}, {required: [b]}]}", "{a: 1}", {}},
      {"{type: object, oneOf: [{required: [a]}, {required: [b]}]}",
       "{a: 1, b: 1}",
       {"<nil>: Invalid value: \"\": \"f\" must validate one and only one schema (oneOf). Found 2 "
        "valid alternatives"}},
      {"{type: object, oneOf: [{required: [a]}, {required: [b]}]}",
       "{}",
       {"<nil>: Invalid value: \"\": \"f\" must validate one and only one schema (oneOf). Found "
        "none valid",
        "f.a: Required value"}},
      {"{type: integer, allOf: [{minimum: 5}, {maximum: 9}]}",
       "3",
       {"f: Invalid value: 3: f in body should be greater than or equal to 5",
        "<nil>: Invalid value: \"\": \"f\" must validate all the schemas (allOf)"}},
      {"{type: integer, not: {minimum: 5}}",
       "6",
       {"<nil>: Invalid value: \"\": \"f\" must not validate the schema (not)"}},
      {"{type: integer, not: {minimum: 5}}", "4", {}},
      // The same message comes once.
      {"{type: integer, minimum: 5, allOf: [{minimum: 5}]}",
       "1",
       {"f: Invalid value: 1: f in body should be greater than or equal to 5",
        "<nil>: Invalid value: \"\": \"f\" must validate all the schemas (allOf). None "
        "validated"}},
  });
}

TEST(ValidateCustomResourceTest, TheWholeAndPaths) {
  const auto schema =
      Schema("{type: object, required: [spec], additionalProperties: {type: string}}");
  EXPECT_THAT(Texts(ValidateCustomResource(*schema, Yaml("{a: 1}"), field::Path())),
              ElementsAreArray({"a: Invalid value: \"integer\": .a in body must be of type string: "
                                "\"integer\"",
                                "spec: Required value"}));
  EXPECT_THAT(Texts(ValidateCustomResource(*schema, Yaml("[]"), field::Path())),
              ElementsAreArray(
                  {"<nil>: Invalid value: \"array\":  in body must be of type object: \"array\""}));
  EXPECT_THAT(Texts(ValidateCustomResource(*schema, Yaml("{}"), field::Path("x"))),
              ElementsAreArray({"x.spec: Required value"}));
}

// A long key stands in the message of each element below it, and a long enum as well.
TEST(ValidateCustomResourceTest, MessagesAreBounded) {
  const std::string large(20'000, 'x');
  const std::string elements = "{type: object, additionalProperties: {type: array, items: ";
  const JsonValue::Array texts(2'000, JsonValue::String("a"));
  const JsonValue::Array objects(2'000, JsonValue::Of(JsonValue::Object()));
  const struct {
    std::string schema;  // of the elements
    const JsonValue::Array& elements;
    std::string key;
  } cases[] = {{"{type: integer}", texts, large},
               {"{enum: ['" + large + "']}", texts, "k"},
               {"{type: string, pattern: ^" + large + "}", texts, "k"},
               {"{type: object, required: [" + large + "]}", objects, "k"}};
  for (const auto& c : cases) {
    const auto schema = Schema(elements + c.schema + "}}");
    const JsonValue value = JsonValue::Of(JsonValue::Object{{c.key, JsonValue::Of(c.elements)}});
    const auto errors = ValidateCustomResource(*schema, value, field::Path());
    size_t bytes = 0;
    for (const field::Error& error : errors) bytes += error.Text().size();
    EXPECT_LT(bytes, size_t{16} << 20);
    EXPECT_GT(bytes, size_t{2} << 20);
    EXPECT_EQ(errors.back().detail, field::kNoMoreErrors);
  }
  // What is wrong stays wrong when there is no room to say so: the first branch does not hold.
  const auto schema = Schema(
      "{type: object, additionalProperties: {type: array, items: "
      "{anyOf: [{enum: [1]}, {enum: [2]}]}}}");
  const JsonValue value = JsonValue::Of(
      JsonValue::Object{{std::string(size_t{1} << 20, 'x'), Yaml("[3,3,3,3,3,3,3,3,3,3,1,2]")}});
  const auto errors = ValidateCustomResource(*schema, value, field::Path());
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors.back().Text(),
            "<nil>: Invalid value: \"\": has too many errors: no more of them are told");
}

TEST(ValidateCustomResourceTest, WhatDidNotChangeMayStay) {
  const auto schema = Schema(
      "{type: object, properties: {a: {type: integer, minimum: 5}, l: {type: array, "
      "x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, "
      "properties: {k: {type: string}, v: {type: integer, maximum: 3}}}}, s: {type: array, "
      "x-kubernetes-list-type: set, items: {type: string, maxLength: 1}}}}");
  const JsonValue old_value = Yaml("{a: 1, l: [{k: x, v: 9}], s: [aa]}");
  const auto update = [&](std::string_view value) {
    return Texts(ValidateCustomResourceUpdate(*schema, Yaml(value), old_value, field::Path()));
  };
  EXPECT_THAT(update("{a: 1, b: 2}"), ElementsAreArray(std::vector<std::string>()));
  EXPECT_THAT(
      update("{a: 2}"),
      ElementsAreArray({"a: Invalid value: 2: a in body should be greater than or equal to 5"}));
  EXPECT_THAT(update("{l: [{k: w, v: 8}, {k: x, v: 9}]}"),
              ElementsAreArray(
                  {"l[0].v: Invalid value: 8: l[0].v in body should be less than or equal to 3"}));
  EXPECT_THAT(update("{s: [aa, b]}"),
              ElementsAreArray({"s[0]: Too long: may not be more than 1 byte"}));
}

TEST(ValidateListSetsAndMapsTest, NothingComesTwice) {
  const auto schema = Schema(
      "{type: object, properties: {set: {type: array, x-kubernetes-list-type: set, items: {}}, "
      "map: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a], items: "
      "{type: object, properties: {in: {type: array, x-kubernetes-list-type: set}}}}, "
      "two: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a, b]}, "
      "any: {additionalProperties: {type: array, x-kubernetes-list-type: set}}}}");
  const auto check = [&](std::string_view value) {
    return Texts(ValidateListSetsAndMaps(*schema, Yaml(value), field::Path()));
  };
  EXPECT_THAT(
      check("{set: [a, 1, b, a, a, 1, {x: 1}, {x: 1}, null, null]}"),
      ElementsAreArray({"set[3]: Duplicate value: \"a\"", "set[5]: Duplicate value: 1",
                        "set[7]: Duplicate value: {\"x\":1}", "set[9]: Duplicate value: null"}));
  EXPECT_THAT(check("{map: [{a: 1, x: 1}, {a: 2}, {a: 1}, {x: 1}, {x: 2, in: [q, q]}]}"),
              ElementsAreArray({"map[2]: Duplicate value: {\"a\":1}", "map[4]: Duplicate value: {}",
                                "map[4].in[1]: Duplicate value: \"q\""}));
  EXPECT_THAT(check("{map: [{a: 1}, x]}"),
              ElementsAreArray({"map[1]: Invalid value: \"x\": must be an object for an array of "
                                "list-type map"}));
  // To Go 1 and 1.0 are of two types; inside of lists their JSON counts.
  EXPECT_THAT(Texts(ValidateListSetsAndMaps(
                  *schema, *reflect::ParseJson(R"({"set":[1,1.0,[1],[1.0]]})"), field::Path())),
              ElementsAreArray({"set[3]: Duplicate value: [1]"}));
  EXPECT_THAT(check("{two: [{a: 1}, {a: 1, b: 1}, {b: 1, a: 1}]}"),
              ElementsAreArray({"two[2]: Duplicate value: {\"a\":1,\"b\":1}"}));
  EXPECT_THAT(check("{any: {k: [1, 1]}}"), ElementsAreArray({"any[k][1]: Duplicate value: 1"}));
}

constexpr std::string_view kEmbedding =
    "{type: object, properties: {e: {type: object, x-kubernetes-embedded-resource: true, "
    "x-kubernetes-preserve-unknown-fields: true}, l: {type: array, items: {type: object, "
    "x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}}}}";

TEST(ValidateEmbeddedMetadataTest, ObjectsInside) {
  const auto schema = Schema(kEmbedding);
  const auto check = [&](std::string_view value) {
    return Texts(ValidateEmbeddedMetadata(*schema, Yaml(value), false, field::Path()));
  };
  EXPECT_THAT(check("{e: {apiVersion: v1, kind: Pod}}"),
              ElementsAreArray(std::vector<std::string>()));
  EXPECT_THAT(check("{e: {}}"),
              ElementsAreArray({"e.apiVersion: Required value", "e.kind: Required value"}));
  EXPECT_THAT(check("{e: {apiVersion: '', kind: 5}}"),
              ElementsAreArray(
                  {"e.apiVersion: Required value", "e.kind: Invalid value: 5: must be a string"}));
  EXPECT_THAT(
      check("{l: [{apiVersion: a/b/c, kind: a b, metadata: {name: a/b}}]}"),
      ElementsAreArray(
          {"l[0].apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c",
           "l[0].kind: Invalid value: \"a b\": may have mixed case, but should otherwise match: a "
           "DNS-1035 label must consist of lower case alphanumeric characters or '-', start with "
           "an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
           "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
           "l[0].metadata.name: Invalid value: \"a/b\": may not contain '/'"}));
}

TEST(CoerceMetadataTest, GivesTheFormOfObjectMeta) {
  const auto schema = Schema(kEmbedding);
  JsonValue value = Yaml(
      "{kind: K, metadata: {name: m, unknown: 1, creationTimestamp: null}, e: {metadata: {labels: "
      "{a: b}, x: z}}}");
  EXPECT_TRUE(CoerceMetadata(*schema, true, false, field::Path(), &value).empty());
  EXPECT_EQ(ToText(value),
            R"({"kind":"K","metadata":{"name":"m"},"e":{"metadata":{"labels":{"a":"b"}}}})");

  const auto problem = [&](std::string_view text) {
    JsonValue bad = Yaml(text);
    return Texts(CoerceMetadata(*schema, true, false, field::Path(), &bad));
  };
  EXPECT_THAT(problem("{kind: 1}"), ElementsAreArray({"kind: Invalid value: 1: must be a string"}));
  EXPECT_THAT(problem("{e: {metadata: {name: 1}}}"),
              ElementsAreArray({"e.metadata: Invalid value: {\"name\":1}: json: cannot unmarshal "
                                "number into Go struct field ObjectMeta.name of type string"}));
  EXPECT_THAT(problem("{metadata: [x]}"),
              ElementsAreArray({"metadata: Invalid value: [\"x\"]: json: cannot unmarshal array "
                                "into Go value of type v1.ObjectMeta"}));
  EXPECT_THAT(problem("{metadata: {labels: [x]}}"),
              ElementsAreArray({"metadata: Invalid value: {\"labels\":[\"x\"]}: json: cannot "
                                "unmarshal array into Go struct field ObjectMeta.labels of type "
                                "map[string]string"}));

  value = Yaml("{kind: 1, apiVersion: v1, metadata: {name: m, labels: 3}, e: {metadata: x}}");
  EXPECT_TRUE(CoerceMetadata(*schema, true, true, field::Path(), &value).empty());
  EXPECT_EQ(ToText(value), R"({"apiVersion":"v1","metadata":{"name":"m"},"e":{"metadata":"x"}})");
}

TEST(ValidateCustomResourceTest, UpdatesOfLargeObjects) {
  const auto schema = Schema("{type: object, additionalProperties: {type: string, maxLength: 3}}");
  JsonValue old_value = JsonValue::Of(JsonValue::Object{});
  for (int i = 0; i < 60'000; ++i) {
    old_value.object().push_back({"key" + std::to_string(i), JsonValue::String("long")});
  }
  JsonValue value = old_value;
  value.object().back().value = JsonValue::String("other");
  const auto start = podium::testing::CpuTime();
  const auto errors = ValidateCustomResourceUpdate(*schema, value, old_value, field::Path());
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(3));
  // What was too long before may stay so.
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].field, "key59999");
}

}  // namespace
}  // namespace podium::api
