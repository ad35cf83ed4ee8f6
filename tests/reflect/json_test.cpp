#include "reflect/json.h"

#include <gtest/gtest.h>

#include <limits>

#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using testing::Color;
using testing::Everything;
using testing::Schema;

// Every field set, in the order of declaration: what the encoder writes.
constexpr std::string_view kFull =
    R"({"kind":"Everything","apiVersion":"test.podium/v1","flag":true,"maybe":false,"small":-5,)"
    R"("big":9007199254740993,"usmall":4294967295,"ubig":18446744073709551615,"ratio":0.25,)"
    R"("text":"a\"b\\c\n\u003ctag\u003e\u0026 é \u2028","optionalText":"","bytes":"AAEC/w==",)"
    R"("raw":{"b":[1,2.50],"a":null},"optionalRaw":[],"steps":"3s","optionalSteps":"0s",)"
    R"("color":"BLUE","port":{"name":"p","containerPort":1},"boxedPort":{"containerPort":0,)"
    R"("hostPort":0},"ports":[{"containerPort":80},{"name":"x","containerPort":443}],)"
    R"("nullablePorts":[],"words":["","b"],"numbers":[1,-2],"bools":[true,false],)"
    R"("labels":{"":"x","a":"","b/c":"d"},"limits":{"cpu":"2s"},)"
    R"("portsByName":{"w":{"containerPort":8}},"extra":{"groups":["g","h"],"none":[]},)"
    R"("nullableMap":{},"path":"/x","schema":{"title":"t","additional":{"title":"in"},)"
    R"("properties":{"p":{"additional":true},"q":{"additional":false}}}})";

TEST(JsonTest, FullObjectComesBackUnchanged) {
  auto object = FromJson<Everything>(kFull);
  ASSERT_TRUE(object.ok()) << object.error().message();
  EXPECT_EQ(object->color, Color::kBlue);
  EXPECT_EQ(object->bytes.data, std::string("\0\1\2\xff", 4));
  EXPECT_EQ(object->raw.text, R"({"b":[1,2.50],"a":null})");
  EXPECT_EQ(object->text, "a\"b\\c\n<tag>& é \u2028");
  EXPECT_TRUE(object->schema->additional->allows);
  EXPECT_EQ(*ToJson(*object), kFull);
}

TEST(JsonTest, WhatIsEmptyIsLeftOutAsMarked) {
  EXPECT_EQ(*ToJson(Everything()),
            R"({"small":0,"raw":null,"port":{"containerPort":0},"nullablePorts":null,)"
            R"("nullableMap":null})");
}

TEST(JsonTest, NullAndEmptyContainersStayApart) {
  auto object = FromJson<Everything>(R"({"nullablePorts":[],"nullableMap":null})");
  ASSERT_TRUE(object.ok());
  EXPECT_FALSE(object->nullablePorts.is_null());
  EXPECT_TRUE(object->nullableMap.is_null());
}

TEST(JsonTest, NullClearsWhatMayBeAbsentAndLeavesZeroElsewhere) {
  auto object = FromJson<Everything>(
      R"({"flag":null,"maybe":null,"small":null,"text":null,"optionalText":null,"bytes":null,)"
      R"("raw":null,"optionalRaw":null,"steps":null,"optionalSteps":null,"color":null,)"
      R"("port":null,"boxedPort":null,"ports":[null],"words":[null],"labels":{"a":null},)"
      R"("schema":null,"numbers":[null],"extra":{"a":null}})");
  ASSERT_TRUE(object.ok()) << object.error().message();
  EXPECT_FALSE(object->optionalSteps.has_value());
  EXPECT_EQ(object->ports.size(), 1u);
  EXPECT_EQ(object->words, List<std::string>{""});
  EXPECT_EQ(object->labels.at("a"), "");
}

struct ProblemCase {
  const char* json;
  Problem::Kind kind;
  const char* path;
  const char* message;
  size_t offset;
};

class JsonProblemTest : public ::testing::TestWithParam<ProblemCase> {};

TEST_P(JsonProblemTest, IsNamed) {
  const ProblemCase& c = GetParam();
  Everything object;
  const auto problems = DecodeJson(c.json, TypeOf<Everything>(), &object);
  ASSERT_EQ(problems.size(), 1u) << c.json;
  EXPECT_EQ(problems[0].kind, c.kind) << c.json;
  EXPECT_EQ(problems[0].path, c.path) << c.json;
  EXPECT_EQ(problems[0].message, c.message) << c.json;
  EXPECT_EQ(problems[0].offset, c.offset) << c.json;
}

