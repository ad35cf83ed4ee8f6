#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/ascii.h"

namespace podium {
namespace {

using testing::ElementsAre;

TEST(Text, JoinPutsTheSeparatorBetweenAllParts) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(Join(Strings(), ","), "");
  EXPECT_EQ(Join(Strings{"a"}, ","), "a");
  EXPECT_EQ(Join(Strings{"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(Join(Strings{"", "", "c", ""}, ","), ",,c,");
  EXPECT_EQ(Join(std::array<std::string_view, 2>{"a", "b"}, ""), "ab");
}

TEST(Text, JoinTakesWhatAFunctionOrAMemberSays) {
  struct Part {
    std::string name;
  };
  const std::vector<Part> parts = {{"a"}, {"b"}};
  EXPECT_EQ(Join(parts, " ", &Part::name), "a b");
  EXPECT_EQ(Join(parts, " ", [](const Part& part) { return part.name + "!"; }), "a! b!");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split("a", ','), ElementsAre("a"));
  EXPECT_THAT(Split(",a,,b,", ','), ElementsAre("", "a", "", "b", ""));
}

TEST(Text, WordsHaveNoEmptyOnes) {
  EXPECT_THAT(Words("", " "), ElementsAre());
  EXPECT_THAT(Words(" \t ", " \t"), ElementsAre());
  EXPECT_THAT(Words("a", " \t"), ElementsAre("a"));
  EXPECT_THAT(Words("  a\t b c ", " \t"), ElementsAre("a", "b", "c"));
}

TEST(Text, CaseIsThatOfASCII) {
  EXPECT_EQ(LowerCase("@AZ[`az{\xc3\x84"), "@az[`az{\xc3\x84");
  EXPECT_EQ(UpperCase("@AZ[`az{\xc3\xa4"), "@AZ[`AZ{\xc3\xa4");
  EXPECT_TRUE(EqualsIgnoringCase("Content-Type", "content-tYPE"));
  EXPECT_FALSE(EqualsIgnoringCase("a", "ab"));
  // One bit apart as letters are, and none.
  EXPECT_FALSE(EqualsIgnoringCase("@", "`"));
  EXPECT_FALSE(EqualsIgnoringCase("\xc3\x84", "\xc3\xa4"));
}

TEST(Text, HexValueIsThatOfADigitInEitherCase) {
  const std::string_view digits = "0123456789abcdef";
  for (int c = -128; c < 128; ++c) {
    const size_t found = digits.find(ToLower(static_cast<char>(c)));
    EXPECT_EQ(HexValue(static_cast<char>(c)), found == digits.npos ? -1 : static_cast<int>(found))
        << c;
  }
}

}  // namespace
}  // namespace podium
