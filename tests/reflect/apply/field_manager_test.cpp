// Server-side apply as a whole; after the ideas of upstream's fieldmanager_test, capmanagers_test,
// lastappliedmanager_test, skipnonapplied_test, managedfields_test and structured-merge-diff's
// multiple_appliers_test, leaf_test, set_test, nested_test, key_test.
#include "reflect/apply/field_manager.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reflect/apply/apply_types.h"

namespace podium::reflect {
namespace {

using testing::Paths;
using testing::SetOfPaths;
using testing::ThingType;
using testing::Y;

constexpr const char* kVersion = "example.com/v1";

// One object and its clock.
class Cluster {
 public:
  explicit Cluster(FieldManagerOptions options = {})
      : manager_([&] {
          options.type = &ThingType();
          options.api_version = kVersion;
          options.kind = "Thing";
          return std::move(options);
        }()) {}

  static JsonValue Thing(std::string_view spec) {
    return Y(
        "{apiVersion: example.com/v1, kind: Thing, metadata: {name: t, namespace: ns}, spec: " +
        std::string(spec) + "}");
  }

  std::string Apply(std::string_view manager, std::string_view spec, bool force = false) {
    return ApplyThing(manager, Thing(spec), force);
  }
  std::string ApplyThing(std::string_view manager, const JsonValue& config, bool force = false) {
    Tick();
    auto outcome = manager_.Apply(live_, config,
                                  {.manager = std::string(manager), .time = Now(), .force = force});
    if (!outcome.ok()) return outcome.error().message();
    if (!outcome->conflicts.empty()) return ConflictMessage(outcome->conflicts);
    live_ = std::move(outcome->object);
    return "";
  }
  std::string Update(std::string_view manager, std::string_view spec) {
    JsonValue thing = Thing(spec);
    if (const JsonValue* metadata = live_.Find("metadata")) thing.Set("metadata", *metadata);
    return UpdateThing(manager, std::move(thing));
  }
  std::string UpdateThing(std::string_view manager, JsonValue thing) {
    Tick();
    auto updated =
        manager_.Update(live_, std::move(thing), {.manager = std::string(manager), .time = Now()});
    if (!updated.ok()) return updated.error().message();
    live_ = *std::move(updated);
    live_.Find("metadata")->Set("uid", JsonValue::String("u"));
    return "";
  }

  JsonValue& live() { return live_; }
  std::string Spec() const {
    const JsonValue* spec = live_.Find("spec");
    return spec ? ToText(*spec) : "";
  }
  // An entry a line: the manager, A or U, the seconds of its time, its subresource, its paths.
  std::string Owners() const {
    std::string out;
    const JsonValue* entries = live_.Find("metadata")->Find("managedFields");
    if (entries == nullptr) return out;
    for (const JsonValue& entry : entries->array()) {
      const std::string time = entry.Find("time") ? entry.Find("time")->string() : "";
      out += entry.Find("manager")->string() + ' ' + entry.Find("operation")->string()[0];
      out += ' ' + (time.empty() ? "-" : time.substr(17, 2));
      if (const JsonValue* sub = entry.Find("subresource")) out += " /" + sub->string();
      out += ": " + Paths(*FieldSet::FromJson(*entry.Find("fieldsV1"))) + '\n';
    }
    return out;
  }

  void Tick() { ++seconds_; }
  std::string Now() const {
    return "2026-03-14T09:26:" + std::string(seconds_ < 10 ? "0" : "") + std::to_string(seconds_) +
           "Z";
  }

 private:
  FieldManager manager_;
  JsonValue live_ = Y("{apiVersion: example.com/v1, kind: Thing, metadata: {}}");
  int seconds_ = 0;
};

std::string Json(std::string_view yaml) { return ToText(Y(yaml)); }

TEST(FieldManagerTest, AnApplierOwnsWhatItSays) {
  Cluster cluster;
  EXPECT_EQ(cluster.Apply("ci", "{number: 1, items: [{name: a, value: 1}], words: [x]}"), "");
  EXPECT_EQ(cluster.Spec(), Json("{number: 1, items: [{name: a, value: 1}], words: [x]}"));
  EXPECT_EQ(cluster.Owners(),
            "ci A 01: .spec.number .spec.items[name=\"a\"] .spec.items[name=\"a\"].name "
            ".spec.items[name=\"a\"].value .spec.words[=\"x\"]\n");
  const JsonValue& entry = cluster.live().Find("metadata")->Find("managedFields")->array()[0];
  EXPECT_EQ(ToText(entry),
            R"({"manager":"ci","operation":"Apply","apiVersion":"example.com/v1",)"
            R"("time":"2026-03-14T09:26:01Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{)"
            R"("f:items":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:value":{}}},"f:number":{},)"
            R"("f:words":{"v:\"x\"":{}}}}})");
}

