#include "api/expansion.h"

#include <gtest/gtest.h>

#include <map>

namespace podium::api {
namespace {

TEST(ExpansionTest, Expands) {
  const std::map<std::string, std::string, std::less<>> variables = {
      {"VAR_A", "A"}, {"VAR_B", "B"}, {"VAR_REF", "$(VAR_A)"}, {"EMPTY", ""}, {"", "nameless"},
  };
  auto lookup = [&](std::string_view name) -> const std::string* {
    auto found = variables.find(name);
    return found == variables.end() ? nullptr : &found->second;
  };
  struct Case {
    const char* text;
    const char* want;
  };
  const Case cases[] = {
      {"", ""},
      {"plain", "plain"},
      {"$(VAR_A)", "A"},
      {"___$(VAR_B)___", "___B___"},
      {"$(VAR_A)$(VAR_B)", "AB"},
      {"$(VAR_REF)", "$(VAR_A)"},
      {"$(EMPTY)x", "x"},
      {"$()", "nameless"},
      {"$(MISSING)", "$(MISSING)"},
      {"a$(MISSING)$(VAR_A)", "a$(MISSING)A"},
      {"$$(VAR_A)", "$(VAR_A)"},
      {"$$$(VAR_A)", "$A"},
      {"$$$$(VAR_A)", "$$(VAR_A)"},
      {"$$", "$"},
      {"$", "$"},
      {"a$", "a$"},
      {"$VAR_A", "$VAR_A"},
      {"${VAR_A}", "${VAR_A}"},
      {"$(VAR_A", "$(VAR_A"},
      {"$(VAR_A$(VAR_B)", "$(VAR_A$(VAR_B)"},
      {"$(", "$("},
      {"$((VAR_A))", "$((VAR_A))"},
      {"foo$$var", "foo$var"},
      {"$\u00e9", "$\u00e9"},
      {"\\$(VAR_A)", "\\A"},
      {"$)$(VAR_A)", "$)A"},
  };
  for (const Case& c : cases) EXPECT_EQ(Expand(c.text, lookup), c.want) << c.text;
}

}  // namespace
}  // namespace podium::api
