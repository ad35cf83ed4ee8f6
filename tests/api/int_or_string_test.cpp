#include "api/int_or_string.h"

#include <gtest/gtest.h>

#include <optional>

namespace podium::api {
namespace {

TEST(IntOrStringTest, ParseAndPrint) {
  EXPECT_EQ(IntOrString::Parse("80"), IntOrString::FromInt(80));
  EXPECT_EQ(IntOrString::Parse("-1"), IntOrString::FromInt(-1));
  EXPECT_EQ(IntOrString::Parse("2147483648"), IntOrString::FromString("2147483648"));
  EXPECT_EQ(IntOrString::Parse("http"), IntOrString::FromString("http"));
  EXPECT_EQ(IntOrString::Parse(""), IntOrString::FromString(""));
  EXPECT_EQ(IntOrString::FromInt(80).String(), "80");
  EXPECT_EQ(IntOrString::FromString("http").String(), "http");
  EXPECT_EQ(IntOrString::FromInt(80).IntValue(), 80);
  EXPECT_EQ(IntOrString::FromString("81").IntValue(), 81);
  EXPECT_EQ(IntOrString::FromString("http").IntValue(), 0);
  EXPECT_EQ(IntOrString::FromString("99999999999999999999").IntValue(), INT64_MAX);
  EXPECT_EQ(IntOrString::FromString("-99999999999999999999").IntValue(), INT64_MIN);
  EXPECT_EQ(IntOrString::FromString("99999999999999999999x").IntValue(), INT64_MAX)
      << "Go reads no further than what is too large";
  EXPECT_EQ(IntOrString::FromString("9999999999999999999x").IntValue(), 0);
  EXPECT_TRUE(IntOrString().IsZero());
  EXPECT_FALSE(IntOrString::FromString("").IsZero());
}

TEST(IntOrStringTest, ScaledValue) {
  struct Case {
    IntOrString value;
    int64_t total;
    int64_t up;
    int64_t down;
  };
  const Case cases[] = {
      {IntOrString::FromInt(7), 10, 7, 7},
      {IntOrString::FromString("25%"), 10, 3, 2},
      {IntOrString::FromString("100%"), 10, 10, 10},
      {IntOrString::FromString("0%"), 10, 0, 0},
      {IntOrString::FromString("150%"), 3, 5, 4},
      {IntOrString::FromString("-25%"), 10, -2, -3},
      {IntOrString::FromString("9223372036854775807%"), 1000, INT64_MAX, INT64_MAX},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(*ScaledValueFromIntOrPercent(c.value, c.total, Rounding::kUp), c.up);
    EXPECT_EQ(*ScaledValueFromIntOrPercent(c.value, c.total, Rounding::kDown), c.down);
  }
}

TEST(IntOrStringTest, ScaledValueErrors) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"25", "invalid value for IntOrString: invalid type: string is not a percentage"},
      {"x%",
       "invalid value for IntOrString: invalid value \"x%\": "
       "strconv.Atoi: parsing \"x\": invalid syntax"},
      {"%",
       "invalid value for IntOrString: invalid value \"%\": "
       "strconv.Atoi: parsing \"\": invalid syntax"},
  };
  for (const Case& c : cases) {
    auto result = ScaledValueFromIntOrPercent(IntOrString::FromString(c.text), 10, Rounding::kUp);
    ASSERT_FALSE(result.ok()) << c.text;
    EXPECT_EQ(result.error().message(), c.want);
  }
}

TEST(IntOrStringTest, Json) {
  using Form = reflect::JsonScalar::Form;
  const reflect::Leaf& leaf = *reflect::TypeOf<IntOrString>().leaf;
  struct Case {
    Form form;
    const char* text;
    const char* want;     // JSON, or null
    const char* problem;  // when there is no JSON
  };
  const Case cases[] = {
      {Form::kNumber, "80", "80", ""},
      {Form::kNumber, "-0", "0", ""},
      {Form::kNumber, "-2147483648", "-2147483648", ""},
      {Form::kString, "a\"b<", R"("a\"b\u003c")", ""},
      {Form::kString, "80", "\"80\"", ""},
      {Form::kNull, "", "0", ""},
      {Form::kNumber, "2147483648", nullptr,
       "json: cannot unmarshal number 2147483648 into Go value of type int32"},
      {Form::kNumber, "1.5", nullptr,
       "json: cannot unmarshal number 1.5 into Go value of type int32"},
      {Form::kNumber, "1e2", nullptr,
       "json: cannot unmarshal number 1e2 into Go value of type int32"},
      {Form::kFalse, "", nullptr, "json: cannot unmarshal bool into Go value of type int32"},
      {Form::kContainer, "", nullptr, "json: cannot unmarshal object into Go value of type int32"},
  };
  for (const Case& c : cases) {
    IntOrString value = IntOrString::FromString("old");
    std::string problem;
    ASSERT_EQ(leaf.from_json({c.form, c.text}, &value, &problem), c.want != nullptr) << c.text;
    EXPECT_EQ(problem, c.problem);
    if (!c.want) continue;
    std::string json;
    leaf.to_json(&value, &json);
    EXPECT_EQ(json, c.want);
  }
}

TEST(IntOrStringTest, Protobuf) {
  const reflect::Leaf& leaf = *kIntOrStringType.leaf;
  struct Case {
    IntOrString value;
    std::string_view bytes;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {IntOrString::FromInt(80), "\x08\x00\x10\x50\x1a\x00"sv},
      {IntOrString::FromInt(-1), "\x08\x00\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x00"sv},
      {IntOrString::FromString("http"), "\x08\x01\x10\x00\x1a\x04http"sv},
  };
  for (const Case& c : cases) {
    std::string bytes;
    leaf.to_proto(&c.value, &bytes);
    EXPECT_EQ(bytes, c.bytes);
    IntOrString read;
    std::string problem;
    ASSERT_TRUE(leaf.from_proto(bytes, &read, &problem));
    EXPECT_EQ(read, c.value);
  }
  IntOrString read;
  std::string problem;
  EXPECT_TRUE(leaf.from_proto("", &read, &problem));
  EXPECT_TRUE(read.IsZero());
  EXPECT_FALSE(leaf.from_proto("\x08\x02"sv, &read, &problem));
  EXPECT_EQ(problem, "impossible IntOrString.Type");
  EXPECT_FALSE(leaf.from_proto("\x08"sv, &read, &problem));
}

}  // namespace
}  // namespace podium::api
