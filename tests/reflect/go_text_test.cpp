#include "reflect/go_text.h"

#include <gtest/gtest.h>

#include "reflect/go_trim.h"

namespace podium::reflect {
namespace {

TEST(GoTextTest, Quoted) {
  struct Case {
    std::string_view text;
    const char* want;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"a b", R"("a b")"},
      {"a\"\\", R"("a\"\\")"},
      {"\a\b\t\n\v\f\r", R"("\a\b\t\n\v\f\r")"},
      {std::string_view("\0\x1f\x7f", 3), R"("\x00\x1f\x7f")"},
      {"<&>'", R"("<&>'")"},
      {"\u00e9\u4e16\U0001f600", "\"\u00e9\u4e16\U0001f600\""},
      {"\u00a0\u00ad\u2028\ufeff\u0085", R"("\u00a0\u00ad\u2028\ufeff\u0085")"},
      {"\U000e0001\U0010ffff", R"("\U000e0001\U0010ffff")"},
      {"\ue000\ufffd", "\"\\ue000\ufffd\""},
      {"a\xff\xc3", R"("a\xff\xc3")"},
      {"\xed\xa0\x80", R"("\xed\xa0\x80")"},
  };
  for (const Case& c : cases) EXPECT_EQ(GoQuoted(c.text), c.want);
}

TEST(GoTextTest, Runes) {
  std::string seen;
  ForEachRune("a\u00e9\xff\U0001f600", [&](size_t at, char32_t rune) {
    seen += std::to_string(at) + ":" + std::to_string(static_cast<uint32_t>(rune)) + " ";
  });
  EXPECT_EQ(seen, "0:97 1:233 3:65533 4:128512 ");
  EXPECT_TRUE(IsGoPrintable(U' '));
  EXPECT_TRUE(IsGoPrintable(U'\u00e9'));
  EXPECT_FALSE(IsGoPrintable(U'\n'));
  EXPECT_FALSE(IsGoPrintable(0x7f));
  EXPECT_FALSE(IsGoPrintable(U'\u200b'));
}

TEST(GoTextTest, ParseInt) {
  EXPECT_EQ(*ParseGoInt("0"), 0);
  EXPECT_EQ(*ParseGoInt("+7"), 7);
  EXPECT_EQ(*ParseGoInt("-7"), -7);
  EXPECT_EQ(*ParseGoInt("007"), 7);
  EXPECT_EQ(*ParseGoInt("-9223372036854775808"), INT64_MIN);
  for (const char* bad : {"", "+", "-", "+-1", "1x", "1.0", " 1", "1 ", "0x1", "a\"b"}) {
    ASSERT_FALSE(ParseGoInt(bad).ok()) << bad;
    EXPECT_EQ(ParseGoInt(bad).error().message(),
              "strconv.Atoi: parsing " + GoQuoted(bad) + ": invalid syntax");
  }
  EXPECT_EQ(ParseGoInt("9223372036854775808").error().message(),
            "strconv.Atoi: parsing \"9223372036854775808\": value out of range");
  EXPECT_EQ(ParseGoInt("9223372036854775808x").error().message(),
            "strconv.Atoi: parsing \"9223372036854775808x\": invalid syntax");
  // What does not fit into 64 bits is told before what comes behind it.
  EXPECT_EQ(ParseGoInt("18446744073709551616x").error().message(),
            "strconv.Atoi: parsing \"18446744073709551616x\": value out of range");
  EXPECT_EQ(ParseGoInt("18446744073709551615x").error().message(),
            "strconv.Atoi: parsing \"18446744073709551615x\": invalid syntax");
  EXPECT_EQ(ParseGoInt("+99999999999999999999").error().message(),
            "strconv.Atoi: parsing \"+99999999999999999999\": value out of range");
  EXPECT_EQ(ParseGoInt("-9223372036854775809").error().message(),
            "strconv.Atoi: parsing \"-9223372036854775809\": value out of range");
}

TEST(GoTextTest, Space) {
  for (char32_t rune : {U'\t', U'\r', U' ', U'\u0085', U'\u00a0', U'\u1680', U'\u2000', U'\u200a',
                        U'\u2028', U'\u2029', U'\u202f', U'\u205f', U'\u3000'}) {
    EXPECT_TRUE(IsGoSpace(rune)) << uint32_t(rune);
  }
  for (char32_t rune : {U'\b', U'\x0e', U'a', U'\u0084', U'\u180e', U'\u1fff', U'\u200b', U'\u2060',
                        U'\ufeff', U'\ufffd'}) {
    EXPECT_FALSE(IsGoSpace(rune)) << uint32_t(rune);
  }
}

TEST(GoTextTest, TrimsSpace) {
  EXPECT_EQ(TrimGoSpace(""), "");
  EXPECT_EQ(TrimGoSpace(" \t\n\v\f\r"), "");
  EXPECT_EQ(TrimGoSpace("\u3000 a \u00a0 b\u2028\u0085\n"), "a \u00a0 b");
  EXPECT_EQ(TrimGoSpace("\u1680\u00a0\u3000"), "");
  EXPECT_EQ(TrimGoSpace("\u200b a"), "\u200b a");
  // Bytes that are not UTF-8, and ends of other runes.
  EXPECT_EQ(TrimGoSpace(" \xa0 "), "\xa0");
  EXPECT_EQ(TrimGoSpace(" \x85\xe3\x80 "), "\x85\xe3\x80");
  EXPECT_EQ(TrimGoSpace("\xc3\xa0 "), "\xc3\xa0");
  EXPECT_EQ(TrimGoSpace(" \xe2\xc2\xa0"), "\xe2");
}

TEST(GoTextTest, NearestInt) {
  EXPECT_EQ(GoIntOrNearest("-7"), -7);
  EXPECT_EQ(GoIntOrNearest("9223372036854775808"), INT64_MAX);
  EXPECT_EQ(GoIntOrNearest("+9223372036854775808"), INT64_MAX);
  EXPECT_EQ(GoIntOrNearest("-9223372036854775809"), INT64_MIN);
  for (const char* bad : {"", "+", "-", "+-1", "1x", "9223372036854775808x"}) {
    EXPECT_EQ(GoIntOrNearest(bad), 0) << bad;
  }
}

}  // namespace
}  // namespace podium::reflect
