#include "reflect/patch/json_patch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>

#include "reflect/json_generators.h"
#include "reflect/patch/small_json.h"
#include "support/cpu_time.h"

namespace podium::reflect {
namespace {

using testing::GenSmallJson;
using testing::ParsedJson;

// The patched document, or "error: " and what is wrong.
std::string Patched(std::string_view document, std::string_view patch,
                    const JsonPatch::Limits& limits = {}) {
  const Result<JsonPatch> parsed = JsonPatch::Parse(patch);
  if (!parsed.ok()) return "error: " + parsed.error().message();
  JsonValue value = ParsedJson(document);
  const Result<void> applied = parsed->Apply(&value, limits);
  return applied.ok() ? ToText(value) : "error: " + applied.error().message();
}

struct Case {
  const char* name;
  const char* document;
  const char* patch;
  const char* result;
};

// RFC 6902, appendix A; A.13 is a key that comes twice in an operation, of which the last counts
// here as everywhere in JSON that upstream reads.
constexpr Case kAppendixA[] = {
    {"A.1", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
     R"({"foo":"bar","baz":"qux"})"},
    {"A.2", R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
     R"({"foo":["bar","qux","baz"]})"},
    {"A.3", R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])",
     R"({"foo":"bar"})"},
    {"A.4", R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
     R"({"foo":["bar","baz"]})"},
    {"A.5", R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
     R"({"baz":"boo","foo":"bar"})"},
    {"A.6", R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
     R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
     R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
    {"A.7", R"({"foo":["all","grass","cows","eat"]})",
     R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
     R"({"foo":["all","cows","eat","grass"]})"},
    {"A.8", R"({"baz":"qux","foo":["a",2,"c"]})",
     R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
     R"({"baz":"qux","foo":["a",2,"c"]})"},
    {"A.9", R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
     "error: testing value /baz failed: test failed"},
    {"A.10", R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
     R"({"foo":"bar","child":{"grandchild":{}}})"},
    {"A.11", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
     R"({"foo":"bar","baz":"qux"})"},
    {"A.12", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
     R"(error: add operation does not apply: doc is missing path: "/baz/bat": missing value)"},
    {"A.13", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","op":"remove"}])",
     "error: error in remove for path: '/baz': Unable to remove nonexistent key: baz: missing "
     "value"},
    {"A.14", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])",
     R"({"/":9,"~1":10})"},
    {"A.15", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
     "error: testing value /~01 failed: test failed"},
    {"A.16", R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
     R"({"foo":["bar",["abc","def"]]})"},
};

TEST(JsonPatchTest, AppendixAOfTheRfc) {
  for (const Case& c : kAppendixA) EXPECT_EQ(Patched(c.document, c.patch), c.result) << c.name;
}

