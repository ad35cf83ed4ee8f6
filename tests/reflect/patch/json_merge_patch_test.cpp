#include "reflect/patch/json_merge_patch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "reflect/json_generators.h"
#include "reflect/patch/small_json.h"

namespace podium::reflect {
namespace {

using testing::GenSmallJson;
using testing::ParsedJson;

struct Case {
  const char* original;
  const char* patch;
  const char* result;
};

// RFC 7386, appendix A, every row.
constexpr Case kAppendixA[] = {
    {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
    {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
    {R"({"a":"b"})", R"({"a":null})", R"({})"},
    {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
    {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
    {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
    {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
    {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
    {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
    {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
    {R"({"a":"foo"})", "null", "null"},
    {R"({"a":"foo"})", R"("bar")", R"("bar")"},
    {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
    {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
    {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
};

TEST(JsonMergePatchTest, AppendixAOfTheRfc) {
  for (const Case& c : kAppendixA) {
    JsonValue target = ParsedJson(c.original);
    ApplyMergePatch(ParsedJson(c.patch), &target);
    EXPECT_EQ(ToText(target), c.result) << c.original << " with " << c.patch;
  }
}

TEST(JsonMergePatchTest, MembersKeepTheirPlacesAndNewOnesComeLast) {
  JsonValue target = ParsedJson(R"({"a":1,"b":2,"c":{"x":1,"y":2},"d":4})");
  ApplyMergePatch(ParsedJson(R"({"z":0,"c":{"y":3},"a":null,"b":5})"), &target);
  EXPECT_EQ(ToText(target), R"({"b":5,"c":{"x":1,"y":3},"d":4,"z":0})");
}

TEST(JsonMergePatchTest, NullsInsideOfArraysStay) {
  JsonValue target = ParsedJson(R"({"a":1})");
  ApplyMergePatch(ParsedJson(R"({"a":[null,{"b":null}]})"), &target);
  EXPECT_EQ(ToText(target), R"({"a":[null,{"b":null}]})");
}

TEST(JsonMergePatchTest, ManyMembers) {
  std::string original = "{";
  std::string patch = "{";
  for (int i = 0; i < 1000; ++i) {
    const std::string key = (i ? ",\"" : "\"") + std::to_string(i) + "\":";
    original += key + "1";
    patch += key + (i % 2 ? "null" : "2");
  }
  JsonValue target = ParsedJson(original + "}");
  ApplyMergePatch(ParsedJson(patch + "}"), &target);
  ASSERT_EQ(target.object().size(), 500u);
  for (size_t i = 0; i < 500; ++i) {
    EXPECT_EQ(target.object()[i].key, std::to_string(2 * i));
    EXPECT_EQ(target.object()[i].value.number(), "2");
  }
}

TEST(JsonMergePatchTest, MakesTheSmallestPatch) {
  const Case cases[] = {
      {R"({"a":1,"b":{"c":2,"d":3},"e":[1]})", R"({"b":{"d":null,"f":4},"a":null,"e":[1,2]})",
       R"({"b":{"c":2,"f":4},"e":[1,2]})"},
      {R"({"a":1})", R"({})", R"({"a":1.0})"},
      {R"({"a":null})", R"({"a":null})", R"({})"},
      {R"({"a":1})", R"({"a":{}})", R"({"a":{}})"},
      {R"({"a":{"b":1}})", R"({"a":{"b":null}})", R"({"a":{}})"},
      {R"([1])", R"({"a":1})", R"({"a":1})"},
  };
  for (const Case& c : cases) {
    const JsonValue patch = MakeMergePatch(ParsedJson(c.original), ParsedJson(c.result));
    EXPECT_TRUE(Equivalent(patch, ParsedJson(c.patch))) << ToText(patch);
  }
}

RC_GTEST_PROP(JsonMergePatchTest, AppliedToTheFirstGivesTheSecond, ()) {
  const JsonValue from = *GenSmallJson(false);
  const JsonValue to = *GenSmallJson(false);
  JsonValue result = from;
  ApplyMergePatch(MakeMergePatch(from, to), &result);
  RC_ASSERT(Equivalent(result, to));
}

RC_GTEST_PROP(JsonMergePatchTest, ApplyingTwiceIsApplyingOnce, ()) {
  const JsonValue patch = *GenSmallJson(true);
  JsonValue once = *GenSmallJson(true);
  ApplyMergePatch(patch, &once);
  JsonValue twice = once;
  ApplyMergePatch(patch, &twice);
  RC_ASSERT(Equivalent(once, twice));
}

}  // namespace
}  // namespace podium::reflect
