#include "reflect/runtime_types.h"

#include <gtest/gtest.h>

#include "reflect/copy.h"
#include "reflect/field_access.h"
#include "reflect/json.h"
#include "reflect/prune.h"
#include "reflect/test_types.h"
#include "reflect/walk.h"
#include "reflect/yaml.h"

namespace podium::reflect {
namespace {

constexpr std::string_view kCronTab = R"(
type: object
required: [spec]
properties:
  apiVersion: {type: string}
  kind: {type: string}
  metadata: {type: object}
  spec:
    type: object
    required: [cronSpec, list]
    properties:
      cronSpec: {type: string}
      replicas: {type: integer, default: 1}
      ratio: {type: number}
      suspended: {type: boolean}
      port: {x-kubernetes-int-or-string: true}
      maybe: {type: string, nullable: true}
      maybeObject: {type: object, nullable: true, properties: {a: {type: integer}}}
      maybeList: {type: array, nullable: true, items: {type: string}}
      policy: {type: string, enum: [Allow, Forbid]}
      list: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name, port],
             items: {type: object, required: [name],
                     properties: {name: {type: string}, port: {type: integer}}}}
      words: {type: array, items: {type: string}}
      maybeWords: {type: array, items: {type: string, nullable: true}}
      matrix: {type: array, items: {type: array, items: {type: integer}}}
      labels: {type: object, additionalProperties: {type: string}}
      byName: {type: object, additionalProperties: {type: object,
               properties: {size: {type: integer}}}}
      lists: {type: object, additionalProperties: {type: array, items: {type: string}}}
      anything: {x-kubernetes-preserve-unknown-fields: true}
      anythings: {type: array, items: {x-kubernetes-preserve-unknown-fields: true}}
      freeObject: {type: object, x-kubernetes-preserve-unknown-fields: true}
      freeMap: {type: object, additionalProperties: true}
      open: {type: object, x-kubernetes-preserve-unknown-fields: true,
             properties: {known: {type: integer}}}
      empty: {type: object}
      template: {type: object, x-kubernetes-embedded-resource: true,
                 properties: {spec: {type: object, properties: {x: {type: integer}}}}}
  status: {type: object, properties: {phase: {type: string}}}
)";

std::shared_ptr<const RuntimeTypes> Types(std::string_view yaml,
                                          const RuntimeTypeOptions& options = {}) {
  auto document = YamlToJson(yaml);
  EXPECT_TRUE(document.ok());
  auto schema = ParseJson(document->json);
  EXPECT_TRUE(schema.ok());
  auto types = RuntimeTypes::FromSchema(*schema, {"example.com", "v1", "CronTab"}, options);
  EXPECT_TRUE(types.ok()) << types.error().message();
  return types.ok() ? *types : nullptr;
}

class RuntimeTypesTest : public ::testing::Test {
 protected:
  const std::shared_ptr<const RuntimeTypes> types_ = Types(kCronTab);
  const Type& type_ = types_->root();

  AnyObject Read(std::string_view json) const {
    AnyObject object(type_);
    for (const Problem& problem : DecodeJson(json, type_, object.get())) {
      ADD_FAILURE() << problem.Text() << " in " << json;
    }
    return object;
  }
  AnyObject ReadSpec(const std::string& spec) const { return Read(R"({"spec":{)" + spec + "}}"); }
  std::string Json(const AnyObject& object) const {
    std::string out;
    EXPECT_TRUE(EncodeJson(type_, object.get(), &out).ok());
    return out;
  }
};

