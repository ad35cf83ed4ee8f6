// reflect/patch/strategic_patch.h over the API's own types, whose merge keys it is about.
#include "reflect/patch/strategic_patch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "api/types/core_v1.h"
#include "reflect/patch/small_json.h"

namespace podium::api {
namespace {

using core::v1::Pod;
using reflect::ApplyStrategicPatch;
using reflect::JsonValue;
using reflect::MakeStrategicPatch;
using reflect::TypeOf;
using reflect::testing::ParsedJson;

std::string Patched(std::string_view document, std::string_view patch) {
  JsonValue value = ParsedJson(document);
  const Result<void> applied = ApplyStrategicPatch(TypeOf<Pod>(), ParsedJson(patch), &value);
  return applied.ok() ? ToText(value) : "error: " + applied.error().message();
}

struct Case {
  const char* name;
  const char* document;
  const char* patch;
  const char* result;
};

// What is not said to be merged: as with a JSON merge patch.
constexpr Case kObjects[] = {
    {"a member is replaced", R"({"spec":{"nodeName":"a","hostname":"h"}})",
     R"({"spec":{"nodeName":"b"}})", R"({"spec":{"nodeName":"b","hostname":"h"}})"},
    {"a member is added", R"({"spec":{}})", R"({"spec":{"nodeName":"b"}})",
     R"({"spec":{"nodeName":"b"}})"},
    {"null removes", R"({"spec":{"nodeName":"a","hostname":"h"}})", R"({"spec":{"nodeName":null}})",
     R"({"spec":{"hostname":"h"}})"},
    {"null of what is not there is not kept", R"({"spec":{}})", R"({"spec":{"nodeName":null}})",
     R"({"spec":{}})"},
    {"nulls in what is new are not kept", R"({})",
     R"({"spec":{"nodeName":null,"affinity":{"nodeAffinity":null}}})",
     R"({"spec":{"affinity":{}}})"},
    {"maps are merged", R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
     R"({"metadata":{"labels":{"b":null,"c":"3"}}})",
     R"({"metadata":{"labels":{"a":"1","c":"3"}}})"},
    {"another type replaces", R"({"spec":{"nodeName":"a"}})", R"({"spec":{"nodeName":{"x":1}}})",
     R"({"spec":{"nodeName":{"x":1}}})"},
    {"a list without a merge key is replaced",
     R"({"spec":{"containers":[{"name":"a","args":["x","y"]}]}})",
     R"({"spec":{"containers":[{"name":"a","args":["z"]}]}})",
     R"({"spec":{"containers":[{"name":"a","args":["z"]}]}})"},
    {"tolerations have no merge key", R"({"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}})",
     R"({"spec":{"tolerations":[{"key":"c"}]}})", R"({"spec":{"tolerations":[{"key":"c"}]}})"},
    {"an unknown member is taken", R"({"spec":{}})", R"({"spec":{"nope":{"a":1}}})",
     R"({"spec":{"nope":{"a":1}}})"},
};

// Lists of objects that are merged by a key.
constexpr Case kLists[] = {
    {"an element is changed, the others stay",
     R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}})",
     R"({"spec":{"containers":[{"name":"b","image":"3"}]}})",
     R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"3"}]}})"},
    {"a new element comes first, as the patch's elements are not ordered among the others",
     R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
     R"({"spec":{"containers":[{"name":"c"}]}})",
     R"({"spec":{"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]}})"},
    {"the patch's order counts for its own elements",
     R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
     R"({"spec":{"containers":[{"name":"c","tty":true},{"name":"a","tty":true}]}})",
     R"({"spec":{"containers":[{"name":"b"},{"name":"c","tty":true},{"name":"a","tty":true}]}})"},
    {"lists inside of elements",
     R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y"}]}]}})",
     R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"2"}]}]}})",
     R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"2"},{"name":"Y"}]}]}})"},
    {"ports by containerPort",
     R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80},{"containerPort":81}]}]}})",
     R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":81,"name":"x"}]}]}})",
     R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80},)"
     R"({"containerPort":81,"name":"x"}]}]}})"},
    {"an empty list changes nothing", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[]}})", R"({"spec":{"containers":[{"name":"a"}]}})"},
    {"an element without the key", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"image":"b"}]}})",
     "error: map: map[image:b] does not contain declared merge key: name"},
    {"a scalar among objects", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":["b"]}})",
     "error: list element types are not identical: [[map[name:a]] [b]]"},
    {"a list of lists", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[[]]}})",
     "error: list element types are not identical: [[map[name:a]] [[]]]"},
};

