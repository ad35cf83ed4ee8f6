// reflect/diff.h over the API's own types, whose list keys it is about.
#include "reflect/diff.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "api/types/core_v1.h"
#include "reflect/patch/small_json.h"
#include "support/cpu_time.h"
#include "support/mutate_object.h"
#include "support/round_trip.h"

namespace podium::api {
namespace {

using core::v1::Pod;
using reflect::Difference;
using reflect::JsonValue;
using reflect::TypeOf;
using reflect::testing::ParsedJson;

// One line a difference: "~ path: before after".
std::string Shown(const reflect::Type* type, std::string_view from, std::string_view to) {
  std::string out;
  for (const Difference& each : Differences(type, ParsedJson(from), ParsedJson(to))) {
    const char sign = "+-~>"[static_cast<int>(each.kind)];
    out += sign + (" " + each.path + ": " + ToText(each.before) + ' ' + ToText(each.after)) + '\n';
  }
  return out;
}
std::string Shown(std::string_view from, std::string_view to) {
  return Shown(&TypeOf<Pod>(), from, to);
}

TEST(DiffTest, Objects) {
  EXPECT_EQ(Shown(R"({"spec":{"a":1,"b":{"x":1},"c":3}})", R"({"spec":{"c":3.0,"d":4,"b":{}}})"),
            "- spec.a: 1 null\n- spec.b.x: 1 null\n+ spec.d: null 4\n");
  EXPECT_EQ(
      Shown(R"({"metadata":{"labels":{"a.b/c":"1"}}})", R"({"metadata":{"labels":{"a.b/c":"2"}}})"),
      "~ metadata.labels['a.b/c']: \"1\" \"2\"\n");
  EXPECT_EQ(Shown(R"({"spec":{"x":{}}})", R"({"spec":{"x":[]}})"), "~ spec.x: {} []\n");
  EXPECT_EQ(Shown("1", "1"), "");
  EXPECT_EQ(Shown("1", "2"), "~ : 1 2\n");
}

// A key may be as long as the document, and stands in the path of all that is below it.
TEST(DiffTest, LongKeysDoNotMakeItSlow) {
  JsonValue::Array elements;
  for (int i = 0; i < 50'000; ++i) elements.push_back(ParsedJson(R"({"a":1})"));
  JsonValue from = ParsedJson("{}");
  from.Set(std::string(size_t{2} << 20, 'k'), JsonValue::Of(std::move(elements)));
  JsonValue to = from;
  to.object()[0].value.array()[7].Set("a", JsonValue());
  const auto start = podium::testing::CpuTime();
  const auto differences = Differences(nullptr, from, to);
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(5));
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_TRUE(differences[0].path.ends_with("kkk[7].a"));
}

TEST(DiffTest, KeyedListsAreComparedByKey) {
  EXPECT_EQ(Shown(R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}})",
                  R"({"spec":{"containers":[{"name":"c"},{"name":"a","image":"2"}]}})"),
            "~ spec.containers[name=\"a\"].image: \"1\" \"2\"\n"
            "- spec.containers[name=\"b\"]: {\"name\":\"b\"} null\n"
            "+ spec.containers[name=\"c\"]: null {\"name\":\"c\"}\n");
  EXPECT_EQ(Shown(R"({"spec":{"initContainers":[{"name":"a"},{"name":"b"}]}})",
                  R"({"spec":{"initContainers":[{"name":"b"},{"name":"a"}]}})"),
            "> spec.initContainers: [\"[name=\\\"a\\\"]\",\"[name=\\\"b\\\"]\"] "
            "[\"[name=\\\"b\\\"]\",\"[name=\\\"a\\\"]\"]\n");
  // Two keys, of which one has a default.
  EXPECT_EQ(
      Shown(R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80},)"
            R"({"containerPort":80,"protocol":"UDP"}]}]}})",
            R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,)"
            R"("protocol":"UDP","name":"x"},{"containerPort":80}]}]}})"),
      "+ spec.containers[name=\"a\"].ports[containerPort=80,protocol=\"UDP\"].name: null "
      "\"x\"\n"
      "> spec.containers[name=\"a\"].ports: "
      "[\"[containerPort=80,protocol=\\\"TCP\\\"]\",\"[containerPort=80,protocol=\\\"UDP\\\"]\"]"
      " [\"[containerPort=80,protocol=\\\"UDP\\\"]\",\"[containerPort=80,protocol=\\\"TCP\\\"]"
      "\"]\n");
}

TEST(DiffTest, SetsHaveNoOrder) {
  EXPECT_EQ(Shown(R"({"metadata":{"finalizers":["a","b"]}})",
                  R"({"metadata":{"finalizers":["b","a","c"]}})"),
            "+ metadata.finalizers[\"c\"]: null \"c\"\n");
}

TEST(DiffTest, OtherListsAreComparedByPosition) {
  EXPECT_EQ(Shown(R"({"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}})",
                  R"({"spec":{"tolerations":[{"key":"b"}]}})"),
            "~ spec.tolerations[0].key: \"a\" \"b\"\n"
            "- spec.tolerations[1]: {\"key\":\"b\"} null\n");
  // A key that comes twice, or is missing.
  EXPECT_EQ(Shown(R"({"spec":{"volumes":[{"name":"a"},{"name":"a"}]}})",
                  R"({"spec":{"volumes":[{"name":"a"},{"name":"b"}]}})"),
            "~ spec.volumes[1].name: \"a\" \"b\"\n");
  EXPECT_EQ(Shown(R"({"spec":{"volumes":[{}]}})", R"({"spec":{"volumes":[{"name":"a"}]}})"),
            "+ spec.volumes[0].name: null \"a\"\n");
  EXPECT_EQ(Shown(nullptr, R"({"a":[{"name":"x"},1]})", R"({"a":[{"name":"y"},1,2]})"),
            "~ a[0].name: \"x\" \"y\"\n+ a[2]: null 2\n");
}

TEST(DiffTest, ThereIsOneExactlyWhenDocumentsDiffer) {
  const reflect::Type& type = TypeOf<Pod>();
  for (int round = 0; round < testing::Rounds(); ++round) {
    const reflect::AnyObject first = testing::RandomObject(type, round, false);
    reflect::AnyObject second = testing::RandomObject(type, round, false);
    testing::MutateObject(type, second.get(), {.seed = static_cast<uint64_t>(round), .changes = 1});
    const JsonValue from = ParsedJson(testing::JsonOf(type, first.get()));
    const JsonValue to = ParsedJson(testing::JsonOf(type, second.get()));
    EXPECT_TRUE(Differences(&type, from, from).empty());
    // A set in another order is the same.
    if (Equivalent(from, to)) {
      EXPECT_TRUE(Differences(&type, from, to).empty());
    } else {
      EXPECT_FALSE(Differences(nullptr, from, to).empty());
    }
  }
}

}  // namespace
}  // namespace podium::api
