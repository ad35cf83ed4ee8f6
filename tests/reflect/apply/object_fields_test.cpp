// Sets of fields from objects, and objects without some; after the ideas of structured-merge-diff's
// toset_test, validate_test, remove_test and reconcile_schema_test.
#include "reflect/apply/object_fields.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "reflect/apply/apply_types.h"
#include "reflect/patch/small_json.h"

namespace podium::reflect {
namespace {

using testing::Paths;
using testing::SetOfPaths;
using testing::ThingSchema;
using testing::Y;

std::string SpecPaths(std::string_view spec) {
  return Paths(FieldsOf(ThingSchema(), Y("{spec: " + std::string(spec) + "}")));
}

TEST(ObjectFieldsTest, OfEachShape) {
  const struct {
    const char* spec;
    const char* paths;
  } cases[] = {
      // Scalars, whatever their value; null is there.
      {"{number: 0, text: '', flag: false, port: http}",
       ".spec.flag .spec.number .spec.port .spec.text"},
      {"{number: null}", ".spec.number"},
      // A struct is owned by its fields; an empty one, and null, by itself.
      {"{struct: {a: 1, inner: {x: 1}}}", ".spec.struct.a .spec.struct.inner.x"},
      {"{struct: {}}", ".spec.struct"},
      {"{struct: null}", ".spec.struct"},
      {"{struct: {inner: {}}}", ".spec.struct.inner"},
      {"{}", ".spec"},
      // So is a map; its entries are owned too.
      {"{map: {a: x, b: w}}", ".spec.map.a .spec.map.b"},
      {"{map: {}}", ".spec.map"},
      {"{maps: {k: {a: 1}}}", ".spec.maps.k .spec.maps.k.a"},
      {"{maps: {k: {}}}", ".spec.maps.k"},
      {"{maps: {k: null}}", ".spec.maps.k"},
      // What is atomic has one path.
      {"{fixed: {a: x}, point: {x: 1}, list: [a]}", ".spec.fixed .spec.list .spec.point"},
      {"{fixed: {}, point: null, list: []}", ".spec.fixed .spec.list .spec.point"},
      // Elements, with their keys as fields of theirs; an empty list has no path.
      {"{items: [{name: b, value: 1}, {name: a}]}",
       R"(.spec.items[name="a"] .spec.items[name="b"] .spec.items[name="a"].name )"
       R"(.spec.items[name="b"].name .spec.items[name="b"].value)"},
      {"{items: []}", ""},
      {"{items: null}", ".spec.items"},
      {"{items: [{name: a, tags: [x], nested: {a: 1}}]}",
       R"(.spec.items[name="a"] .spec.items[name="a"].name .spec.items[name="a"].nested.a )"
       R"(.spec.items[name="a"].tags[="x"])"},
      {"{wholes: [{name: a, value: 1}]}", R"(.spec.wholes[name="a"])"},
      {"{words: [b, a], numbers: [2, 10]}",
       R"(.spec.numbers[=2] .spec.numbers[=10] .spec.words[="a"] .spec.words[="b"])"},
      // A key that is left out has its default.
      {"{ports: [{containerPort: 80}]}",
       R"(.spec.ports[containerPort=80,protocol="TCP"] )"
       R"(.spec.ports[containerPort=80,protocol="TCP"].containerPort)"},
      // Of what is there twice only the step.
      {"{items: [{name: a, value: 1}, {name: a, value: 2}, {name: b}]}",
       R"(.spec.items[name="a"] .spec.items[name="b"] .spec.items[name="b"].name)"},
      {"{words: [a, a, a]}", R"(.spec.words[="a"])"},
      // Untyped: objects are granular, the rest is not.
      {"{any: 1}", ".spec.any"},
      {"{any: {a: {b: 1}, c: [1, 2], d: {}}}", ".spec.any.a .spec.any.c .spec.any.d .spec.any.a.b"},
  };
  for (const auto& c : cases) EXPECT_EQ(SpecPaths(c.spec), c.paths) << c.spec;
}

TEST(ObjectFieldsTest, OfUntypedObjects) {
  EXPECT_EQ(Paths(FieldsOf(SchemaOf(nullptr), Y("{a: 1, b: [1], c: {d: x}}"))), ".a .b .c .c.d");
  EXPECT_EQ(Paths(FieldsOf(SchemaOf(nullptr), Y("1"))), "");
}

TEST(ObjectFieldsTest, Checks) {
  const struct {
    const char* spec;
    const char* error;  // "" for none
  } cases[] = {
      {"{number: 1, text: x, flag: true, port: 1, list: [a], any: [1]}", ""},
      {"{number: null, text: null, items: null, map: null, point: null}", ""},
      {"{number: x}", ".spec.number: expected numeric (int or float), got string"},
      {"{number: {}}",
       ".spec.number: expected numeric (int or float), got map[string]interface {}"},
      {"{text: 1}", ".spec.text: expected string, got &value.valueUnstructured{Value:1}"},
      {"{text: {b: [x, 1.5, true], a: null}}",
       ".spec.text: expected string, got &value.valueUnstructured{Value:map[string]interface "
       R"({}{"a":interface {}(nil), "b":[]interface {}{"x", 1.5, true}}})"},
      {"{flag: x}", ".spec.flag: expected boolean, got &{x}"},
      {"{port: [1]}", ".spec.port: expected any scalar, got &{[1]}"},
      {"{struct: 1}", ".spec.struct: expected map, got &{1}"},
      {"{items: {a: b}}", ".spec.items: expected list, got &{map[a:b]}"},
      {"{nothing: 1}", ".spec.nothing: field not declared in schema"},
      {"{items: [{name: a, nothing: 1}]}",
       R"(.spec.items[name="a"].nothing: field not declared in schema)"},
      {"{list: [a, 1]}", ".spec.list[1]: expected string, got &value.valueUnstructured{Value:1}"},
      {"{items: [null]}",
       ".spec.items: element 0: associative list with keys may not have a null element"},
      {"{items: [{name: a}, 1]}",
       ".spec.items: element 1: associative list with keys may not have non-map elements"},
      {"{items: [{value: 1}]}",
       ".spec.items: element 0: associative list with keys has an element that omits key field "
       R"("name" (and doesn't have default value))"},
      {"{words: [{}]}",
       ".spec.words: element 0: associative list without keys has an element that's a map type"},
      {"{words: [[]]}",
       ".spec.words: element 0: not supported: associative list with lists as elements"},
      {"{words: [null]}",
       ".spec.words: element 0: associative list without keys has an element that's an explicit "
       "null"},
      {"{items: [{name: a}, {name: a}]}", R"(.spec.items: duplicate entries for key [name="a"])"},
      {"{words: [a, a]}", R"(.spec.words: duplicate entries for key [="a"])"},
      {"{list: [a, a]}", ""},
      {"{number: x, flag: x}",
       "errors:\n  .spec.number: expected numeric (int or float), got string\n"
       "  .spec.flag: expected boolean, got &{x}"},
  };
  for (const auto& c : cases) {
    const JsonValue value = Y("{spec: " + std::string(c.spec) + "}");
    const auto checked = CheckValue(ThingSchema(), value, Duplicates::kForbid);
    EXPECT_EQ(checked.ok() ? "" : checked.error().message(), c.error) << c.spec;
  }
  EXPECT_TRUE(CheckValue(ThingSchema(), Y("{spec: {words: [a, a]}}"), Duplicates::kAllow).ok());
}

TEST(ObjectFieldsTest, NamedFields) {
  const struct {
    const char* set;
    const char* named;
  } cases[] = {
      {".spec.number", ".spec .spec.number"},
      {".spec.struct.inner.x", ".spec .spec.struct .spec.struct.inner .spec.struct.inner.x"},
      // Entries and elements are no fields.
      {".spec.maps.k.a", ".spec .spec.maps .spec.maps.k.a"},
      {R"(.spec.items[name="a"].value)", R"(.spec .spec.items .spec.items[name="a"].value)"},
      {".spec.any.a.b", ".spec .spec.any .spec.any.a.b"},
      {".spec.nothing.x", ".spec .spec.nothing.x"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Paths(WithNamedFields(ThingSchema(), SetOfPaths(c.set))), c.named);
  }
}

TEST(ObjectFieldsTest, WhatHasBecomeAtomic) {
  const struct {
    const char* set;
    const char* now;
  } cases[] = {
      {".spec.fixed.a .spec.fixed.b", ".spec.fixed"},
      {".spec.point .spec.point.x", ".spec.point"},
      {R"(.spec.list[="a"])", ".spec.list"},
      {R"(.spec.wholes[name="a"] .spec.wholes[name="a"].value)", R"(.spec.wholes[name="a"])"},
      {R"(.spec.wholes[name="a"].value)", R"(.spec.wholes[name="a"])"},
      // All else stays: granular, untyped, unknown.
      {R"(.spec.map.a .spec.any.a.b .spec.nothing.x .spec.words[="a"])",
       R"(.spec.any.a.b .spec.map.a .spec.nothing.x .spec.words[="a"])"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Paths(WithAtomicFields(ThingSchema(), SetOfPaths(c.set))), c.now);
  }
}

TEST(ObjectFieldsTest, Removal) {
  const struct {
    const char* spec;
    const char* set;
    const char* left;
  } cases[] = {
      {"{number: 1, text: x}", ".spec.number", "{text: x}"},
      {"{number: 1}", ".spec.text", "{number: 1}"},
      {"{items: [{name: a, value: 1}, {name: b}]}", R"(.spec.items[name="a"])",
       "{items: [{name: b}]}"},
      {"{items: [{name: a, value: 1}, {name: b}]}", R"(.spec.items[name="a"].value)",
       "{items: [{name: a}, {name: b}]}"},
      // What is there twice goes both times.
      {"{words: [a, b, a]}", R"(.spec.words[="a"])", "{words: [b]}"},
      // What loses all that it has is null.
      {"{map: {a: x}, number: 1}", ".spec.map.a", "{map: null, number: 1}"},
      {"{words: [a], number: 1}", R"(.spec.words[="a"])", "{words: null, number: 1}"},
      {"{map: {}, number: 1}", ".spec.map.a", "{map: {}, number: 1}"},
      {"{list: [a]}", R"(.spec.list[="a"])", "{list: [a]}"},
  };
  for (const auto& c : cases) {
    JsonValue value = Y("{spec: " + std::string(c.spec) + "}");
    RemoveFields(ThingSchema(), SetOfPaths(c.set), &value);
    EXPECT_EQ(ToText(value), ToText(Y("{spec: " + std::string(c.left) + "}"))) << c.spec;
  }
}

RC_GTEST_PROP(ObjectFieldsTest, WithoutAllItsFieldsNothingIsLeft, ()) {
  JsonValue value = JsonValue::Of(JsonValue::Object{{"spec", *testing::GenSmallJson(true)}});
  const ValueSchema schema = SchemaOf(nullptr);
  RemoveFields(schema, FieldsOf(schema, value), &value);
  RC_ASSERT(value.is_null());
}

}  // namespace
}  // namespace podium::reflect
