#include "reflect/apply/field_set.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "reflect/patch/small_json.h"

namespace podium::reflect {
namespace {

using testing::ParsedJson;

FieldSet SetOf(std::string_view json) {
  auto set = FieldSet::FromJson(ParsedJson(json));
  EXPECT_TRUE(set.ok()) << json;
  return set.ok() ? *std::move(set) : FieldSet();
}

// One path a line.
std::string Lines(const FieldSet& set) {
  std::string out;
  set.ForEach([&](const FieldPathElements& path) { out += Shown(path) + '\n'; });
  return out;
}

TEST(FieldSetTest, Steps) {
  const struct {
    const char* text;
    const char* again;
    const char* shown;
  } cases[] = {
      {"f:name", "f:name", ".name"},
      {"f:", "f:", "."},
      {"f:a.b/c:d", "f:a.b/c:d", ".a.b/c:d"},
      {R"(k:{"name":"web"})", R"(k:{"name":"web"})", R"([name="web"])"},
      {R"(k:{"protocol":"TCP","containerPort":80})", R"(k:{"containerPort":80,"protocol":"TCP"})",
       R"([containerPort=80,protocol="TCP"])"},
      {R"(v:"a")", R"(v:"a")", R"([="a"])"},
      {"v:1", "v:1", "[=1]"},
      {"v:true", "v:true", "[=true]"},
      {"i:3", "i:3", "[3]"},
  };
  for (const auto& c : cases) {
    const auto step = PathElement::Parse(c.text);
    ASSERT_TRUE(step.ok()) << c.text;
    EXPECT_EQ(step->Text(), c.again);
    EXPECT_EQ(step->Shown(), c.shown);
    EXPECT_EQ(*PathElement::Parse(step->Text()), *step);
  }
}

TEST(FieldSetTest, StepsThatCannotBeRead) {
  const struct {
    const char* text;
    Code code;
  } cases[] = {
      {"", Code::kInvalidArgument},      {"f", Code::kInvalidArgument},
      {"fname", Code::kInvalidArgument}, {"k:[]", Code::kInvalidArgument},
      {"k:{", Code::kInvalidArgument},   {"v:", Code::kInvalidArgument},
      {"i:x", Code::kInvalidArgument},   {"x:y", Code::kUnsupported},
  };
  for (const auto& c : cases) {
    const auto step = PathElement::Parse(c.text);
    ASSERT_FALSE(step.ok()) << c.text;
    EXPECT_EQ(step.error().code(), c.code) << c.text;
  }
  EXPECT_EQ(PathElement::Parse("f").error().message(), "key must be 2 characters long:");
  EXPECT_EQ(PathElement::Parse("fname").error().message(), "missing colon: fname");
}

TEST(FieldSetTest, StepsAreInOrder) {
  // Names, keys, values, places; numbers by value, before strings.
  const char* const ordered[] = {"f:a",
                                 "f:b",
                                 R"(k:{"a":1})",
                                 R"(k:{"a":1,"b":1})",
                                 R"(k:{"a":2})",
                                 R"(k:{"a":10})",
                                 R"(k:{"a":"1"})",
                                 R"(k:{"b":0})",
                                 "v:-1",
                                 "v:1.5",
                                 "v:2",
                                 R"(v:"")",
                                 "v:false",
                                 "v:true",
                                 "v:[]",
                                 "v:{}",
                                 "v:null",
                                 "i:-1",
                                 "i:2",
                                 "i:10"};
  for (size_t i = 0; i < std::size(ordered); ++i) {
    for (size_t j = 0; j < std::size(ordered); ++j) {
      const auto order = *PathElement::Parse(ordered[i]) <=> *PathElement::Parse(ordered[j]);
      EXPECT_EQ(order < 0, i < j) << ordered[i] << " " << ordered[j];
      EXPECT_EQ(order == 0, i == j) << ordered[i] << " " << ordered[j];
    }
  }
  EXPECT_EQ(*PathElement::Parse("v:1"), *PathElement::Parse("v:1.0"));
}

TEST(FieldSetTest, Trees) {
  const char* const json =
      R"({"f:metadata":{"f:labels":{".":{},"f:a":{}}},"f:spec":{"f:containers":)"
      R"({"k:{\"name\":\"web\"}":{".":{},"f:image":{}}},"f:nodeName":{}}})";
  const FieldSet set = SetOf(json);
  EXPECT_EQ(Lines(set),
            ".metadata.labels\n.metadata.labels.a\n.spec.nodeName\n"
            ".spec.containers[name=\"web\"]\n.spec.containers[name=\"web\"].image\n");
  EXPECT_EQ(ToText(set.ToJson()), json);
  EXPECT_EQ(set.size(), 5u);
  EXPECT_TRUE(set.Has({PathElement::Field("spec"), PathElement::Field("nodeName")}));
  EXPECT_FALSE(set.Has({PathElement::Field("spec")}));
  EXPECT_FALSE(set.Has({}));
  EXPECT_EQ(ToText(set.Leaves().ToJson()),
            R"({"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:containers":)"
            R"({"k:{\"name\":\"web\"}":{"f:image":{}}},"f:nodeName":{}}})");
  EXPECT_EQ(ToText(set.Behind(PathElement::Field("spec")).Behind(PathElement::Field("x")).ToJson()),
            "{}");
}