TEST(FieldManagerTest, WhatIsNotAppliedAnyMoreGoes) {
  const struct {
    const char* first;
    const char* then;
    const char* left;
  } cases[] = {
      {"{number: 1, text: x}", "{number: 1}", "{number: 1}"},
      {"{number: 1, map: {a: x, b: w}}", "{number: 1, map: {a: x}}", "{number: 1, map: {a: x}}"},
      {"{number: 1, map: {a: x}}", "{number: 1}", "{number: 1}"},
      {"{number: 1, struct: {a: 1, b: 2}}", "{number: 1, struct: {b: 2}}",
       "{number: 1, struct: {b: 2}}"},
      {"{number: 1, struct: {inner: {x: 1}}}", "{number: 1}", "{number: 1}"},
      {"{items: [{name: a, value: 1}, {name: b}]}", "{items: [{name: a}]}", "{items: [{name: a}]}"},
      {"{number: 1, words: [a, b]}", "{number: 1, words: [b]}", "{number: 1, words: [b]}"},
      {"{number: 1, words: [a]}", "{number: 1}", "{number: 1}"},
      {"{number: 1, fixed: {a: x}, list: [a]}", "{number: 1}", "{number: 1}"},
      {"{number: 1, any: {a: {b: 1}}}", "{number: 1, any: {a: {}}}", "{number: 1, any: {a: null}}"},
      {"{number: 1, list: [a, b]}", "{number: 1, list: [b]}", "{number: 1, list: [b]}"},
  };
  for (const auto& c : cases) {
    Cluster cluster;
    EXPECT_EQ(cluster.Apply("ci", c.first), "");
    EXPECT_EQ(cluster.Apply("ci", c.then), "");
    EXPECT_EQ(cluster.Spec(), Json(c.left)) << c.first << " then " << c.then;
  }
}

TEST(FieldManagerTest, WhatOthersOwnStays) {
  Cluster cluster;
  cluster.Apply("one", "{number: 1, items: [{name: a, value: 1}, {name: b}], words: [x, w]}");
  // The same value is no conflict: both own it.
  EXPECT_EQ(cluster.Apply("two", "{number: 1, items: [{name: a}], words: [w]}"), "");
  EXPECT_EQ(cluster.Apply("one", "{text: x}"), "");
  EXPECT_EQ(cluster.Spec(), Json("{number: 1, items: [{name: a}], words: [w], text: x}"));
  EXPECT_EQ(cluster.Owners(),
            "two A -: .spec.number .spec.items[name=\"a\"] .spec.items[name=\"a\"].name "
            ".spec.words[=\"w\"]\none A 03: .spec.text\n");
}

// What somebody put into an element goes with it, once nobody owns the element itself.
TEST(FieldManagerTest, ElementsGoWhole) {
  Cluster cluster;
  cluster.Apply("ci", "{items: [{name: a, value: 1}, {name: b}], maps: {k: {a: 1}, l: {}}}");
  cluster.Update("edit",
                 "{items: [{name: a, value: 1, nested: {a: 1}}, {name: b}], maps: {k: {a: 1, b: "
                 "2}, l: {}}}");
  EXPECT_EQ(cluster.Apply("ci", "{items: [{name: b}], maps: {l: {}}}"), "");
  EXPECT_EQ(cluster.Spec(), Json("{items: [{name: b}], maps: {l: {}}}"));
  EXPECT_EQ(cluster.Owners(),
            "ci A 03: .spec.items[name=\"b\"] .spec.items[name=\"b\"].name .spec.maps.l\n");
}

// What nobody applied (a default) goes with the struct that was applied around it.
TEST(FieldManagerTest, DefaultsGoWithTheirStruct) {
  Cluster cluster;
  cluster.Apply("ci", "{number: 1, struct: {inner: {x: 1}}}");
  cluster.live().Find("spec")->Set("struct", Y("{a: 7, inner: {x: 1, w: 9}}"));
  cluster.Apply("ci", "{number: 1, struct: {a: 7}}");
  EXPECT_EQ(cluster.Spec(), Json("{number: 1, struct: {a: 7}}"));
  cluster.live().Find("spec")->Set("struct", Y("{a: 7, b: 8}"));
  cluster.Apply("ci", "{number: 1}");
  EXPECT_EQ(cluster.Spec(), Json("{number: 1}"));
}