constexpr Case kPatchDirective[] = {
    {"replace an object", R"({"spec":{"nodeName":"a","hostname":"h"}})",
     R"({"spec":{"$patch":"replace","nodeName":"b"}})", R"({"spec":{"nodeName":"b"}})"},
    {"delete an object", R"({"metadata":{"labels":{"a":"1"}}})",
     R"({"metadata":{"labels":{"$patch":"delete"}}})", R"({"metadata":{"labels":{}}})"},
    {"delete the whole", R"({"spec":{}})", R"({"$patch":"delete"})", "{}"},
    {"another word", R"({"spec":{"nodeName":"a"}})", R"({"spec":{"$patch":"spoil"}})",
     "error: unknown patch type: spoil in map: map[$patch:spoil]"},
    {"merge is no word for objects", R"({"spec":{"nodeName":"a"}})",
     R"({"spec":{"$patch":"merge"}})",
     "error: unknown patch type: merge in map: map[$patch:merge]"},
    {"in what is not there", R"({})", R"({"spec":{"$patch":"delete","nodeName":"b"}})", "{}"},
    {"in what is not there, further down", R"({})",
     R"({"spec":{"containers":[{"name":"a"},{"$patch":"delete","name":"b"}]}})",
     R"({"spec":{"containers":[{"name":"a"}]}})"},
    {"delete an element", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
     R"({"spec":{"containers":[{"$patch":"delete","name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"b"}]}})"},
    {"delete an element that is not there", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"$patch":"delete","name":"z"}]}})",
     R"({"spec":{"containers":[{"name":"a"}]}})"},
    {"delete all that have the key",
     R"({"spec":{"containers":[{"name":"a","env":[{"name":"X"},{"name":"Y"},{"name":"X"}]}]}})",
     R"({"spec":{"containers":[{"name":"a","env":[{"$patch":"delete","name":"X"}]}]}})",
     R"({"spec":{"containers":[{"name":"a","env":[{"name":"Y"}]}]}})"},
    {"delete without the key", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"$patch":"delete"}]}})",
     "error: map: map[$patch:delete] does not contain declared merge key: name"},
    {"replace a list", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
     R"({"spec":{"containers":[{"name":"c"},{"$patch":"replace"}]}})",
     R"({"spec":{"containers":[{"name":"c"}]}})"},
    {"replace a list by nothing", R"({"spec":{"volumes":[{"name":"a"}]}})",
     R"({"spec":{"volumes":[{"$patch":"replace"}]}})", R"({"spec":{"volumes":[]}})"},
    {"merge a list", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"$patch":"merge"}]}})",
     "error: merging lists cannot yet be specified in the patch"},
    {"a word that is none", R"({"spec":{"nodeName":"a"}})", R"({"spec":{"$patch":1}})",
     "error: unknown patch type: %!s(int64=1) in map: map[$patch:1]"},
    {"in an element that is new", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"b","tty":null,"env":[{"name":"X","$patch":"delete"}]}]}})",
     R"({"spec":{"containers":[{"name":"b","env":[]},{"name":"a"}]}})"},
    {"another word in a list", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"$patch":"spoil","name":"a"}]}})",
     "error: unknown patch type: spoil in map: map[$patch:spoil name:a]"},
};

