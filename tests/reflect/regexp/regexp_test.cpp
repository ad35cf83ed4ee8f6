#include "reflect/regexp/regexp.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/cpu_time.h"

namespace podium::reflect {
namespace {

bool Match(std::string_view pattern, std::string_view text) {
  auto regexp = Regexp::Compile(pattern);
  EXPECT_TRUE(regexp.ok()) << pattern << ": " << regexp.error().message();
  return regexp.ok() && regexp->Match(text).value_or(false);
}

struct Case {
  std::string_view pattern;
  std::string_view text;
  bool matches;
};

// By go.dev/s/re2syntax and the tables of Go's regexp tests.
constexpr Case kCases[] = {
    {"", "", true},
    {"", "abc", true},
    {"abc", "xabcx", true},
    {"^abc", "xabc", false},
    {"abc$", "xabc", true},
    {"^abc$", "abc\n", false},
    {"a.c", "abc", true},
    {"a.c", "a\nc", false},
    {"(?s)a.c", "a\nc", true},
    {"(?m)^b$", "a\nb\nc", true},
    {"\\Ab\\z", "a\nb\nc", false},
    {"a*", "", true},
    {"^a+$", "", false},
    {"^a+?$", "aaa", true},
    {"^a?b$", "b", true},
    {"^a{2}$", "aa", true},
    {"^a{2}$", "aaa", false},
    {"^a{2,}$", "aaaa", true},
    {"^a{2,3}$", "aaaa", false},
    {"^a{0}$", "", true},
    {"^a{,2}$", "a{,2}", true},
    {"^a{2$", "a{2", true},
    {"^x{01}$", "x{01}", true},
    {"^(a|bc)*$", "abcbca", true},
    {"^(a||b)$", "", true},
    {"^(?:a|b)c$", "bc", true},
    {"^(?P<n>a)(?<m>b)$", "ab", true},
    {"^[abc]+$", "cab", true},
    {"^[^abc]+$", "xyz", true},
    {"^[^abc]+$", "xaz", false},
    {"^[^a]$", "\n", true},
    {"^[a-c-]+$", "b-", true},
    {"^[]a]+$", "]a", true},
    {"^[\\]\\\\]+$", "]\\", true},
    {"^[[:alpha:][:digit:]]+$", "a1", true},
    {"^[[:^alpha:]]$", "1", true},
    {"^[[:word:]]$", "_", true},
    {"^\\d\\D\\s\\S\\w\\W$", "1a b_-", true},
    {"^[\\d\\s]+$", "1 2", true},
    {"^[^\\d]$", "1", false},
    {"\\bab\\b", "x ab y", true},
    {"\\bab\\b", "xab", false},
    {"\\Bb", "ab", true},
    {"^\\Qa.b\\E.$", "a.bc", true},
    {"^\\Qa.b", "a.b", true},
    {"^\\x41\\x{1F600}\\101\\n$", "A\U0001F600A\n", true},
    {"^\\.\\*\\_$", ".*_", true},
    {"(?i)^straße$", "STRAßE", true},
    {"(?i)^k$", "\u212a", true},  // the sign of Kelvin
    {"(?i)^[a-k]$", "\u212a", true},
    {"(?i)^Σ$", "ς", true},
    {"(?i:a)b", "Ab", true},
    {"(?i:a)b", "AB", false},
    {"(?i)a(?-i)b", "AB", false},
    {"((?i)a)b", "AB", false},
    {"^\\pL+$", "aΩЖ", true},
    {"^\\p{Lu}$", "a", false},
    {"(?i)^\\p{Lu}$", "a", true},
    {"^\\p{Greek}\\P{Greek}\\p{^Greek}$", "Ωab", true},
    {"^\\p{greek}\\p{Uppercase_Letter}$", "ΩA", true},
    {"^[\\p{Han}\\p{Hiragana}]+$", "漢ひ", true},
    {"^\\p{Any}\\p{ASCII}$", "漢a", true},
    {"^.$", "é", true},
    {"^.$", "\xff", true},  // a bad byte is one character
    {"^\\x{FFFD}$", "\xff", true},
    {"^..$", "\xff\xfe", true},
    {"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
    {"^(([a-z])+.)+[A-Z]([a-z])+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
};

TEST(RegexpTest, Matches) {
  for (const Case& c : kCases) {
    EXPECT_EQ(Match(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

struct Bad {
  std::string_view pattern;
  std::string_view problem;
};

// The errors of Go's regexp/syntax, each with the part of the pattern that Go names.
constexpr Bad kBad[] = {
    {"*", "missing argument to repetition operator: `*`"},
    {"+", "missing argument to repetition operator: `+`"},
    {"a|*", "missing argument to repetition operator: `*`"},
    {"(+)", "missing argument to repetition operator: `+`"},
    {"a**", "invalid nested repetition operator: `**`"},
    {"a*+", "invalid nested repetition operator: `*+`"},
    {"a??*", "invalid nested repetition operator: `??*`"},
    {"a{2}{3}", "invalid nested repetition operator: `{2}{3}`"},
    {"a{1001}", "invalid repeat count: `{1001}`"},
    {"a{3,2}", "invalid repeat count: `{3,2}`"},
    {"a{99999999999}", "invalid repeat count: `{99999999999}`"},
    {"((a{100}){100}){100}", "invalid repeat count: `{100}`"},
    {"(", "missing closing ): `(`"},
    {"(a|b", "missing closing ): `(a|b`"},
    {")", "unexpected ): `)`"},
    {"a)b", "unexpected ): `a)b`"},
    {"[", "missing closing ]: `[`"},
    {"x[a-", "missing closing ]: `[a-`"},
    {"[z-a]", "invalid character class range: `z-a`"},
    {"[[:foo:]]", "invalid character class range: `[:foo:]`"},
    {"\\p{Foo}", "invalid character class range: `\\p{Foo}`"},
    {"\\pX", "invalid character class range: `\\pX`"},
    {"\\p{Lu", "invalid character class range: `\\p{Lu`"},
    {"a\\", "trailing backslash at end of expression: ``"},
    {"\\8", "invalid escape sequence: `\\8`"},
    {"\\1", "invalid escape sequence: `\\1`"},
    {"\\Z", "invalid escape sequence: `\\Z`"},
    {"\\C", "invalid escape sequence: `\\C`"},
    {"\\x{110000}", "invalid escape sequence: `\\x{110000`"},
    {"\\xZ1", "invalid escape sequence: `\\xZ1`"},
    {"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
    {"(?!a)", "invalid or unsupported Perl syntax: `(?!`"},
    {"(?<!a)", "invalid named capture: `(?<!a)`"},
    {"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"},
    {"(?P<a b>x)", "invalid named capture: `(?P<a b>`"},
    {"(?P=<a>)", "invalid or unsupported Perl syntax: `(?P`"},
    {"(?P<a", "invalid named capture: `(?P<a`"},
    {"a\xff", "invalid UTF-8: `\xff`"},
};

TEST(RegexpTest, SaysWhatIsWrongAsGo) {
  for (const Bad& bad : kBad) {
    const auto regexp = Regexp::Compile(bad.pattern);
    ASSERT_FALSE(regexp.ok()) << bad.pattern;
    EXPECT_EQ(regexp.error().message(), "error parsing regexp: " + std::string(bad.problem));
  }
}

TEST(RegexpTest, HostilePatternsAreBounded) {
  std::string deep;
  for (int i = 0; i < 1001; ++i) deep += '(';
  deep += 'a' + std::string(1001, ')');
  EXPECT_EQ(Regexp::Compile(deep).error().message().substr(0, 50),
            "error parsing regexp: expression nests too deeply:");

  std::string large;
  for (int i = 0; i < 100; ++i) large += "[a-z]{1000}";
  EXPECT_EQ(Regexp::Compile(large).error().message().substr(0, 43),
            "error parsing regexp: expression too large:");

  // What classes are made of takes room and time while they are read.
  const auto repeated = [](std::string_view part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  for (const std::string& classes :
       {'[' + repeated("\\pL", 2000) + ']', "(?i)[" + repeated("\\p{Any}", 2000) + ']',
        "(?i)" + repeated("\\p{Any}", 2000), '[' + repeated("\\p{Zl}", 3000) + ']',
        "(?i)[" + repeated("\\x{0}-\\x{10FFFF}", 2000) + ']'}) {
    EXPECT_EQ(Regexp::Compile(classes).error().message().substr(0, 43),
              "error parsing regexp: expression too large:")
        << classes.substr(0, 20);
  }
  // "[:" begins a named class only where it is ended, which is not to be looked for each time.
  const auto start = podium::testing::CpuTime();
  EXPECT_TRUE(Regexp::Compile('[' + repeated("[:", 200'000) + "x]").ok());
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(10));

  const auto regexp = Regexp::Compile("(x+x+)+y");
  ASSERT_TRUE(regexp.ok());
  EXPECT_LT(regexp->states(), 20U);
  EXPECT_EQ(regexp->Match(std::string(100'000, 'x')), std::optional(false));
  EXPECT_EQ(regexp->Match(std::string(100'000, 'x'), 1000), std::nullopt);
}

}  // namespace
}  // namespace podium::reflect