TEST(FieldManagerTest, Conflicts) {
  const struct {
    const char* live;    // applied by "one"
    const char* config;  // by "two"
    const char* message;
  } cases[] = {
      {"{number: 1}", "{number: 2}",
       "Apply failed with 1 conflict: conflict with \"one\": .spec.number"},
      {"{number: 1}", "{number: 1}", ""},
      {"{number: 1}", "{text: x}", ""},
      {"{number: 1, text: x}", "{number: 2, text: w}",
       "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.number\n- .spec.text"},
      {"{items: [{name: a, value: 1}]}", "{items: [{name: a, value: 2}]}",
       "Apply failed with 1 conflict: conflict with \"one\": .spec.items[name=\"a\"].value"},
      {"{items: [{name: a, value: 1}]}", "{items: [{name: b, value: 2}]}", ""},
      {"{fixed: {a: x}}", "{fixed: {b: x}}",
       "Apply failed with 1 conflict: conflict with \"one\": .spec.fixed"},
      {"{list: [a]}", "{list: [b]}",
       "Apply failed with 1 conflict: conflict with \"one\": .spec.list"},
      {"{map: {a: x}}", "{map: {b: w}}", ""},
      {"{map: {a: x}}", "{map: {a: w}}",
       "Apply failed with 1 conflict: conflict with \"one\": .spec.map.a"},
      {"{words: [a, b]}", "{words: [b, a]}", ""},
      {"{number: 1}", "{number: null}",
       "Apply failed with 1 conflict: conflict with \"one\": .spec.number"},
      {"{wholes: [{name: a, value: 1}]}", "{wholes: [{name: a}]}",
       "Apply failed with 1 conflict: conflict with \"one\": .spec.wholes[name=\"a\"]"},
  };
  for (const auto& c : cases) {
    Cluster cluster;
    cluster.Apply("one", c.live);
    const std::string before = ToText(cluster.live());
    EXPECT_EQ(cluster.Apply("two", c.config), c.message) << c.live << " and " << c.config;
    if (c.message[0] != '\0') {
      EXPECT_EQ(ToText(cluster.live()), before);
    }
  }
}

TEST(FieldManagerTest, ConflictsWithSeveralManagers) {
  Cluster cluster;
  cluster.Apply("b", "{number: 1}");
  cluster.Update("edit", "{number: 1, text: x, flag: true}");
  EXPECT_EQ(cluster.Apply("c", "{number: 2, text: w, flag: false}"),
            "Apply failed with 3 conflicts: conflicts with \"b\":\n- .spec.number\n"
            "conflicts with \"edit\" using example.com/v1:\n- .spec.flag\n- .spec.text");
  EXPECT_EQ(cluster.Apply("c", "{number: 2, text: w}", true), "");
  EXPECT_EQ(cluster.Spec(), Json("{number: 2, text: w, flag: true}"));
  EXPECT_EQ(cluster.Owners(), "c A 04: .spec.number .spec.text\nedit U 02: .spec.flag\n");
}

TEST(FieldManagerTest, ConflictsWithSubresources) {
  Cluster cluster;
  FieldManager status({.type = &ThingType(),
                       .api_version = kVersion,
                       .kind = "Thing",
                       .subresource = "status",
                       .hooks = {}});
  cluster.Apply("ci", "{number: 1}");
  JsonValue thing = cluster.live();
  thing.Set("status", Y("{phase: up}"));
  cluster.live() = *status.Update(cluster.live(), std::move(thing),
                                  {.manager = "agent", .time = "2026-03-14T09:26:30Z"});
  EXPECT_EQ(cluster.Owners(), "ci A 01: .spec.number\nagent U 30 /status: .status .status.phase\n");
  JsonValue config = Cluster::Thing("{number: 1}");
  config.Set("status", Y("{phase: down}"));
  EXPECT_EQ(cluster.ApplyThing("ci", config),
            "Apply failed with 1 conflict: conflict with \"agent\" with subresource \"status\" "
            "using example.com/v1: .status.phase");
}

