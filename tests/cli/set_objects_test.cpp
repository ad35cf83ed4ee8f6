#include "cli/set_objects.h"

#include <gtest/gtest.h>

namespace podium::cli {
namespace {

TEST(MatchesWildcard, StarsStandForAnyText) {
  for (const auto& [name, pattern] : {std::pair{"main", "main"},
                                      {"main", "*"},
                                      {"", "*"},
                                      {"main", "m*"},
                                      {"main", "*n"},
                                      {"main", "m*n"},
                                      {"main", "*ai*"},
                                      {"main", "m**n"},
                                      {"abab", "a*ab"},
                                      {"main", "main*"},
                                      {"aXbXc", "a*b*c"}}) {
    EXPECT_TRUE(MatchesWildcard(name, pattern)) << name << " " << pattern;
  }
  for (const auto& [name, pattern] : {std::pair{"main", "mai"},
                                      {"main", ""},
                                      {"main", "n*"},
                                      {"main", "*m"},
                                      {"aba", "ab*ba"},
                                      {"main", "m*x*n"},
                                      {"main", "mainn*"},
                                      {"ab", "a*b*b"}}) {
    EXPECT_FALSE(MatchesWildcard(name, pattern)) << name << " " << pattern;
  }
}

}  // namespace
}  // namespace podium::cli
