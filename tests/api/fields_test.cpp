#include "api/fields.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace podium::api::fields {
namespace {

TEST(FieldSelectorTest, ParseAndPrint) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", ""},
      {",,", ""},
      {"a=b", "a=b"},
      {"a==b", "a=b"},
      {"a!=b", "a!=b"},
      {"a=", "a="},
      {"=b", "=b"},
      {"metadata.name=x,a!=b", "a!=b,metadata.name=x"},
      {"a= b ", "a= b "},
      {R"(a=b\,c\=d\\)", R"(a=b\,c\=d\\)"},
      {R"(a\,b=c)", R"(a\,b=c)"},
      {"a!b=c", "a!b=c"},
  };
  for (const Case& c : cases) {
    Result<Selector> selector = Selector::Parse(c.text);
    ASSERT_TRUE(selector.ok()) << c.text;
    EXPECT_EQ(selector->String(), c.want) << c.text;
    EXPECT_EQ(*Selector::Parse(c.want), *selector) << c.text;
  }
  EXPECT_EQ(Selector::Parse(R"(a=b\,c\=d\\)")->requirements().front().value, R"(b,c=d\)");
  EXPECT_TRUE(Selector::Parse(",")->Empty());
  EXPECT_FALSE(Selector::Parse("a=b")->Empty());
}

TEST(FieldSelectorTest, ParseErrors) {
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"a", "invalid selector: 'a'; can't understand 'a'"},
      {"b=c,a", "invalid selector: 'b=c,a'; can't understand 'a'"},
      {"!", "invalid selector: '!'; can't understand '!'"},
      {"a=b=c", "invalid field selector: unescaped character in value: 61"},
      {"a===b", "invalid field selector: unescaped character in value: 61"},
      {R"(a=\x)", R"(invalid field selector: invalid escape sequence: \x)"},
      {"a=\\\u00e9", "invalid field selector: invalid escape sequence: \\\u00e9"},
      {R"(a=\)", R"(invalid field selector: invalid escape sequence: \)"},
  };
  for (const Case& c : cases) {
    Result<Selector> selector = Selector::Parse(c.text);
    ASSERT_FALSE(selector.ok()) << c.text;
    EXPECT_EQ(selector.error().message(), c.want) << c.text;
  }
  EXPECT_EQ(UnescapeValue("a,b").error().message(),
            "invalid field selector: unescaped character in value: 44");
}

TEST(FieldSelectorTest, Matches) {
  const std::map<std::string, std::string, std::less<>> object = {{"a", "1"}, {"b", ""}};
  auto get = [&](std::string_view field) -> std::string_view {
    auto found = object.find(field);
    return found == object.end() ? std::string_view() : std::string_view(found->second);
  };
  struct Case {
    const char* selector;
    bool want;
  };
  const Case cases[] = {
      {"", true},     {"a=1", true},    {"a=2", false},     {"a!=1", false},
      {"a!=2", true}, {"b=", true},     {"z=", true},       {"z!=", false},
      {"z=1", false}, {"a=1,b=", true}, {"a=1,b=2", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Selector::Parse(c.selector)->Matches(get), c.want) << c.selector;
  }
}

TEST(FieldSelectorTest, RequiresExactMatch) {
  Selector selector = *Selector::Parse("a!=0,a=1,b!=2");
  EXPECT_EQ(selector.RequiresExactMatch("a"), "1");
  EXPECT_EQ(selector.RequiresExactMatch("b"), std::nullopt);
  EXPECT_EQ(selector.RequiresExactMatch("c"), std::nullopt);
}

RC_GTEST_PROP(FieldSelectorProperty, EscapedValuesComeBack, (const std::string& value)) {
  RC_ASSERT(*UnescapeValue(EscapeValue(value)) == value);
  Requirement requirement{"metadata.name", value, *rc::gen::arbitrary<bool>()};
  Selector selector = *Selector::Parse(requirement.String());
  RC_ASSERT(selector.requirements() == std::vector<Requirement>{requirement});
}

}  // namespace
}  // namespace podium::api::fields
