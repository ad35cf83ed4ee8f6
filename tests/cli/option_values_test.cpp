#include "cli/option_values.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace podium::cli {
namespace {

Invocation With(const std::vector<std::string>& values) {
  Invocation invocation;
  for (const std::string& value : values) invocation.Add("x", value);
  return invocation;
}

TEST(OptionValues, PartsAreThoseOfCommaSeparatedValues) {
  const struct {
    std::vector<std::string> values;
    std::vector<std::string> parts;
  } cases[] = {
      {{}, {}},
      {{""}, {}},
      {{"a"}, {"a"}},
      {{"a,b", "c"}, {"a", "b", "c"}},
      {{"a,"}, {"a", ""}},
      {{","}, {"", ""}},
      {{R"("a,b",c)"}, {"a,b", "c"}},
      {{R"("a""b")"}, {R"(a"b)"}},
      {{R"("")"}, {""}},
      {{R"("",x)"}, {"", "x"}},
  };
  for (const auto& [values, parts] : cases) {
    const auto actual = PartsOption(With(values), "x");
    ASSERT_TRUE(actual.ok()) << values[0];
    EXPECT_EQ(*actual, parts);
  }
  for (const char* wrong : {R"(a"b)", R"("a)", R"("a"b)", R"(a,"b)", R"(")"}) {
    EXPECT_EQ(PartsOption(With({wrong}), "x").error().code(), Code::kInvalidArgument) << wrong;
  }
}

TEST(OptionValues, NumbersAndTimes) {
  EXPECT_EQ(*IntegerOption(With({}), "x", 7), 7);
  EXPECT_EQ(*IntegerOption(With({"-3"}), "x", 7), -3);
  EXPECT_EQ(
      IntegerOption(With({"3a"}), "x", 7).error().message(),
      R"(invalid argument "3a" for "--x" flag: strconv.ParseInt: parsing "3a": invalid syntax)");
  EXPECT_EQ(
      IntegerOption(With({"9223372036854775808"}), "x", 7).error().message(),
      R"(invalid argument "9223372036854775808" for "--x" flag: strconv.ParseInt: parsing "9223372036854775808": value out of range)");
  EXPECT_EQ(*TimeOption(With({}), "x"), std::chrono::seconds(0));
  EXPECT_EQ(*TimeOption(With({"1m3s"}), "x"), std::chrono::seconds(63));
  EXPECT_EQ(TimeOption(With({"3"}), "x").error().message(),
            R"(invalid argument "3" for "--x" flag: time: missing unit in duration "3")");
}

TEST(OptionValues, LabelPairs) {
  EXPECT_EQ(*ParseLabelPairs("a=b,c="), (reflect::Map<std::string>{{"a", "b"}, {"c", ""}}));
  for (const char* wrong : {"", "a", "a=b,", "a=b=c", "=b"}) {
    EXPECT_FALSE(ParseLabelPairs(wrong).ok()) << wrong;
  }
}

// The parser gives up on such a command.
void ExpectNoOptionTwice(const Command& command) {
  std::set<std::string_view> names;
  std::set<char> letters;
  for (const Option& option : command.options) {
    EXPECT_TRUE(names.insert(option.name).second) << command.name << " --" << option.name;
    if (option.letter) {
      EXPECT_TRUE(letters.insert(option.letter).second) << command.name << " -" << option.letter;
    }
  }
  for (const Command& each : command.subcommands) ExpectNoOptionTwice(each);
}

TEST(Commands, NoOptionTwice) {
  for (const Command& command : Commands()) ExpectNoOptionTwice(command);
}

}  // namespace
}  // namespace podium::cli
