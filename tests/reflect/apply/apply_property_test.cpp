// What holds for every apply: twice is once; managers who apply different fields do not see each
// other; who applies nothing owns nothing, and leaves nothing behind.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "reflect/apply/apply_types.h"
#include "reflect/apply/comparison.h"
#include "reflect/apply/field_manager.h"
#include "reflect/apply/object_fields.h"

namespace podium::reflect {
namespace {

using testing::ThingSchema;
using testing::ThingType;
using testing::Y;

constexpr const char* kVersion = "example.com/v1";
constexpr const char* kKind = "Thing";

JsonValue Thing(const JsonValue& spec) {
  JsonValue thing = Y("{apiVersion: example.com/v1, kind: Thing, metadata: {name: t}}");
  if (!spec.object().empty()) thing.Set("spec", spec);
  return thing;
}

// Some of the members; of lists and maps, some of what is in them. Nothing in it is empty: asked
// for by who had something in it, it is null first, as upstream, and there the next time.
JsonValue Part(const JsonValue& value) {
  if (value.is_object()) {
    JsonValue out = JsonValue::Of(JsonValue::Object{});
    for (const auto& [key, its] : value.object()) {
      if (key != "name" && *rc::gen::arbitrary<bool>()) continue;
      JsonValue part = Part(its);
      const bool is_empty = part.is_array()    ? part.array().empty()
                            : part.is_object() ? part.object().empty()
                                               : false;
      if (!is_empty) out.Set(key, std::move(part));
    }
    return out;
  }
  if (!value.is_array()) return value;
  JsonValue::Array out;
  for (const JsonValue& element : value.array()) {
    if (*rc::gen::arbitrary<bool>()) out.push_back(Part(element));
  }
  return JsonValue::Of(std::move(out));
}

// Configurations that agree on every value that two of them have.
JsonValue RandomSpec() {
  return Part(
      Y("{number: 1, text: x, items: [{name: a, value: 1, nested: {a: 1, b: 2}, tags: [p, "
        "q]}, {name: b, value: 2}, {name: c}], words: [x, w, z], map: {a: x, b: w}, maps: "
        "{k: {a: 1, b: 2}, l: {a: 3}}, struct: {a: 1, b: 2, inner: {x: 1, w: 2}}, any: {a: "
        "{b: 1}}}"));
}

JsonValue Empty() { return Y("{apiVersion: example.com/v1, kind: Thing, metadata: {}}"); }

// Without what is null: what is left when it is decoded.
JsonValue Decoded(JsonValue value) {
  if (value.is_object()) {
    std::erase_if(value.object(), [](const auto& member) { return member.value.is_null(); });
    for (auto& [key, its] : value.object()) its = Decoded(std::move(its));
  } else if (value.is_array()) {
    for (JsonValue& its : value.array()) its = Decoded(std::move(its));
  }
  return value;
}

ApplyOutcome Apply(JsonValue live, const JsonValue& config, const char* who, bool force = false) {
  const FieldManager manager(
      {.type = &ThingType(), .api_version = kVersion, .kind = kKind, .hooks = {}});
  auto outcome =
      manager.Apply(std::move(live), config, {.manager = who, .time = "t", .force = force});
  if (!outcome.ok()) RC_FAIL(outcome.error().message());
  outcome->object = Decoded(std::move(outcome->object));
  return *std::move(outcome);
}

// By manager, without times, which only those have who changed something.
std::map<std::string, std::string> Owners(const JsonValue& object) {
  std::map<std::string, std::string> owners;
  const JsonValue* entries = object.Find("metadata")->Find("managedFields");
  if (entries == nullptr) return owners;
  for (const JsonValue& entry : entries->array()) {
    owners[entry.Find("manager")->string()] = ToText(*entry.Find("fieldsV1"));
  }
  return owners;
}

RC_GTEST_PROP(ApplyPropertyTest, TwiceIsOnce, ()) {
  const JsonValue config = Thing(RandomSpec());
  JsonValue live = Apply(Empty(), Thing(RandomSpec()), "one").object;
  live = Apply(std::move(live), Thing(RandomSpec()), "two").object;
  const JsonValue once = Apply(std::move(live), config, "two").object;
  const ApplyOutcome twice = Apply(once, config, "two");
  RC_ASSERT(twice.conflicts.empty());
  RC_ASSERT(Equivalent(twice.object, once));
}

RC_GTEST_PROP(ApplyPropertyTest, ManagersWhoAgreeCommute, ()) {
  const JsonValue base = Apply(Empty(), Thing(RandomSpec()), "base").object;
  const JsonValue a = Thing(RandomSpec());
  const JsonValue b = Thing(RandomSpec());
  const JsonValue ab = Apply(Apply(base, a, "a").object, b, "b").object;
  const JsonValue ba = Apply(Apply(base, b, "b").object, a, "a").object;
  RC_ASSERT(Owners(ab) == Owners(ba));
  // The order of elements may be another.
  JsonValue left = ab;
  JsonValue right = ba;
  left.Erase("metadata");
  right.Erase("metadata");
  RC_ASSERT(Compare(ThingSchema(), left, right).is_same());
}

RC_GTEST_PROP(ApplyPropertyTest, WhoAppliesNothingOwnsNothing, ()) {
  const JsonValue config = Thing(RandomSpec());
  const JsonValue base = Apply(Empty(), Thing(RandomSpec()), "base").object;
  JsonValue live = Apply(base, config, "one").object;
  live = Apply(std::move(live), Thing(JsonValue::Of(JsonValue::Object{})), "one").object;
  RC_ASSERT(!Owners(live).contains("one"));
  // All that it brought is gone again.
  JsonValue left = live;
  JsonValue right = base;
  left.Erase("metadata");
  right.Erase("metadata");
  RC_ASSERT(Compare(ThingSchema(), right, left).added.empty());
  RC_ASSERT(Compare(ThingSchema(), right, left).modified.empty());
}

RC_GTEST_PROP(ApplyPropertyTest, WhatIsAppliedIsThereAndOwned, ()) {
  const JsonValue config = Thing(RandomSpec());
  JsonValue other = RandomSpec();
  if (other.Find("number")) other.Set("number", JsonValue::Number("2"));
  if (JsonValue* map = other.Find("map"); map && map->Find("a")) {
    map->Set("a", JsonValue::String("z"));
  }
  const JsonValue live = Apply(Empty(), Thing(other), "other").object;
  const ApplyOutcome forced = Apply(live, config, "me", true);
  RC_ASSERT(forced.conflicts.empty());
  RC_ASSERT(Compare(ThingSchema(), config, forced.object).removed.empty());
  RC_ASSERT(Intersection(FieldsOf(ThingSchema(), config),
                         Compare(ThingSchema(), config, forced.object).modified)
                .empty());
  // No field has two values for two owners, so that without force there is nothing to force.
  RC_ASSERT(Apply(forced.object, config, "me").conflicts.empty());
}

}  // namespace
}  // namespace podium::reflect
