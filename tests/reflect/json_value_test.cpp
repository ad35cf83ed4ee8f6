#include "reflect/json_value.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

#include "reflect/json_generators.h"
#include "support/cpu_time.h"

namespace podium::reflect {
namespace {

JsonValue Parsed(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.error().message();
  return value.ok() ? *value : JsonValue();
}

TEST(JsonValueTest, KeepsOrderAndDigits) {
  const std::string text = R"({"b":[1,2.50,-0,1e3,{}],"a":{"x":null,"y":[true,false,"\n"]}})";
  EXPECT_EQ(ToText(Parsed(text)), text);
  EXPECT_EQ(ToText(Parsed(" { \"a\" :\t[ ] ,\r\n\"b\": \"x\" } ")), R"({"a":[],"b":"x"})");
}

TEST(JsonValueTest, LastOfDuplicateKeysCounts) {
  EXPECT_EQ(ToText(Parsed(R"({"a":1,"b":2,"a":3,"c":4,"a":5,"b":6})")), R"({"a":5,"b":6,"c":4})");
}

// A patch may test a large object against a small one ten thousand times.
TEST(JsonValueTest, ObjectsOfOtherSizesAreToldApartAtOnce) {
  JsonValue::Object members;
  for (int i = 0; i < 300'000; ++i) members.push_back({std::to_string(i), JsonValue()});
  const JsonValue large = JsonValue::Of(std::move(members));
  const JsonValue small = Parsed("{}");
  const auto start = podium::testing::CpuTime();
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(Equivalent(large, small));
    EXPECT_FALSE(Equivalent(small, large));
  }
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(5));
  EXPECT_TRUE(Equivalent(large, JsonValue(large)));
}

TEST(JsonValueTest, Errors) {
  const struct {
    std::string text;
    std::string message;
  } cases[] = {
      {"", "offset 0: not a JSON value"},
      {"[1", "offset 2: expected ',' or the end of the container"},
      {"[1,]", "offset 3: not a JSON value"},
      {R"({"a" 1})", "offset 5: expected ':' after a key"},
      {R"({"a":1,})", "offset 7: expected a key in quotes"},
      {"{1:2}", "offset 1: expected a key in quotes"},
      {"1 2", "offset 2: text after the value"},
      {"\"\xFF\"", "offset 3: invalid UTF-8"},
      {"nul", "offset 0: not a JSON value"},
      {"[[[]]]", "offset 2: nested too deep"},
      {"[[{}]]", "offset 2: nested too deep"},
  };
  for (const auto& c : cases) {
    auto value = ParseJson(c.text, {.max_depth = 2});
    ASSERT_FALSE(value.ok()) << c.text;
    EXPECT_EQ(value.error().message(), c.message) << c.text;
    EXPECT_EQ(value.error().code(),
              c.message.ends_with("too deep") ? Code::kResourceExhausted : Code::kInvalidArgument);
  }
  EXPECT_TRUE(ParseJson("[[1],{\"a\":2}]", {.max_depth = 2}).ok());
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')).ok());
}

TEST(JsonValueTest, PrintsAsKubectl) {
  const JsonValue value = Parsed(R"({"z":[1,"<a&b>"],"e":{},"l":[],"n":{"x":1.50}})");
  EXPECT_EQ(ToText(value, {.indent = 4}),
            "{\n"
            "    \"z\": [\n"
            "        1,\n"
            "        \"\\u003ca\\u0026b\\u003e\"\n"
            "    ],\n"
            "    \"e\": {},\n"
            "    \"l\": [],\n"
            "    \"n\": {\n"
            "        \"x\": 1.50\n"
            "    }\n"
            "}");
  EXPECT_EQ(ToText(value, {.sort_keys = true, .canonical_numbers = true}),
            R"({"e":{},"l":[],"n":{"x":1.5},"z":[1,"\u003ca\u0026b\u003e"]})");
}

TEST(JsonValueTest, CanonicalNumbers) {
  const struct {
    std::string text;
    std::string expected;
  } cases[] = {
      {"1.0", "1"},
      {"1e3", "1000"},
      {"-0", "0"},
      {"-0.0", "-0"},
      {"1e21", "1e+21"},
      {"100000000000000000000", "100000000000000000000"},
      {"12345678901234567890", "12345678901234567000"},
      {"0.0000001", "1e-7"},
      {"0.000001", "0.000001"},
      {"9223372036854775807", "9223372036854775807"},
      {"1e400", "1e400"},
      {"1e-400", "0"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ToText(Parsed(c.text), {.canonical_numbers = true}), c.expected) << c.text;
  }
}

TEST(JsonValueTest, FindSetErase) {
  JsonValue value = Parsed(R"({"a":1,"b":2})");
  EXPECT_EQ(value.Find("b")->number(), "2");
  EXPECT_EQ(value.Find("c"), nullptr);
  EXPECT_EQ(Parsed("[]").Find("a"), nullptr);
  value.Set("a", JsonValue::String("x"));
  value.Set("c", JsonValue::Bool(true));
  EXPECT_TRUE(value.Erase("b"));
  EXPECT_FALSE(value.Erase("b"));
  EXPECT_EQ(ToText(value), R"({"a":"x","c":true})");
}

TEST(JsonValueTest, EquivalentLooksAtTheData) {
  EXPECT_TRUE(Equivalent(Parsed(R"({"a":1,"b":[1.0]})"), Parsed(R"({"b":[1],"a":1e0})")));
  EXPECT_NE(Parsed(R"({"a":1,"b":2})"), Parsed(R"({"b":2,"a":1})"));
  EXPECT_FALSE(Equivalent(Parsed("[1,2]"), Parsed("[2,1]")));
  EXPECT_FALSE(Equivalent(Parsed("[1]"), Parsed("[1,2]")));
  EXPECT_FALSE(Equivalent(Parsed(R"({"a":null})"), Parsed("{}")));
  EXPECT_FALSE(Equivalent(Parsed("9007199254740993"), Parsed("9007199254740992")));
  EXPECT_FALSE(Equivalent(Parsed("\"1\""), Parsed("1")));
}

RC_GTEST_PROP(JsonValueTest, PrintedValuesParseBack, (const JsonValue& value)) {
  auto compact = ParseJson(ToText(value));
  RC_ASSERT(compact.ok());
  RC_ASSERT(*compact == value);
  auto indented = ParseJson(ToText(value, {.indent = 2, .sort_keys = true}));
  RC_ASSERT(indented.ok());
  RC_ASSERT(Equivalent(*indented, value));
}

}  // namespace
}  // namespace podium::reflect
