#include "reflect/yaml_scalar.h"

#include <gtest/gtest.h>

#include <cmath>

namespace podium::reflect {
namespace {

using Type = YamlScalar::Type;

YamlScalar Resolve(std::string_view text) {
  YamlTag found = YamlTag::kNone;
  auto scalar = ResolveYamlScalar(YamlTag::kNone, text, &found);
  EXPECT_TRUE(scalar.has_value()) << text;
  EXPECT_EQ(found, scalar->tag);
  return *scalar;
}

// Observed with kubectl 1.32.
TEST(YamlScalarTest, Words) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) {
    EXPECT_EQ(Resolve(text).type, Type::kNull) << text;
  }
  for (const char* text :
       {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"}) {
    EXPECT_EQ(Resolve(text).type, Type::kBool) << text;
    EXPECT_TRUE(Resolve(text).boolean) << text;
  }
  for (const char* text :
       {"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"}) {
    EXPECT_EQ(Resolve(text).type, Type::kBool) << text;
    EXPECT_FALSE(Resolve(text).boolean) << text;
  }
  for (const char* text : {"tRue", "nUll", "yEs", "nil", "none", "yess", "<<", "=", "nan", "inf"}) {
    EXPECT_EQ(Resolve(text).type, Type::kString) << text;
  }
}

TEST(YamlScalarTest, Integers) {
  const struct {
    std::string text;
    int64_t value;
  } cases[] = {
      {"0", 0},
      {"00", 0},
      {"-0", 0},
      {"+1", 1},
      {"12", 12},
      {"1_000", 1000},
      {"1__0", 10},
      {"0x1F", 31},
      {"0X1f", 31},
      {"0x_1F", 31},
      {"-0x1F", -31},
      {"0b11", 3},
      {"0B11", 3},
      {"-0b11", -3},
      {"0b+1", 1},
      {"0b-1", -1},
      {"0o17", 15},
      {"0O17", 15},
      {"017", 15},
      {"0644", 420},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Resolve(c.text).type, Type::kInt) << c.text;
    EXPECT_EQ(Resolve(c.text).integer, c.value) << c.text;
  }
  EXPECT_EQ(Resolve("18446744073709551615").type, Type::kUint);
  EXPECT_EQ(Resolve("18446744073709551615").unsigned_integer, UINT64_MAX);
  EXPECT_EQ(Resolve("0xFFFFFFFFFFFFFFFF").type, Type::kUint);
}

TEST(YamlScalarTest, Floats) {
  const struct {
    std::string text;
    double value;
  } cases[] = {
      {"1.5", 1.5},
      {"1.", 1},
      {".5", 0.5},
      {"+.5", 0.5},
      {"-.5e3", -500},
      {".9_1", 0.91},
      {"08", 8},
      {"1e3", 1000},
      {"1E+3", 1000},
      {"1e5_0", 1e50},
      {"18446744073709551616", 18446744073709551616.0},
      {"+18446744073709551615", 18446744073709551616.0},
      {"-9223372036854775809", -9223372036854775808.0},
      {"0777777777777777777777777", 7.777777777777778e+23},
      {"1e-400", 0},
      {".inf", HUGE_VAL},
      {"+.INF", HUGE_VAL},
      {"-.Inf", -HUGE_VAL},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Resolve(c.text).type, Type::kFloat) << c.text;
    EXPECT_EQ(Resolve(c.text).floating, c.value) << c.text;
  }
  EXPECT_TRUE(std::isnan(Resolve(".NaN").floating));
}

TEST(YamlScalarTest, Strings) {
  for (const char* text : {"a",
                           "_1",
                           "--1",
                           "12e",
                           "1e400",
                           "1:30",
                           "1.5.2",
                           ".e1",
                           ".",
                           "+",
                           "-",
                           "-.",
                           "0x",
                           "0b",
                           "0o",
                           "0xg",
                           "0x1p-2",
                           "0b12",
                           "0x1FFFFFFFFFFFFFFFF",
                           "._9",
                           ".9_",
                           "+.nan",
                           "1 2"}) {
    EXPECT_EQ(Resolve(text).type, Type::kString) << text;
    EXPECT_EQ(Resolve(text).tag, YamlTag::kString) << text;
  }
}