// Members of spec that come back as they were.
constexpr std::string_view kSame[] = {
    R"("cronSpec":"* * * * *")",
    R"("cronSpec":"")",
    R"("replicas":0)",
    R"("replicas":-9223372036854775808)",
    R"("ratio":2.5)",
    R"("ratio":3)",
    R"("suspended":false)",
    R"("port":80)",
    R"("port":"http")",
    R"("port":"")",
    R"("maybe":null)",
    R"("maybe":"")",
    R"("maybe":"x")",
    R"("maybeObject":null)",
    R"("maybeObject":{})",
    R"("maybeObject":{"a":1})",
    R"("maybeList":null)",
    R"("maybeList":[])",
    R"("maybeList":["a"])",
    R"("list":[])",
    R"("list":[{"name":"a","port":1},{}])",
    R"("words":["a",""])",
    R"("maybeWords":["a",null,""])",
    R"("matrix":[[1,2],[],[3]])",
    R"("labels":{})",
    R"("labels":{"a":"1","b.c/d":""})",
    R"("byName":{"x":{"size":0},"y":{}})",
    R"("lists":{"a":["b"],"c":[]})",
    R"("anything":null)",
    R"("anything":{"a":[1,null,{"b":"\u003c"}]})",
    R"("anything":1.50)",
    R"("anythings":[null,1,"a",[]])",
    R"("freeObject":{})",
    R"("freeObject":{"a":null,"b":[1]})",
    R"("freeMap":{"a":1,"b":null})",
    R"("open":{})",
    R"("open":{"known":1})",
    R"("open":{"known":1,"other":{"x":null},"z":[2]})",
    R"("open":{"other":1})",
    R"("empty":{})",
    R"("template":{"kind":"K","apiVersion":"v1","metadata":{"name":"n"},"spec":{"x":1}})",
};

TEST_F(RuntimeTypesTest, WhatWasWrittenComesBack) {
  for (const std::string_view members : kSame) {
    const AnyObject object = ReadSpec(std::string(members));
    const std::string json = R"({"spec":{)" + std::string(members) + "}}";
    EXPECT_EQ(Json(object), json);

    AnyObject copy(type_, NewCopy(type_, object.get()));
    EXPECT_EQ(Json(copy), json);
    EXPECT_TRUE(EqualObjects(type_, object.get(), copy.get())) << json;

    // Reading over what is there replaces it.
    AnyObject other = ReadSpec(R"("words":["q"])");
    EXPECT_TRUE(DecodeJson(json, type_, other.get()).empty());
    EXPECT_TRUE(DecodeJson(R"({"spec":null})", type_, other.get()).empty());
    EXPECT_EQ(Json(other), "{}");
  }
  std::string all = R"({"kind":"CronTab","apiVersion":"example.com/v1","metadata":{"name":"n"}})";
  EXPECT_EQ(Json(Read(all)), all);
}

TEST_F(RuntimeTypesTest, DifferentValuesAreNotEqual) {
  for (const std::string_view a : kSame) {
    for (const std::string_view b : kSame) {
      const AnyObject x = ReadSpec(std::string(a));
      const AnyObject y = ReadSpec(std::string(b));
      // Empty and absent lists and maps are equal, as everywhere in the API.
      const bool may_differ = EqualObjects(type_, x.get(), y.get()) && a != b;
      const bool both_empty =
          (a.ends_with("[]") || a.ends_with("{}")) && (b.ends_with("[]") || b.ends_with("{}"));
      EXPECT_TRUE(!may_differ || both_empty) << a << " and " << b;
    }
  }
}

TEST_F(RuntimeTypesTest, NumbersAreAsUpstreamHoldsThem) {
  EXPECT_EQ(Json(ReadSpec(R"("replicas":1.0,"ratio":1e2)")),
            R"({"spec":{"replicas":1,"ratio":100}})");
  EXPECT_EQ(Json(ReadSpec(R"("replicas":null,"words":null)")), R"({"spec":{}})");
}

