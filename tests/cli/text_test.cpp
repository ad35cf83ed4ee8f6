#include "cli/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace podium::cli {
namespace {

using namespace std::string_view_literals;

TEST(Text, PrintableCannotSteerATerminal) {
  const struct {
    std::string_view text;
    const char* shown;
  } cases[] = {
      {"", ""},
      {"häuser 日本 🙂", "häuser 日本 🙂"},
      {"a\nb\tc\rd", "a\\nb\\tc\\x0dd"},
      {"\x1b[31m", "\\x1b[31m"},
      {"\0"sv, "\\x00"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b", "\\u009b"},
      {"a\u202Eb", "a\\u202eb"},
      {"\u2028", "\\u2028"},
      {"\uFEFF", "\\ufeff"},
      {"\xff\xc3", "\\xff\\xc3"},
      {"\xc0\xaf", "\\xc0\\xaf"},           // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},  // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(Printable(text), shown);
  EXPECT_EQ(Printable("a\n\tb", true), "a\n\tb");
}

TEST(Text, Nearest) {
  const std::vector<std::string_view> names = {"containers", "restartPolicy", "image", "hostPID"};
  const struct {
    const char* word;
    const char* nearest;
  } cases[] = {
      {"contaners", "containers"},
      {"container", "containers"},
      {"restartpolicy", "restartPolicy"},
      {"iamge", "image"},
      {"imag", "image"},
      {"volumes", ""},
      {"", ""},
      {"x", ""},
      {"HOSTPID", "hostPID"},
  };
  for (const auto& [word, nearest] : cases) EXPECT_EQ(Nearest(word, names), nearest) << word;
  EXPECT_EQ(Nearest(std::string(10'000, 'a'), names), "");
  EXPECT_EQ(DidYouMean("imag", names), "; did you mean \"image\"?");
  EXPECT_EQ(DidYouMean("other", names), "");
}

TEST(Text, Wrapped) {
  std::string out;
  AppendWrapped("one two  three äöü four", 2, 12, &out);
  EXPECT_EQ(out, "  one two\n  three äöü\n  four\n");
  out.clear();
  AppendWrapped("averyverylongword x", 0, 5, &out);
  EXPECT_EQ(out, "averyverylongword\nx\n");
  out.clear();
  AppendWrapped("", 4, 10, &out);
  EXPECT_EQ(out, "\n");
}

TEST(Text, Count) {
  EXPECT_EQ(Count(0, "problem"), "0 problems");
  EXPECT_EQ(Count(1, "problem"), "1 problem");
  EXPECT_EQ(Count(2, "entry", "entries"), "2 entries");
}

}  // namespace
}  // namespace podium::cli