// Section 4 of the RFC, operation by operation, and section 3 of RFC 6901 (pointers).
constexpr Case kOperations[] = {
    {"4.1 add replaces a member", R"({"a":1,"b":2})", R"([{"op":"add","path":"/a","value":3}])",
     R"({"a":3,"b":2})"},
    {"4.1 add at the end by index", "[1]", R"([{"op":"add","path":"/1","value":2}])", "[1,2]"},
    {"4.1 add beyond the end", "[1]", R"([{"op":"add","path":"/2","value":2}])",
     "error: error in add for path: '/2': Unable to access invalid index: 2: invalid index "
     "referenced"},
    {"4.1 add at a word", "[1]", R"([{"op":"add","path":"/x","value":2}])",
     "error: error in add for path: '/x': value was not a proper array index: 'x': strconv.Atoi: "
     "parsing \"x\": invalid syntax"},
    {"add counted from the end", "[1,2]", R"([{"op":"add","path":"/-1","value":3}])", "[1,2,3]"},
    {"add counted from before the start", "[1]", R"([{"op":"add","path":"/-3","value":3}])",
     "error: error in add for path: '/-3': Unable to access invalid index: -3: invalid index "
     "referenced"},
    {"add without a value", "{}", R"([{"op":"add","path":"/a"}])", R"({"a":null})"},
    {"4.1 add to the whole", R"({"a":1})", R"([{"op":"add","path":"","value":{}}])",
     R"(error: add operation does not apply: doc is missing path: "": missing value)"},
    {"add into a string", R"({"a":"x"})", R"([{"op":"add","path":"/a/b","value":1}])",
     R"(error: add operation does not apply: doc is missing path: "/a/b": missing value)"},
    {"add into null", R"({"a":null})", R"([{"op":"add","path":"/a/b","value":1}])",
     R"(error: add operation does not apply: doc is missing path: "/a/b": missing value)"},
    {"add with the empty key", "{}", R"([{"op":"add","path":"/","value":1}])", R"({"":1})"},
    {"add with escapes", "{}", R"([{"op":"add","path":"/a~1b~0c~01","value":1}])",
     R"({"a/b~c~1":1})"},
    {"4.2 remove what is not there", "{}", R"([{"op":"remove","path":"/a"}])",
     "error: error in remove for path: '/a': Unable to remove nonexistent key: a: missing value"},
    {"4.2 remove beyond the end", "[1]", R"([{"op":"remove","path":"/1"}])",
     "error: error in remove for path: '/1': Unable to access invalid index: 1: invalid index "
     "referenced"},
    {"remove the last", "[1,2]", R"([{"op":"remove","path":"/-1"}])", "[1]"},
    {"remove null", R"({"a":null})", R"([{"op":"remove","path":"/a"}])", "{}"},
    {"remove below what is not there", "{}", R"([{"op":"remove","path":"/a/b"}])",
     R"(error: remove operation does not apply: doc is missing path: "/a/b": missing value)"},
    {"4.3 replace an element", "[1,2]", R"([{"op":"replace","path":"/1","value":[]}])", "[1,[]]"},
    {"replace a member that is not there", "{}", R"([{"op":"replace","path":"/a","value":1}])",
     R"({"a":1})"},
    {"replace below what is not there", "{}", R"([{"op":"replace","path":"/a/b","value":1}])",
     "error: replace operation does not apply: doc is missing path: /a/b: missing value"},
    {"replace beyond the end", "[1]", R"([{"op":"replace","path":"/1","value":1}])",
     "error: replace operation does not apply: doc is missing key: /1: missing value"},
    {"replace at the end", "[1]", R"([{"op":"replace","path":"/-","value":1}])",
     "error: replace operation does not apply: doc is missing key: /-: missing value"},
    {"4.3 replace the whole", R"({"a":1})", R"([{"op":"replace","path":"","value":[1]}])", "[1]"},
    {"replace the whole by a number", R"({"a":1})", R"([{"op":"replace","path":"","value":1}])",
     "error: replace operation value must be object or array"},
    {"4.4 move in a list", "[1,2,3]", R"([{"op":"move","from":"/0","path":"/2"}])", "[2,3,1]"},
    {"4.4 move into itself", R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/b"}])",
     "error: move operation does not apply: doc is missing destination path: /a/b: missing value"},
    {"4.4 move to where it is", R"({"a":1,"b":2})", R"([{"op":"move","from":"/a","path":"/a"}])",
     R"({"b":2,"a":1})"},
    {"move what is not there", "{}", R"([{"op":"move","from":"/a","path":"/b"}])",
     "error: error in move for path: 'a': Unable to remove nonexistent key: a: missing value"},
    {"move from nowhere", "{}", R"([{"op":"move","from":"/a/b","path":"/b"}])",
     "error: move operation does not apply: doc is missing from path: /a/b: missing value"},
    {"move without from", "{}", R"([{"op":"move","path":"/b"}])",
     "error: move operation failed to decode from: operation, missing from field: missing value"},
    {"4.5 copy", R"({"a":{"x":1}})", R"([{"op":"copy","from":"/a","path":"/b"}])",
     R"({"a":{"x":1},"b":{"x":1}})"},
    {"4.5 a copy is its own", R"({"a":{"x":1}})",
     R"([{"op":"copy","from":"/a","path":"/b"},{"op":"replace","path":"/b/x","value":2}])",
     R"({"a":{"x":1},"b":{"x":2}})"},
    {"copy what is not there", "{}", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"b":null})"},
    {"copy into nowhere", R"({"a":1})", R"([{"op":"copy","from":"/a","path":"/b/c"}])",
     "error: copy operation does not apply: doc is missing destination path: /b/c: missing value"},
    {"copy beyond the end", R"({"a":[],"b":1})", R"([{"op":"copy","from":"/b","path":"/a/1"}])",
     "error: error while adding value during copy: Unable to access invalid index: 1: invalid "
     "index referenced"},
    {"4.6 members in any order", R"({"a":{"x":1,"y":[1,{"z":null}]}})",
     R"([{"op":"test","path":"/a","value":{"y":[1,{"z":null}],"x":1}}])",
     R"({"a":{"x":1,"y":[1,{"z":null}]}})"},
    {"4.6 numbers by value", R"({"a":10})", R"([{"op":"test","path":"/a","value":1e1}])",
     R"({"a":10})"},
    {"4.6 strings by what they say", R"({"a":"<é"})",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"\\u003c\\u00e9\"}]", "{\"a\":\"\\u003cé\"}"},
    {"4.6 the order of elements", R"({"a":[1,2]})", R"([{"op":"test","path":"/a","value":[2,1]}])",
     "error: testing value /a failed: test failed"},
    {"4.6 the whole", R"({"a":1})", R"([{"op":"test","path":"","value":{"a":1}}])", R"({"a":1})"},
    {"test for absence", R"({"b":1})", R"([{"op":"test","path":"/a","value":null}])", R"({"b":1})"},
    {"test for null", R"({"a":null})", R"([{"op":"test","path":"/a"}])", R"({"a":null})"},
    {"test beyond the end", "[1]", R"([{"op":"test","path":"/1","value":1}])",
     "error: error in test for path: '/1': Unable to access invalid index: 1: invalid index "
     "referenced"},
    {"test in a broken path", "{}", R"([{"op":"test","path":"/a/b","value":1}])",
     "error: test operation does not apply: is missing path: /a/b: missing value"},
    {"no op", "{}", R"([{"path":"/a"}])", "error: Unexpected kind: unknown"},
    {"another op", "{}", R"([{"op":"spam","path":"/a"}])", "error: Unexpected kind: spam"},
    {"op is no string", "{}", R"([{"op":1,"path":"/a"}])", "error: Unexpected kind: unknown"},
    {"an operation is null", "{}", "[null]", "error: Unexpected kind: unknown"},
    {"no path", "{}", R"([{"op":"add","value":1}])",
     "error: add operation failed to decode path: missing value"},
    {"no path to test", "{}", R"([{"op":"test","value":1}])",
     "error: test operation failed to decode path: operation missing path field: missing value"},
    {"path is no string", "{}", R"([{"op":"replace","path":1,"value":1}])",
     "error: replace operation failed to decode path: json: cannot unmarshal number into Go value "
     "of type string"},
    {"nothing to do", R"({"a":1})", "[]", R"({"a":1})"},
    {"null", R"({"a":1})", "null", R"({"a":1})"},
    {"an object", "{}", "{}", "error: a JSON patch is a list of operations"},
    {"a list of numbers", "{}", "[1]", "error: an operation of a JSON patch is an object"},
    {"no JSON", "{}", "[", "error: offset 1: not a JSON value"},
};

