#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "reflect/json_generators.h"
#include "reflect/yaml.h"

namespace podium::reflect {
namespace {

// The JSON of a text's first document, or its error.
std::string Json(std::string_view yaml, const YamlReadOptions& options = {}) {
  auto document = YamlToJson(yaml, options);
  return document.ok() ? document->json : document.error().message();
}

struct Read {
  std::vector<YamlDocument> documents;
  std::vector<std::string> errors;  // "line:column: message"
};

Read ReadAll(std::string_view text, const YamlReadOptions& options = {}) {
  Read read;
  YamlReader reader(text, options);
  for (;;) {
    YamlDocument document;
    auto more = reader.Next(&document);
    if (!more.ok()) {
      const Position at = reader.error_position();
      read.errors.push_back(std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
                            more.error().message());
    } else if (*more) {
      read.documents.push_back(std::move(document));
    } else {
      return read;
    }
  }
}

TEST(YamlReaderTest, ErrorsAtTheEndStandInTheText) {
  EXPECT_EQ(ReadAll("a: b\nc").errors,
            (std::vector<std::string>{"2:2: yaml: line 3: could not find expected ':'"}));
  EXPECT_EQ(ReadAll("a: b\nc\n ").errors,
            (std::vector<std::string>{"3:2: yaml: line 4: could not find expected ':'"}));
}

// Observed with kubectl 1.32, --local.
TEST(YamlReaderTest, Values) {
  const struct {
    std::string yaml;
    std::string json;
  } cases[] = {
      {"", "null"},
      {"# nothing\n", "null"},
      {"a: 1\nb: [x, {c: d}]\n", R"({"a":1,"b":["x",{"c":"d"}]})"},
      {"- yes\n- 0644\n- 1_000\n- 0x1F\n- ~\n- 2001-01-01\n- 1e3\n- 1.50\n- 'no'\n- \"1\"\n",
       R"([true,420,1000,31,null,"2001-01-01",1000,1.5,"no","1"])"},
      {"[1e21, 1e-7, 0.000001, 18446744073709551615, 18446744073709551616]",
       R"([1e+21,1e-7,0.000001,18446744073709551615,18446744073709552000])"},
      {"a: |\n  x\n   y\nb: >-\n  f\n  g\nc: |+\n  k\n\n",
       R"({"a":"x\n y\n","b":"f g","c":"k\n\n"})"},
      {"a: !!str 12\nb: !!float 1\nc: !foo 12\nd: !!binary aGVsbG8=\ne: ! 12\n",
       R"({"a":"12","b":1,"c":"12","d":"hello","e":"12"})"},
      {"!!binary /w==", "\"\\ufffd\""},
      {"{y: 1, 1.0: 2, 0x10: 3, 1e3: 4, 0.1: 5, 123456789: 6, 1e21: 7, .inf: 8}",
       R"({"true":1,"1":2,"16":3,"1000":4,"0.1":5,"123456789":6,"1e+21":7,".inf":8})"},
      {"? a\n: b\n", R"({"a":"b"})"},
      {"{a b}", R"({"a b":null})"},
      {"a: &x {k: v}\nb: *x\nc: [*x]\n", R"({"a":{"k":"v"},"b":{"k":"v"},"c":[{"k":"v"}]})"},
      {"&k key: v\nb: {*k : w}\n", R"({"key":"v","b":{"key":"w"}})"},
      {"<<", R"("\u003c\u003c")"},
      {"{'<<': 1}", R"({"\u003c\u003c":1})"},
      {"--- {a: 1}\n--- {b: 2}\n", R"({"a":1})"},
      {"%YAML 1.1\n%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1\n", R"({"a":"1"})"},
      {"\xEF\xBB\xBF"
       "a: 1",
       R"({"a":1})"},
      {"a: <&>\n", R"({"a":"\u003c\u0026\u003e"})"},
  };
  for (const auto& c : cases) EXPECT_EQ(Json(c.yaml), c.json) << c.yaml;
}

// go-yaml sets merged members at the place of the merge key.
TEST(YamlReaderTest, MergeKeys) {
  const struct {
    std::string yaml;
    std::string json;
  } cases[] = {
      {"{x: 1, <<: {x: 2, z: 3}}", R"({"x":2,"z":3})"},
      {"{<<: {x: 2, z: 3}, x: 1}", R"({"x":1,"z":3})"},
      {"{<<: [{x: 1}, {x: 2, z: 3}]}", R"({"x":1,"z":3})"},
      {"b: &b {x: 1}\nd: {<<: *b, z: 2}", R"({"b":{"x":1},"d":{"x":1,"z":2}})"},
      {"b: &b {x: 1}\nd: {<<: [*b, {x: 2}]}", R"({"b":{"x":1},"d":{"x":1}})"},
      {"a: &a {p: 1}\nb: &b {<<: *a, q: 2}\nc: {<<: *b, r: 3}",
       R"({"a":{"p":1},"b":{"p":1,"q":2},"c":{"p":1,"q":2,"r":3}})"},
      {"{!!merge k: {x: 2}, x: 1}", R"({"k":{"x":2},"x":1})"},
      {"b: &b [1]\nd: {<<: *b}", "yaml: map merge requires map or sequence of maps as the value"},
      {"{<<: 1}", "yaml: map merge requires map or sequence of maps as the value"},
      {"{<<: [[{a: 1}]]}", "yaml: map merge requires map or sequence of maps as the value"},
      {"&a {<<: *a}", "yaml: anchor 'a' value contains itself"},
  };
  for (const auto& c : cases) EXPECT_EQ(Json(c.yaml), c.json) << c.yaml;
}

TEST(YamlReaderTest, Errors) {
  const struct {
    std::string yaml;
    std::string message;
  } cases[] = {
      {"a: b\nc: d: e\n", "yaml: line 2: mapping values are not allowed in this context"},
      {"a: b\nc: [a\n", "yaml: line 2: did not find expected ',' or ']'"},
      {"a:\n  b: 1\n c: 2\n", "yaml: line 2: did not find expected key"},
      {"a: `x\n", "yaml: found character that cannot start any token"},
      {"k: v\na: @x\n", "yaml: line 2: found character that cannot start any token"},
      {"k: v\na: \"\\q\"\n", "yaml: line 2: found unknown escape character"},
      {"k: v\na: 'x\n", "yaml: line 3: found unexpected end of stream"},
      {"k: v\na: - b\n", "yaml: line 2: block sequence entries are not allowed in this context"},
      {"k: v\nz: 1\na: !e!x y\n", "yaml: line 2: found undefined tag handle"},
      {"a: \x01", "yaml: control characters are not allowed"},
      {"a: \xFF\xFE", "yaml: invalid leading UTF-8 octet"},
      {"\xFF\xFE"
       "a\0:\0",
       "yaml: invalid leading UTF-8 octet"},
      {"a: *x", "yaml: unknown anchor 'x' referenced"},
      {"&a [*a]", "yaml: anchor 'a' value contains itself"},
      {"{? {a: b} : c}", R"(yaml: invalid map key: map[interface {}]interface {}{"a":"b"})"},
      {"{? [a, 1.5, ~, {x: yes}] : c}",
       R"(yaml: invalid map key: []interface {}{"a", 1.5, interface {}(nil), )"
       R"(map[interface {}]interface {}{"x":true}})"},
      {"replicas: {{ .Values.replicas }}\n",
       R"(yaml: invalid map key: map[interface {}]interface {}{".Values.replicas":interface {}(nil)})"},
      {"{~: 1}", "unsupported map key of type: %!s(<nil>), key: <nil>, value: 1"},
      {"{null: ~}", "unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>"},
      {"{18446744073709551615: {a: [1, \"x\\n\"]}}",
       R"(unsupported map key of type: uint64, key: 0xffffffffffffffff, )"
       R"(value: map[interface {}]interface {}{"a":[]interface {}{1, "x\n"}})"},
      {".inf", "json: unsupported value: +Inf"},
      {"[.nan]", "json: unsupported value: NaN"},
      {"!!int abc", "yaml: cannot decode !!str `abc` as a !!int"},
      {"!!timestamp x", "yaml: cannot decode !!str `x` as a !!timestamp"},
      {"!!binary a", "yaml: !!binary value contains invalid base64 data"},
  };
  for (const auto& c : cases) EXPECT_EQ(Json(c.yaml), c.message) << c.yaml;
}

TEST(YamlReaderTest, SplitsStreamsAsKubectl) {
  const Read read = ReadAll(
      "# licence\n---\na: 1\n--- # comment\n\n---\n~\n---   \nb: |\n  x\n---\n---\n"
      "c: 3\n...\n---\nlast: |\n  no newline");
  EXPECT_TRUE(read.errors.empty());
  ASSERT_EQ(read.documents.size(), 4U);
  EXPECT_EQ(read.documents[0].json, R"({"a":1})");
  EXPECT_EQ(read.documents[0].start, (Position{3, 1}));
  EXPECT_EQ(read.documents[1].json, R"({"b":"x\n"})");
  EXPECT_EQ(read.documents[1].start, (Position{9, 1}));
  EXPECT_EQ(read.documents[2].json, R"({"c":3})");
  EXPECT_EQ(read.documents[3].start, (Position{16, 1}));
  EXPECT_EQ(read.documents[3].json, R"({"last":"no newline\n"})");
}

TEST(YamlReaderTest, GoesOnBehindABadDocument) {
  const Read read =
      ReadAll("a: 1\n---\nb: c: d\n---\ne: 2\n--- f\ng: 3\n---\n  h: 4\n i: 5\n---\nj: 6\n");
  EXPECT_EQ(read.errors, (std::vector<std::string>{
                             "3:5: yaml: mapping values are not allowed in this context",
                             "6:1: invalid Yaml document separator: f",
                             "10:2: yaml: line 2: did not find expected <document start>"}));
  ASSERT_EQ(read.documents.size(), 4U);
  EXPECT_EQ(read.documents[0].json, R"({"a":1})");
  EXPECT_EQ(read.documents[1].json, R"({"e":2})");
  EXPECT_EQ(read.documents[2].json, R"({"h":4})");
  EXPECT_EQ(read.documents[3].json, R"({"j":6})");
}

TEST(YamlReaderTest, DirectivesKeepTheirSeparator) {
  const Read read = ReadAll("a: 1\n---\n# c\n%YAML 1.1\n---\nb: 2\n");
  EXPECT_TRUE(read.errors.empty());
  ASSERT_EQ(read.documents.size(), 2U);
  EXPECT_EQ(read.documents[1].json, R"({"b":2})");
}

TEST(YamlReaderTest, PositionsOfKeysAndValues) {
  const Read read = ReadAll(
      "---\nkind: Pod\nspec:\n  containers:\n  - name: a\n    ports: [80, &p 443]\n"
      "  other: *p\n  \xC3\xA9: x\n");
  ASSERT_EQ(read.documents.size(), 1U);
  const YamlDocument& document = read.documents[0];
  const auto at = [&](std::string_view text) {
    const size_t offset = document.json.find(text);
    EXPECT_NE(offset, std::string::npos) << text;
    return document.positions.At(offset);
  };
  EXPECT_EQ(
      document.json,
      R"({"kind":"Pod","spec":{"containers":[{"name":"a","ports":[80,443]}],"other":443,"é":"x"}})");
  EXPECT_EQ(at("{\"kind\""), (Position{2, 1}));
  EXPECT_EQ(at("\"kind\""), (Position{2, 1}));
  EXPECT_EQ(at("\"Pod\""), (Position{2, 7}));
  EXPECT_EQ(at("\"containers\""), (Position{4, 3}));
  EXPECT_EQ(at("[{"), (Position{5, 3}));
  EXPECT_EQ(at("\"name\""), (Position{5, 5}));
  EXPECT_EQ(at("443]"), (Position{6, 17})) << "where the anchor stands";
  EXPECT_EQ(at("443,"), (Position{6, 17})) << "an alias has the position of what it names";
  EXPECT_EQ(at("\"x\""), (Position{8, 6}));
  EXPECT_EQ(ReadAll("a: 1", {.positions = false}).documents[0].positions.size(), 0U);
}

TEST(YamlReaderTest, DuplicatesStayInTheTextAndAreListed) {
  const Read read = ReadAll("a: 1\nb: {x: 1, x: 2}\n\"a\":\n  2\n1: p\n'1': q\n1: r\n");
  ASSERT_EQ(read.documents.size(), 1U);
  EXPECT_EQ(read.documents[0].json, R"({"a":1,"b":{"x":1,"x":2},"a":2,"1":"p","1":"q","1":"r"})");
  EXPECT_EQ(read.documents[0].DuplicatesMessage(),
            "yaml: unmarshal errors:\n"
            "  line 2: key \"x\" already set in map\n"
            "  line 4: key \"a\" already set in map\n"
            "  line 7: key 1 already set in map");
  EXPECT_EQ(read.documents[0].duplicates[1].position, (Position{3, 1}));
  EXPECT_EQ(ReadAll("a: 1\n").documents[0].DuplicatesMessage(), "");
  const Read merged = ReadAll("<<: {x: 1}\nx: 2\n");
  EXPECT_EQ(merged.documents[0].json, R"({"x":2})");
  EXPECT_EQ(merged.documents[0].DuplicatesMessage(),
            "yaml: unmarshal errors:\n  line 2: key \"x\" already set in map");
}

std::string Repeat(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(YamlReaderTest, Limits) {
  EXPECT_EQ(Json(Repeat("[", 200'000)), "yaml: exceeded max depth of 1000");
  EXPECT_EQ(Json(Repeat("- ", 200'000)), "yaml: exceeded max depth of 1000");
  EXPECT_EQ(Json(Repeat("{a: ", 200'000)), "yaml: exceeded max depth of 1000");
  EXPECT_EQ(Json(Repeat("[", 1000) + Repeat("]", 1000)), Repeat("[", 1000) + Repeat("]", 1000));
  EXPECT_EQ(Json("[1, 2, 3]", {.max_nodes = 3}), "yaml: more than 3 nodes");
  EXPECT_EQ(Json("[1, 2, 3]", {.max_size = 8}), "yaml: more than 8 bytes");
  EXPECT_EQ(ReadAll("[1, 2, 3]", {.max_size = 8}).errors.size(), 1U);
  std::string directives;
  for (int i = 0; i < 100; ++i) directives += "%TAG !e" + std::to_string(i) + "! x\n";
  EXPECT_EQ(Json(directives + "--- a\n"), "yaml: too many directives");
  auto too_large = YamlToJson("[[[]]]", {.max_depth = 2});
  EXPECT_EQ(too_large.error().code(), Code::kResourceExhausted);
}

// Aliases that double ("billion laughs"), in values, keys and merges; long strings; long chains.
TEST(YamlReaderTest, AliasBombsEndEarly) {
  const std::string excessive = "yaml: document contains excessive aliasing";
  std::string lists = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  std::string maps = "a0: &a0 {k: v}\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    lists += name + ": &" + name + " [" + Repeat(before + ",", 8) + before + "]\n";
    maps += name + ": &" + name + " {<<: [" + before + ", " + before + "], k" + name + ": v}\n";
  }
  EXPECT_EQ(Json(lists), excessive);
  EXPECT_EQ(Json(maps), excessive);
  EXPECT_EQ(Json("a: &a " + std::string(100'000, 'x') + "\nb: [" + Repeat("*a, ", 100'000) + "]\n"),
            excessive);
  EXPECT_EQ(Json("a: &a {? " + std::string(100'000, 'x') + " : 1}\nb: [" + Repeat("*a, ", 10'000) +
                 "]\n"),
            excessive);
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 1500; ++i) {
    chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
             "]\n";
  }
  EXPECT_EQ(Json(chain), excessive);
  // What people write is far from the limits.
  EXPECT_EQ(Json("a: &a [1]\nb: [" + Repeat("*a, ", 300) + "]\n").size(), 300 * 4 + 15U);
}

RC_GTEST_PROP(YamlReaderTest, JsonIsYaml, (const JsonValue& value)) {
  // All of JSON but what YAML cannot hold raw, which JSON may escape.
  const std::string text = ToText(value);
  RC_PRE(text.find('\x7F') == text.npos && text.find("\xC2\x85") == text.npos &&
         text.find("\xEF\xBF\xBE") == text.npos && text.find("\xEF\xBB\xBF") == text.npos);
  auto document = YamlToJson(text);
  RC_ASSERT(document.ok());
  auto read = ParseJson(document->json);
  RC_ASSERT(read.ok());
  RC_ASSERT(Equivalent(*read, value));
}

TEST(YamlReaderTest, LooksLikeJson) {
  EXPECT_TRUE(LooksLikeJson(" \n\t{\"a\":1}"));
  EXPECT_FALSE(LooksLikeJson("[1]"));
  EXPECT_FALSE(LooksLikeJson("a: {}"));
  EXPECT_FALSE(LooksLikeJson(""));
}

}  // namespace
}  // namespace podium::reflect