using enum Problem::Kind;
INSTANTIATE_TEST_SUITE_P(
    All, JsonProblemTest,
    ::testing::Values(
        ProblemCase{R"({"ports":[{},{"hostport":1}]})", kUnknownField, "ports[1].hostport",
                    "unknown field", 14},
        ProblemCase{R"({"Text":"x"})", kUnknownField, "Text", "unknown field", 1},
        ProblemCase{R"({"text":"a","text":"b"})", kDuplicateField, "text", "duplicate field", 12},
        ProblemCase{R"({"labels":{"a":"1","b":"","a":"2"}})", kDuplicateField, "labels.a",
                    "duplicate field", 26},
        ProblemCase{R"({"text":5})", kWrongType, "text", "expected a string, got a number", 8},
        ProblemCase{R"({"small":"5"})", kWrongType, "small", "expected an integer, got a string",
                    9},
        ProblemCase{R"({"small":1.5})", kWrongType, "small", "expected an integer, got 1.5", 9},
        ProblemCase{R"({"small":2147483648})", kWrongType, "small",
                    "number 2147483648 does not fit into 32 bits", 9},
        ProblemCase{R"({"ubig":-1})", kWrongType, "ubig",
                    "number -1 does not fit into 64 unsigned bits", 8},
        ProblemCase{R"({"flag":"true"})", kWrongType, "flag", "expected a boolean, got a string",
                    8},
        ProblemCase{R"({"ports":{}})", kWrongType, "ports", "expected a list, got an object", 9},
        ProblemCase{R"({"ports":[7]})", kWrongType, "ports[0]", "expected an object, got a number",
                    10},
        ProblemCase{R"({"labels":[1]})", kWrongType, "labels", "expected an object, got a list",
                    10},
        ProblemCase{R"({"labels":{"x.y":true}})", kWrongType, "labels.x.y",
                    "expected a string, got a boolean", 17},
        ProblemCase{R"({"boxedPort":false})", kWrongType, "boxedPort",
                    "expected an object, got a boolean", 13},
        ProblemCase{R"({"bytes":"A"})", kInvalidValue, "bytes",
                    "illegal base64 data at input byte 1", 9},
        ProblemCase{R"({"steps":"x"})", kInvalidValue, "steps", "not a number of steps", 9},
        ProblemCase{R"({"optionalSteps":{"a":[1]}})", kWrongType, "optionalSteps",
                    "not a number of steps", 17},
        ProblemCase{R"({"color":"PINK"})", kInvalidValue, "color", "unknown name PINK", 9},
        ProblemCase{R"({"ratio":1e999})", kWrongType, "ratio",
                    "number 1e999 does not fit into a double", 9},
        ProblemCase{R"({"schema":{"additional":"x"}})", kWrongType, "schema.additional",
                    "expected a boolean or an object, got a string", 24},
        ProblemCase{R"({"extra":{"a":{}}})", kWrongType, "extra.a",
                    "expected a list, got an object", 14},
        ProblemCase{"{\"text\":\"a\xff\"}", kInvalidUtf8, "text", "text is not UTF-8", 8},
        ProblemCase{R"({"text":"a)", kSyntax, "text", "string is not closed", 8},
        ProblemCase{R"({"ports":[{"name":"a"]})", kSyntax, "ports[0]",
                    "expected ',' or the end of the container", 21},
        ProblemCase{R"({"text":tru})", kSyntax, "text", "not a JSON value", 8},
        ProblemCase{R"({"flag":tru})", kSyntax, "flag", "not a JSON value", 8},
        ProblemCase{R"({"small":01})", kSyntax, "", "expected ',' or the end of the container", 10},
        ProblemCase{R"({} x)", kSyntax, "", "text after the value", 3},
        ProblemCase{"", kSyntax, "", "not a JSON value", 0},
        ProblemCase{R"([])", kWrongType, "", "expected an object, got a list", 0},
        ProblemCase{"{\"text\":\"a\nb\"}", kSyntax, "text", "control character in string", 10},
        ProblemCase{R"({"text":"\x"})", kSyntax, "text", "unknown escape in string", 10}));

TEST(JsonTest, AllMistakesOfAnObjectAreNamedInOnePass) {
  Everything object;
  const auto problems = DecodeJson(
      R"({"nope":{"deep":[1]},"small":"x","ports":[{"name":1,"hostPort":true},{"what":1}],)"
      R"("text":"kept","steps":"?"})",
      TypeOf<Everything>(), &object);
  std::string all;
  for (const Problem& problem : problems) all += problem.Text() + "\n";
  EXPECT_EQ(all,
            "unknown field \"nope\"\n"
            "small: expected an integer, got a string\n"
            "ports[0].name: expected a string, got a number\n"
            "ports[0].hostPort: expected an integer, got a boolean\n"
            "unknown field \"ports[1].what\"\n"
            "steps: not a number of steps\n");
  EXPECT_EQ(object.text, "kept");
}

