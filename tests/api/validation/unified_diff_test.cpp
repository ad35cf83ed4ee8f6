// Differences in unified form; the goldens are what Python's difflib prints without its header.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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

// Nor does it take ever longer, or ever more of the stack.
TEST(UnifiedDiffTest, HostileTexts) {
  std::string before;
  std::string after;
  for (int i = 0; i < 50'000; ++i) {
    before += std::to_string(i) + "\na\n";
    after += std::to_string(i) + "\nb\n";
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string scattered = UnifiedDiff(before, after);
  EXPECT_TRUE(scattered.starts_with("@@ -1,100001 +1,100001 @@\n 0\n-a\n+b\n 1\n-a\n+b\n"));
  before = after = "";
  for (int i = 0; i < 50'000; ++i) {
    before += std::to_string(i % 101) + "\n";
    after += std::to_string(i * 7 % 101) + "\n";
  }
  EXPECT_TRUE(UnifiedDiff(before, after).starts_with("@@ -1,50001 +1,50001 @@\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace podium::api
