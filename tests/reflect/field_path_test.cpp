#include "reflect/field_path.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace podium::reflect {
namespace {

// The steps, each between bars; an index in brackets.
std::string Steps(std::string_view text) {
  auto path = FieldPath::Parse(text);
  if (!path.ok()) return path.error().message();
  std::string out;
  for (const PathStep& step : path->steps()) {
    if (!out.empty()) out += '|';
    out += step.index ? "[" + std::to_string(*step.index) + "]" : step.name;
  }
  return out;
}

TEST(FieldPathTest, Parse) {
  const struct {
    std::string text;
    std::string steps;
  } cases[] = {
      {"", ""},
      {"spec", "spec"},
      {"spec.nodeName", "spec|nodeName"},
      {"spec.containers[0].ports[11].hostPort", "spec|containers|[0]|ports|[11]|hostPort"},
      {"matrix[1][2]", "matrix|[1]|[2]"},
      {"[3].name", "[3]|name"},
      {"metadata.labels['a.b/c']", "metadata|labels|a.b/c"},
      {"metadata.labels[\"a.b/c\"].x", "metadata|labels|a.b/c|x"},
      {R"(m['it\'s'])", "m|it's"},
      {R"(m['a\\'])", R"(m|a\)"},
      {"m['']", "m|"},
      {"m['a]b']", "m|a]b"},
      {"metadata.annotations[a.b/c]", "metadata|annotations|a.b/c"},
      {"m[a]b]", "m|a]b"},
      {"m[a].b", "m|a|b"},
      {"m[a][b]", "m|a|b"},
      {"m[01]", "m|01"},
      {"m[-1]", "m|-1"},
      {"m['7']", "m|7"},
      {"m[99999999999999999999999]", "m|99999999999999999999999"},
      {"data.my-key", "data|my-key"},
      {".a", R"(field path ".a": offset 0: expected a name)"},
      {"a.", R"(field path "a.": offset 2: expected a name)"},
      {"a..b", R"(field path "a..b": offset 2: expected a name)"},
      {"a]", R"(field path "a]": offset 1: expected '.' or '[')"},
      {"a[0]b", R"(field path "a[0]b": offset 1: expected ']')"},
      {"a['x']b", R"(field path "a['x']b": offset 6: expected '.' or '[')"},
      {"a[", R"(field path "a[": offset 1: expected ']')"},
      {"a[]", R"(field path "a[]": offset 1: expected an index or a key)"},
      {"a['x", R"(field path "a['x": offset 1: expected '])"},
      {"a[\"x']", R"(field path "a["x']": offset 1: expected "])"},
      {"a['x'", R"(field path "a['x'": offset 1: expected '])"},
  };
  for (const auto& c : cases) EXPECT_EQ(Steps(c.text), c.steps) << c.text;
}

TEST(FieldPathTest, Text) {
  for (const std::string text : {"", "spec.containers[0].image", "metadata.labels['a.b/c']",
                                 "[3].name", R"(m['it\'s'])", R"(m['\\'].x)", "m['']"}) {
    EXPECT_EQ(FieldPath::Parse(text)->Text(), text);
  }
  EXPECT_EQ(FieldPath::Parse("metadata.annotations[a/b]")->Text(), "metadata.annotations['a/b']");
  EXPECT_EQ(FieldPath::Parse("m['a']")->Text(), "m.a");
}

RC_GTEST_PROP(FieldPathTest, TextReadsBack, (const std::vector<std::string>& names)) {
  std::vector<PathStep> steps;
  for (const std::string& name : names) {
    steps.push_back({name, {}});
    steps.push_back({std::to_string(name.size()), name.size()});
  }
  const FieldPath path(std::move(steps));
  auto read = FieldPath::Parse(path.Text());
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == path);
}

}  // namespace
}  // namespace podium::reflect
