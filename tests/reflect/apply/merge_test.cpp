// Merging and comparing; after the ideas of structured-merge-diff's merge_test, symdiff_test,
// comparison_test, list_test, set_test and duplicates_test.
#include "reflect/apply/merge.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "reflect/apply/apply_types.h"
#include "reflect/apply/comparison.h"
#include "reflect/apply/object_fields.h"
#include "reflect/patch/small_json.h"

namespace podium::reflect {
namespace {

using testing::Paths;
using testing::ThingSchema;
using testing::Y;

JsonValue Spec(std::string_view spec) { return Y("{spec: " + std::string(spec) + "}"); }

TEST(MergeTest, EachShape) {
  const struct {
    const char* live;
    const char* config;
    const char* merged;
  } cases[] = {
      {"{number: 1, text: x}", "{number: 2}", "{number: 2, text: x}"},
      {"{number: 1}", "{text: x}", "{number: 1, text: x}"},
      {"{number: 1}", "{number: null}", "{number: null}"},
      {"{struct: {a: 1, inner: {x: 1}}}", "{struct: {inner: {w: 2}}}",
       "{struct: {a: 1, inner: {x: 1, w: 2}}}"},
      {"{map: {a: x, b: w}}", "{map: {b: z, c: w}}", "{map: {a: x, b: z, c: w}}"},
      // Nothing in a container asks for nothing.
      {"{map: {a: x}}", "{map: {}}", "{map: {a: x}}"},
      {"{map: {a: x}}", "{map: null}", "{map: {a: x}}"},
      {"{items: [{name: a}]}", "{items: []}", "{items: [{name: a}]}"},
      {"{items: [{name: a}]}", "{items: null}", "{items: [{name: a}]}"},
      {"{map: {}}", "{map: null}", "{map: null}"},
      {"{map: null}", "{map: {}}", "{map: {}}"},
      {"{items: null}", "{items: []}", "{items: []}"},
      // What is atomic is replaced.
      {"{fixed: {a: x}}", "{fixed: {b: w}}", "{fixed: {b: w}}"},
      {"{point: {x: 1, w: 2}}", "{point: {x: 3}}", "{point: {x: 3}}"},
      {"{list: [a, b]}", "{list: [c]}", "{list: [c]}"},
      {"{list: [a]}", "{list: []}", "{list: []}"},
      {"{list: [a]}", "{list: null}", "{list: null}"},
      {"{wholes: [{name: a, value: 1}]}", "{wholes: [{name: a}]}", "{wholes: [{name: a}]}"},
      // Elements by their keys.
      {"{items: [{name: a, value: 1}]}", "{items: [{name: a, nested: {a: 1}}]}",
       "{items: [{name: a, value: 1, nested: {a: 1}}]}"},
      {"{ports: [{containerPort: 80, protocol: TCP}]}", "{ports: [{containerPort: 80, name: web}]}",
       "{ports: [{containerPort: 80, protocol: TCP, name: web}]}"},
      {"{words: [a, b]}", "{words: [b, c]}", "{words: [a, b, c]}"},
      {"{numbers: [1]}", "{numbers: [1.0]}", "{numbers: [1.0]}"},
      // Untyped values may change their kind.
      {"{any: {a: 1}}", "{any: {b: 2}}", "{any: {a: 1, b: 2}}"},
      {"{any: {a: 1}}", "{any: [1]}", "{any: [1]}"},
      {"{any: [1, 2]}", "{any: [3]}", "{any: [3]}"},
      {"{any: 1}", "{any: {b: 2}}", "{any: {b: 2}}"},
      {"{any: 1}", "{any: null}", "{any: null}"},
  };
  for (const auto& c : cases) {
    JsonValue merged = Spec(c.live);
    MergeValue(ThingSchema(), Spec(c.config), &merged);
    EXPECT_EQ(ToText(merged), ToText(Spec(c.merged))) << c.live << " and " << c.config;
  }
}

// list_test: what both have stands as in the configuration, the rest where it was among that.
TEST(MergeTest, OrderOfElements) {
  const struct {
    const char* live;
    const char* config;
    const char* merged;
  } cases[] = {
      {"[a, b, c]", "[a, b, c]", "[a, b, c]"},
      {"[a, b, c]", "[c, b, a]", "[c, b, a]"},
      {"[a, b, c]", "[c, a]", "[b, c, a]"},
      {"[a, b, c, d]", "[d, a]", "[b, c, d, a]"},
      {"[a, b]", "[c, a]", "[c, a, b]"},
      {"[a, b]", "[a, c]", "[a, b, c]"},
      {"[a, b]", "[x, w]", "[a, b, x, w]"},
      {"[a, b, c]", "[x, b, w]", "[a, x, b, c, w]"},
      {"[]", "[b, a]", "[b, a]"},
      {"[x, a, w, b, z]", "[b, a]", "[x, w, b, z, a]"},
      {"[a, b, c, d, e]", "[b, x, d]", "[a, b, c, x, d, e]"},
      // Of what is there twice one is left, once it is named.
      {"[a, b, a]", "[a]", "[a, b]"},
      {"[b, a, a, c]", "[c, a]", "[b, c, a]"},
      {"[a, b, a]", "[b]", "[a, b, a]"},
  };
  for (const auto& c : cases) {
    JsonValue merged = Spec("{words: " + std::string(c.live) + "}");
    MergeValue(ThingSchema(), Spec("{words: " + std::string(c.config) + "}"), &merged);
    EXPECT_EQ(ToText(merged), ToText(Spec("{words: " + std::string(c.merged) + "}")))
        << c.live << " and " << c.config;
  }
}

TEST(MergeTest, ElementsThatAreThereTwiceAreReplaced) {
  JsonValue merged = Spec("{items: [{name: a, value: 1}, {name: b}, {name: a, value: 2}]}");
  MergeValue(ThingSchema(), Spec("{items: [{name: a, nested: {a: 1}}]}"), &merged);
  EXPECT_EQ(ToText(merged), ToText(Spec("{items: [{name: a, nested: {a: 1}}, {name: b}]}")));
}

std::string Differences(const JsonValue& before, const JsonValue& after) {
  const Comparison comparison = Compare(ThingSchema(), before, after);
  std::string out;
  for (const auto& [mark, set] :
       {std::pair("+", &comparison.added), std::pair("~", &comparison.modified),
        std::pair("-", &comparison.removed)}) {
    if (!set->empty()) out += (out.empty() ? "" : " ") + std::string(mark) + Paths(*set);
  }
  return out;
}

TEST(ComparisonTest, EachShape) {
  const struct {
    const char* before;
    const char* after;
    const char* differences;
  } cases[] = {
      {"{number: 1}", "{number: 1}", ""},
      {"{number: 1}", "{number: 1.0}", ""},
      {"{number: 1, text: x}", "{number: 2, flag: true}", "+.spec.flag ~.spec.number -.spec.text"},
      {"{number: null}", "{number: 0}", "~.spec.number"},
      // What comes or goes, comes and goes itself.
      {"{}", "{struct: {inner: {x: 1}}}", "+.spec.struct .spec.struct.inner .spec.struct.inner.x"},
      {"{struct: {a: 1}}", "{}", "-.spec.struct .spec.struct.a"},
      {"{struct: {}}", "{struct: {a: 1}}", "+.spec.struct.a"},
      {"{map: {a: x}}", "{map: {b: x}}", "+.spec.map.b -.spec.map.a"},
      // Empty, null and absent are three.
      {"{}", "{map: {}}", "+.spec.map"},
      {"{map: {}}", "{map: null}", "~.spec.map"},
      {"{map: {}}", "{map: {}}", ""},
      {"{map: {a: x}}", "{map: null}", "-.spec.map.a"},
      {"{items: []}", "{}", "-.spec.items"},
      {"{items: null}", "{items: [{name: a}]}",
       R"(+.spec.items[name="a"] .spec.items[name="a"].name)"},
      {"{}", "{words: [a]}", R"(+.spec.words .spec.words[="a"])"},
      {"{fixed: {a: x}}", "{fixed: {a: x, b: w}}", "~.spec.fixed"},
      {"{list: [a, b]}", "{list: [b, a]}", "~.spec.list"},
      {"{}", "{point: {x: 1}}", "+.spec.point"},
      // Order makes no difference.
      {"{words: [a, b]}", "{words: [b, a]}", ""},
      {"{words: [a, b]}", "{words: [b, c]}", R"(+.spec.words[="c"] -.spec.words[="a"])"},
      {"{items: [{name: a, value: 1}, {name: b}]}", "{items: [{name: b}, {name: a, value: 2}]}",
       R"(~.spec.items[name="a"].value)"},
      {"{wholes: [{name: a, value: 1}]}", "{wholes: [{name: a, value: 2}]}",
       R"(~.spec.wholes[name="a"])"},
      {"{ports: [{containerPort: 1}]}", "{ports: [{containerPort: 1, protocol: TCP}]}",
       R"(+.spec.ports[containerPort=1,protocol="TCP"].protocol)"},
      // Several of one key are one value.
      {"{items: [{name: a, value: 1}, {name: a}]}", "{items: [{name: a, value: 2}, {name: a}]}",
       R"(~.spec.items[name="a"])"},
      {"{words: [a, a]}", "{words: [a, a]}", ""},
      {"{words: [a, b, a]}", "{words: [a, a]}", R"(-.spec.words[="b"])"},
      {"{items: [{name: a}, {name: a}]}", "{items: [{name: a}]}",
       R"(+.spec.items[name="a"] .spec.items[name="a"].name -.spec.items[name="a"])"},
      {"{items: [{name: a}]}", "{items: [{name: a}, {name: a}]}",
       R"(+.spec.items[name="a"] -.spec.items[name="a"] .spec.items[name="a"].name)"},
      {"{words: [a, a]}", "{words: [b]}", R"(+.spec.words[="b"] -.spec.words[="a"])"},
      // Untyped values: members, or the whole.
      {"{any: {a: 1, b: 2}}", "{any: {a: 1, b: 3}}", "~.spec.any.b"},
      {"{any: [1]}", "{any: [2]}", "~.spec.any"},
      {"{any: [1]}", "{any: {a: 1}}", "+.spec.any.a ~.spec.any"},
      {"{any: {a: 1}}", "{any: 1}", "~.spec.any -.spec.any.a"},
      {"{any: null}", "{any: 1}", "~.spec.any"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Differences(Spec(c.before), Spec(c.after)), c.differences)
        << c.before << " and " << c.after;
  }
}

// Things with few values in few fields, so that two have much in common.
JsonValue RandomThing() {
  const auto pick = [](std::initializer_list<const char*> texts) {
    return std::string(*rc::gen::elementOf(std::vector<std::string>(texts.begin(), texts.end())));
  };
  std::string spec;
  spec += pick({"", "number: 1, ", "number: 2, "});
  spec += pick({"", "items: [{name: a}], ", "items: [{name: b, value: 1}, {name: a, value: 2}], ",
                "items: [{name: a, nested: {a: 1}, tags: [x]}, {name: c}], ", "items: [], "});
  spec += pick({"", "words: [a, b], ", "words: [c, a], ", "words: [d], "});
  spec += pick({"", "list: [a], ", "list: [b, c], "});
  spec += pick({"", "map: {a: x}, ", "map: {a: w, b: x}, ", "map: {}, "});
  spec += pick({"", "struct: {a: 1}, ", "struct: {b: 1, inner: {x: 1}}, ", "struct: {}, "});
  spec += pick({"", "any: {a: 1}, ", "any: [1], ", "any: {b: {c: 1}}, "});
  return Spec("{" + spec + "}");
}

RC_GTEST_PROP(MergeTest, ConfigurationsArrive, ()) {
  const JsonValue live = RandomThing();
  const JsonValue config = RandomThing();
  JsonValue merged = live;
  MergeValue(ThingSchema(), config, &merged);
  // Nothing went, and all that was asked for is there.
  RC_ASSERT(Compare(ThingSchema(), live, merged).removed.empty() ||
            live.Find("spec")->Find("any") != nullptr);
  const Comparison left = Compare(ThingSchema(), config, merged);
  RC_ASSERT(Intersection(FieldsOf(ThingSchema(), config), left.modified).empty());
  RC_ASSERT(left.removed.empty());
  JsonValue again = merged;
  MergeValue(ThingSchema(), config, &again);
  RC_ASSERT(Equivalent(again, merged));
}

RC_GTEST_PROP(ComparisonTest, IsEmptyForEqualsAndTurnsRound, ()) {
  const JsonValue a = RandomThing();
  const JsonValue b = RandomThing();
  const Comparison there = Compare(ThingSchema(), a, b);
  const Comparison back = Compare(ThingSchema(), b, a);
  RC_ASSERT(Compare(ThingSchema(), a, a).is_same());
  RC_ASSERT(there.added == back.removed);
  RC_ASSERT(there.removed == back.added);
  RC_ASSERT(there.modified == back.modified);
}

}  // namespace
}  // namespace podium::reflect