// As upstream, which decodes all of a custom resource into int64 and float64 before it looks at the
// schema; what is too small is zero there, and what stands in a string is no number.
TEST_F(RuntimeTypesTest, NumbersBeyondADoubleAreRefused) {
  const auto problems = [&](const std::string& spec) {
    AnyObject object(type_);
    std::string out;
    for (const Problem& problem : DecodeJson(R"({"spec":{)" + spec + "}}", type_, object.get())) {
      out += problem.Text() + '\n';
    }
    return out;
  };
  const std::string wrong = ": number 1e400 does not fit into a double\n";
  EXPECT_EQ(problems(R"("ratio":1e400)"), "spec.ratio" + wrong);
  EXPECT_EQ(problems(R"("anything":1e400)"), "spec.anything" + wrong);
  EXPECT_EQ(problems(R"("freeObject":{"a":["\"1e400\\",{"b":[2,1e400]}]})"),
            "spec.freeObject.a" + wrong);
  EXPECT_EQ(problems(R"("open":{"x":{"y":1e400}})"), "spec.open.x" + wrong);
  EXPECT_EQ(problems(R"("freeMap":{"x":-1e999})"),
            "spec.freeMap.x: number -1e999 does not fit into a double\n");
  EXPECT_EQ(problems(R"("anything":[")" + std::string(400, '9') + R"("])"), "");
  EXPECT_NE(problems(R"("anything":[)" + std::string(400, '9') + "]"), "");
  EXPECT_EQ(
      problems(R"("anything":[1e-400,1e308,"1e400","\\\"1e400",{"1e400":18446744073709551616}])"),
      "");
}

TEST_F(RuntimeTypesTest, StrictDecoding) {
  AnyObject object(type_);
  std::vector<std::string> problems;
  for (const Problem& problem : DecodeJson(R"({"spec":{
      "cronSpec":1,"replicas":"1","ratio":true,"suspended":"no","port":1.5,"typo":1,
      "list":[{"name":"a","nam":"b"},5],"words":[1],"matrix":[["x"]],"labels":{"a":1},
      "byName":{"x":{"z":1}},"empty":{"e":1},"open":{"known":"1","o":1,"o":2},
      "template":{"apiVersion":1,"spec":{"y":1}},"freeObject":[],"cronSpec":"x"},"extra":1})",
                                           type_, object.get())) {
    problems.push_back(problem.Text());
  }
  EXPECT_EQ(problems, (std::vector<std::string>{
                          "spec.cronSpec: expected a string, got a number",
                          "spec.replicas: expected an integer, got a string",
                          "spec.ratio: expected a number, got a boolean",
                          "spec.suspended: expected a boolean, got a string",
                          "spec.port: expected an integer or a string, got 1.5",
                          "unknown field \"spec.typo\"",
                          "unknown field \"spec.list[0].nam\"",
                          "spec.list[1]: expected an object, got a number",
                          "spec.words[0]: expected a string, got a number",
                          "spec.matrix[0][0]: expected an integer, got a string",
                          "spec.labels.a: expected a string, got a number",
                          "unknown field \"spec.byName.x.z\"",
                          "unknown field \"spec.empty.e\"",
                          "spec.open.known: expected an integer, got a string",
                          "duplicate field \"spec.open.o\"",
                          "spec.template.apiVersion: expected a string, got a number",
                          "unknown field \"spec.template.spec.y\"",
                          "spec.freeObject: expected an object, got a list",
                          "duplicate field \"spec.cronSpec\"",
                          "unknown field \"extra\"",
                      }));
}

TEST_F(RuntimeTypesTest, UnknownMembersOfAnyName) {
  const std::string json = R"({"spec":{"open":{"":1,"\u0000":2,"\"":3,"known":4}}})";
  EXPECT_EQ(Json(Read(json)), R"({"spec":{"open":{"known":4,"":1,"\u0000":2,"\"":3}}})");
  AnyObject object(type_);
  EXPECT_EQ(DecodeJson("{\"spec\":{\"open\":{\"\xFF\":1}}}", type_, object.get()).size(), 1U);
}