TEST(JsonPatchTest, Operations) {
  for (const Case& c : kOperations) EXPECT_EQ(Patched(c.document, c.patch), c.result) << c.name;
}

TEST(JsonPatchTest, OneAfterTheOther) {
  EXPECT_EQ(Patched(R"({"a":1})",
                    R"([{"op":"add","path":"/b","value":[]},{"op":"add","path":"/b/-","value":1},)"
                    R"({"op":"move","from":"/a","path":"/b/0"},{"op":"test","path":"/b/0",)"
                    R"("value":1}])"),
            R"({"b":[1,1]})");
}

TEST(JsonPatchTest, CopiesAreCounted) {
  // Each copy doubles the document.
  std::string patch = "[";
  for (int i = 0; i < 40; ++i) {
    patch += (i ? "," : "") + std::string(R"({"op":"copy","from":"/a","path":"/a/-"})");
  }
  patch += "]";
  EXPECT_EQ(Patched(R"({"a":["0123456789"]})", patch, {.copied_bytes = 100}),
            "error: Unable to complete the copy, the accumulated size increase of copy is 102, "
            "exceeding the limit 100");
}

TEST(JsonPatchTest, OperationsAreCounted) {
  EXPECT_EQ(
      Patched("{}", R"([{"op":"add","path":"/a"},{"op":"add","path":"/b"}])", {.operations = 1}),
      "error: The allowed maximum operations in a JSON patch is 1, got 2");
}

