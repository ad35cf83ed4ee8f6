// Versions: managers that wrote in other versions than the object's, and those that are gone; after
// structured-merge-diff's nested_test, multiple_appliers_test and obsolete_versions_test.
#include "reflect/apply/pruning.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "reflect/apply/apply_types.h"
#include "reflect/apply/field_manager.h"
#include "reflect/apply/object_fields.h"

namespace podium::reflect {
namespace {

using testing::Paths;
using testing::ThingSchema;
using testing::ThingType;
using testing::Y;

constexpr const char* kV1 = "example.com/v1";
constexpr const char* kV2 = "example.com/v2";

// In v2 spec.text is called spec.map.text; all else is the same. There is no other version.
Result<VersionedValue> Convert(const VersionedValue& value, std::string_view api_version) {
  if (api_version != kV1 && api_version != kV2) return Error(Code::kNotFound, "no such version");
  VersionedValue out = value;
  if (api_version == value.api_version) return out;
  out.api_version = api_version;
  out.value.Set("apiVersion", JsonValue::String(out.api_version));
  JsonValue* spec = out.value.Find("spec");
  if (spec == nullptr || !spec->is_object()) return out;
  if (api_version == kV2) {
    if (const JsonValue* text = spec->Find("text")) {
      JsonValue copy = *text;
      spec->Erase("text");
      spec->Set("map", JsonValue::Of(JsonValue::Object{{"text", std::move(copy)}}));
    }
  } else if (JsonValue* map = spec->Find("map"); map && map->Find("text")) {
    spec->Set("text", *map->Find("text"));
    spec->Erase("map");
  }
  return out;
}

JsonValue Thing(const char* version, std::string_view spec) {
  return Y("{apiVersion: " + std::string(version) +
           ", kind: Thing, metadata: {name: t}, spec: " + std::string(spec) + "}");
}

class VersionsTest : public ::testing::Test {
 protected:
  std::string Apply(const char* version, std::string_view who, std::string_view spec,
                    bool force = false) {
    const FieldManager manager({.type = &ThingType(),
                                .api_version = version,
                                .kind = "Thing",
                                .hooks = {.convert = Convert, .filter = {}}});
    JsonValue live = Convert({&ThingType(), stored_, live_}, version)->value;
    auto outcome = manager.Apply(std::move(live), Thing(version, spec),
                                 {.manager = std::string(who), .time = "t", .force = force});
    if (!outcome.ok()) return outcome.error().message();
    if (!outcome->conflicts.empty()) return ConflictMessage(outcome->conflicts);
    live_ = Convert({&ThingType(), version, std::move(outcome->object)}, stored_)->value;
    return "";
  }
  std::string Spec() const { return ToText(*live_.Find("spec")); }
  std::vector<std::string> Managers() const {
    std::vector<std::string> out;
    for (const JsonValue& entry : live_.Find("metadata")->Find("managedFields")->array()) {
      out.push_back(entry.Find("manager")->string() + ' ' + entry.Find("apiVersion")->string());
    }
    return out;
  }