TEST(YamlScalarTest, Timestamps) {
  for (const char* text :
       {"2001-01-01", "2001-1-2", "2004-02-29", "2001-12-14T21:59:43Z", "2001-12-14t1:2:3.5-05:00",
        "2001-12-14 21:59:43", "2001-12-14 21:59:43.123456789", "0000-01-01"}) {
    EXPECT_TRUE(IsYamlTimestamp(text)) << text;
    EXPECT_EQ(Resolve(text).type, Type::kString) << text;
    EXPECT_EQ(Resolve(text).tag, YamlTag::kTimestamp) << text;
  }
  for (const char* text :
       {"2001-13-01", "2001-02-29", "1900-02-29", "2001-01-32", "2001-01-00", "20010-01-01",
        "2001-01", "2001-001-01", "2001-01-01T1:2:3", "2001-01-01 24:00:00", "2001-01-01 1:60:0",
        "2001-01-01 1:2:3Z", "2001-01-01T1:2:3+25:00", "2001-01-01T1:2:3+5:00", "2001-01-01x"}) {
    EXPECT_FALSE(IsYamlTimestamp(text)) << text;
  }
}

TEST(YamlScalarTest, ExplicitTags) {
  const auto resolve = [](YamlTag tag, std::string_view text) {
    YamlTag found = YamlTag::kNone;
    return ResolveYamlScalar(tag, text, &found);
  };
  EXPECT_EQ(resolve(YamlTag::kString, "12")->type, Type::kString);
  EXPECT_EQ(resolve(YamlTag::kFloat, "1")->type, Type::kFloat);
  EXPECT_EQ(resolve(YamlTag::kFloat, "1")->floating, 1);
  EXPECT_EQ(resolve(YamlTag::kInt, "1")->integer, 1);
  EXPECT_EQ(resolve(YamlTag::kNull, "")->type, Type::kNull);
  EXPECT_EQ(resolve(YamlTag::kOther, "12")->type, Type::kString);
  EXPECT_EQ(resolve(YamlTag::kBinary, "12")->tag, YamlTag::kBinary);
  EXPECT_EQ(resolve(YamlTag::kTimestamp, "2001-01-01")->type, Type::kString);
  EXPECT_FALSE(resolve(YamlTag::kInt, "1.5"));
  EXPECT_FALSE(resolve(YamlTag::kInt, "abc"));
  EXPECT_FALSE(resolve(YamlTag::kBool, "1"));
  EXPECT_FALSE(resolve(YamlTag::kNull, "x"));
  EXPECT_FALSE(resolve(YamlTag::kTimestamp, "12"));
  EXPECT_FALSE(resolve(YamlTag::kFloat, "18446744073709551615"));
}

TEST(YamlScalarTest, TagNames) {
  EXPECT_EQ(ReadYamlTag("tag:yaml.org,2002:int"), YamlTag::kInt);
  EXPECT_EQ(ReadYamlTag("!foo"), YamlTag::kOther);
  EXPECT_EQ(ReadYamlTag("tag:yaml.org,2002:set"), YamlTag::kOther);
  EXPECT_EQ(ReadYamlTag(""), YamlTag::kNone);
  EXPECT_EQ(YamlTagName(ReadYamlTag("tag:yaml.org,2002:timestamp")), "!!timestamp");
}

TEST(YamlScalarTest, NeedsQuotes) {
  for (const char* text : {"", "yes", "y", "1", "0x1F", "1e3", ".5", "1:30", "12:30:45.5", "-1:0",
                           "2001-01-01", "~", ".inf", "1_0:30"}) {
    EXPECT_TRUE(NeedsYamlQuotes(text)) << text;
  }
  for (const char* text : {"a", "<<", "1:60", "1:", ":30", "1:30:", "a:1", "1e400", "1:30x"}) {
    EXPECT_FALSE(NeedsYamlQuotes(text)) << text;
  }
}

}  // namespace
}  // namespace podium::reflect
