// Differences in unified form; the goldens are what Python's difflib prints without its header.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "api/validation/unversioned_json.h"

namespace podium::api {
namespace {

// The characters, each a line.
std::string Lines(std::string_view chars) {
  std::string lines;
  for (char c : chars) {
    if (!lines.empty()) lines += '\n';
    lines += c;
  }
  return lines;
}

TEST(UnifiedDiffTest, Goldens) {
  struct Case {
    const char* before;
    const char* after;
    const char* want;
  };
  const Case cases[] = {
      {"abc", "abc", ""},
      {"abc", "axc", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
      {"", "a", "@@ -1 +1 @@\n-\n+a\n"},
      {"a", "b", "@@ -1 +1 @@\n-a\n+b\n"},
      // Far enough from each other to be two hunks.
      {"abcdefgh", "bcdefghi",
       "@@ -1,4 +1,3 @@\n-a\n b\n c\n d\n@@ -6,3 +5,4 @@\n f\n g\n h\n+i\n"},
      {"abcdefghijklmnopqrst", "aBcdefghijklmnopqRst",
       "@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -15,6 +15,6 @@\n o\n p\n q\n-r\n+R\n s\n t\n"},
      {"abcdefghij", "aBcdefghIj",
       "@@ -1,10 +1,10 @@\n a\n-b\n+B\n c\n d\n e\n f\n g\n h\n-i\n+I\n j\n"},
      // Of equal runs the longest counts, of several such the first.
      {"qabxcd", "abycdf", "@@ -1,6 +1,6 @@\n-q\n a\n b\n-x\n+y\n c\n d\n+f\n"},
      {"abxcdabcd", "abcdabxcd",
       "@@ -1,9 +1,9 @@\n+a\n+b\n+c\n+d\n a\n b\n x\n c\n d\n-a\n-b\n-c\n-d\n"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(UnifiedDiff(Lines(c.before), Lines(c.after)), c.want) << c.before << " " << c.after;
  }
}

// In a long text a line that comes too often starts no run: the numbers stay, and the x move.
TEST(UnifiedDiffTest, PopularLines) {
  std::string many;
  for (int i = 0; i < 150; ++i) many += "x\n";
  auto numbers = [](int from, int to) {
    std::string out;
    for (int i = from; i < to; ++i) out += std::to_string(i) + "\n";
    return out;
  };
  const std::string before = many + numbers(0, 100) + "end";
  const std::string after = numbers(0, 50) + many + numbers(50, 100) + "end";
  std::string minus;
  std::string plus;
  for (int i = 0; i < 150; ++i) {
    minus += "-x\n";
    plus += "+x\n";
  }
  EXPECT_EQ(UnifiedDiff(before, after), "@@ -1,153 +1,3 @@\n" + minus + " 0\n 1\n 2\n" +
                                            "@@ -198,6 +48,156 @@\n 47\n 48\n 49\n" + plus +
                                            " 50\n 51\n 52\n");
}

}  // namespace
}  // namespace podium::api
