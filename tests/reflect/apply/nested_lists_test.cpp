// Lists and maps in the lists and maps of custom resources, which say of themselves how they are
// owned.
#include <gtest/gtest.h>

#include <string>

#include "reflect/apply/apply_types.h"
#include "reflect/apply/field_manager.h"
#include "reflect/apply/object_fields.h"
#include "reflect/runtime_types.h"

namespace podium::reflect {
namespace {

using testing::Paths;
using testing::Y;

const Type& NestType() {
  static const auto kTypes = [] {
    auto made = RuntimeTypes::FromSchema(Y(R"(
type: object
properties:
  sets: {type: array, items: {type: array, x-kubernetes-list-type: set, items: {type: string}}}
  byName:
    type: object
    additionalProperties:
      type: array
      x-kubernetes-list-type: map
      x-kubernetes-list-map-keys: [k]
      items: {type: object, properties: {k: {type: string}, v: {type: integer}}}
  fixed:
    type: object
    additionalProperties:
      {type: object, x-kubernetes-map-type: atomic, additionalProperties: {type: string}}
  maybe:
    type: object
    additionalProperties:
      {type: array, nullable: true, x-kubernetes-list-type: set, items: {type: string}}
  plain: {type: object, additionalProperties: {type: array, items: {type: string}}}
)"),
                                         {"example.com", "v1", "Nest"});
    if (!made.ok()) ADD_FAILURE() << made.error().message();
    return *std::move(made);
  }();
  return kTypes->root();
}

TEST(NestedListsTest, Fields) {
  const ValueSchema schema = SchemaOf(&NestType());
  const struct {
    const char* value;
    const char* paths;
  } cases[] = {
      {"{byName: {a: [{k: x, v: 1}]}}",
       ".byName.a .byName.a[k=\"x\"] .byName.a[k=\"x\"].k .byName.a[k=\"x\"].v"},
      {"{fixed: {a: {k: x}}}", ".fixed.a"},
      {"{maybe: {a: [x]}}", ".maybe.a .maybe.a[=\"x\"]"},
      {"{plain: {a: [x]}}", ".plain.a"},
      // A list that says nothing of itself is one value, whatever is in it.
      {"{sets: [[x]]}", ".sets"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Paths(FieldsOf(schema, Y(c.value))), c.paths) << c.value;
  }
  EXPECT_EQ(CheckValue(schema, Y("{byName: {a: [{v: 1}]}}"), Duplicates::kAllow).error().message(),
            ".byName.a: element 0: associative list with keys has an element that omits key field "
            "\"k\" (and doesn't have default value)");
}

TEST(NestedListsTest, AreMergedElementByElement) {
  const FieldManager fields(
      {.type = &NestType(), .api_version = "example.com/v1", .kind = "Nest", .hooks = {}});
  JsonValue live = Y("{apiVersion: example.com/v1, kind: Nest, metadata: {}}");
  const struct {
    const char* who;
    const char* content;
  } applied[] = {
      {"one", "byName: {a: [{k: x, v: 1}]}, maybe: {a: [x]}"},
      {"two", "byName: {a: [{k: w, v: 2}]}, maybe: {a: [w]}"},
      {"one", "byName: {a: [{k: z, v: 3}]}, maybe: {a: [x]}"},
  };
  for (const auto& [who, content] : applied) {
    auto outcome = fields.Apply(std::move(live),
                                Y("{apiVersion: example.com/v1, kind: Nest, metadata: {name: n}, " +
                                  std::string(content) + "}"),
                                {.manager = who, .time = "2026-01-01T00:00:00Z"});
    ASSERT_TRUE(outcome.ok()) << outcome.error().message();
    ASSERT_TRUE(outcome->conflicts.empty()) << ConflictMessage(outcome->conflicts);
    live = std::move(outcome->object);
  }
  EXPECT_TRUE(Equivalent(*live.Find("byName"), Y("{a: [{k: w, v: 2}, {k: z, v: 3}]}")))
      << ToText(live);
  EXPECT_TRUE(Equivalent(*live.Find("maybe"), Y("{a: [x, w]}"))) << ToText(live);
}

// A property may have any name, and so may what tells the elements of a list apart.
const Type& OddKeysType() {
  static const auto kTypes = [] {
    auto made = RuntimeTypes::FromSchema(Y(R"(
type: object
properties:
  list:
    type: array
    x-kubernetes-list-type: map
    x-kubernetes-list-map-keys: ["a b", "~1", "", "n\0l"]
    items:
      type: object
      properties:
        "a b": {type: string}
        "~1": {type: string}
        "": {type: string}
        "n\0l": {type: string}
        v: {type: integer}
)"),
                                         {"example.com", "v1", "Odd"});
    if (!made.ok()) ADD_FAILURE() << made.error().message();
    return *std::move(made);
  }();
  return kTypes->root();
}

TEST(NestedListsTest, KeysOfAnyName) {
  const FieldManager fields(
      {.type = &OddKeysType(), .api_version = "example.com/v1", .kind = "Odd", .hooks = {}});
  JsonValue live = Y("{apiVersion: example.com/v1, kind: Odd, metadata: {}}");
  for (const char* who : {"one", "two"}) {
    const std::string element = R"({"a b": x, "~1": q, "": z, "n\0l": )" + std::string(who) + "}";
    auto outcome = fields.Apply(
        std::move(live),
        Y("{apiVersion: example.com/v1, kind: Odd, metadata: {name: n}, list: [" + element + "]}"),
        {.manager = who, .time = "2026-01-01T00:00:00Z"});
    ASSERT_TRUE(outcome.ok()) << outcome.error().message();
    ASSERT_TRUE(outcome->conflicts.empty()) << ConflictMessage(outcome->conflicts);
    live = std::move(outcome->object);
  }
  EXPECT_TRUE(Equivalent(*live.Find("list"), Y(R"([{"a b": x, "~1": q, "": z, "n\0l": one},
                                                   {"a b": x, "~1": q, "": z, "n\0l": two}])")))
      << ToText(live);
}

}  // namespace
}  // namespace podium::reflect
