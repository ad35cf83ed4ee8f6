// MakeThreeWayPatch: what `kubectl apply` sends.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "api/types/core_v1.h"
#include "reflect/patch/small_json.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::api {
namespace {

using core::v1::Pod;
using reflect::ApplyStrategicPatch;
using reflect::JsonValue;
using reflect::MakeThreeWayPatch;
using reflect::TypeOf;
using reflect::testing::ParsedJson;

struct Case {
  const char* name;
  const char* original;
  const char* modified;
  const char* current;
  const char* patch;
  const char* result;  // of the patch applied to `current`
};

constexpr Case kCases[] = {
    {"nothing is known of the last time", "{}", R"({"spec":{"nodeName":"a"}})",
     R"({"spec":{"hostname":"h"}})", R"({"spec":{"nodeName":"a"}})",
     R"({"spec":{"hostname":"h","nodeName":"a"}})"},
    {"what was applied and is no more goes", R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
     R"({"metadata":{"labels":{"a":"1"}}})", R"({"metadata":{"labels":{"a":"1","b":"2","c":"3"}}})",
     R"({"metadata":{"labels":{"b":null}}})", R"({"metadata":{"labels":{"a":"1","c":"3"}}})"},
    {"what others have added stays", R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"a","image":"1"}]}})",
     R"({"spec":{"containers":[{"name":"a"},{"name":"sidecar"}]}})",
     R"({"spec":{"$setElementOrder/containers":[{"name":"a"}],)"
     R"("containers":[{"image":"1","name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"sidecar"}]}})"},
    {"an element that was applied goes", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
     R"({"spec":{"containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"sidecar"}]}})",
     R"({"spec":{"containers":[{"$patch":"delete","name":"b"}],)"
     R"("$setElementOrder/containers":[{"name":"a"}]}})",
     R"({"spec":{"containers":[{"name":"a"},{"name":"sidecar"}]}})"},
    {"a scalar that was applied goes", R"({"metadata":{"finalizers":["a","b"]}})",
     R"({"metadata":{"finalizers":["a","c"]}})", R"({"metadata":{"finalizers":["a","b","x"]}})",
     R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["b"],)"
     R"("$setElementOrder/finalizers":["a","c"],"finalizers":["c"]}})",
     R"({"metadata":{"finalizers":["a","c","x"]}})"},
    {"what others changed is set right", R"({"spec":{"nodeName":"a"}})",
     R"({"spec":{"nodeName":"a"}})", R"({"spec":{"nodeName":"b"}})", R"({"spec":{"nodeName":"a"}})",
     R"({"spec":{"nodeName":"a"}})"},
    {"what others removed already", R"({"spec":{"nodeName":"a","hostname":"h"}})",
     R"({"spec":{"hostname":"h"}})", R"({"spec":{"hostname":"h"}})",
     R"({"spec":{"nodeName":null}})", R"({"spec":{"hostname":"h"}})"},
    {"another source of a volume", R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})",
     R"({"spec":{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}})",
     R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})",
     R"({"spec":{"volumes":[{"emptyDir":null,"$retainKeys":["hostPath","name"],"name":"v",)"
     R"("hostPath":{"path":"/x"}}],"$setElementOrder/volumes":[{"name":"v"}]}})",
     R"({"spec":{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}})"},
};

TEST(ThreeWayPatchTest, Cases) {
  for (const Case& c : kCases) {
    const auto patch = MakeThreeWayPatch(TypeOf<Pod>(), ParsedJson(c.original),
                                         ParsedJson(c.modified), ParsedJson(c.current));
    ASSERT_TRUE(patch.ok()) << c.name << ": " << patch.error().message();
    EXPECT_TRUE(Equivalent(*patch, ParsedJson(c.patch))) << c.name << ": " << ToText(*patch);
    JsonValue document = ParsedJson(c.current);
    const auto applied = ApplyStrategicPatch(TypeOf<Pod>(), *patch, &document);
    ASSERT_TRUE(applied.ok()) << c.name << ": " << applied.error().message();
    EXPECT_TRUE(Equivalent(document, ParsedJson(c.result))) << c.name << ": " << ToText(document);
  }
}

TEST(ThreeWayPatchTest, Conflicts) {
  const auto made = [](const char* original, const char* modified, const char* current) {
    const auto patch = MakeThreeWayPatch(TypeOf<Pod>(), ParsedJson(original), ParsedJson(modified),
                                         ParsedJson(current), {.overwrite = false});
    return patch.ok() ? ToText(*patch) : "error: " + patch.error().message();
  };
  EXPECT_EQ(made(R"({"spec":{"nodeName":"a"}})", R"({"spec":{"nodeName":"b"}})",
                 R"({"spec":{"nodeName":"c"}})"),
            "error: patch:\nspec:\n  nodeName: b\n\nconflicts with changes made from original to "
            "current:\nspec:\n  nodeName: c\n\n");
  // Both want the same, or other members.
  EXPECT_EQ(made(R"({"spec":{"nodeName":"a"}})", R"({"spec":{"nodeName":"b"}})",
                 R"({"spec":{"nodeName":"b"}})"),
            "{}");
  EXPECT_EQ(made(R"({"spec":{"nodeName":"a"}})", R"({"spec":{"nodeName":"b"}})",
                 R"({"spec":{"nodeName":"a","hostname":"c"}})"),
            R"({"spec":{"nodeName":"b"}})");
  // Elements by their keys.
  EXPECT_EQ(made(R"({"spec":{"containers":[{"name":"a","image":"1"}]}})",
                 R"({"spec":{"containers":[{"name":"a","image":"2"}]}})",
                 R"({"spec":{"containers":[{"name":"a","image":"3"}]}})")
                .substr(0, 13),
            "error: patch:");
}

// Applied again, with what it made as the current state, nothing changes. The patch may say an
// order still, as upstream's does where others have added elements.
TEST(ThreeWayPatchTest, IsIdempotent) {
  for (const Case& c : kCases) {
    const JsonValue modified = ParsedJson(c.modified);
    const auto patch = MakeThreeWayPatch(TypeOf<Pod>(), modified, modified, ParsedJson(c.result));
    ASSERT_TRUE(patch.ok()) << c.name;
    JsonValue document = ParsedJson(c.result);
    ASSERT_TRUE(ApplyStrategicPatch(TypeOf<Pod>(), *patch, &document).ok()) << c.name;
    EXPECT_EQ(document, ParsedJson(c.result)) << c.name << ": " << ToText(document);
  }
}

}  // namespace
}  // namespace podium::api