constexpr Case kPrimitiveLists[] = {
    {"scalars are added", R"({"metadata":{"finalizers":["a","b"]}})",
     R"({"metadata":{"finalizers":["c","b"]}})", R"({"metadata":{"finalizers":["c","a","b"]}})"},
    {"and deleted", R"({"metadata":{"finalizers":["a","b","c"]}})",
     R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["b","z"]}})",
     R"({"metadata":{"finalizers":["a","c"]}})"},
    {"deleted from a list that is replaced otherwise",
     R"({"spec":{"containers":[{"name":"a","args":["x","y","x"]}]}})",
     R"({"spec":{"containers":[{"name":"a","$deleteFromPrimitiveList/args":["x"]}]}})",
     R"({"spec":{"containers":[{"name":"a","args":["y"]}]}})"},
    {"null instead of the list", R"({"metadata":{"finalizers":["a"],"name":"n"}})",
     R"({"metadata":{"$deleteFromPrimitiveList/finalizers":null}})",
     R"({"metadata":{"name":"n"}})"},
    {"deleting from another type", R"({"metadata":{"finalizers":["a"]}})",
     R"({"metadata":{"$deleteFromPrimitiveList/finalizers":"a"}})",
     R"({"metadata":{"finalizers":["a"]}})"},
    {"deleting objects without a key", R"({"spec":{"tolerations":[{"key":"a"}]}})",
     R"({"spec":{"$deleteFromPrimitiveList/tolerations":[{"key":"a"}]}})",
     "error: cannot merge lists without merge key for struct"},
    {"deleting from what is not there", R"({"metadata":{}})",
     R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["b"]}})", R"({"metadata":{}})"},
    {"without a key", R"({"metadata":{"finalizers":["a"]}})",
     R"({"metadata":{"$deleteFromPrimitiveList":["a"]}})",
     "error: invalid patch format of primitive list"},
};

constexpr Case kSetElementOrder[] = {
    {"the order of a merged list",
     R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
     R"({"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"},{"name":"b"}]}})",
     R"({"spec":{"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]}})"},
    {"with changes and deletions",
     R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
     R"({"spec":{"$setElementOrder/containers":[{"name":"d"},{"name":"c"},{"name":"a"}],)"
     R"("containers":[{"name":"d","image":"1"},{"name":"a","image":"2"},)"
     R"({"$patch":"delete","name":"b"}]}})",
     R"({"spec":{"containers":[{"name":"d","image":"1"},{"name":"c"},{"name":"a","image":"2"}]}})"},
    {"others keep their places as far as that goes",
     R"({"spec":{"containers":[{"name":"a"},{"name":"s1"},{"name":"b"},{"name":"s2"}]}})",
     R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"s1"},{"name":"b"},{"name":"a"},{"name":"s2"}]}})"},
    {"of scalars", R"({"metadata":{"finalizers":["a","b"]}})",
     R"({"metadata":{"$setElementOrder/finalizers":["b","a","c"],"finalizers":["c"]}})",
     R"({"metadata":{"finalizers":["b","a","c"]}})"},
    {"of a list that is new", R"({"spec":{}})",
     R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],)"
     R"("containers":[{"name":"b"},{"name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"b"},{"name":"a"}]}})"},
    {"of no list at all", R"({"spec":{}})",
     R"({"spec":{"$setElementOrder/containers":[{"name":"b"}]}})", R"({"spec":{}})"},
    {"against the list's own order", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"b"}],)"
     R"("containers":[{"name":"b"},{"name":"a"}]}})",
     "error: the order in patch list:\n[map[name:b] map[name:a]]\n doesn't match "
     "$setElementOrder list:\n[map[name:a] map[name:b]]"},
    {"no list", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"$setElementOrder/containers":"a"}})",
     "error: expected a []interface {}, but received a string"},
    {"without a key", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"$setElementOrder":[{"name":"a"}]}})",
     "error: invalid patch format of setElementOrder list"},
    {"of what the type does not have", R"({"spec":{}})",
     R"({"spec":{"$setElementOrder/nope":[1]}})",
     "error: unable to find api field in struct PodSpec for the json field \"nope\""},
};

