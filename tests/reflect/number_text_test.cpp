#include "reflect/number_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

namespace podium::reflect {
namespace {

// Expected texts are what Go's encoding/json and strconv print.
TEST(NumberTextTest, GoFormats) {
  const struct {
    double value;
    std::string json;
    std::string general;
  } cases[] = {
      {0, "0", "0"},
      {-0.0, "-0", "-0"},
      {1, "1", "1"},
      {-1.5, "-1.5", "-1.5"},
      {100000, "100000", "100000"},
      {999999, "999999", "999999"},
      {1e6, "1000000", "1e+06"},
      {1234567, "1234567", "1.234567e+06"},
      {123456789.25, "123456789.25", "1.2345678925e+08"},
      {1e20, "100000000000000000000", "1e+20"},
      {1e21, "1e+21", "1e+21"},
      {1.5e300, "1.5e+300", "1.5e+300"},
      {0.1, "0.1", "0.1"},
      {0.0001, "0.0001", "0.0001"},
      {0.00001, "0.00001", "1e-05"},
      {1e-6, "0.000001", "1e-06"},
      {1e-7, "1e-7", "1e-07"},
      {-2.5e-9, "-2.5e-9", "-2.5e-09"},
      {1e-10, "1e-10", "1e-10"},
      {5e-324, "5e-324", "5e-324"},
      {0.30000000000000004, "0.30000000000000004", "0.30000000000000004"},
  };
  for (const auto& c : cases) {
    std::string json;
    AppendFloatJson(c.value, &json);
    EXPECT_EQ(json, c.json);
    std::string general;
    AppendFloatGeneral(c.value, &general);
    EXPECT_EQ(general, c.general);
  }
  std::string special;
  AppendFloatGeneral(std::numeric_limits<double>::infinity(), &special);
  AppendFloatGeneral(-std::numeric_limits<double>::infinity(), &special);
  AppendFloatGeneral(std::nan(""), &special);
  EXPECT_EQ(special, "+Inf-InfNaN");
  std::string narrow;
  AppendFloatGeneral(0.1F, &narrow);
  EXPECT_EQ(narrow, "0.1");
}

TEST(NumberTextTest, ReadFloat) {
  const struct {
    std::string text;
    std::optional<double> value;
  } cases[] = {
      {"1", 1},      {"+1.5", 1.5}, {"-.5", -0.5}, {"1.", 1},      {"1e3", 1000},  {"1e-400", 0},
      {"1e400", {}}, {"", {}},      {"+-1", {}},   {"0x10", {}},   {"inf", {}},    {"nan", {}},
      {"1e", {}},    {"1 ", {}},    {" 1", {}},    {"1e+3", 1000}, {"-1e400", {}}, {"1_0", {}},
  };
  for (const auto& c : cases) EXPECT_EQ(ReadFloat(c.text), c.value) << c.text;
}

TEST(NumberTextTest, JsonNumbersAreIntegersWhenTheyFit) {
  EXPECT_TRUE(ReadJsonNumber("-9223372036854775808").is_integer);
  EXPECT_EQ(ReadJsonNumber("9223372036854775807").integer, std::numeric_limits<int64_t>::max());
  EXPECT_FALSE(ReadJsonNumber("9223372036854775808").is_integer);
  EXPECT_FALSE(ReadJsonNumber("1.0").is_integer);
  EXPECT_EQ(ReadJsonNumber("1.0").AsDouble(), 1);
  EXPECT_EQ(ReadJsonNumber("-1e999").AsDouble(), -std::numeric_limits<double>::infinity());
}

RC_GTEST_PROP(NumberTextTest, ShortestDigitsReadBack, (double value)) {
  RC_PRE(std::isfinite(value));
  std::string json;
  AppendFloatJson(value, &json);
  RC_ASSERT(ReadFloat(json) == value);
  std::string general;
  AppendFloatGeneral(value, &general);
  RC_ASSERT(ReadFloat(general) == value);
}

}  // namespace
}  // namespace podium::reflect