TEST(FieldManagerTest, UpdatesOwnWhatTheyChange) {
  Cluster cluster;
  cluster.Update("create", "{number: 1, text: x, items: [{name: a, value: 1}]}");
  EXPECT_EQ(cluster.Owners(),
            "create U 01: .spec .spec.items .spec.number .spec.text .spec.items[name=\"a\"] "
            ".spec.items[name=\"a\"].name .spec.items[name=\"a\"].value\n");
  cluster.Update("edit", "{number: 2, items: [{name: a, value: 1}, {name: b}]}");
  EXPECT_EQ(cluster.Owners(),
            "create U 01: .spec .spec.items .spec.items[name=\"a\"] .spec.items[name=\"a\"].name "
            ".spec.items[name=\"a\"].value\n"
            "edit U 02: .spec.number .spec.items[name=\"b\"] .spec.items[name=\"b\"].name\n");
  // What changes nothing owns nothing, and no time is new.
  const std::string before = ToText(cluster.live());
  cluster.Update("other", "{number: 2, items: [{name: a, value: 1}, {name: b}]}");
  EXPECT_EQ(ToText(cluster.live()), before);
  // What a manager has already is joined with what it changes now.
  cluster.Update("edit", "{number: 2, text: w, items: [{name: a, value: 1}, {name: b}]}");
  EXPECT_EQ(cluster.Owners(),
            "create U 01: .spec .spec.items .spec.items[name=\"a\"] .spec.items[name=\"a\"].name "
            ".spec.items[name=\"a\"].value\n"
            "edit U 04: .spec.number .spec.text .spec.items[name=\"b\"] "
            ".spec.items[name=\"b\"].name\n");
  // What is gone nobody owns.
  cluster.Update("edit", "{}");
  EXPECT_EQ(cluster.Owners(), "create U 01: .spec\n");
}

TEST(FieldManagerTest, UpdatesTakeFromAppliers) {
  Cluster cluster;
  cluster.Apply("ci", "{number: 1, text: x}");
  cluster.Update("edit", "{number: 2, text: x}");
  EXPECT_EQ(cluster.Owners(), "ci A 01: .spec.text\nedit U 02: .spec.number\n");
  EXPECT_EQ(cluster.Apply("ci", "{number: 1, text: x}"),
            "Apply failed with 1 conflict: conflict with \"edit\" using example.com/v1: "
            ".spec.number");
  EXPECT_EQ(cluster.Apply("ci", "{number: 2, text: x}"), "");
  EXPECT_EQ(cluster.Owners(), "ci A 01: .spec.number .spec.text\nedit U 02: .spec.number\n");
}

TEST(FieldManagerTest, UpdatesAndAppliesOfOneManagerAreTwo) {
  Cluster cluster;
  cluster.Apply("x", "{number: 1}");
  cluster.Update("x", "{number: 2}");
  EXPECT_EQ(cluster.Owners(), "x U 02: .spec.number\n");
  EXPECT_EQ(cluster.Apply("x", "{number: 3}"),
            "Apply failed with 1 conflict: conflict with \"x\" using example.com/v1: .spec.number");
  EXPECT_EQ(cluster.Update("", "{number: 4}"), "");
  EXPECT_EQ(cluster.Owners(), "unknown U 04: .spec.number\n");
}

TEST(FieldManagerTest, TheTimeIsThatOfTheLastApplyThatDidSomething) {
  Cluster cluster;
  cluster.Apply("ci", "{number: 1}");
  cluster.Apply("ci", "{number: 1}");
  EXPECT_EQ(cluster.Owners(), "ci A 01: .spec.number\n");
  cluster.Apply("ci", "{number: 2}");
  EXPECT_EQ(cluster.Owners(), "ci A 03: .spec.number\n");
  // Owning a field more is not yet a change of the object.
  cluster.Apply("two", "{number: 2}");
  EXPECT_EQ(cluster.Owners(), "two A -: .spec.number\nci A 03: .spec.number\n");
}

TEST(FieldManagerTest, NothingAppliedNothingOwned) {
  Cluster cluster;
  cluster.Apply("ci", "{number: 1}");
  EXPECT_EQ(cluster.ApplyThing("ci", Y("{apiVersion: example.com/v1, kind: Thing, metadata: {name: "
                                       "t, namespace: ns, uid: x, generation: 3}}")),
            "");
  EXPECT_EQ(cluster.Owners(), "");
  EXPECT_EQ(cluster.Spec(), "");
}

