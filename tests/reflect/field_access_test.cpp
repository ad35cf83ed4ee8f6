#include "reflect/field_access.h"

#include <gtest/gtest.h>

#include "reflect/copy.h"
#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using testing::Everything;

const Type& kType() { return TypeOf<Everything>(); }  // NOLINT: the one type of these tests

Everything Read(std::string_view json) {
  auto object = FromJson<Everything>(json);
  EXPECT_TRUE(object.ok()) << object.error().message();
  return *std::move(object);
}

FieldPath Path(std::string_view text) {
  auto path = FieldPath::Parse(text);
  EXPECT_TRUE(path.ok()) << text;
  return *std::move(path);
}

std::string Text(const Everything& object, std::string_view path) {
  auto text = FieldText(kType(), &object, Path(path));
  return text.ok() ? *text : "error: " + text.error().message();
}

TEST(FieldAccessTest, TextOfScalars) {
  const Everything object = Read(R"({
      "kind": "K", "flag": true, "maybe": false, "small": -3, "ubig": 18446744073709551615,
      "ratio": 2.5, "optionalText": "t", "bytes": "aGk=", "steps": "3s", "color": "GREEN",
      "port": {"containerPort": 80}, "boxedPort": {"hostPort": 443, "name": "é<"},
      "ports": [{"name": "a"}, {"name": "b"}], "words": ["x", "y"], "bools": [true],
      "labels": {"a.b/c": "1", "7": "seven"}, "limits": {"cpu": "4s"},
      "extra": {"k": ["v"]}, "schema": {"additional": {"title": "t"}}})");
  const struct {
    std::string path;
    std::string text;
  } cases[] = {
      {"kind", "K"},
      {"flag", "true"},
      {"maybe", "false"},
      {"small", "-3"},
      {"big", "0"},
      {"ubig", "18446744073709551615"},
      {"ratio", "2.5"},
      {"optionalText", "t"},
      {"path", ""},
      {"bytes", "aGk="},
      {"steps", "3s"},
      {"color", "GREEN"},
      {"port.containerPort", "80"},
      {"port.hostPort", ""},
      {"boxedPort.hostPort", "443"},
      {"boxedPort.name", "é<"},
      {"ports[1].name", "b"},
      {"ports[2].name", ""},
      {"words[0]", "x"},
      {"bools[0]", "true"},
      {"labels['a.b/c']", "1"},
      {"labels[7]", "seven"},
      {"labels.none", ""},
      {"limits.cpu", "4s"},
      {"portsByName.none.name", ""},
      {"extra.k[0]", "v"},
      {"schema.additional.title", "t"},
      {"schema.properties.none.title", ""},
      {"optionalRaw", ""},
      {"nam", "error: no field \"nam\" in Everything"},
      {"port.nam", "error: no field \"port.nam\" in Everything"},
      {"portsByName.none.nam", "error: no field \"portsByName.none.nam\" in Everything"},
      {"ports.name", "error: no field \"ports.name\" in Everything"},
      {"kind.x", "error: no field \"kind.x\" in Everything"},
      {"kind[0]", "error: no field \"kind[0]\" in Everything"},
      {"port[0]", "error: no field \"port[0]\" in Everything"},
      {"raw.x", "error: no field \"raw.x\" in Everything"},
      {"ports", "error: ports is no single value"},
      {"port", "error: port is no single value"},
      {"labels", "error: labels is no single value"},
      {"extra.k", "error: extra.k is no single value"},
      {"", "error:  is no single value"},
  };
  for (const auto& c : cases) EXPECT_EQ(Text(object, c.path), c.text) << c.path;
}

TEST(FieldAccessTest, FindTellsAbsentFromWrong) {
  const Everything object;
  EXPECT_EQ(FindField(kType(), &object, Path("boxedPort.name")).error().code(), Code::kNotFound);
  EXPECT_EQ(FindField(kType(), &object, Path("ports[0]")).error().message(), "ports[0] is not set");
  EXPECT_EQ(FindField(kType(), &object, Path("nam")).error().code(), Code::kInvalidArgument);
  const auto box = FindField(kType(), &object, Path("boxedPort"));
  ASSERT_TRUE(box.ok());
  EXPECT_EQ(box->get(), nullptr);
  EXPECT_EQ(FindField(kType(), &object, {})->get(), &object);
}

// Sets one value in an empty object and gives the object's JSON.
std::string Set(std::string_view path, std::string_view json, std::string_view before = "{}") {
  Everything object = Read(before);
  auto done = SetField(kType(), &object, Path(path), json);
  return done.ok() ? *ToJson(object) : "error: " + done.error().message();
}