  const char* const stored_ = kV1;
  JsonValue live_ = Y("{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}}");
};

std::string Json(std::string_view yaml) { return ToText(Y(yaml)); }

TEST_F(VersionsTest, ConflictsAreToldInTheOwnersVersion) {
  EXPECT_EQ(Apply(kV1, "one", "{text: x, number: 1}"), "");
  EXPECT_EQ(Apply(kV2, "two", "{map: {text: w}}"),
            "Apply failed with 1 conflict: conflict with \"one\": .spec.text");
  EXPECT_EQ(Apply(kV2, "two", "{map: {text: w}}", true), "");
  EXPECT_EQ(Spec(), Json("{number: 1, text: w}"));
  EXPECT_EQ(Managers(), (std::vector<std::string>{"one example.com/v1", "two example.com/v2"}));
}

TEST_F(VersionsTest, WhatIsOwnedInAnotherVersionStays) {
  EXPECT_EQ(Apply(kV1, "one", "{text: x, number: 1}"), "");
  EXPECT_EQ(Apply(kV2, "two", "{map: {text: x}}"), "");
  EXPECT_EQ(Apply(kV1, "one", "{number: 1}"), "");
  EXPECT_EQ(Spec(), Json("{number: 1, text: x}"));
  EXPECT_EQ(Apply(kV2, "two", "{flag: true}"), "");
  EXPECT_EQ(Spec(), Json("{number: 1, flag: true}"));
}

TEST_F(VersionsTest, OneManagerMayMoveToAnotherVersion) {
  EXPECT_EQ(Apply(kV1, "one", "{text: x, number: 1}"), "");
  EXPECT_EQ(Apply(kV2, "one", "{number: 1}"), "");
  EXPECT_EQ(Spec(), Json("{number: 1}"));
  EXPECT_EQ(Managers(), std::vector<std::string>{"one example.com/v2"});
}

TEST_F(VersionsTest, ManagersOfVersionsThatAreGoneOwnNothing) {
  EXPECT_EQ(Apply(kV1, "one", "{number: 1}"), "");
  JsonValue& entry = live_.Find("metadata")->Find("managedFields")->array()[0];
  entry.Set("apiVersion", JsonValue::String("example.com/v0"));
  EXPECT_EQ(Apply(kV1, "two", "{number: 2}"), "");
  EXPECT_EQ(Managers(), std::vector<std::string>{"two example.com/v1"});
}

TEST_F(VersionsTest, ConversionsThatFail) {
  const FieldManager manager(
      {.type = &ThingType(),
       .api_version = kV1,
       .kind = "Thing",
       .hooks = {.convert = [](const VersionedValue&, std::string_view) -> Result<VersionedValue> {
                   return Error(Code::kUnavailable, "the webhook is away");
                 },
                 .filter = {}}});
  EXPECT_EQ(Apply(kV2, "one", "{number: 1}"), "");
  const auto outcome =
      manager.Apply(live_, Thing(kV1, "{number: 1}"), {.manager = "two", .time = "t"});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().message(), "the webhook is away");
}

// Few paths, of which many are in several sets. Who has an element has its keys.
FieldSet RandomSet() {
  const std::vector<std::string> paths{".spec",
                                       ".spec.number",
                                       ".spec.struct",
                                       ".spec.struct.a",
                                       ".spec.struct.inner.x",
                                       ".spec.map",
                                       ".spec.map.a",
                                       ".spec.maps.k",
                                       ".spec.maps.k.a",
                                       ".spec.items",
                                       R"(.spec.items[name="a"] .spec.items[name="a"].name)",
                                       R"(.spec.items[name="a"].value)",
                                       R"(.spec.items[name="a"].nested.a)",
                                       R"(.spec.items[name="b"] .spec.items[name="b"].name)",
                                       R"(.spec.items[name="b"].value)",
                                       R"(.spec.words[="x"])",
                                       ".spec.list",
                                       ".spec.any.a.b"};
  std::string text;
  for (const std::string& path : paths) {
    if (*rc::gen::inRange(0, 3) == 0) text += path + ' ';
  }
  return testing::SetOfPaths(text);
}

// The walk through what was applied last, and upstream's way through the sets of all fields, which
// is taken where a set is of another version, are one.
RC_GTEST_PROP(PruningTest, TakesTheSameAmongSeveralVersions, ()) {
  const auto maybe = [](const char* text) {
    return *rc::gen::arbitrary<bool>() ? std::string(text) : std::string();
  };
  const JsonValue merged = Thing(
      kV1, "{" + maybe("number: 1, ") + maybe("struct: {a: 1, b: 2, inner: {x: 1, w: 2}}, ") +
               maybe("map: {a: x, b: w}, ") + maybe("maps: {k: {a: 1, b: 2}, l: {}}, ") +
               maybe("items: [{name: a, value: 1, nested: {a: 1, b: 2}}, {name: b, value: 1}], ") +
               maybe("words: [x, w, x], ") + maybe("list: [a], ") + maybe("any: {a: {b: 1}}, ") +
               maybe("fixed: {}, ") + "}");
  const ManagedSet last{RandomSet(), kV1, true};
  ManagedSets sets{{"self", {RandomSet(), kV1, true}}, {"other", {RandomSet(), kV1, false}}};
  const FieldManagerHooks hooks{.convert = Convert, .filter = {}};
  VersionedValue one{&ThingType(), kV1, merged};
  RC_ASSERT(Prune(hooks, last, sets, &one).ok());
  // A manager of another version, who owns nothing.
  sets["elsewhere"] = {{}, "example.com/v0", false};
  VersionedValue other{&ThingType(), kV1, merged};
  RC_ASSERT(Prune(hooks, last, sets, &other).ok());
  RC_ASSERT(ToText(one.value) == ToText(other.value));
}

}  // namespace
}  // namespace podium::reflect