TEST(FieldManagerTest, BeforeTheFirstApply) {
  Cluster cluster;
  cluster.live() = Cluster::Thing("{number: 1, text: x}");
  cluster.live().Find("metadata")->Set("uid", JsonValue::String("u"));
  // Without managedFields updates are not tracked.
  cluster.Update("edit", "{number: 2, text: x}");
  EXPECT_EQ(cluster.Owners(), "");
  EXPECT_EQ(cluster.Apply("ci", "{number: 3}"),
            "Apply failed with 1 conflict: conflict with \"before-first-apply\" using "
            "example.com/v1: .spec.number");
  EXPECT_EQ(cluster.Apply("ci", "{number: 2}"), "");
  EXPECT_EQ(cluster.Owners(),
            "ci A -: .spec.number\nbefore-first-apply U 03: .spec .spec.number .spec.text\n");
}

TEST(FieldManagerTest, ManagedFieldsOfTheClient) {
  Cluster cluster;
  cluster.Apply("ci", "{number: 1}");
  const JsonValue stored = cluster.live();
  cluster.Update("edit", "{number: 1, text: x}");
  const struct {
    const char* entries;
    const char* owners;
  } cases[] = {
      // As they are, even when the client has dropped or changed some.
      {"[{manager: ci, operation: Apply, apiVersion: example.com/v1, fieldsType: FieldsV1, "
       "fieldsV1: {'f:spec': {'f:flag': {}}}}]",
       "ci A -: .spec.flag\nlast U 03: .spec.number\n"},
      // Of those that are wrong, and of none, the stored ones count.
      {"[{manager: ci, operation: Apply}]", "ci A 01: .spec.text\nlast U 03: .spec.number\n"},
      {"null", "ci A 01: .spec.text\nlast U 03: .spec.number\n"},
      // Asked for: nothing is tracked any more.
      {"[]", ""},
      {"[{}]", ""},
  };
  for (const auto& c : cases) {
    Cluster one;
    one.Apply("ci", "{number: 1, text: x}");
    one.Tick();
    one.live().Find("metadata")->Set("uid", JsonValue::String("u"));
    JsonValue thing = Cluster::Thing("{number: 2, text: x}");
    thing.Find("metadata")->Set("managedFields", Y(c.entries));
    EXPECT_EQ(one.UpdateThing("last", std::move(thing)), "");
    EXPECT_EQ(one.Owners(), c.owners) << c.entries;
  }
}

TEST(FieldManagerTest, SubresourcesKeepTheStoredEntries) {
  Cluster cluster({.subresource = "status"});
  cluster.live() = Cluster::Thing("{number: 1}");
  cluster.Update("agent", "{number: 1}");
  JsonValue thing = Cluster::Thing("{number: 2}");
  thing.Find("metadata")->Set("managedFields", Y("[]"));
  const std::string before = cluster.Owners();
  cluster.UpdateThing("agent", std::move(thing));
  EXPECT_EQ(cluster.Owners(), before);
}

TEST(FieldManagerTest, EntriesThatCannotBeRead) {
  const struct {
    const char* entries;
    const char* error;
  } cases[] = {
      {"[{manager: a, apiVersion: v1, fieldsType: FieldsV1}]",
       "operation must be `Apply` or `Update`"},
      {"[{manager: a, operation: Delete, apiVersion: v1, fieldsType: FieldsV1}]",
       "operation must be `Apply` or `Update`"},
      {"[{manager: a, operation: Apply, fieldsType: FieldsV1}]", "apiVersion must not be empty"},
      {"[{manager: a, operation: Apply, apiVersion: v1}]",
       "missing fieldsType in managed fields entry 0"},
      {"[{operation: Apply, apiVersion: v1, fieldsType: FieldsV1}, {operation: Update, apiVersion: "
       "v1, fieldsType: FieldsV2}]",
       "invalid fieldsType \"FieldsV2\" in managed fields entry 1"},
      {"[{manager: a, operation: Apply, apiVersion: v1, fieldsType: FieldsV1}]", ""},
  };
  for (const auto& c : cases) {
    const JsonValue entries = Y(c.entries);
    const auto checked = CheckManagedFields(&entries);
    EXPECT_EQ(checked.ok() ? "" : checked.error().message(), c.error);
    Cluster cluster;
    cluster.live().Find("metadata")->Set("managedFields", entries);
    const std::string error = cluster.Apply("ci", "{number: 1}");
    EXPECT_EQ(error, c.error[0] ? "failed to decode managed fields: " + std::string(c.error) : "");
  }
}