constexpr Case kRetainKeys[] = {
    {"only what is named stays",
     R"({"spec":{"volumes":[{"name":"v","emptyDir":{"medium":"Memory"}}]}})",
     R"({"spec":{"volumes":[{"name":"v","$retainKeys":["name","hostPath"],)"
     R"("hostPath":{"path":"/x"}}]}})",
     R"({"spec":{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}})"},
    {"the patch has what is not named", R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})",
     R"({"spec":{"volumes":[{"name":"v","$retainKeys":["name"],"hostPath":{"path":"/x"}}]}})",
     "error: invalid patch format of retainKeys"},
    {"nulls need not be named", R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})",
     R"({"spec":{"volumes":[{"name":"v","$retainKeys":["name"],"emptyDir":null}]}})",
     R"({"spec":{"volumes":[{"name":"v"}]}})"},
    {"no list", R"({"spec":{"volumes":[{"name":"v"}]}})",
     R"({"spec":{"volumes":[{"name":"v","$retainKeys":"name"}]}})",
     "error: invalid patch format of retainKeys"},
};

TEST(StrategicPatchTest, Directives) {
  const std::span<const Case> tables[] = {kObjects,        kLists,           kPatchDirective,
                                          kPrimitiveLists, kSetElementOrder, kRetainKeys};
  for (const auto table : tables) {
    for (const Case& c : table) EXPECT_EQ(Patched(c.document, c.patch), c.result) << c.name;
  }
}

TEST(StrategicPatchTest, ErrorsSayWhoIsWrong) {
  const struct {
    const char* document;
    const char* patch;
    Code code;
  } cases[] = {
      {"[]", "{}", Code::kInvalidArgument},
      {"{}", "[]", Code::kInvalidArgument},
      {"{}", R"({"$retainKeys":1})", Code::kInvalidArgument},
      {R"({"metadata":{"finalizers":[[]]}})", R"({"metadata":{"finalizers":[[]]}})",
       Code::kUnsupported},
      {R"({"spec":{"containers":[{"name":"a"}]}})", R"({"spec":{"containers":[{}]}})",
       Code::kInternal},
  };
  for (const auto& c : cases) {
    JsonValue document = ParsedJson(c.document);
    const Result<void> applied = ApplyStrategicPatch(TypeOf<Pod>(), ParsedJson(c.patch), &document);
    ASSERT_FALSE(applied.ok()) << c.patch;
    EXPECT_EQ(applied.error().code(), c.code) << c.patch;
  }
}

std::string PatchBetween(std::string_view from, std::string_view to) {
  const auto patch = MakeStrategicPatch(TypeOf<Pod>(), ParsedJson(from), ParsedJson(to));
  return patch.ok() ? ToText(*patch) : "error: " + patch.error().message();
}

TEST(StrategicPatchTest, PatchesAreMadeWithTheirDirectives) {
  const struct {
    const char* from;
    const char* to;
    const char* patch;
  } cases[] = {
      {R"({"spec":{"nodeName":"a"}})", R"({"spec":{"nodeName":"a"}})", "{}"},
      {R"({"spec":{"nodeName":"a","hostname":"h"}})", R"({"spec":{"nodeName":"b"}})",
       R"({"spec":{"nodeName":"b","hostname":null}})"},
      {R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"name":"a","image":"2"}]}})",
       R"({"spec":{"containers":[{"name":"c"},{"image":"2","name":"a"},)"
       R"({"$patch":"delete","name":"b"}],)"
       R"("$setElementOrder/containers":[{"name":"c"},{"name":"a"}]}})"},
      {R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["c","b"]}})",
       R"({"metadata":{"finalizers":["c"],"$deleteFromPrimitiveList/finalizers":["a"],)"
       R"("$setElementOrder/finalizers":["c","b"]}})"},
      {R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})",
       R"({"spec":{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}})",
       R"({"spec":{"volumes":[{"hostPath":{"path":"/x"},"emptyDir":null,)"
       R"("$retainKeys":["hostPath","name"],"name":"v"}],)"
       R"("$setElementOrder/volumes":[{"name":"v"}]}})"},
      {R"({"spec":{"tolerations":[{"key":"a"}]}})", R"({"spec":{"tolerations":[{"key":"b"}]}})",
       R"({"spec":{"tolerations":[{"key":"b"}]}})"},
      {R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"b"},{"name":"a"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}})"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(PatchBetween(c.from, c.to), c.patch);
    JsonValue document = ParsedJson(c.from);
    ASSERT_TRUE(ApplyStrategicPatch(TypeOf<Pod>(), ParsedJson(c.patch), &document).ok());
    EXPECT_TRUE(Equivalent(document, ParsedJson(c.to))) << c.patch << ": " << ToText(document);
  }
}