TEST(JsonPatchTest, DocumentsDoNotBecomeDeep) {
  // A copy into the innermost object doubles the depth: the pointers get long, and no more.
  std::string patch = "[";
  std::string inner;
  for (int i = 0; i < 20; ++i) {
    patch += std::string(i ? "," : "") + R"({"op":"copy","from":"/a","path":"/a)" + inner + "/a\"}";
    inner += inner + "/a";
  }
  patch += "]";
  EXPECT_EQ(Patched(R"({"a":{}})", patch, {.copied_bytes = size_t{1} << 40}),
            "error: error while adding value during copy: exceeded max depth");
  const auto limited = [](const char* document, const char* operation) {
    return Patched(document, operation, {.depth = 3});
  };
  EXPECT_EQ(limited(R"({"a":{"b":{}}})", R"([{"op":"add","path":"/a/b/c","value":1}])"),
            R"({"a":{"b":{"c":1}}})");
  EXPECT_EQ(limited(R"({"a":{"b":{}}})", R"([{"op":"add","path":"/a/b/c","value":[]}])"),
            "error: error in add for path: '/a/b/c': exceeded max depth");
  EXPECT_EQ(limited(R"({"a":{"b":1}})", R"([{"op":"replace","path":"/a/b","value":[[]]}])"),
            "error: exceeded max depth");
  EXPECT_EQ(limited(R"({"a":{"b":{}},"c":[]})", R"([{"op":"move","from":"/c","path":"/a/b/c"}])"),
            "error: error in move for path: '/a/b/c': exceeded max depth");
}

TEST(JsonPatchTest, MovesBackAndForthMakeNothingDeep) {
  // As deep as allowed, and moved into the depth more often than there are levels.
  std::string patch;
  for (int i = 0; i < 20; ++i) {
    patch += std::string(i ? "," : "[") + R"({"op":"move","from":"/a","path":"/c/a"},)" +
             R"({"op":"move","from":"/c/a","path":"/a"})";
  }
  patch += ']';
  EXPECT_EQ(Patched(R"({"c":{},"a":{"b":1}})", patch, {.depth = 3}), R"({"c":{},"a":{"b":1}})");
  EXPECT_EQ(Patched(R"({"c":{},"a":{"b":[]}})", patch, {.depth = 3}),
            "error: error in move for path: '/c/a': exceeded max depth");
  // What was replaced as a whole, or has gone, does not count.
  EXPECT_EQ(Patched(R"({"a":[[[[[]]]]]})",
                    R"([{"op":"replace","path":"","value":{"x":1,"y":[]}},)"
                    R"({"op":"move","from":"/x","path":"/y/0"}])",
                    {.depth = 3}),
            R"({"y":[1]})");
  EXPECT_EQ(Patched(R"({"a":[[]],"x":[1],"y":{}})",
                    R"([{"op":"remove","path":"/a"},{"op":"move","from":"/x","path":"/y/z"}])",
                    {.depth = 3}),
            R"({"y":{"z":[1]}})");
}