TEST_F(RuntimeTypesTest, WalksTheJson) {
  const AnyObject object = ReadSpec(
      R"("cronSpec":"c","maybe":null,"maybeList":["a"],"list":[{"name":"a"}],"maybeWords":[null],)"
      R"("matrix":[[7]],"byName":{"x":{"size":0}},"open":{"known":1,"other":{}})");
  std::vector<std::string> visited;
  Walk(type_, object.get(), [&](const WalkPath& path, const ValueRef& value) {
    std::string json;
    if (!value.is_container()) EXPECT_TRUE(EncodeJsonValue(value, &json).ok());
    visited.push_back(path.Text() + (json.empty() ? "" : "=" + json));
    const auto found = FindField(type_, object.get(), *FieldPath::Parse(path.Text()));
    EXPECT_TRUE(found.ok() && found->get() == value.get()) << path.Text();
    return Next::kInside;
  });
  EXPECT_EQ(visited, (std::vector<std::string>{"",
                                               "spec",
                                               "spec.cronSpec=\"c\"",
                                               "spec.maybe",
                                               "spec.maybeList",
                                               "spec.maybeList[0]=\"a\"",
                                               "spec.list",
                                               "spec.list[0]",
                                               "spec.list[0].name=\"a\"",
                                               "spec.maybeWords",
                                               "spec.maybeWords[0]",
                                               "spec.matrix",
                                               "spec.matrix[0]",
                                               "spec.matrix[0][0]=7",
                                               "spec.byName",
                                               "spec.byName.x",
                                               "spec.byName.x.size=0",
                                               "spec.open",
                                               "spec.open.known=1",
                                               "spec.open.other={}"}));
}

TEST_F(RuntimeTypesTest, SetsByPath) {
  AnyObject object(type_);
  const auto set = [&](std::string_view path, std::string_view json) {
    auto done = SetField(type_, object.get(), *FieldPath::Parse(path), json);
    EXPECT_TRUE(done.ok()) << path << ": " << done.error().message();
  };
  set("spec.cronSpec", R"("c")");
  set("spec.maybe", "null");
  set("spec.maybeObject.a", "1");
  set("spec.list[0].name", R"("n")");
  set("spec.matrix[0]", "[1]");
  set("spec.matrix[0][1]", "2");
  set("spec.byName.x.size", "3");
  set("spec.lists.l[0]", R"("w")");
  set("spec.open.any", R"({"thing":1})");
  EXPECT_EQ(Json(object),
            R"({"spec":{"cronSpec":"c","maybe":null,"maybeObject":{"a":1},"list":[{"name":"n"}],)"
            R"("matrix":[[1,2]],"byName":{"x":{"size":3}},"lists":{"l":["w"]},)"
            R"("open":{"any":{"thing":1}}}})");
  EXPECT_EQ(*FieldText(type_, object.get(), *FieldPath::Parse("spec.byName.x.size")), "3");
  EXPECT_EQ(*FieldText(type_, object.get(), *FieldPath::Parse("spec.maybe")), "");
}

TEST_F(RuntimeTypesTest, Prunes) {
  auto value = ParseJson(R"({"spec":{"typo":1,"list":[{"name":"a","nam":1}],"open":{"o":1},
      "anything":{"x":1},"maybeObject":{"a":1,"b":2},"matrix":[[1]],"empty":{"e":1},
      "template":{"spec":{"y":1}}}})");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(PruneUnknown(type_, &*value),
            (std::vector<std::string>{"spec.typo", "spec.list[0].nam", "spec.maybeObject.b",
                                      "spec.empty.e", "spec.template.spec.y"}));
  Read(ToText(*value));
}

