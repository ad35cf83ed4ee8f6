// What makes a schema structural, by upstream's
// k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation_test.go and the rules it tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/structural/custom_resource.h"
#include "reflect/yaml.h"

namespace podium::api {
namespace {

using ::testing::ElementsAreArray;

std::unique_ptr<reflect::Structural> Schema(std::string_view text) {
  auto json = reflect::YamlToJson(text);
  EXPECT_TRUE(json.ok()) << text;
  auto schema = reflect::ParseStructural(*reflect::ParseJson(json->json));
  EXPECT_TRUE(schema.ok()) << text << ": " << (schema.ok() ? "" : schema.error().message());
  return *std::move(schema);
}

std::vector<std::string> Texts(const field::ErrorList& errors) {
  std::vector<std::string> out;
  for (const field::Error& error : errors) out.push_back(error.Text());
  return out;
}

struct Case {
  std::string_view schema;
  std::vector<std::string> errors;
};

TEST(ValidateStructuralTest, NamesWhatIsNot) {
  const std::vector<Case> cases = {
      {"{type: object}", {}},
      {"{}", {"s.type: Required value: must not be empty at the root"}},
      {"{type: string}", {"s.type: Invalid value: \"string\": must be object at the root"}},
      {"{type: object, additionalProperties: {type: string}}",
       {"s.additionalProperties: Forbidden: must not be used at the root"}},
      {"{type: object, properties: {a: {}, b: {type: array}, c: {type: array, items: {}}}}",
       {"s.properties[a].type: Required value: must not be empty for specified object fields",
        "s.properties[b].items: Required value: must be specified",
        "s.properties[c].items.type: Required value: must not be empty for specified array items"}},
      {"{type: object, properties: {a: {x-kubernetes-preserve-unknown-fields: true}, "
       "b: {x-kubernetes-int-or-string: true}}}",
       {}},
      {"{type: object, properties: {a: {x-kubernetes-int-or-string: true, "
       "x-kubernetes-preserve-unknown-fields: true}}}",
       {"s.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false "
        "if x-kubernetes-int-or-string is true"}},
      {"{type: object, properties: {a: {x-kubernetes-embedded-resource: true}, "
       "b: {x-kubernetes-embedded-resource: true, type: string, properties: {c: {type: string}}, "
       "additionalProperties: true}}}",
       {"s.properties[a].properties: Required value: must not be empty if "
        "x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        "s.properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is "
        "true",
        "s.properties[b].additionalProperties: Forbidden: must not be used if "
        "x-kubernetes-embedded-resource is set",
        "s.properties[b].type: Invalid value: \"string\": must be object if "
        "x-kubernetes-embedded-resource is true"}},
      // metadata at the root: its names alone.
      {"{type: object, properties: {metadata: {type: object, properties: {name: {type: string, "
       "maxLength: 3}, generateName: {type: string}}}}}",
       {}},
      {"{type: object, properties: {kind: {type: integer}, apiVersion: {type: boolean}, "
       "metadata: {type: string}}}",
       {"s.properties[apiVersion].type: Invalid value: \"boolean\": must be string",
        "s.properties[kind].type: Invalid value: \"integer\": must be string",
        "s.properties[metadata].type: Invalid value: \"string\": must be object"}},
      {"{type: object, properties: {metadata: {type: object, properties: {labels: {type: "
       "object}}}}}",
       {"s.properties[metadata]: Forbidden: must not specify anything other than name and "
        "generateName, but metadata is implicitly specified"}},
      {"{type: object, properties: {metadata: {type: object, minProperties: 1}}}",
       {"s.properties[metadata]: Forbidden: must not specify anything other than name and "
        "generateName, but metadata is implicitly specified"}},
      // Value validations must not shape.
      {"{type: object, properties: {a: {type: string}}, anyOf: [{type: object, nullable: true, "
       "title: t, description: d, default: {}, additionalProperties: true}, "
       "{properties: {a: {x-kubernetes-list-type: set}}}]}",
       {"s.anyOf[0].additionalProperties: Forbidden: must be undefined to be structural",
        "s.anyOf[0].default: Forbidden: must be undefined to be structural",
        "s.anyOf[0].description: Forbidden: must be empty to be structural",
        "s.anyOf[0].nullable: Forbidden: must be false to be structural",
        "s.anyOf[0].title: Forbidden: must be empty to be structural",
        "s.anyOf[0].type: Forbidden: must be empty to be structural",
        ("s.anyOf[1].properties[a].x-kubernetes-list-type: Forbidden: must be undefined to be "
         "structural")}},
      {"{type: object, not: {x-kubernetes-map-type: atomic, x-kubernetes-list-map-keys: [a], "
       "x-kubernetes-int-or-string: true, x-kubernetes-embedded-resource: true, "
       "x-kubernetes-preserve-unknown-fields: true, x-kubernetes-validations: [{rule: r}], "
       "externalDocs: {url: u}}}",
       {"s.not.externalDocs: Forbidden: must be undefined to be structural",
        "s.not.x-kubernetes-embedded-resource: Forbidden: must be false to be structural",
        "s.not.x-kubernetes-int-or-string: Forbidden: must be false to be structural",
        "s.not.x-kubernetes-list-map-keys: Forbidden: must be empty to be structural",
        "s.not.x-kubernetes-map-type: Forbidden: must be undefined to be structural",
        "s.not.x-kubernetes-preserve-unknown-fields: Forbidden: must be false to be structural",
        "s.not.x-kubernetes-validations: Forbidden: must be empty to be structural"}},
      // They speak only of what the schema has.
      {"{type: object, allOf: [{properties: {a: {}, metadata: {}}, items: {}}]}",
       {"s.allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context",
        "s.items: Required value: because it is defined in s.allOf[0].items",
        "s.properties[a]: Required value: because it is defined in s.allOf[0].properties[a]",
        "s.properties[metadata]: Required value: because it is defined in "
        "s.allOf[0].properties[metadata]"}},
      {"{type: object, properties: {a: {type: object, properties: {b: {type: string}}}}, "
       "oneOf: [{not: {properties: {a: {properties: {b: {}, c: {}}}}}}]}",
       {"s.properties[a].properties[c]: Required value: because it is defined in "
        "s.oneOf[0].not.properties[a].properties[c]"}},
      // The two forms of an integer or a string.
      {"{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, "
       "{type: string}]}, b: {x-kubernetes-int-or-string: true, allOf: [{anyOf: [{type: integer}, "
       "{type: string}]}, {minimum: 1}]}}}",
       {}},
      {"{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: string}, "
       "{type: integer}]}}}",
       {"s.properties[a].anyOf[0].type: Forbidden: must be empty to be structural",
        "s.properties[a].anyOf[1].type: Forbidden: must be empty to be structural"}},
      {"{type: object, properties: {a: {type: string, pattern: 'a['}}}",
       {"s.properties[a].pattern: Invalid value: \"a[\": must be a valid regular expression, but "
        "isn't: error parsing regexp: missing closing ]: `[`"}},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Texts(ValidateStructural(*Schema(c.schema), field::Path("s"))),
                ElementsAreArray(c.errors))
        << c.schema;
  }
}

TEST(ValidateDefaultsTest, DefaultsMustBeKeptAndAllowed) {
  const std::vector<Case> cases = {
      {"{type: object, properties: {a: {type: integer, default: 3, maximum: 5}}}", {}},
      {"{type: object, properties: {a: {type: integer, default: x}}}",
       {"s.properties[a].default: Invalid value: \"string\":  in body must be of type integer: "
        "\"string\""}},
      {"{type: object, properties: {a: {type: integer, default: 7, maximum: 5}}}",
       {"s.properties[a].default: Invalid value: 7:  in body should be less than or equal to 5"}},
      {"{type: object, properties: {a: {type: object, default: {b: 1, c: 2}, properties: {b: "
       "{type: "
       "integer}}}}}",
       {"s.properties[a].default: Invalid value: {\"b\":1,\"c\":2}: must not have unknown fields"}},
      {"{type: object, properties: {a: {type: array, items: {type: object, properties: {b: {type: "
       "string, default: 1}}}}}}",
       {"s.properties[a].items.properties[b].default: Invalid value: \"integer\":  in body must be "
        "of type string: \"integer\""}},
      {"{type: object, properties: {metadata: {type: object, properties: {name: {type: string, "
       "default: a/b}}}}}",
       {"s.properties[metadata].properties[name].default: Invalid value: \"a/b\": must result in "
        "valid metadata: metadata.name: Invalid value: \"a/b\": may not contain '/'"}},
      // Upstream looks at metadata alone: kind and apiVersion are its own when it tries a default.
      {"{type: object, properties: {apiVersion: {type: string, default: a/b/c}}}", {}},
      {"{type: object, properties: {e: {type: object, x-kubernetes-embedded-resource: true, "
       "properties: {x: {type: string}}, default: {kind: Foo}}}}",
       {"s.properties[e].default.apiVersion: Required value"}},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(Texts(ValidateDefaults(*Schema(c.schema), true, true, field::Path("s"))),
                ElementsAreArray(c.errors))
        << c.schema;
  }
  const auto unpruned =
      Schema("{type: object, properties: {a: {type: object, default: {c: 2}, properties: {}}}}");
  EXPECT_TRUE(ValidateDefaults(*unpruned, true, false, field::Path("s")).empty());
}

}  // namespace
}  // namespace podium::api