// Pods with few names in their lists, so that two of them have much in common.
rc::Gen<JsonValue> GenPodDocument() {
  return rc::gen::exec([] {
    const auto names = [](std::initializer_list<const char*> all) {
      std::vector<std::string> chosen;
      for (const char* name : all) {
        if (*rc::gen::arbitrary<bool>()) chosen.push_back(name);
      }
      if (*rc::gen::arbitrary<bool>()) std::reverse(chosen.begin(), chosen.end());
      return chosen;
    };
    const auto text = [] {
      return JsonValue::String(*rc::gen::elementOf(std::vector<std::string>{"1", "2"}));
    };
    const auto object = [] { return JsonValue::Of(JsonValue::Object{}); };
    const auto env = [&] {
      JsonValue::Array out;
      for (const std::string& name : names({"X", "Y", "Z"})) {
        JsonValue& one = out.emplace_back(object());
        one.Set("name", JsonValue::String(name));
        if (*rc::gen::arbitrary<bool>()) one.Set("value", text());
      }
      return out;
    };
    JsonValue metadata = object();
    for (const std::string& key : names({"a", "b", "c"})) {
      if (!metadata.Find("labels")) metadata.Set("labels", object());
      metadata.Find("labels")->Set(key, text());
    }
    JsonValue::Array finalizers;
    for (std::string& name : names({"f1", "f2", "f3"})) {
      finalizers.push_back(JsonValue::String(std::move(name)));
    }
    if (!finalizers.empty()) metadata.Set("finalizers", JsonValue::Of(std::move(finalizers)));
    JsonValue spec = object();
    JsonValue::Array containers;
    for (const std::string& name : names({"c1", "c2", "c3", "c4"})) {
      JsonValue& one = containers.emplace_back(object());
      one.Set("name", JsonValue::String(name));
      if (*rc::gen::arbitrary<bool>()) one.Set("image", text());
      if (JsonValue::Array its = env(); !its.empty()) one.Set("env", JsonValue::Of(std::move(its)));
    }
    if (!containers.empty()) spec.Set("containers", JsonValue::Of(std::move(containers)));
    JsonValue::Array volumes;
    for (const std::string& name : names({"v1", "v2"})) {
      JsonValue& one = volumes.emplace_back(object());
      one.Set("name", JsonValue::String(name));
      JsonValue source = object();
      const bool host = *rc::gen::arbitrary<bool>();
      source.Set(host ? "path" : "medium", text());
      one.Set(host ? "hostPath" : "emptyDir", std::move(source));
    }
    if (!volumes.empty()) spec.Set("volumes", JsonValue::Of(std::move(volumes)));
    JsonValue pod = object();
    pod.Set("metadata", std::move(metadata));
    pod.Set("spec", std::move(spec));
    return pod;
  });
}

RC_GTEST_PROP(StrategicPatchTest, AppliedToTheFirstGivesTheSecond, ()) {
  const JsonValue from = *GenPodDocument();
  const JsonValue to = *GenPodDocument();
  const auto patch = MakeStrategicPatch(TypeOf<Pod>(), from, to);
  RC_ASSERT(patch.ok());
  JsonValue document = from;
  const auto applied = ApplyStrategicPatch(TypeOf<Pod>(), *patch, &document);
  RC_LOG() << ToText(*patch) << "\n" << ToText(document) << "\n";
  RC_ASSERT(applied.ok());
  RC_ASSERT(Equivalent(document, to));
}

RC_GTEST_PROP(StrategicPatchTest, BetweenEqualsIsNothing, ()) {
  const JsonValue document = *GenPodDocument();
  RC_ASSERT(ToText(*MakeStrategicPatch(TypeOf<Pod>(), document, document)) == "{}");
}

}  // namespace
}  // namespace podium::api