TEST(FieldAccessTest, SetMakesTheWay) {
  const struct {
    std::string path;
    std::string json;
    std::string same_as;
  } cases[] = {
      {"kind", R"("K")", R"({"kind": "K"})"},
      {"maybe", "false", R"({"maybe": false})"},
      {"steps", R"("2s")", R"({"steps": "2s"})"},
      {"raw", R"({"a": [1]})", R"({"raw": {"a":[1]}})"},
      {"boxedPort.hostPort", "1", R"({"boxedPort": {"hostPort": 1}})"},
      {"boxedPort", "{}", R"({"boxedPort": {}})"},
      {"ports[0].name", R"("n")", R"({"ports": [{"name": "n"}]})"},
      {"nullablePorts[0]", "{}", R"({"nullablePorts": [{}]})"},
      {"bools[0]", "true", R"({"bools": [true]})"},
      {"labels['a.b/c']", R"("1")", R"({"labels": {"a.b/c": "1"}})"},
      {"limits.cpu", R"("2s")", R"({"limits": {"cpu": "2s"}})"},
      {"portsByName.q.name", R"("n")", R"({"portsByName": {"q": {"name": "n"}}})"},
      {"extra.k[0]", R"("v")", R"({"extra": {"k": ["v"]}})"},
      {"extra.k", R"(["v"])", R"({"extra": {"k": ["v"]}})"},
      {"schema.additional.properties.p.title", R"("t")",
       R"({"schema": {"additional": {"properties": {"p": {"title": "t"}}}}})"},
      {"", R"({"text": "t"})", R"({"text": "t"})"},
  };
  for (const auto& c : cases) EXPECT_EQ(Set(c.path, c.json), *ToJson(Read(c.same_as))) << c.path;
}

TEST(FieldAccessTest, SetReplaces) {
  EXPECT_EQ(Set("boxedPort", R"({"name": "b"})", R"({"boxedPort": {"hostPort": 1}})"),
            *ToJson(Read(R"({"boxedPort": {"name": "b"}})")));
  EXPECT_EQ(Set("ports[1]", R"({"name": "b"})", R"({"ports": [{}, {"hostPort": 1}]})"),
            *ToJson(Read(R"({"ports": [{}, {"name": "b"}]})")));
  EXPECT_EQ(Set("boxedPort", "null", R"({"boxedPort": {"hostPort": 1}})"), *ToJson(Everything{}));
  EXPECT_EQ(Set("labels", R"({"b": "2"})", R"({"labels": {"a": "1"}})"),
            *ToJson(Read(R"({"labels": {"b": "2"}})")));
  EXPECT_EQ(Set("", "{}", R"({"kind": "K"})"), *ToJson(Everything{}));
}

TEST(FieldAccessTest, SetErrors) {
  EXPECT_EQ(Set("nam", "1"), "error: no field \"nam\" in Everything");
  EXPECT_EQ(Set("ports[1].name", "1"), "error: ports[1].name: index beyond the end of the list");
  EXPECT_EQ(Set("port.containerPort", R"("x")"),
            "error: port.containerPort: expected an integer, got a string");
  EXPECT_EQ(Set("ports", R"([{"nam": 1, "hostPort": "x"}])"),
            "error: unknown field \"ports[0].nam\"\n"
            "ports[0].hostPort: expected an integer, got a string");
  EXPECT_EQ(Set("boxedPort", R"({"nam": 1})"), "error: unknown field \"boxedPort.nam\"");
  EXPECT_EQ(Set("kind", "\"a"), "error: kind: string is not closed");
  Everything object;
  EXPECT_EQ(SetField(kType(), &object, Path("schema"), R"({"additional":{"properties":{}}})",
                     {.max_depth = 2})
                .error()
                .code(),
            Code::kResourceExhausted);
}

// Every value that a walk meets is found by its path.
TEST(FieldAccessTest, AgreesWithWalk) {
  const Everything object = Read(R"({
      "kind": "K", "boxedPort": {"hostPort": 443}, "ports": [{"name": "a"}], "bools": [true],
      "labels": {"a.b/c": "1", "it's": "2"}, "portsByName": {"q": {"containerPort": 1}},
      "extra": {"k": ["v"]}, "schema": {"properties": {"p": {"additional": {"title": "t"}}}}})");
  size_t visits = 0;
  Walk(kType(), &object, [&](const WalkPath& path, const ValueRef& value) {
    ++visits;
    const auto found = FindField(kType(), &object, Path(path.Text()));
    EXPECT_TRUE(found.ok()) << path.Text();
    EXPECT_EQ(found->get(), value.get()) << path.Text();
    std::string a;
    std::string b;
    EXPECT_TRUE(EncodeJsonValue(*found, &a).ok() && EncodeJsonValue(value, &b).ok());
    EXPECT_EQ(a, b);
    return Next::kInside;
  });
  EXPECT_EQ(visits, 23U);
}

}  // namespace
}  // namespace podium::reflect