TEST(FieldSetTest, TreesAsOthersMayWriteThem) {
  EXPECT_EQ(ToText(SetOf("{}").ToJson()), "{}");
  EXPECT_EQ(ToText(SetOf(R"({".":{}})").ToJson()), "{}");
  // Out of order, the dot last, a step twice, steps of a later version.
  EXPECT_EQ(ToText(SetOf(R"({"f:b":{"f:x":{},".":{}},"f:a":{},"z:1":{"f:q":{}}})").ToJson()),
            R"({"f:a":{},"f:b":{".":{},"f:x":{}}})");
  EXPECT_EQ(ToText(SetOf(R"({"v:1":{"f:x":{}},"v:1.0":{"f:y":{}}})").ToJson()),
            R"({"v:1":{"f:x":{},"f:y":{}}})");
  EXPECT_FALSE(FieldSet::FromJson(ParsedJson("[]")).ok());
  EXPECT_FALSE(FieldSet::FromJson(ParsedJson(R"({"f:a":1})")).ok());
  EXPECT_FALSE(FieldSet::FromJson(ParsedJson(R"({"a":{}})")).ok());
}

// What a server has stored comes out as it was.
TEST(FieldSetTest, ManagedFieldsOfAPod) {
  std::ifstream in(PODIUM_SOURCE_DIR "/bench/pod.json");
  const JsonValue pod = ParsedJson(std::string(std::istreambuf_iterator<char>(in), {}));
  const JsonValue* entries = pod.Find("metadata")->Find("managedFields");
  ASSERT_NE(entries, nullptr);
  ASSERT_FALSE(entries->array().empty());
  for (const JsonValue& entry : entries->array()) {
    const JsonValue& fields = *entry.Find("fieldsV1");
    const auto set = FieldSet::FromJson(fields);
    ASSERT_TRUE(set.ok());
    EXPECT_GT(set->size(), 0u);
    EXPECT_EQ(ToText(set->ToJson()), ToText(fields));
  }
}

TEST(FieldSetTest, ParentsAndChildren) {
  const FieldSet parent = SetOf(R"({"f:a":{}})");
  const FieldSet child = SetOf(R"({"f:a":{"f:b":{}}})");
  EXPECT_EQ(Lines(Union(parent, child)), ".a\n.a.b\n");
  EXPECT_EQ(Lines(Intersection(parent, child)), "");
  EXPECT_EQ(Lines(Difference(parent, child)), ".a\n");
  EXPECT_EQ(Lines(Difference(child, parent)), ".a.b\n");
  EXPECT_EQ(Lines(RecursiveDifference(child, parent)), "");
  EXPECT_EQ(Lines(RecursiveDifference(parent, child)), ".a\n");
}

// Sets of few paths, with what the paths are as texts beside them.
struct Model {
  FieldSet set;
  std::set<std::string> paths;
};

rc::Gen<FieldPathElements> GenPath() {
  const auto step = rc::gen::elementOf(
      std::vector<PathElement>{PathElement::Field("a"), PathElement::Field("b"),
                               PathElement::Key({{"name", JsonValue::String("x")}}),
                               PathElement::Value(JsonValue::Bool(true)), PathElement::Index(1)});
  return rc::gen::resize(3, rc::gen::nonEmpty(rc::gen::container<FieldPathElements>(step)));
}

Model GenModel() {
  Model model;
  for (const FieldPathElements& path :
       *rc::gen::resize(12, rc::gen::container<std::vector<FieldPathElements>>(GenPath()))) {
    model.set.Insert(path);
    model.paths.insert(Shown(path));
  }
  return model;
}

std::set<std::string> PathsOf(const FieldSet& set) {
  std::set<std::string> out;
  set.ForEach([&](const FieldPathElements& path) { out.insert(Shown(path)); });
  return out;
}

RC_GTEST_PROP(FieldSetTest, AreSetsOfPaths, ()) {
  const Model a = GenModel();
  const Model b = GenModel();
  RC_ASSERT(PathsOf(a.set) == a.paths);
  RC_ASSERT(a.set.size() == a.paths.size());
  RC_ASSERT(a.set.empty() == a.paths.empty());
  std::set<std::string> both = a.paths;
  both.insert(b.paths.begin(), b.paths.end());
  std::set<std::string> shared;
  std::set<std::string> rest;
  std::set<std::string> outside;
  for (const std::string& path : a.paths) {
    (b.paths.contains(path) ? shared : rest).insert(path);
    const bool inside = std::ranges::any_of(b.paths, [&](const std::string& other) {
      return path.starts_with(other) && (path.size() == other.size() || path[other.size()] == '.' ||
                                         path[other.size()] == '[');
    });
    if (!inside) outside.insert(path);
  }
  RC_ASSERT(PathsOf(Union(a.set, b.set)) == both);
  RC_ASSERT(PathsOf(Intersection(a.set, b.set)) == shared);
  RC_ASSERT(PathsOf(Difference(a.set, b.set)) == rest);
  RC_ASSERT(PathsOf(RecursiveDifference(a.set, b.set)) == outside);
  RC_ASSERT((a.set == b.set) == (a.paths == b.paths));
}

RC_GTEST_PROP(FieldSetTest, SurviveFieldsV1, ()) {
  const Model model = GenModel();
  const JsonValue json = model.set.ToJson();
  const auto back = FieldSet::FromJson(json);
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == model.set);
  RC_ASSERT(back->ToJson() == json);
}

}  // namespace
}  // namespace podium::reflect