TEST(FieldManagerTest, ConfigurationsThatAreRefused) {
  const struct {
    const char* config;
    Code code;
    const char* error;
  } cases[] = {
      {"{apiVersion: example.com/v2, kind: Thing}", Code::kInvalidArgument,
       "invalid object type: example.com/v2, Kind=Thing"},
      {"{apiVersion: v1, kind: Pod}", Code::kInvalidArgument, "invalid object type: /v1, Kind=Pod"},
      {"{apiVersion: example.com/v1, kind: Thing, metadata: {managedFields: []}}",
       Code::kInvalidArgument, "metadata.managedFields must be nil"},
      {"{apiVersion: example.com/v1, kind: Thing, metadata: {name: t, namespace: ns}, spec: {x: "
       "1}}",
       Code::kInternal,
       "failed to create typed patch object (ns/t; example.com/v1, Kind=Thing): .spec.x: field not "
       "declared in schema"},
      {"{apiVersion: example.com/v1, kind: Thing, spec: {words: [a, a]}}", Code::kInternal,
       "failed to create typed patch object (/; example.com/v1, Kind=Thing): .spec.words: "
       "duplicate entries for key [=\"a\"]"},
  };
  const FieldManager manager(
      {.type = &ThingType(), .api_version = kVersion, .kind = "Thing", .hooks = {}});
  for (const auto& c : cases) {
    const auto outcome =
        manager.Apply(Cluster::Thing("{}"), Y(c.config), {.manager = "x", .time = "t"});
    ASSERT_FALSE(outcome.ok()) << c.config;
    EXPECT_EQ(outcome.error().code(), c.code);
    EXPECT_EQ(outcome.error().message(), c.error);
  }
  // Live objects may have what a configuration may not.
  Cluster cluster;
  cluster.live() = Cluster::Thing("{words: [a, a]}");
  EXPECT_EQ(cluster.Apply("ci", "{number: 1}"), "");
}

TEST(FieldManagerTest, TenUpdateManagersAtMost) {
  Cluster cluster;
  std::string map;
  for (int i = 0; i < 12; ++i) {
    map += "k" + std::to_string(i) + ": x, ";
    cluster.Update("m" + std::to_string(i), "{map: {" + map + "}}");
  }
  EXPECT_EQ(cluster.Owners(),
            "ancient-changes U 03: .spec .spec.map .spec.map.k0 .spec.map.k1 .spec.map.k2\n"
            "m3 U 04: .spec.map.k3\nm4 U 05: .spec.map.k4\nm5 U 06: .spec.map.k5\n"
            "m6 U 07: .spec.map.k6\nm7 U 08: .spec.map.k7\nm8 U 09: .spec.map.k8\n"
            "m9 U 10: .spec.map.k9\nm10 U 11: .spec.map.k10\nm11 U 12: .spec.map.k11\n");
  // Appliers do not count.
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(cluster.Apply("a" + std::to_string(i), "{number: 1}"), "");
  }
  EXPECT_EQ(cluster.live().Find("metadata")->Find("managedFields")->array().size(), 22u);
}

TEST(FieldManagerTest, ResetFieldsAreNotOwned) {
  const FieldManagerHooks hooks{.convert = {},
                                .filter = WithoutFields({{kVersion, SetOfPaths(".status")}})};
  Cluster cluster({.hooks = hooks});
  JsonValue config = Cluster::Thing("{number: 1}");
  config.Set("status", Y("{phase: up}"));
  EXPECT_EQ(cluster.ApplyThing("ci", config), "");
  EXPECT_EQ(cluster.Owners(), "ci A 01: .spec.number\n");
  JsonValue thing = cluster.live();
  thing.Set("status", Y("{phase: down}"));
  thing.Set("spec", Y("{number: 2}"));
  EXPECT_EQ(cluster.UpdateThing("edit", thing), "");
  EXPECT_EQ(cluster.Owners(), "edit U 02: .spec.number\n");
}

