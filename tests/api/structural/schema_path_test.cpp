// Paths below schemas, by upstream's TestValidFieldPath
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation_test.go).
#include "api/structural/schema_path.h"

#include <gtest/gtest.h>

#include "reflect/json_value.h"

namespace podium::api {
namespace {

constexpr char kSchema[] = R"({"type": "object", "properties": {
  "a": {"type": "object", "properties": {"b.c": {"type": "string"}, "it's": {"type": "boolean"}}},
  "map": {"type": "object", "additionalProperties": {"type": "object",
    "properties": {"x": {"type": "integer"}}}},
  "any": {"type": "object", "additionalProperties": true},
  "list": {"type": "array", "items": {"type": "string"}}}})";

struct Case {
  const char* path;
  std::string text;  // or the error
  std::string root;
  std::string type;  // of what is there; "" for nothing
};

TEST(FindSchemaPath, FindsAndRefuses) {
  const auto schema = reflect::ParseStructural(*reflect::ParseJson(kSchema));
  ASSERT_TRUE(schema.ok());
  const Case cases[] = {
      {".a", "a", "a", "object"},
      {"['a']", "a", "a", "object"},
      {".a['b.c']", "a.b.c", "a", "string"},
      {R"(.a['it\'s'])", "a.it's", "a", "boolean"},
      {".map.k.x", "map[k].x", "map", "integer"},
      {".map['a.b']['x']", "map[a.b].x", "map", "integer"},
      {".any.k", "any[k]", "any", ""},
      {".list", "list", "list", "array"},
      {"", "", "", "object"},
      {"a", "expected [ or . but got: a", "", ""},
      {"]", "expected [ or . but got: ]", "", ""},
      {".", "unexpected end of JSON path", "", ""},
      {".a.", "unexpected end of JSON path", "", ""},
      {".x", "does not refer to a valid field", "", ""},
      {".a.b.c", "does not refer to a valid field", "", ""},
      {".list.x", "does not refer to a valid field", "", ""},
      {".any.k.l", "does not refer to a valid field", "", ""},
      {".list[0]", "expected single quoted string but got 0", "", ""},
      {"[", "unexpected end of JSON path", "", ""},
      {"['a'", "unexpected end of JSON path", "", ""},
      {"['a'.b", "expected ] but got .", "", ""},
      {"['a", "expected single quoted string but got 'a", "", ""},
      {R"(['\q'])", "invalid string literal: invalid escape char \\q", "", ""},
  };
  for (const Case& c : cases) {
    const auto found = FindSchemaPath(**schema, c.path, Brackets::kAllowed);
    EXPECT_EQ(found.ok() ? found->text : found.error().message(), c.text) << c.path;
    if (!found.ok()) continue;
    EXPECT_EQ(found->root, c.root) << c.path;
    EXPECT_EQ(found->schema ? found->schema->type : "", c.type) << c.path;
  }
}

TEST(FindSchemaPath, BracketsMayBeForbidden) {
  const auto schema = reflect::ParseStructural(*reflect::ParseJson(kSchema));
  ASSERT_TRUE(schema.ok());
  EXPECT_TRUE(FindSchemaPath(**schema, ".a", Brackets::kForbidden).ok());
  const auto found = FindSchemaPath(**schema, ".a['b.c']", Brackets::kForbidden);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().message(), "array notation is not allowed");
}

}  // namespace
}  // namespace podium::api
