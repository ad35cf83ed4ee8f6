// Strict decoding of YAML files: every mistake with its path and its line.
#include <gtest/gtest.h>

#include "reflect/test_types.h"
#include "reflect/yaml.h"

namespace podium::reflect {
namespace {

using testing::Everything;

std::string At(Position position) {
  return std::to_string(position.line) + ":" + std::to_string(position.column);
}

// The problems of all documents of a stream: "line:column: text".
std::vector<std::string> Check(std::string_view yaml, const DecodeOptions& options = {},
                               const YamlReadOptions& read_options = {}) {
  std::vector<std::string> out;
  YamlReader reader(yaml, read_options);
  for (;;) {
    YamlDocument document;
    const auto more = reader.Next(&document);
    if (!more.ok()) {
      out.push_back(At(reader.error_position()) + ": " + reader.problem());
      continue;
    }
    if (!*more) return out;
    Everything object;
    for (const YamlProblem& problem :
         DecodeYaml(document, TypeOf<Everything>(), &object, options)) {
      out.push_back(At(problem.position) + ": " + problem.problem.Text());
    }
  }
}

using Problems = std::vector<std::string>;

TEST(YamlDecodeTest, AllMistakesAtOnce) {
  EXPECT_EQ(Check("kind: Everything\n"
                  "small: many\n"
                  "portz: []\n"
                  "ports:\n"
                  "- name: http\n"
                  "  containerPort: 80\n"
                  "- name: 8080\n"
                  "  hostPort: '443'\n"
                  "  extra: 1\n"
                  "kind: Again\n"
                  "labels: {a: b, a: c}\n"
                  "steps: 3 leagues\n"
                  "boxedPort: [1]\n"),
            (Problems{
                "2:8: small: expected an integer, got a string",
                "3:1: unknown field \"portz\"",
                "7:9: ports[1].name: expected a string, got a number",
                "8:13: ports[1].hostPort: expected an integer, got a string",
                "9:3: unknown field \"ports[1].extra\"",
                "10:1: duplicate field \"kind\"",
                "11:16: duplicate field \"labels.a\"",
                "12:8: steps: not a number of steps",
                "13:12: boxedPort: expected an object, got a list",
            }));
}

TEST(YamlDecodeTest, EveryDocumentOfAStream) {
  EXPECT_EQ(Check("small: 1\n---\nsmal: 2\n---\nsmall: [3\n---\n# empty\n---\nsmall: ~\nbig: x\n"),
            (Problems{
                "3:1: unknown field \"smal\"",
                "6:1: did not find expected ',' or ']'",
                "10:6: big: expected an integer, got a string",
            }));
}

TEST(YamlDecodeTest, DuplicatesInUntypedPartsAndThroughMerges) {
  EXPECT_EQ(Check("raw:\n  deep:\n  - x.y: 1\n    z: 2\n    z: 3\n"
                  "unknown: {p: 1, p: 2}\n"
                  "port:\n  <<: {name: a}\n  name: b\n"),
            (Problems{
                "5:5: duplicate field \"raw.deep[0].z\"",
                "6:1: unknown field \"unknown\"",
                "6:17: duplicate field \"unknown.p\"",
                "9:3: duplicate field \"port.name\"",
            }));
  EXPECT_EQ(Check("raw: {z: 2, z: 3}\nnot: there\nkind: a\nkind: b\n", {.strict = false}),
            Problems{});
}

TEST(YamlDecodeTest, WhatIsAliasedIsWhereItWasWritten) {
  EXPECT_EQ(Check("ports:\n- &p\n  name: a\n  wrong: 1\n- *p\n"),
            (Problems{
                "4:3: unknown field \"ports[0].wrong\"",
                "4:3: unknown field \"ports[1].wrong\"",
            }));
}

TEST(YamlDecodeTest, Limits) {
  std::string many;
  for (int i = 0; i < 500; ++i) many += "field" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(Check(many).size(), 100U);
  EXPECT_EQ(Check("raw: {a: 1, a: 2, a: 3}\n", {.max_problems = 1}).size(), 1U);

  EXPECT_EQ(Check("schema: {additional: {additional: {}}}\n", {.max_depth = 3}),
            (Problems{"1:35: schema.additional.additional: nested too deep"}));
  EXPECT_EQ(Check("ports: [[]]\n", {}, {.max_depth = 2}),
            (Problems{"1:9: exceeded max depth of 2"}));
}

TEST(YamlDecodeTest, FieldsByPath) {
  auto document = YamlToJson(
      "# a comment\n"
      "kind: Pod\n"
      "metadata:\n"
      "  labels: {app.x/y: web}\n"
      "ports:\n"
      "- name: a\n"
      "- containerPort: 1\n"
      "  name:\n"
      "    b\n");
  ASSERT_TRUE(document.ok());
  const YamlFields fields(*document);
  const struct {
    std::string path;
    std::string key;
    std::string value;
    std::string best;
    bool exact;
  } cases[] = {
      {"", "2:1", "2:1", "2:1", true},
      {"kind", "2:1", "2:7", "2:7", true},
      {"metadata", "3:1", "4:3", "3:1", true},
      {"metadata.labels['app.x/y']", "4:12", "4:21", "4:21", true},
      {"metadata.labels[app.x/y]", "4:12", "4:21", "4:21", true},
      {"ports", "5:1", "6:1", "5:1", true},
      {"ports[0]", "6:3", "6:3", "6:3", true},
      {"ports[1].name", "8:3", "9:5", "9:5", true},
      {"ports[1].hostPort", "7:3", "7:3", "7:3", false},
      {"ports[2].name", "5:1", "6:1", "5:1", false},
      {"metadata.labels['other']", "4:3", "4:11", "4:3", false},
      {"spec.containers", "2:1", "2:1", "2:1", false},
  };
  for (const auto& c : cases) {
    const YamlFields::Place place = fields.Locate(c.path);
    EXPECT_EQ(At(place.key), c.key) << c.path;
    EXPECT_EQ(At(place.value), c.value) << c.path;
    EXPECT_EQ(At(place.best), c.best) << c.path;
    EXPECT_EQ(place.exact, c.exact) << c.path;
  }
}

}  // namespace
}  // namespace podium::reflect