TEST(FieldManagerTest, KubectlTakesOverFromClientSideApply) {
  const char* const last =
      "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Thing\",\"metadata\":{\"annotations\":{},"
      "\"name\":\"t\",\"namespace\":\"ns\"},\"spec\":{\"number\":1,\"text\":\"x\"}}\n";
  const auto created = [&](std::string_view annotation) {
    Cluster cluster;
    JsonValue thing = Cluster::Thing("{number: 1, text: x}");
    thing.Find("metadata")
        ->Set("annotations",
              JsonValue::Of(JsonValue::Object{{"kubectl.kubernetes.io/last-applied-configuration",
                                               JsonValue::String(std::string(annotation))}}));
    EXPECT_EQ(cluster.UpdateThing("kubectl-client-side-apply", std::move(thing)), "");
    return cluster;
  };
  {
    Cluster cluster = created(last);
    EXPECT_EQ(cluster.Apply("ci", "{number: 2}"),
              "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using "
              "example.com/v1: .spec.number");
    EXPECT_EQ(cluster.Apply("kubectl", "{number: 2, text: x}"), "");
    EXPECT_EQ(cluster.Spec(), Json("{number: 2, text: x}"));
    // The annotation follows.
    EXPECT_EQ(cluster.live()
                  .Find("metadata")
                  ->Find("annotations")
                  ->Find("kubectl.kubernetes.io/last-applied-configuration")
                  ->string(),
              "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"t\","
              "\"namespace\":\"ns\"},\"spec\":{\"number\":2,\"text\":\"x\"}}\n");
  }
  {
    // What somebody else has changed since is not its own.
    Cluster cluster = created(last);
    JsonValue thing = cluster.live();
    thing.Find("spec")->Set("number", JsonValue::Number("7"));
    EXPECT_EQ(cluster.UpdateThing("edit", std::move(thing)), "");
    EXPECT_EQ(cluster.Apply("kubectl", "{number: 2, text: w}"),
              "Apply failed with 1 conflict: conflict with \"edit\" using example.com/v1: "
              ".spec.number");
  }
  for (const char* unusable :
       {"", "{", "{\"apiVersion\":\"example.com/v2\",\"kind\":\"Thing\"}",
        "{\"apiVersion\":\"example.com/v1\",\"kind\":\"Thing\",\"spec\":{\"nothing\":1}}"}) {
    Cluster cluster = created(unusable);
    EXPECT_EQ(cluster.Apply("kubectl", "{number: 2}"),
              "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using "
              "example.com/v1: .spec.number")
        << unusable;
  }
}

TEST(FieldManagerTest, WritesThatChangeNothingKeepTheTimes) {
  const JsonValue stored =
      Y("{metadata: {name: t, managedFields: [{manager: a, time: t1, fieldsV1: {}}]}, spec: 1}");
  const struct {
    const char* object;
    const char* time;
  } cases[] = {
      {"{metadata: {name: t, managedFields: [{manager: a, time: t2, fieldsV1: {}}]}, spec: 1}",
       "t1"},
      {"{metadata: {name: t, managedFields: [{manager: a, time: t2, fieldsV1: {}}]}, spec: 2}",
       "t2"},
      {"{metadata: {name: t, managedFields: [{manager: b, time: t2, fieldsV1: {}}]}, spec: 1}",
       "t2"},
      {"{metadata: {name: t, managedFields: [{manager: a, time: t2, fieldsV1: {}}, {manager: b}]}, "
       "spec: 1}",
       "t2"},
  };
  for (const auto& c : cases) {
    JsonValue object = Y(c.object);
    KeepTimesOfUnchanged(stored, &object);
    EXPECT_EQ(object.Find("metadata")->Find("managedFields")->array()[0].Find("time")->string(),
              c.time)
        << c.object;
  }
}

TEST(FieldManagerTest, UntypedObjects) {
  const FieldManager manager({.type = nullptr, .api_version = "x/v1", .kind = "K", .hooks = {}});
  const auto apply = [&](JsonValue live, std::string_view spec, std::string_view who) {
    return manager.Apply(std::move(live),
                         Y("{apiVersion: x/v1, kind: K, spec: " + std::string(spec) + "}"),
                         {.manager = std::string(who), .time = "t"});
  };
  auto one = apply(Y("{apiVersion: x/v1, kind: K}"), "{a: 1, list: [1]}", "one");
  ASSERT_TRUE(one.ok()) << one.error().message();
  auto two = apply(one->object, "{b: 1, list: [2]}", "two");
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(ConflictMessage(two->conflicts),
            "Apply failed with 1 conflict: conflict with \"one\": .spec.list");
}

}  // namespace
}  // namespace podium::reflect