TEST_F(RuntimeTypesTest, FindsWhatIsMissing) {
  const auto missing = [&](const AnyObject& object) {
    std::vector<std::string> out;
    for (const MissingValue& value : FindMissing(type_, object.get())) {
      out.push_back(value.path + (value.is_null ? " is null" : ""));
    }
    return out;
  };
  using Paths = std::vector<std::string>;
  EXPECT_EQ(missing(Read("{}")), Paths{"spec"});
  EXPECT_EQ(missing(ReadSpec("")), (Paths{"spec.cronSpec", "spec.list"}));
  EXPECT_EQ(missing(ReadSpec(R"("cronSpec":"","list":[])")), Paths{});
  EXPECT_EQ(missing(ReadSpec(R"("cronSpec":"","list":[{"port":1},null,{"name":""}],"template":{},
                                "words":[null],"maybeWords":[null],"matrix":[null,[null]],
                                "anythings":[null],"byName":{"x":null},"maybeList":null)")),
            (Paths{"spec.list[0].name", "spec.list[1] is null", "spec.words[0] is null",
                   "spec.matrix[0] is null", "spec.matrix[1][0] is null", "spec.byName.x is null",
                   "spec.template.kind", "spec.template.apiVersion"}));
}

TEST_F(RuntimeTypesTest, FactsAndNames) {
  EXPECT_STREQ(type_.name, "CronTab");
  EXPECT_EQ(type_.ApiVersion(), "example.com/v1");
  EXPECT_TRUE(type_.has(kRootKind) && type_.has(kRuntime));
  const Type& spec = *type_.Find("spec")->type;
  EXPECT_STREQ(spec.name, "CronTab.spec");
  EXPECT_STREQ(spec.Find("replicas")->facts->default_value, "1");
  EXPECT_STREQ(spec.Find("policy")->facts->enum_values, "Allow|Forbid");
  EXPECT_STREQ(spec.Find("list")->facts->list_map_keys, "name port");
  EXPECT_EQ(spec.Find("list")->facts->list_type, ListType::kMap);
  EXPECT_TRUE(spec.Find("cronSpec")->has(kRequired));
  EXPECT_FALSE(spec.Find("replicas")->has(kRequired));
  EXPECT_NE(spec.index.slots, nullptr);
}

TEST(RuntimeTypesMetadataTest, MetadataOfAGivenType) {
  const auto types = Types(kCronTab, {.object_meta = &TypeOf<testing::Port>()});
  AnyObject object(types->root());
  EXPECT_TRUE(DecodeJson(R"({"metadata":{"name":"n"},"spec":{"template":{"metadata":{}}}})",
                         types->root(), object.get())
                  .empty());
  EXPECT_EQ(*FieldText(types->root(), object.get(), *FieldPath::Parse("metadata.name")), "n");
  EXPECT_EQ(DecodeJson(R"({"metadata":{"nam":"n"}})", types->root(), object.get())[0].Text(),
            "unknown field \"metadata.nam\"");
}

std::string SchemaError(const std::string& yaml, const RuntimeTypeOptions& options = {}) {
  const auto schema = ParseJson(YamlToJson(yaml)->json);
  const auto types = RuntimeTypes::FromSchema(*schema, {"g", "v1", "K"}, options);
  return types.ok() ? "good" : types.error().message();
}

TEST(RuntimeTypesSchemaTest, Errors) {
  const struct {
    std::string yaml;
    std::string error;
  } cases[] = {
      {"{type: object}", "good"},
      {"{type: string}", "K: the schema's type must be object"},
      {"[]", "K: the schema's type must be object"},
      {"{type: object, properties: {a: {}}}", "K.a: a type is required"},
      {"{type: object, properties: {a: {type: text}}}", "K.a: unknown type \"text\""},
      {"{type: object, properties: {a: 1}}", "K.a: expected a schema"},
      {"{type: object, properties: {a: {type: array}}}", "K.a: an array must have items"},
      {"{type: object, properties: {a: {type: array, items: {type: x}}}}",
       "K.a[]: unknown type \"x\""},
      {"{type: object, properties: {a: {type: object, additionalProperties: {}}}}",
       "K.a{}: a type is required"},
      {"{type: object, properties: {a: {type: object, properties: {b: {type: string}}, "
       "additionalProperties: {type: string}}}}",
       "K.a: properties beside additionalProperties"},
      {"{type: object, properties: {a: {type: string, x-kubernetes-int-or-string: true}}}",
       "K.a: type must be empty beside x-kubernetes-int-or-string"},
      {"{type: object, properties: {" + std::string(256, 'x') + ": {type: string}}}",
       "K." + std::string(256, 'x') + ": a property with so long a name is not supported"},
  };
  for (const auto& c : cases) EXPECT_EQ(SchemaError(c.yaml), c.error) << c.yaml;
}

// Names whose JSON is not the name in quotes: because of escapes, or empty.
TEST(RuntimeTypesSchemaTest, AnyPropertyName) {
  const auto types = Types(R"({type: object, properties: {"a\"b": {type: string},
      "<&>\n": {type: integer}, '': {type: boolean}, "nul\0": {type: string},
      plain: {type: string}}})");
  ASSERT_NE(types, nullptr);
  const Type& type = types->root();
  const std::string json =
      R"({"a\"b":"1","\u003c\u0026\u003e\n":2,"":true,"nul\u0000":"3","plain":"4"})";
  AnyObject object(type);
  EXPECT_TRUE(DecodeJson(json, type, object.get()).empty());
  std::string out;
  EXPECT_TRUE(EncodeJson(type, object.get(), &out).ok());
  EXPECT_EQ(out, json);
  AnyObject copy(type, NewCopy(type, object.get()));
  EXPECT_TRUE(EqualObjects(type, object.get(), copy.get()));
  for (const char* name : {"a\"b", "<&>\n", "", "plain"}) {
    ASSERT_NE(type.Find(name), nullptr) << name;
    EXPECT_EQ(type.Find(name)->name(), name);
  }
  // However the key is written.
  AnyObject other(type);
  EXPECT_TRUE(DecodeJson(R"({"<&>\n":2,"a\u0022b":"1"})", type, other.get()).empty());
  const auto problems = DecodeJson(R"({"a\"b":1,"a\"c":1})", type, other.get());
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].path, "a\"b");
  // What would be the key of the descriptor is no JSON.
  EXPECT_EQ(DecodeJson(R"({"a"b":"1"})", type, other.get()).at(0).kind, Problem::Kind::kSyntax);
  EXPECT_EQ(problems[1].Text(), "unknown field \"a\"c\"");
}

