#include "reflect/walk.h"

#include <gtest/gtest.h>

#include "reflect/json.h"
#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using testing::Everything;

std::vector<std::string> Paths(const Everything& object) {
  std::vector<std::string> out;
  Walk(TypeOf<Everything>(), &object, [&](const WalkPath& path, const ValueRef& value) {
    std::string line = path.Text();
    if (value.is_list()) line += " list";
    if (value.is_map()) line += " map";
    if (value.is_struct()) line += " object";
    if (!value.is_container() && value.kind() == Kind::kString) {
      line += " = " + value.as<std::string>();
    }
    out.push_back(std::move(line));
    return Next::kInside;
  });
  return out;
}

Everything Read(std::string_view json) {
  auto object = FromJson<Everything>(json);
  EXPECT_TRUE(object.ok()) << object.error().message();
  return *std::move(object);
}

using Lines = std::vector<std::string>;

TEST(WalkTest, VisitsWhatIsSetInOrder) {
  EXPECT_EQ(Paths({}), Lines{" object"});
  EXPECT_EQ(Paths(Read(R"({
              "kind": "K", "maybe": false, "small": 0, "text": "", "optionalText": "",
              "steps": "3s", "port": {"name": "p"}, "boxedPort": {},
              "ports": [{"name": "a", "hostPort": 0}, {}], "nullablePorts": [],
              "words": ["x", ""], "labels": {"a.b/c": "1", "d": "2"}, "limits": {"l": "0s"},
              "portsByName": {"q": {"containerPort": 1}}, "nullableMap": {}})")),
            (Lines{
                " object",
                "kind = K",
                "maybe",
                "optionalText = ",
                "steps",
                "port object",
                "port.name = p",
                "boxedPort object",
                "ports list",
                "ports[0] object",
                "ports[0].name = a",
                "ports[0].hostPort",
                "ports[1] object",
                "nullablePorts list",
                "words list",
                "words[0] = x",
                "words[1] = ",
                "labels map",
                "labels['a.b/c'] = 1",
                "labels.d = 2",
                "limits map",
                "limits.l",
                "portsByName map",
                "portsByName.q object",
                "portsByName.q.containerPort",
                "nullableMap map",
            }));
}

TEST(WalkTest, TypesThatAreOneFieldAddNoStep) {
  EXPECT_EQ(Paths(Read(R"({"extra": {"k": ["v", "w"]},
                           "schema": {"additional": {"title": "t"},
                                      "properties": {"p": {"additional": true}}}})")),
            (Lines{
                " object",
                "extra map",
                "extra.k list",
                "extra.k[0] = v",
                "extra.k[1] = w",
                "schema object",
                "schema.additional object",
                "schema.additional.title = t",
                "schema.properties map",
                "schema.properties.p object",
                "schema.properties.p.additional object",
            }));
}

TEST(WalkTest, GoesPastAndStops) {
  const Everything object = Read(R"({"ports": [{"name": "a"}], "words": ["x", "y"],
                                     "labels": {"a": "1", "b": "2"}})");
  const auto visit = [&](std::string_view at, Next next) {
    Lines visited;
    const bool finished =
        Walk(TypeOf<Everything>(), &object, [&](const WalkPath& path, const ValueRef&) {
          visited.push_back(path.Text());
          return visited.back() == at ? next : Next::kInside;
        });
    EXPECT_EQ(finished, next != Next::kStop);
    return visited;
  };
  EXPECT_EQ(visit("ports", Next::kPast), (Lines{"", "ports", "words", "words[0]", "words[1]",
                                                "labels", "labels.a", "labels.b"}));
  EXPECT_EQ(visit("words[0]", Next::kStop),
            (Lines{"", "ports", "ports[0]", "ports[0].name", "words", "words[0]"}));
  EXPECT_EQ(visit("labels.a", Next::kStop).back(), "labels.a");
  EXPECT_EQ(visit("", Next::kPast), Lines{""});
}

TEST(WalkTest, PathsKnowTheirSteps) {
  const Everything object = Read(R"({"ports": [{"name": "a"}]})");
  Walk(TypeOf<Everything>(), &object, [&](const WalkPath& path, const ValueRef& value) {
    if (value.kind() == Kind::kString) {
      EXPECT_EQ(path.name(), "name");
      EXPECT_TRUE(path.parent()->in_list());
      EXPECT_EQ(path.parent()->index(), 0U);
      EXPECT_EQ(path.parent()->parent()->parent()->parent(), nullptr);
      EXPECT_EQ(value.field->name(), "name");
    }
    return Next::kInside;
  });
}

}  // namespace
}  // namespace podium::reflect