TEST(JsonPatchTest, AMoveDoesNotLookIntoWhatMoves) {
  JsonValue document = ParsedJson(R"({"c":{}})");
  document.Set("a", JsonValue::Of(JsonValue::Array(200'000)));
  std::string patch = R"([{"op":"test","path":"/b"})";
  for (int i = 0; i < 2000; ++i) {
    patch += R"(,{"op":"move","from":"/a","path":"/c/a"},{"op":"move","from":"/c/a","path":"/a"})";
  }
  const auto parsed = JsonPatch::Parse(patch + ']');
  ASSERT_TRUE(parsed.ok());
  const auto start = podium::testing::CpuTime();
  EXPECT_TRUE(parsed->Apply(&document).ok());
  EXPECT_LT(podium::testing::CpuTime() - start, std::chrono::seconds(1));
  EXPECT_EQ(document.Find("a")->array().size(), 200'000U);
}

// `operation` so many times, with the number of each in the place of '#'.
std::string ManyOperations(std::string_view operation, size_t count) {
  std::string patch = "[";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) patch += ',';
    for (const char c : operation) {
      if (c == '#') {
        patch += std::to_string(i);
      } else {
        patch += c;
      }
    }
  }
  return patch + ']';
}

// Applies it in a time far below what it would take to go through the document for each operation.
void ApplyInTime(std::string_view patch, JsonValue* document) {
  const auto parsed = JsonPatch::Parse(patch);
  ASSERT_TRUE(parsed.ok());
  const auto start = podium::testing::CpuTime();
  const Result<void> applied = parsed->Apply(document);
  EXPECT_TRUE(applied.ok()) << applied.error().message();
  const auto time = podium::testing::CpuTime() - start;
  EXPECT_LT(time, std::chrono::milliseconds(1500));
}

TEST(JsonPatchTest, ManyOperationsOnALargeObject) {
  JsonValue document = JsonValue::Of(JsonValue::Object{});
  for (int i = 0; i < 100'000; ++i) {
    document.object().push_back({"k" + std::to_string(i), JsonValue::Number("1")});
  }
  JsonValue changed = document;
  ApplyInTime(ManyOperations(R"({"op":"replace","path":"/k9#","value":2},)"
                             R"({"op":"test","path":"/k9#","value":2})",
                             5000),
              &changed);
  EXPECT_EQ(changed.object().size(), document.object().size());
  EXPECT_EQ(changed.object()[9].value.number(), "1");
  EXPECT_EQ(changed.object()[94'999].value.number(), "2");
  changed = document;
  ApplyInTime(
      ManyOperations(R"({"op":"remove","path":"/k#"},{"op":"add","path":"/n#","value":3})", 5000),
      &changed);
  ASSERT_EQ(changed.object().size(), document.object().size());
  EXPECT_EQ(changed.object()[0].key, "k5000");
  EXPECT_EQ(changed.object()[94'999].key, "k99999");
  EXPECT_EQ(changed.object()[95'000].key, "n0");
  EXPECT_EQ(changed.object().back().key, "n4999");
}

TEST(JsonPatchTest, ManyOperationsOnALongList) {
  JsonValue document = JsonValue::Of(JsonValue::Object{});
  document.Set("a", JsonValue::Of(JsonValue::Array(200'000)));
  ApplyInTime(ManyOperations(R"({"op":"add","path":"/a/0","value":#})", 10'000), &document);
  ApplyInTime(ManyOperations(R"({"op":"move","from":"/a/0","path":"/a/-"})", 10'000), &document);
  ApplyInTime(ManyOperations(R"({"op":"remove","path":"/a/0"})", 10'000), &document);
  const JsonValue::Array& list = document.Find("a")->array();
  ASSERT_EQ(list.size(), 200'000U);
  EXPECT_TRUE(list[189'999].is_null());
  EXPECT_EQ(list[190'000].number(), "9999");
  EXPECT_EQ(list.back().number(), "0");
}

TEST(JsonPatchTest, ManyMovesNearTheGreatestDepth) {
  // One way is nearly as deep as may be; a wide list beside it moves into the depth and back.
  std::string way;
  std::string deep = "1";
  for (int i = 0; i < 900; ++i) deep = "[" + deep + "]";
  for (int i = 0; i < 120; ++i) way += "/d";
  std::string text = "{}";
  for (int i = 0; i < 120; ++i) text = R"({"d":)" + text + "}";
  JsonValue document = ParsedJson(text);
  document.Set("deep", ParsedJson(deep));
  document.Set("a", JsonValue::Of(JsonValue::Array(200'000)));
  const std::string there = way + "/a";
  ApplyInTime(ManyOperations(R"({"op":"move","from":"/a","path":")" + there +
                                 R"("},{"op":"move","from":")" + there + R"(","path":"/a"})",
                             5000),
              &document);
  EXPECT_EQ(document.Find("a")->array().size(), 200'000U);
}

// What a list in blocks and an object with holes come to, beside plain ones.
RC_GTEST_PROP(JsonPatchTest, LargeContainersAreAsSmallOnes, ()) {
  JsonValue document = ParsedJson(R"({"list":[],"object":{}})");
  JsonValue::Array& list = document.Find("list")->array();
  JsonValue::Object& object = document.Find("object")->object();
  const int size = *rc::gen::inRange(0, 3000);
  for (int i = 0; i < size; ++i) {
    list.push_back(JsonValue::Number(std::to_string(i)));
    object.push_back({std::to_string(i), JsonValue::Number(std::to_string(i))});
  }
  JsonValue patched = document;
  std::string patch;
  for (int i = 0; i < 200; ++i) {
    const auto count = static_cast<int>(list.size());
    const std::string value = std::to_string(10'000 + i);
    const std::string key = std::to_string(*rc::gen::inRange(0, size + 5));
    JsonValue* members = document.Find("object");
    patch += patch.empty() ? "[" : ",";
    if (*rc::gen::arbitrary<bool>()) {
      const int at = *rc::gen::inRange(0, count + 1);
      patch += R"({"op":"add","path":"/list/)" + std::to_string(at) + R"(","value":)" + value + "}";
      list.insert(list.begin() + at, JsonValue::Number(value));
    } else if (count > 0) {
      const int at = *rc::gen::inRange(0, count);
      patch += R"({"op":"remove","path":"/list/)" + std::to_string(at) + R"("})";
      list.erase(list.begin() + at);
    } else {
      patch += R"({"op":"test","path":"/list","value":[]})";
    }
    if (members->Find(key) != nullptr && *rc::gen::arbitrary<bool>()) {
      patch += R"(,{"op":"remove","path":"/object/)" + key + R"("})";
      members->Erase(key);
    } else {
      patch += R"(,{"op":"add","path":"/object/)" + key + R"(","value":)" + value + "}";
      members->Set(key, JsonValue::Number(value));
    }
  }
  const auto parsed = JsonPatch::Parse(patch + ']');
  RC_ASSERT(parsed.ok());
  RC_ASSERT(parsed->Apply(&patched).ok());
  RC_ASSERT(patched == document);
}

RC_GTEST_PROP(JsonPatchTest, AppliedToTheFirstGivesTheSecond, ()) {
  const auto document = [] {
    JsonValue out = JsonValue::Of(JsonValue::Object{});
    out.Set("a", *GenSmallJson(true));
    out.Set("b", *GenSmallJson(true));
    return out;
  };
  const JsonValue from = document();
  const JsonValue to = document();
  const auto patch = JsonPatch::FromValue(JsonPatch::Make(from, to));
  RC_ASSERT(patch.ok());
  JsonValue result = from;
  RC_ASSERT(patch->Apply(&result).ok());
  RC_ASSERT(Equivalent(result, to));
  RC_ASSERT(JsonPatch::Make(to, to).array().empty());
}

// What is added is found by test, and remove undoes it.
RC_GTEST_PROP(JsonPatchTest, WhatWasAddedIsThereAndGoesAgain, ()) {
  JsonValue document = JsonValue::Of(JsonValue::Object{});
  document.Set("a", *GenSmallJson(true));
  const JsonValue before = document;
  const JsonValue value = *GenSmallJson(true);
  const std::string text = ToText(value);
  const auto patch = JsonPatch::Parse(R"([{"op":"add","path":"/~0~1","value":)" + text +
                                      R"(},{"op":"test","path":"/~0~1","value":)" + text + "}]");
  RC_ASSERT(patch.ok());
  RC_ASSERT(patch->Apply(&document).ok());
  RC_ASSERT(document.Find("~/") != nullptr);
  RC_ASSERT(*document.Find("~/") == value);
  RC_ASSERT(JsonPatch::Parse(R"([{"op":"remove","path":"/~0~1"}])")->Apply(&document).ok());
  RC_ASSERT(document == before);
}

}  // namespace
}  // namespace podium::reflect
