#include "reflect/apply/touched_part.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "reflect/apply/apply_types.h"
#include "reflect/apply/field_manager.h"

namespace podium::reflect {
namespace {

using testing::SetOfPaths;
using testing::ThingSchema;
using testing::ThingType;
using testing::Y;

TEST(TouchedPartTest, OfEachShape) {
  const JsonValue live =
      Y("{spec: {number: 1, text: a, struct: {a: 1, b: 2}, fixed: {k: x, l: w}, map: {k: x, l: w}, "
        "items: [{name: a, value: 1}, {name: b, value: 2, tags: [p]}], words: [u, v], list: [q]}, "
        "status: {phase: x}}");
  const struct {
    const char* config;
    const char* last;
    const char* own;
    const char* part;
  } cases[] = {
      {"{}", "", "", "{}"},
      {"{spec: {number: 2}}", "", ".spec.number", "{spec: {number: 1}}"},
      // Of structs and maps what is named, of what is atomic all.
      {"{spec: {struct: {b: 3}}}", "", ".spec.struct.b", "{spec: {struct: {b: 2}}}"},
      {"{spec: {map: {l: x, m: x}}}", "", ".spec.map.l", "{spec: {map: {l: w}}}"},
      {"{spec: {fixed: {l: x}}}", "", ".spec.fixed", "{spec: {fixed: {k: x, l: w}}}"},
      // Elements that are not touched are there by their keys.
      {"{spec: {items: [{name: b, value: 3}]}}", "", "",
       "{spec: {items: [{name: a}, {name: b, value: 2}]}}"},
      {"{spec: {words: [w]}}", "", "", "{spec: {words: [u, v]}}"},
      // Also what has no path: a list of nothing; and what becomes another kind of value.
      {"{spec: {items: []}}", "", "", "{spec: {items: [{name: a}, {name: b}]}}"},
      {"{spec: {struct: null}}", "", "", "{spec: {struct: {a: 1, b: 2}}}"},
      // Of what was applied last the whole may go, unless it is applied again.
      {"{}", ".status.phase", "", "{status: {phase: x}}"},
      {"{spec: {struct: {a: 1}}}", ".spec.struct.a .spec.struct.b", ".spec.struct.a",
       "{spec: {struct: {a: 1, b: 2}}}"},
      {"{spec: {struct: {a: 1}}}", ".spec.struct.a", ".spec.struct.a", "{spec: {struct: {a: 1}}}"},
      {"{spec: {number: 1}}", ".spec.struct.a", ".spec.number",
       "{spec: {number: 1, struct: {a: 1, b: 2}}}"},
      {"{spec: {number: 1}}", ".spec.items[name=\"b\"]", ".spec.number",
       "{spec: {number: 1, items: [{name: a, value: 1}, {name: b, value: 2, tags: [p]}]}}"},
  };
  for (const auto& c : cases) {
    const JsonValue config = Y(c.config);
    const FieldSet last = SetOfPaths(c.last);
    const FieldSet own = SetOfPaths(c.own);
    EXPECT_EQ(ToText(TouchedPart(ThingSchema(), live, {&config, &last, &own})), ToText(Y(c.part)))
        << c.config << ' ' << c.last;
  }
}

// One of several documents that disagree, some of it.
JsonValue RandomSpec() {
  const char* const specs[] = {
      R"({number: 1, text: x, items: [{name: a, value: 1, nested: {a: 1, b: 2}, tags: [p, q]},
          {name: b, value: 2}, {name: c}], words: [x, w, z], map: {a: x, b: w},
          maps: {k: {a: 1, b: 2}, l: {a: 3}}, struct: {a: 1, b: 2, inner: {x: 1, w: 2}},
          any: {a: {b: 1}}, fixed: {k: x}})",
      R"({number: 2, items: [{name: c, value: 7},
          {name: a, value: 1, nested: {b: 3}, tags: [q, r]}], words: [z, x], map: {b: x, c: x},
          maps: {k: {b: 1}}, struct: {inner: {x: 2}, b: 2}, any: [1], fixed: {l: x},
          ports: [{containerPort: 1}]})",
      "{items: [], words: [], map: {}, maps: {k: {}}, struct: {}, any: 1, fixed: {}, ports: []}",
      "{items: null, words: null, map: null, maps: {k: null}, struct: null, any: null}",
      "{wholes: [{name: a, value: 1}], ports: [{containerPort: 1, name: x}], point: {x: 1}}",
      R"({wholes: [{name: a, value: 2}, {name: b}], ports: [{containerPort: 2, protocol: UDP},
          {containerPort: 1, protocol: TCP, name: w}], point: {w: 1}, list: [a]})",
  };
  JsonValue spec =
      Y(*rc::gen::elementOf(std::vector<std::string>(std::begin(specs), std::end(specs))));
  std::erase_if(spec.object(), [](const auto&) { return *rc::gen::inRange(0, 3) == 0; });
  return spec;
}

JsonValue Thing(JsonValue spec) {
  JsonValue thing = Y("{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}}");
  thing.Set("spec", std::move(spec));
  return thing;
}

// The other version is like this one: nothing but that there is one makes a difference.
Result<VersionedValue> Convert(const VersionedValue& value, std::string_view api_version) {
  VersionedValue out = value;
  out.api_version = api_version;
  return out;
}

JsonValue WithStranger(JsonValue object) {
  JsonValue* metadata = object.Find("metadata");
  JsonValue* entries = metadata->Find("managedFields");
  if (entries == nullptr) {
    entries = &metadata->Set("managedFields", JsonValue::Of(JsonValue::Array{}));
  }
  entries->array().push_back(
      Y("{manager: stranger, operation: Update, apiVersion: example.com/v9, fieldsType: FieldsV1, "
        "fieldsV1: {'f:status': {'f:phase': {}}}}"));
  return object;
}

JsonValue WithoutStranger(JsonValue object) {
  JsonValue* entries =
      object.Find("metadata") ? object.Find("metadata")->Find("managedFields") : nullptr;
  if (entries == nullptr) return object;
  std::erase_if(entries->array(), [](const JsonValue& entry) {
    return entry.Find("manager")->string() == "stranger";
  });
  return object;
}

ApplyOutcome Apply(JsonValue live, const JsonValue& config, const char* who, bool force) {
  const FieldManager manager({.type = &ThingType(),
                              .api_version = "example.com/v1",
                              .kind = "Thing",
                              .hooks = {.convert = Convert, .filter = {}}});
  auto outcome = manager.Apply(std::move(live), config,
                               {.manager = who, .time = "2026-01-01T00:00:00Z", .force = force});
  if (!outcome.ok()) RC_FAIL(outcome.error().message());
  return *std::move(outcome);
}

// A manager of another version makes an apply go over whole objects.
RC_GTEST_PROP(TouchedPartTest, GivesWhatWholeObjectsGive, ()) {
  JsonValue live = Y("{apiVersion: example.com/v1, kind: Thing, metadata: {}}");
  for (const char* who : {"one", "two", "three"}) {
    live = Apply(std::move(live), Thing(RandomSpec()), who, true).object;
  }
  const JsonValue config = Thing(RandomSpec());
  const bool force = *rc::gen::arbitrary<bool>();
  const ApplyOutcome part = Apply(live, config, "two", force);
  const ApplyOutcome whole = Apply(WithStranger(live), config, "two", force);
  RC_ASSERT(part.conflicts == whole.conflicts);
  RC_ASSERT(ToText(part.object) == ToText(WithoutStranger(whole.object)));
}

}  // namespace
}  // namespace podium::reflect