TEST(JsonTest, LenientDecodingPassesOverWhatStrictRefuses) {
  DecodeOptions options;
  options.strict = false;
  auto object =
      FromJson<Everything>("{\"x\":[{\"y\":1}],\"text\":\"a\",\"text\":\"b\xff\"}", options);
  ASSERT_TRUE(object.ok()) << object.error().message();
  EXPECT_EQ(object->text, "b\uFFFD");
}

TEST(JsonTest, DepthIsLimited) {
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += R"({"properties":{"a":)";
  Schema schema;
  const auto problems = DecodeJson(deep, TypeOf<Schema>(), &schema);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].kind, kLimit);
  EXPECT_EQ(problems[0].message, "nested too deep");

  const std::string raw = R"({"raw":)" + std::string(100'000, '[');
  Everything object;
  EXPECT_EQ(DecodeJson(raw, TypeOf<Everything>(), &object)[0].kind, kLimit);
}

TEST(JsonTest, MemoryOfTheDecodedFormIsLimited) {
  std::string bomb = R"({"ports":[{})";
  for (int i = 0; i < 1'000'000; ++i) bomb += ",{}";
  bomb += "]}";
  DecodeOptions options;
  options.max_expansion = 4;
  Everything object;
  const auto problems = DecodeJson(bomb, TypeOf<Everything>(), &object, options);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].kind, kLimit);
  EXPECT_LT(object.ports.size() * sizeof(testing::Port), bomb.size() * 4 + 100);
}

TEST(JsonTest, ProblemsAreLimited) {
  std::string text = R"({"words":[1)";
  for (int i = 0; i < 10'000; ++i) text += ",1";
  Everything object;
  EXPECT_EQ(DecodeJson(text + "]}", TypeOf<Everything>(), &object).size(),
            DecodeOptions().max_problems);
}

TEST(JsonTest, NumbersAreWrittenAsGoWritesThem) {
  for (const auto& [value, text] :
       std::initializer_list<std::pair<double, const char*>>{{0.1, "0.1"},
                                                             {1e20, "100000000000000000000"},
                                                             {1e21, "1e+21"},
                                                             {1e-6, "0.000001"},
                                                             {1e-7, "1e-7"},
                                                             {-2.5e-10, "-2.5e-10"},
                                                             {1.5e300, "1.5e+300"}}) {
    Everything object;
    object.ratio = value;
    const std::string json = *ToJson(object);
    EXPECT_NE(json.find(std::string("\"ratio\":") + text + ","), std::string::npos) << json;
  }
}

TEST(JsonTest, WhatHasNoJsonFormIsRefusedAndLeavesTheOutputAlone) {
  Everything object;
  object.ratio = std::numeric_limits<double>::infinity();
  std::string out = "before";
  const auto result = EncodeJson(TypeOf<Everything>(), &object, &out);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(out, "before");

  object.ratio = 0;
  object.raw.text = std::string("k8s\0", 4);
  EXPECT_FALSE(EncodeJson(TypeOf<Everything>(), &object, &out).ok());
  EXPECT_EQ(out, "before");
}

TEST(JsonTest, StringsOfAllLengthsAndPlacesOfEscapesSurvive) {
  for (size_t length = 0; length < 70; ++length) {
    for (size_t at = 0; at <= length; ++at) {
      for (const char* special : {"\"", "\\", "<", "\x01", "é", "\u2029", "😀"}) {
        Everything object;
        object.text = std::string(at, 'a') + special + std::string(length - at, 'b');
        auto back = FromJson<Everything>(*ToJson(object));
        ASSERT_TRUE(back.ok()) << back.error().message();
        ASSERT_EQ(back->text, object.text);
      }
    }
  }
}

TEST(JsonTest, EscapesOfAllFormsAreRead) {
  auto object = FromJson<Everything>(R"({"text":"\u0041\/\b\f\r\t\ud83d\ude00\ud83dx\udc00"})");
  ASSERT_TRUE(object.ok()) << object.error().message();
  EXPECT_EQ(object->text, "A/\b\f\r\t😀\uFFFDx\uFFFD");
}

}  // namespace
}  // namespace podium::reflect
