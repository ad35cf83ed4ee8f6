#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "reflect/json_generators.h"
#include "reflect/yaml.h"

namespace podium::reflect {
namespace {

std::string Yaml(std::string_view json, const YamlWriteOptions& options = {}) {
  std::string out;
  auto written = JsonToYaml(json, &out, options);
  return written.ok() ? out : written.error().message();
}

// Observed with kubectl 1.32, -o yaml.
TEST(YamlWriterTest, Layout) {
  EXPECT_EQ(Yaml(R"({"spec":{"containers":[{"name":"a","args":["-c","x"],"env":[]},{"name":"b"}],)"
                 R"("x":{}},"kind":"Pod","l":[[],[1,[2,3]],{"a":[{"b":1}]},{},null]})"),
            "kind: Pod\n"
            "l:\n"
            "- []\n"
            "- - 1\n"
            "  - - 2\n"
            "    - 3\n"
            "- a:\n"
            "  - b: 1\n"
            "- {}\n"
            "- null\n"
            "spec:\n"
            "  containers:\n"
            "  - args:\n"
            "    - -c\n"
            "    - x\n"
            "    env: []\n"
            "    name: a\n"
            "  - name: b\n"
            "  x: {}\n");
  EXPECT_EQ(Yaml("{}"), "{}\n");
  EXPECT_EQ(Yaml("[]"), "[]\n");
  EXPECT_EQ(Yaml("null"), "null\n");
  EXPECT_EQ(Yaml("\"a\""), "a\n");
  EXPECT_EQ(Yaml("\"a\\nb\""), "|-\n  a\n  b\n");
  EXPECT_EQ(Yaml("[1,[2]]"), "- 1\n- - 2\n");
}

TEST(YamlWriterTest, Strings) {
  const struct {
    std::string json;
    std::string yaml;
  } cases[] = {
      {R"("")", R"("")"},
      {R"("yes")", R"("yes")"},
      {R"("~")", R"("~")"},
      {R"("0x1F")", R"("0x1F")"},
      {R"("1e3")", R"("1e3")"},
      {R"("1:30")", R"("1:30")"},
      {R"("2001-1-1")", R"("2001-1-1")"},
      {R"("1e400")", "1e400"},
      {R"("a:b")", "a:b"},
      {R"("a: b")", "'a: b'"},
      {R"("a:")", "'a:'"},
      {R"(":a")", ":a"},
      {R"("a #b")", "'a #b'"},
      {R"("a#b")", "a#b"},
      {R"("#")", "'#'"},
      {R"("-")", "'-'"},
      {R"("-a")", "-a"},
      {R"("- a")", "'- a'"},
      {R"("?")", "'?'"},
      {R"("---")", "'---'"},
      {R"("...")", "'...'"},
      {R"("!!str")", "'!!str'"},
      {R"("'")", "''''"},
      {R"("it's: x")", "'it''s: x'"},
      {R"("\"")", "'\"'"},
      {R"("\\")", "\\"},
      {R"("[a")", "'[a'"},
      {R"("a,b")", "a,b"},
      {R"("=")", "="},
      {R"("<<")", "<<"},
      {R"(" x")", "' x'"},
      {R"("x ")", "'x '"},
      {R"("a\tb")", R"("a\tb")"},
      {R"("a\r\nb")", R"("a\r\nb")"},
      {R"("a \nb")", R"("a \nb")"},
      {R"("a\n ")", R"("a\n ")"},
      {R"("\u0000\u0007\u001b\u007f\u0001")", R"("\0\a\e\x7F\x01")"},
      {R"("\u00e9\u00a0")", "\xC3\xA9\xC2\xA0"},
      {R"("\ud83d\ude00")", R"("\U0001F600")"},
      {R"("a\u2028b\u2029\u0085\ufeff\uffff")", R"("a\Lb\P\N\uFEFF\uFFFF")"},
      {R"("a\n")", "|\n  a"},
      {R"("a\n\n")", "|+\n  a\n"},
      {R"("a\n b")", "|-\n  a\n   b"},
      {R"("\na")", "|2-\n\n  a"},
      {R"(" a\nb")", "|2-\n   a\n  b"},
      {R"("\n")", "|2+\n"},
      {R"("\n\n")", "|2+\n\n"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Yaml(c.json), c.yaml + "\n") << c.json;
    std::string indented;
    for (char ch : c.yaml) {
      indented += ch;
      if (ch == '\n') indented += "  ";
    }
    const size_t blank = indented.find("\n  \n");
    if (blank == indented.npos && !indented.ends_with("\n  ")) {
      EXPECT_EQ(Yaml("{\"a\":{\"k\":" + c.json + "}}"), "a:\n  k: " + indented + "\n") << c.json;
    }
  }
}

TEST(YamlWriterTest, Numbers) {
  const struct {
    std::string json;
    std::string yaml;
  } cases[] = {
      {"1", "1"},
      {"-0.0", "-0"},
      {"1.50", "1.5"},
      {"123456789012345678", "123456789012345678"},
      {"18446744073709551615", "18446744073709551615"},
      {"123456789.25", "1.2345678925e+08"},
      {"1e20", "1e+20"},
      {"1e-7", "1e-07"},
      {"true", "true"},
      {"1e400", "1e400"},
  };
  for (const auto& c : cases) EXPECT_EQ(Yaml(c.json), c.yaml + "\n") << c.json;
}

TEST(YamlWriterTest, Keys) {
  const std::string long_key(129, 'k');
  EXPECT_EQ(Yaml(R"({"":1,"yes":2,"1":3,"<<":4,"a: b":5,"a\tb":6,"c\nd":{"x":[1]},")" + long_key +
                     R"(":[1]})",
                 {.sort_keys = false}),
            "\"\": 1\n"
            "\"yes\": 2\n"
            "\"1\": 3\n"
            "\"<<\": 4\n"
            "'a: b': 5\n"
            "\"a\\tb\": 6\n"
            "? |-\n"
            "  c\n"
            "  d\n"
            ": x:\n"
            "  - 1\n"
            "? " +
                long_key +
                "\n"
                ": - 1\n");
}

TEST(YamlWriterTest, KeysInNaturalOrder) {
  EXPECT_EQ(
      Yaml(R"({"port10":1,"port2":1,"Port":1,"a":1,"_":1,"b.1":1,"b-1":1,"a02":1,"a2":1,"a1":1})"),
      "_: 1\nPort: 1\na: 1\na1: 1\na2: 1\na02: 1\nb-1: 1\nb.1: 1\nport2: 1\nport10: 1\n");
  EXPECT_EQ(Yaml(R"({"b":1,"a":{"z":1,"y":2}})", {.sort_keys = false}),
            "b: 1\na:\n  z: 1\n  \"y\": 2\n");
}

TEST(YamlWriterTest, FoldsLongLines) {
  std::string words;
  for (int i = 0; i < 24; ++i) words += (i > 0 ? " word" : "word") + std::to_string(i);
  EXPECT_EQ(Yaml("{\"a\":\"" + words + "\"}"),
            "a: word0 word1 word2 word3 word4 word5 word6 word7 word8 word9 word10 word11 word12\n"
            "  word13 word14 word15 word16 word17 word18 word19 word20 word21 word22 word23\n");
  EXPECT_EQ(
      Yaml("{\"a\":\"- " + words + "\"}"),
      "a: '- word0 word1 word2 word3 word4 word5 word6 word7 word8 word9 word10 word11 word12\n"
      "  word13 word14 word15 word16 word17 word18 word19 word20 word21 word22 word23'\n");
  EXPECT_EQ(Yaml("{\"a\":\"" + words + "\"}", {.fold_width = 0}), "a: " + words + "\n");
  EXPECT_EQ(Yaml("{\"a\":\"" + words + "\\n\"}"), "a: |\n  " + words + "\n")
      << "literals never fold";
}

TEST(YamlWriterTest, ErrorsLeaveTheOutputAlone) {
  std::string out = "x";
  EXPECT_FALSE(JsonToYaml("{", &out).ok());
  EXPECT_EQ(out, "x");
}

RC_GTEST_PROP(YamlWriterTest, ReadsBackAsTheSame, (const JsonValue& value, bool sort, bool fold)) {
  std::string yaml;
  WriteYaml(value, &yaml, {.sort_keys = sort, .fold_width = fold ? 20 : 0});
  auto document = YamlToJson(yaml);
  RC_ASSERT(document.ok());
  auto read = ParseJson(document->json);
  RC_ASSERT(read.ok());
  RC_ASSERT(Equivalent(*read, value));
  RC_ASSERT(document->duplicates.empty());
  // What was read once reads and writes unchanged from then on.
  std::string again;
  WriteYaml(*read, &again, {.sort_keys = sort, .fold_width = fold ? 20 : 0});
  RC_ASSERT(again == yaml);
}

}  // namespace
}  // namespace podium::reflect