TEST(RuntimeTypesSchemaTest, Limits) {
  std::string deep = "{type: string}";
  for (int i = 0; i < 20; ++i) deep = "{type: array, items: " + deep + "}";
  deep = "{type: object, properties: {a: " + deep + "}}";
  EXPECT_EQ(SchemaError(deep), "good");
  EXPECT_EQ(SchemaError(deep, {.max_depth = 10}),
            "K.a[][][][][][][][][][]: the schema is nested too deep");
  EXPECT_EQ(SchemaError("{type: object, properties: {a: {type: string}, b: {type: string}}}",
                        {.max_fields = 4}),
            "K.b: more than 4 fields");
}

// More fields than the index takes, and names longer than the scanner looks ahead.
TEST(RuntimeTypesSchemaTest, ManyFields) {
  std::string schema = "type: object\nproperties:\n";
  std::string json = "{";
  for (int i = 0; i < 500; ++i) {
    const std::string name = "aPropertyWithQuiteALongNameNumber" + std::to_string(i);
    schema += "  " + name + ": {type: integer}\n";
    json += (i == 0 ? "\"" : ",\"") + name + "\":" + std::to_string(i);
  }
  json += '}';
  const auto types = Types(schema);
  AnyObject object(types->root());
  EXPECT_TRUE(DecodeJson(json, types->root(), object.get()).empty());
  std::string out;
  EXPECT_TRUE(EncodeJson(types->root(), object.get(), &out).ok());
  EXPECT_EQ(out, json);
}

// A small text cannot become a large object.
TEST(RuntimeTypesSchemaTest, MemoryOfDecodedObjectsIsBounded) {
  std::string schema =
      "type: object\nproperties:\n  a:\n    type: array\n    items:\n"
      "      type: object\n      properties:\n";
  for (int i = 0; i < 400; ++i) schema += "        p" + std::to_string(i) + ": {type: string}\n";
  const auto types = Types(schema);
  std::string json = R"({"a":[{})";
  for (int i = 0; i < 20'000; ++i) json += ",{}";
  json += "]}";
  AnyObject object(types->root());
  const auto problems = DecodeJson(json, types->root(), object.get());
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].kind, Problem::Kind::kLimit);
}

}  // namespace
}  // namespace podium::reflect
