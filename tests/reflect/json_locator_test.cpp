#include "reflect/json_locator.h"

#include <gtest/gtest.h>

#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::reflect {
namespace {

constexpr std::string_view kText =
    R"({"spec": {"list":[{"a":1}, {"a" : "x\"]"}, []],"\u0061b":true,"n":-1.5e3},)"
    R"("m":{"k.e/y":null,"3":{}},"m2":1,"m2":2,"e":{}})";

std::string Slice(size_t from, size_t to) { return std::string(kText.substr(from, to - from)); }

TEST(JsonLocatorTest, FindsKeysAndValues) {
  const JsonLocator locator(kText);
  const struct {
    std::string path;
    std::string key_and_value;
    std::string value;
    bool container;
  } cases[] = {
      {"spec.list[0].a", R"("a":1)", "1", false},
      {"spec.list[1].a", R"("a" : "x\"]")", R"("x\"]")", false},
      {"spec.list[2]", "[]", "[]", true},
      {"spec.ab", R"("\u0061b":true)", "true", false},
      {"spec.n", R"("n":-1.5e3)", "-1.5e3", false},
      {"m['k.e/y']", R"("k.e/y":null)", "null", false},
      {"m[3]", R"("3":{})", "{}", true},
      {"m2", R"("m2":2)", "2", false},
      {"e", R"("e":{})", "{}", true},
  };
  for (const auto& c : cases) {
    const JsonPlace place = locator.Locate(c.path);
    EXPECT_TRUE(place.exact) << c.path;
    EXPECT_EQ(Slice(place.key, place.end), c.key_and_value);
    EXPECT_EQ(Slice(place.value, place.end), c.value);
    EXPECT_EQ(place.container, c.container) << c.path;
    EXPECT_EQ(place.best(), c.container ? place.key : place.value) << c.path;
  }
  const JsonPlace whole = locator.Locate("");
  EXPECT_TRUE(whole.exact);
  EXPECT_EQ(Slice(whole.key, whole.end), kText);
}

TEST(JsonLocatorTest, WhatIsNotThereIsInItsNearestAncestor) {
  const JsonLocator locator(kText);
  const struct {
    std::string path;
    std::string ancestor;
  } cases[] = {
      {"spec.missing.deeper", "spec"},
      {"spec.list[3]", "spec.list"},
      {"spec.list[0].b", "spec.list[0]"},
      {"spec.list.a", "spec.list"},
      {"spec.n.deeper", "spec.n"},
      {"nothing", ""},
      {"a..b", ""},
      {"<nil>", ""},
  };
  for (const auto& c : cases) {
    const JsonPlace place = locator.Locate(c.path);
    EXPECT_FALSE(place.exact) << c.path;
    EXPECT_EQ(place.value, locator.Locate(c.ancestor).value) << c.path;
    EXPECT_EQ(place.best(), place.key);
  }
}

// Every node is at the path that is given for it, but the first of two with one key.
void CheckPaths(const JsonLocator& locator, std::string_view json) {
  for (size_t offset = 0; offset < json.size(); ++offset) {
    const FieldPath path = locator.PathAt(offset);
    const JsonPlace place = locator.Locate(path);
    EXPECT_TRUE(place.exact) << path.Text();
    EXPECT_LE(place.key, offset) << path.Text();
    EXPECT_LT(offset, place.end) << path.Text();
  }
}

TEST(JsonLocatorTest, PathAt) {
  const JsonLocator locator(kText);
  EXPECT_EQ(locator.PathAt(kText.find("x\\\"")).Text(), "spec.list[1].a");
  EXPECT_EQ(locator.PathAt(kText.find("k.e/y")).Text(), "m['k.e/y']");
  EXPECT_EQ(locator.PathAt(kText.find("u0061")).Text(), "spec.ab");
  EXPECT_EQ(locator.PathAt(0).Text(), "");
  constexpr std::string_view kOther = R"([{"a":[1,[2,{"b c":3}]]},"x",{"":{}}])";
  CheckPaths(JsonLocator(kOther), kOther);
}

TEST(JsonLocatorTest, Scalars) {
  EXPECT_EQ(JsonLocator("12").Locate("").end, 2U);
  EXPECT_FALSE(JsonLocator("12").Locate("a").exact);
  EXPECT_EQ(JsonLocator("\"a\"").Locate("").end, 3U);
}

}  // namespace
}  // namespace podium::reflect
