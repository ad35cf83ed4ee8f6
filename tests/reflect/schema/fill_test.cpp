// Pruning, nulls and defaults, by upstream's algorithms in
// k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reflect/schema/structural.h"
#include "reflect/yaml.h"

namespace podium::reflect {
namespace {

using ::testing::ElementsAre;

JsonValue Yaml(std::string_view text) {
  auto json = YamlToJson(text);
  EXPECT_TRUE(json.ok()) << text;
  auto value = ParseJson(json->json);
  EXPECT_TRUE(value.ok());
  return *std::move(value);
}

std::unique_ptr<Structural> Schema(std::string_view text) {
  auto schema = ParseStructural(Yaml(text));
  EXPECT_TRUE(schema.ok()) << text << ": " << (schema.ok() ? "" : schema.error().message());
  return *std::move(schema);
}

struct PruneCase {
  std::string_view schema;
  std::string_view value;
  std::string_view pruned;
};

constexpr PruneCase kPruneCases[] = {
    // The header of a whole object stays, whatever it holds.
    {"{type: object}", R"({"kind":"K","apiVersion":"v1","metadata":{"x":1},"a":1})",
     R"({"kind":"K","apiVersion":"v1","metadata":{"x":1}})"},
    {"{properties: {a: {type: object, properties: {b: {type: string}}}}}",
     R"({"a":{"b":1,"c":2},"d":3})", R"({"a":{"b":1}})"},
    {"{properties: {a: {type: array, items: {type: object, properties: {b: {}}}}}}",
     R"({"a":[{"b":1,"c":2},{"c":1},3]})", R"({"a":[{"b":1},{},3]})"},
    // A list without items has no schema for its elements.
    {"{properties: {a: {type: array}}}", R"({"a":[{"b":1},[{"c":1}]]})", R"({"a":[{},[{}]]})"},
    {"{properties: {m: {additionalProperties: {properties: {b: {}}}}}}",
     R"({"m":{"x":{"b":1,"c":1},"y":2}})", R"({"m":{"x":{"b":1},"y":2}})"},
    // additionalProperties: true keeps the members, and nothing inside of them.
    {"{properties: {m: {additionalProperties: true}}}", R"({"m":{"x":{"b":1},"y":2}})",
     R"({"m":{"x":{},"y":2}})"},
    // Unknown ones stay below the mark, until a property has a schema.
    {"{properties: {a: {x-kubernetes-preserve-unknown-fields: true, properties: {b: {properties: "
     "{c: {}}}}}}}",
     R"({"a":{"x":{"y":1},"b":{"c":1,"d":1}}})", R"({"a":{"x":{"y":1},"b":{"c":1}}})"},
    {"{x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: object}}}",
     R"({"b":{"c":1},"a":{"d":1}})", R"({"b":{"c":1},"a":{}})"},
    {"{properties: {l: {x-kubernetes-preserve-unknown-fields: true, items: {properties: {b: "
     "{properties: {}}}}}}}",
     R"({"l":[{"a":1,"b":{"c":1}}]})", R"({"l":[{"a":1,"b":{}}]})"},
    {"{properties: {e: {x-kubernetes-embedded-resource: true, properties: {spec: {}}}}}",
     R"({"e":{"kind":"K","apiVersion":"v1","metadata":{"x":1},"spec":1,"y":1}})",
     R"({"e":{"kind":"K","apiVersion":"v1","metadata":{"x":1},"spec":1}})"},
};

TEST(PruneValueTest, DropsWhatNoSchemaNames) {
  for (const PruneCase& c : kPruneCases) {
    const auto schema = Schema(c.schema);
    JsonValue value = *ParseJson(c.value);
    PruneValue(schema.get(), &value);
    EXPECT_EQ(ToText(value), c.pruned) << c.schema;
    EXPECT_THAT(PruneValue(schema.get(), &value), ElementsAre());
  }
}

TEST(PruneValueTest, ReturnsThePaths) {
  const auto schema =
      Schema("{properties: {spec: {properties: {l: {items: {properties: {a: {}}}}}}}}");
  JsonValue value = *ParseJson(R"({"x":1,"spec":{"a.b":1,"l":[{},{"a":1,"b":{"c":1}}]}})");
  EXPECT_THAT(PruneValue(schema.get(), &value), ElementsAre("x", "spec['a.b']", "spec.l[1].b"));
  value = *ParseJson(R"({"x":1,"y":1})");
  EXPECT_THAT(PruneValue(schema.get(), &value, {.max_paths = 1}), ElementsAre("x"));
  EXPECT_EQ(ToText(value), "{}");
  value = *ParseJson(R"({"kind":"K","y":1})");
  PruneValue(nullptr, &value);
  EXPECT_EQ(ToText(value), R"({"kind":"K"})");
  PruneValue(nullptr, &value, {.is_resource_root = false});
  EXPECT_EQ(ToText(value), "{}");
}

struct DefaultCase {
  std::string_view schema;
  std::string_view value;
  std::string_view filled;
};

constexpr DefaultCase kDefaultCases[] = {
    {"{properties: {a: {default: 1}, b: {default: {c: 2}}, d: {}}}", "{}",
     R"({"a":1,"b":{"c":2}})"},
    {"{properties: {a: {default: 1}}}", R"({"a":0})", R"({"a":0})"},
    // A default is completed by those below it.
    {"{properties: {a: {default: {}, properties: {b: {default: 5}}}}}", "{}", R"({"a":{"b":5}})"},
    {"{properties: {a: {properties: {b: {default: 5}}}}}", "{}", "{}"},
    {"{properties: {l: {items: {properties: {b: {default: 5}}}}}}", R"({"l":[{},{"b":1},2]})",
     R"({"l":[{"b":5},{"b":1},2]})"},
    {"{properties: {m: {additionalProperties: {properties: {b: {default: 5}}}}}}",
     R"({"m":{"x":{},"y":1}})", R"({"m":{"x":{"b":5},"y":1}})"},
    {"{properties: {m: {additionalProperties: true}}}", R"({"m":{"x":{}}})", R"({"m":{"x":{}}})"},
    // null: kept where it is allowed, else replaced by the default, else dropped from objects.
    {"{properties: {a: {nullable: true, default: 1}}}", R"({"a":null})", R"({"a":null})"},
    {"{properties: {a: {default: 1}}}", R"({"a":null})", R"({"a":1})"},
    {"{properties: {a: {}}}", R"({"a":null,"z":null})", R"({"z":null})"},
    {"{properties: {m: {additionalProperties: {type: string}}}}", R"({"m":{"a":null,"b":"x"}})",
     R"({"m":{"b":"x"}})"},
    {"{properties: {m: {additionalProperties: {type: string, default: d}}}}", R"({"m":{"a":null}})",
     R"({"m":{"a":"d"}})"},
    {"{properties: {l: {items: {type: string, default: d}}}}", R"({"l":[null,"x"]})",
     R"({"l":["d","x"]})"},
    {"{properties: {l: {items: {type: string}}}}", R"({"l":[null]})", R"({"l":[null]})"},
    {"{properties: {l: {items: {type: string, nullable: true, default: d}}}}", R"({"l":[null]})",
     R"({"l":[null]})"},
    {"{properties: {a: {default: null}}}", "{}", "{}"},
};

TEST(ApplyDefaultsTest, FillsIn) {
  for (const DefaultCase& c : kDefaultCases) {
    const auto schema = Schema(c.schema);
    JsonValue value = *ParseJson(c.value);
    DropNulls(*schema, &value);
    ASSERT_TRUE(ApplyDefaults(*schema, &value).ok());
    EXPECT_EQ(ToText(value), c.filled) << c.schema << " on " << c.value;
    JsonValue again = value;
    ASSERT_TRUE(ApplyDefaults(*schema, &again, {.max_bytes = 0}).ok());
    EXPECT_EQ(again, value);
  }
}

// Each level has ten elements, and each of them the next level.
TEST(ApplyDefaultsTest, DefaultsInDefaultsAreBounded) {
  std::string schema = "{type: string}";
  for (int i = 0; i < 30; ++i) {
    schema =
        "{type: array, default: [{},{},{},{},{},{},{},{},{},{}], items: {type: object, "
        "properties: {l: " +
        schema + "}}}";
  }
  const auto nested = Schema("{properties: {l: " + schema + "}}");
  JsonValue value = *ParseJson("{}");
  const auto filled = ApplyDefaults(*nested, &value);
  ASSERT_FALSE(filled.ok());
  EXPECT_EQ(filled.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(filled.error().message(), "the defaults of the schema make the object too large");
}

TEST(ApplyDefaultsTest, BytesAreCounted) {
  const auto schema =
      Schema("{properties: {l: {items: {properties: {b: {default: {c: '0123456789'}}}}}}}");
  // Two values, ten bytes and a key.
  constexpr size_t kOne = 2 * 32 + 11;
  for (const size_t max_bytes : {2 * kOne - 1, 2 * kOne}) {
    JsonValue value = *ParseJson(R"({"l":[{},{}]})");
    EXPECT_EQ(ApplyDefaults(*schema, &value, {.max_bytes = max_bytes}).ok(), max_bytes == 2 * kOne);
  }
}

TEST(PruneDefaultsTest, DropsWhatTheSchemaWouldDrop) {
  const auto schema = Schema(R"(
properties:
  metadata: {properties: {name: {default: {kept: 1}}}}
  a: {default: {b: 1, c: 2}, properties: {b: {}}}
  keeps: {x-kubernetes-preserve-unknown-fields: true, default: {x: 1}}
  list: {x-kubernetes-preserve-unknown-fields: true,
         items: {default: {x: 1, b: {y: 1}}, properties: {b: {properties: {}}}}}
)");
  PruneDefaults(schema.get());
  const auto text = [&](const Structural& s) { return ToText(*s.default_value); };
  EXPECT_EQ(text(schema->properties.at("a")), R"({"b":1})");
  EXPECT_EQ(text(schema->properties.at("keeps")), R"({"x":1})");
  EXPECT_EQ(text(*schema->properties.at("list").items), R"({"x":1,"b":{}})");
  EXPECT_EQ(text(schema->properties.at("metadata").properties.at("name")), R"({"kept":1})");
}

struct BadSchema {
  std::string_view schema;
  std::string_view problem;
};

constexpr BadSchema kBadSchemas[] = {
    {"{$ref: '#/a'}", "OpenAPIV3Schema '$ref' is not supported"},
    {"{properties: {a: {id: x}}}", "OpenAPIV3Schema 'id' is not supported"},
    {"{$schema: x}", "OpenAPIV3Schema 'schema' is not supported"},
    {"{items: {patternProperties: {a: {}}}}",
     "OpenAPIV3Schema 'patternProperties' is not supported"},
    {"{not: {dependencies: {a: [b]}}}", "OpenAPIV3Schema 'dependencies' is not supported"},
    {"{additionalItems: false}", "OpenAPIV3Schema 'additionalItems' is not supported"},
    {"{definitions: {a: {}}}", "OpenAPIV3Schema 'definitions' is not supported"},
    {"{items: [{type: string}]}", "OpenAPIV3Schema 'items' must be a schema, but is an array"},
    {"{x-kubernetes-preserve-unknown-fields: false}",
     "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"},
    {"{type: 1}", "type: expected a string"},
    {"{maxLength: 1.5}", "maxLength: expected an integer"},
    {"{properties: {a: 1}}", "schema: expected an object"},
    {"{minimun: 1}", "unknown word minimun in a schema"},
};

TEST(ParseStructuralTest, SaysWhatASchemaMustNotHold) {
  for (const BadSchema& bad : kBadSchemas) {
    const auto schema = ParseStructural(Yaml(bad.schema));
    ASSERT_FALSE(schema.ok()) << bad.schema;
    EXPECT_EQ(schema.error().message(), bad.problem);
  }
  EXPECT_TRUE(ParseStructural(Yaml("{id: '', $ref: '', definitions: {}, example: [1]}")).ok());
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "{\"items\":";
  deep += "{}" + std::string(200, '}');
  EXPECT_EQ(ParseStructural(*ParseJson(deep)).error().code(), Code::kResourceExhausted);
}

TEST(ParseStructuralTest, FindsRulesAnywhere) {
  EXPECT_FALSE(HasCelRules(*Schema("{properties: {a: {x-kubernetes-validations: []}}}")));
  for (const char* schema :
       {"{x-kubernetes-validations: [{rule: a}]}",
        "{properties: {a: {items: {x-kubernetes-validations: [{rule: a}]}}}}",
        "{anyOf: [{not: {additionalProperties: {x-kubernetes-validations: [{rule: a}]}}}]}"}) {
    EXPECT_TRUE(HasCelRules(*Schema(schema))) << schema;
  }
}

}  // namespace
}  // namespace podium::reflect
