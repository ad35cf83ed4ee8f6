// The cases of upstream's own tests (client-go/util/jsonpath), and its corners.
#include "reflect/json_path.h"

#include <gtest/gtest.h>

namespace podium::reflect {
namespace {

JsonValue Json(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << text;
  return *std::move(value);
}

// What the template prints, or "error: " and the message.
std::string Print(std::string_view path, const JsonValue& data,
                  const JsonPathOptions& options = {}) {
  auto parsed = JsonPath::Parse(path);
  if (!parsed.ok()) return "error: " + parsed.error().message();
  std::string out;
  auto done = parsed->Execute(data, &out, options);
  return done.ok() ? out : "error: " + done.error().message();
}

struct Case {
  std::string path;
  std::string expected;
};

const JsonValue& Types() {
  static const auto& types = *new JsonValue(Json(R"({
    "bools": [true, false, true, false], "ints": [1, 2, 3, 4], "floats": [1.0, 2.2, 3.3, 4.0],
    "strings": ["one", "two", "three", "four"], "mixed": [true, "one", 1, 1.1, null],
    "maps": [{"value": 1, "name": "one"}, {"name": "two"}, {"name": "three"}, {"name": "four"}]
  })"));
  return types;
}

TEST(JsonPathTest, ElementsAndSlices) {
  const Case cases[] = {
      {"{ .bools }", "[true,false,true,false]"},
      {"{ .bools[0] }", "true"},
      {"{ .bools[-1] }", "false"},
      {"{ .bools[0:2] }", "true false"},
      {"{ .ints[:2] }", "1 2"},
      {"{ .ints[:4:2] }", "1 3"},
      {"{ .floats }", "[1,2.2,3.3,4]"},
      {"{ .floats[0] }", "1"},
      {"{ .floats[-2] }", "3.3"},
      {"{ .strings }", R"(["one","two","three","four"])"},
      {"{ .strings[-2] }", "three"},
      {"{ .mixed }", R"([true,"one",1,1.1,null])"},
      {"{ .mixed[*] }", "true one 1 1.1 <nil>"},
      {"{ .maps[0] }", R"({"name":"one","value":1})"},
      {"{ .maps[::2] }", R"({"name":"one","value":1} {"name":"three"})"},
      {"{ .maps[1::2].name }", "two four"},
      {"{.ints[]}", "1"},
      {"{.ints[0:0]}", ""},
      {"{.ints[5:5]}", ""},
      {"{.ints[-5:-5]}", ""},
      {"{.ints[0:-1]}", "1 2 3"},
      {"{.ints[-1:]}", "4"},
      {"{.ints[-4:]}", "1 2 3 4"},
      {"{.ints[0:4:]}", "1 2 3 4"},
      {"{.ints[1:4:99999999999]}", "2"},
      {"{.ints[-5]}", "error: array index out of bounds: index -1, length 4"},
      {"{.ints[4]}", "error: array index out of bounds: index 4, length 4"},
      {"{.ints[0:5]}", "error: array index out of bounds: index 4, length 4"},
      {"{.ints[3:1]}", "error: starting index 3 is greater than ending index 1"},
      {"{.ints[-1:-2]}", "error: starting index 3 is greater than ending index 2"},
      {"{.ints[0:4:0]}", "error: step must be > 0"},
      {"{.ints[0:4:-1]}", "error: step must be > 0"},
      {"{.maps[0][0]}", "error: map[string]interface {} is not array or slice"},
      {"{.strings[0][0]}", "error: string is not array or slice"},
      {"{.ints[0][0]}", "error: int64 is not array or slice"},
      {"{.floats[1][0]}", "error: float64 is not array or slice"},
  };
  for (const Case& c : cases) EXPECT_EQ(Print(c.path, Types()), c.expected) << c.path;
}

const JsonValue& Store() {
  static const auto& store = *new JsonValue(Json(R"({
    "Name": "jsonpath",
    "Book": [
      {"Category": "reference", "Author": "Nigel Rees", "Title": "Sayings", "Price": 8.95},
      {"Category": "fiction", "Author": "Evelyn Waugh", "Title": "Sword", "Price": 12.99},
      {"Category": "fiction", "Author": "Herman Melville", "Title": "Moby Dick", "Price": 8.99}],
    "Bicycle": [{"Color": "red", "Price": 19.95, "IsNew": true},
                {"Color": "green", "Price": 20.01, "IsNew": false}],
    "Labels": {"engineer": 10, "web/html": 15, "k8s-app": 20, "a.b": 1},
    "Numbers": [2, 6, 3, 7], "Empty": [], "Nothing": null
  })"));
  return store;
}

TEST(JsonPathTest, TextAndPaths) {
  const Case cases[] = {
      {"hello jsonpath", "hello jsonpath"},
      {"", ""},
      {R"({"{"})", "{"},
      {"hello {.Name}", "hello jsonpath"},
      {"{$.Labels.web/html}", "15"},
      {"{.Labels.k8s-app}", "20"},
      {R"({.Labels.a\.b})", "1"},
      {R"({.Labels['a\.b']})", "1"},
      {"{['Name']}", "jsonpath"},
      {"{.Bicycle[*].Color}", "red green"},
      {"{.Book[*].Author}", "Nigel Rees Evelyn Waugh Herman Melville"},
      {R"({range .Bicycle[*]}{ "{" }{ @.* }{ "} " }{end})",
       "{red 19.95 true} {green 20.01 false} "},
      {"{..Price}", "8.95 12.99 8.99 19.95 20.01"},
      {"{...Price}", "8.95 12.99 8.99 19.95 20.01"},
      {"{.Book[-1:].Title}", "Moby Dick"},
      {"{..Book[2].Author}", "Herman Melville"},
      {"{.Bicycle[?(@.IsNew==true)].Color}", "red"},
      {"{.Numbers[?(@<5)]}", "2 3"},
      {"{.Numbers[?(@<=3)]}", "2 3"},
      {"{.Numbers[?(@>=6)]}", "6 7"},
      {"{.Numbers[?(@>6)]}", "7"},
      {"{.Numbers[?(@!=6)]}", "2 3 7"},
      {"{.Numbers[1,3]}", "6 7"},
      {"{.Book[*]['Title', 'Price']}", "Sayings Sword Moby Dick 8.95 12.99 8.99"},
      {"{.Book[?(@.Price>8.97)].Title}", "Sword Moby Dick"},
      {R"({.Book[?(@.Author=="Nigel Rees")].Title})", "Sayings"},
      {"{.Book[?(@.Author == 'Nigel Rees')].Title}", "Sayings"},
      {"{.Book[?(@.Author >= 'H')].Title}", "Sayings Moby Dick"},
      {"{.Nothing}", "<nil>"},
      {"{.Labels.engineer}{'\\t'}{\"\\u00e9\\x41\\101\\n\"}{5}{-1.5}{true}",
       "10\t\xC3\xA9"
       "AA\n5-1.5true"},
      {"{.Labels.*}", "10 15 20 1"},
      {"{.Name.*}", "106 115 111 110 112 97 116 104"},
  };
  for (const Case& c : cases) EXPECT_EQ(Print(c.path, Store()), c.expected) << c.path;
  EXPECT_EQ(Print("{}", Types()), Print("{@}", Types()));
}

TEST(JsonPathTest, Errors) {
  const Case cases[] = {
      {"{hello}", "unrecognized identifier hello"},
      {"{.hello}", "hello is not found"},
      {"{.}", " is not found"},
      {"{.Name.x}", "x is not found"},
      {"{.Nothing.x}", "x is not found"},
      {"{.Labels[0]}", "map[string]interface {} is not array or slice"},
      {"{.Book[?(@.Price<>10)]}", "unrecognized filter operator <>"},
      {"{.Labels[?(@.x==1)]}",
       "map[a.b:1 engineer:10 k8s-app:20 web/html:15] is not array or slice and cannot be "
       "filtered"},
      {"{.Nothing[?(@.x==1)]}", "<nil> is not array or slice and cannot be filtered"},
      {"{.Numbers[?(@==2.0)]}", "incompatible types for comparison"},
      {"{.Numbers[?(@=='2')]}", "incompatible types for comparison"},
      {"{.Bicycle[?(@.IsNew<true)]}", "invalid type for comparison"},
      {"{.Bicycle[?(@==1)]}", "invalid type for comparison"},
      {"{.Bicycle[?(@.*==1)]}", "can only compare one element at a time"},
      {"{.Bicycle[?(@.Size==1)]}", "Size is not found"},
      {"{range .Labels.*}{@}{end}{end}", "not in range, nothing to end"},
      {"{range .Empty[*]}{.name}{end}", "name is not found"},
      // Of the parser.
      {"{.hello", "unclosed action"},
      {"{.hello\n}", "unclosed action"},
      {"{*}", "unrecognized character in action: U+002A '*'"},
      {"{\t}", "unrecognized character in action: U+0009"},
      {R"({\\\})", R"(unrecognized character in action: U+005C '\')"},
      {"{+12.3.0}", "cannot parse number +12.3.0"},
      {"{+}", "cannot parse number +"},
      {"{[1}", "unterminated array"},
      {"{[1\n]}", "unterminated array"},
      {"{[a]}", "invalid array index a"},
      {"{[1:2:3:4]}", "invalid array index 1:2:3:4"},
      {"{[-]}", "array index - is not a number"},
      {"{[99999999999999999999]}", "array index 99999999999999999999 is not a number"},
      {"{[?(.price]}", "unterminated filter"},
      {"{[?(.price)}", "unclosed array expect ]"},
      {"{.Numbers[?(@==)]}", "unrecognized character in action: U+003D '='"},
      {"{........}", "invalid multiple recursive descent"},
      {"{'a}", "unterminated quoted string"},
      {R"({"\q"})", R"(unquote string "\q" error invalid syntax)"},
      {R"({"\'"})", R"(unquote string "\'" error invalid syntax)"},
      {R"({"\ud800"})", R"(unquote string "\ud800" error invalid syntax)"},
      {R"({"\x4"})", R"(unquote string "\x4" error invalid syntax)"},
      {R"({"\777"})", R"(unquote string "\777" error invalid syntax)"},
  };
  for (const Case& c : cases) EXPECT_EQ(Print(c.path, Store()), "error: " + c.expected) << c.path;
}

TEST(JsonPathTest, MissingKeysMayBeAllowed) {
  const JsonPathOptions allow{.allow_missing_keys = true};
  const Case cases[] = {
      {"{.hello}", ""},
      {"before-{.hello}after", "before-after"},
      {"{.Bicycle[?(@.Size==1)].Color}", ""},
      {"{range .Empty[*]}{.metadata.name}{end}", ""},
      {R"({range .Empty[*]}{.name}{":"}{range @.spec.containers[*]}{.name}{","}{end}{"+"}{end}x)",
       "x"},
  };
  for (const Case& c : cases) EXPECT_EQ(Print(c.path, Store(), allow), c.expected) << c.path;
}

TEST(JsonPathTest, Points) {
  const JsonValue points = Json(R"([{"id": "i1", "x": 4}, {"id": "i2", "x": -2, "z": 1},
                                    {"id": "i5", "x": 0, "z": 1}])");
  EXPECT_EQ(Print("{[?(@.z)].id}", points), "i2 i5");
  EXPECT_EQ(Print("{[0]['id']}", points), "i1");
  EXPECT_EQ(Print("{..}", Json("[1,2,3]")), "[1,2,3]");
  EXPECT_EQ(Print("{..}", Json(R"({"a":{"b":["x","",0]}})")),
            R"({"a":{"b":["x","",0]}} {"b":["x","",0]} ["x","",0] x)");
}

const JsonValue& Nodes() {
  static const auto& nodes = *new JsonValue(Json(R"({
    "kind": "List",
    "items": [
      {"kind": "None", "metadata": {"name": "127.0.0.1",
                                    "labels": {"kubernetes.io/hostname": "127.0.0.1"}},
       "status": {"capacity": {"cpu": "4"}, "ready": true,
                  "addresses": [{"type": "LegacyHostIP", "address": "127.0.0.1"}]}},
      {"kind": "None", "metadata": {"name": "127.0.0.2",
                                    "labels": {"kubernetes.io/hostname": "127.0.0.2"}},
       "status": {"capacity": {"cpu": "8"}, "ready": false,
                  "addresses": [{"type": "LegacyHostIP", "address": "127.0.0.2"},
                                {"type": "another", "address": "127.0.0.3"}]}}],
    "users": [{"name": "myself", "user": {}},
              {"name": "e2e", "user": {"username": "admin", "password": "secret"}}]
  })"));
  return nodes;
}

TEST(JsonPathTest, Kubernetes) {
  const Case cases[] = {
      {"{range .items[*]}{.metadata.name}, {end}{.kind}", "127.0.0.1, 127.0.0.2, List"},
      {R"({range .items[*]}{.metadata.name}{"\t"}{end})", "127.0.0.1\t127.0.0.2\t"},
      {"{.items[*].status.addresses[*].address}", "127.0.0.1 127.0.0.2 127.0.0.3"},
      {"{range .items[*]}{range .status.addresses[*]}{.address}, {end}{end}",
       "127.0.0.1, 127.0.0.2, 127.0.0.3, "},
      {"{.items[*]['metadata.name', 'status.capacity']}",
       R"(127.0.0.1 127.0.0.2 {"cpu":"4"} {"cpu":"8"})"},
      {"{range .items[*]}[{.metadata.name}, {.status.capacity}] {end}",
       R"([127.0.0.1, {"cpu":"4"}] [127.0.0.2, {"cpu":"8"}] )"},
      {R"({.users[?(@.name=="e2e")].user.password})", "secret"},
      {R"({.items[0].metadata.labels.kubernetes\.io/hostname})", "127.0.0.1"},
      {R"({.items[?(@.metadata.labels.kubernetes\.io/hostname=="127.0.0.1")].kind})", "None"},
      {"{.items[?(@..ready==true)].metadata.name}", "127.0.0.1"},
      {"{..name}", "127.0.0.1 127.0.0.2 myself e2e"},
      {"{range .items[?(.status.ready==true)]}{.metadata.name}{\" is ready\\n\"}{end}",
       "127.0.0.1 is ready\n"},
      // A loop that nobody ends: its rest runs for each value, and once more for the whole.
      {"{range .users[*]}{@.name}-", "error: name is not found"},
  };
  for (const Case& c : cases) EXPECT_EQ(Print(c.path, Nodes()), c.expected) << c.path;
}

TEST(JsonPathTest, NestedLoops) {
  const JsonValue data = Json(R"({"items": [
    {"metadata": {"name": "pod1"}, "spec": {"containers": [
      {"name": "foo", "another": [{"name": "value1"}, {"name": "value2"}]},
      {"name": "bar", "another": [{"name": "value1"}, {"name": "value2"}]}]}},
    {"metadata": {"name": "pod2"}, "spec": {"containers": [
      {"name": "baz", "another": [{"name": "value1"}, {"name": "value2"}]}]}}]})");
  const Case cases[] = {
      {R"({range .items[*]}{.metadata.name}{":"}{range @.spec.containers[*]}{.name}{","}{end}{"+"}{end})",
       "pod1:foo,bar,+pod2:baz,+"},
      {R"({range .items[*]}{.metadata.name}{"~"}{range @.spec.containers[*]}{.name}{":"})"
       R"({range @.another[*]}{.name}{","}{end}{"+"}{end}{"#"}{end})",
       "pod1~foo:value1,value2,+bar:value1,value2,+#pod2~baz:value1,value2,+#"},
      {R"({range .items[*]}{.metadata.name}{"\t"}{range @.spec.containers[*]}{.name}{" "}{end}{"\t"})"
       R"({range @.spec.containers[*]}{.name}{" "}{end}{"\n"}{end})",
       "pod1\tfoo bar \tfoo bar \npod2\tbaz \tbaz \n"},
  };
  for (const Case& c : cases) EXPECT_EQ(Print(c.path, data), c.expected) << c.path;
}

TEST(JsonPathTest, PrintsNumbersAsGo) {
  const JsonValue data = Json("[1000000, 1e6, 1e21, 0.00001, 1.50, -0.0, 12345678901234567890]");
  EXPECT_EQ(Print("{[*]}", data), "1000000 1e+06 1e+21 1e-05 1.5 -0 1.2345678901234567e+19");
  EXPECT_EQ(Print("{@}", data), "[1000000,1000000,1e+21,0.00001,1.5,-0,12345678901234567000]");
}

TEST(JsonPathTest, AsJson) {
  auto path = JsonPath::Parse("{.users[*].name}{.nope}x");
  ASSERT_TRUE(path.ok());
  std::string out;
  ASSERT_TRUE(path->ExecuteAsJson(Nodes(), &out, {.allow_missing_keys = true}).ok());
  EXPECT_EQ(out, "[\n    \"myself\",\n    \"e2e\"\n]\n[]\n[\n    \"x\"\n]\n");
}

TEST(JsonPathTest, CellsOfCustomColumns) {
  const Case cases[] = {
      {".kind", "List"},
      {"users[*].name", "myself,e2e"},
      {"{.users[1].user}", "map[password:secret username:admin]"},
      {"{users[*].user.username}", "admin"},
      {".items[*].status.addresses",
       "[map[address:127.0.0.1 type:LegacyHostIP]],"
       "[map[address:127.0.0.2 type:LegacyHostIP] "
       "map[address:127.0.0.3 type:another]]"},
      {".spec.none", "<none>"},
      {".items[*].none", "<none>"},
  };
  for (const Case& c : cases) {
    auto relaxed = RelaxedJsonPath(c.path);
    ASSERT_TRUE(relaxed.ok()) << c.path;
    EXPECT_EQ(*JsonPath::Parse(*relaxed)->Cell(Nodes()), c.expected) << c.path;
  }
  EXPECT_EQ(*JsonPath::Parse("{.a}")->Cell(Json(R"({"a":null})")), "<nil>");
}

TEST(JsonPathTest, Relaxed) {
  for (const std::string text : {"a.b", ".a.b", "{a.b}", "{.a.b}"}) {
    EXPECT_EQ(*RelaxedJsonPath(text), "{.a.b}");
  }
  EXPECT_EQ(*RelaxedJsonPath(""), "");
  EXPECT_EQ(*RelaxedJsonPath("."), "{..}");
  for (const std::string text : {"{a.b", "a.b}", "{{a}}", "{}", "a{b}c"}) {
    EXPECT_EQ(RelaxedJsonPath(text).error().message(),
              "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
              "'{name1.name2}' or '{.name1.name2}'");
  }
}

TEST(JsonPathTest, Limits) {
  std::string nested(900, '[');
  nested += "1" + std::string(900, ']');
  const JsonValue deep = Json(nested);
  auto path = JsonPath::Parse("{..[*]..[*]..[*]..[*]..[*]}");
  ASSERT_TRUE(path.ok());
  auto found = path->Find(deep, {.allow_missing_keys = true, .max_values = 100'000});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(found.error().message(), "more than 100000 values");
  EXPECT_EQ(Print("{[*]}", Json("[1,2,3]"), {.max_values = 2}), "error: more than 2 values");
  EXPECT_EQ(Print("{[?(@.x)]}", Json("[1,2,3]"), {.max_values = 0}), "");
  // Loops that are never ended run their rest again and again.
  std::string loops;
  for (int i = 0; i < 64; ++i) loops += "{range [*]}";
  EXPECT_EQ(
      Print(loops + "{@}", Json("[[[1,1],[1,1]],[[1,1],[1,1]]]"), {.allow_missing_keys = true})
          .substr(0, 11),
      "error: int6");
}

}  // namespace
}  // namespace podium::reflect
