#include "reflect/prune.h"

#include <gtest/gtest.h>

#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using testing::Everything;
using Paths = std::vector<std::string>;

std::string Prune(std::string_view json, Paths* dropped, const PruneOptions& options = {}) {
  auto value = ParseJson(json);
  EXPECT_TRUE(value.ok());
  *dropped = PruneUnknown(TypeOf<Everything>(), &*value, options);
  return ToText(*value);
}

TEST(PruneTest, DropsWhatTheTypeDoesNotKnow) {
  const struct {
    std::string json;
    std::string pruned;
    Paths dropped;
  } cases[] = {
      {R"({"kind":"K","x":1,"port":{"name":"a","y":{}}})",
       R"({"kind":"K","port":{"name":"a"}})",
       {"x", "port.y"}},
      {R"({"ports":[{"z":1},{"name":"a","a.b":2}]})",
       R"({"ports":[{},{"name":"a"}]})",
       {"ports[0].z", "ports[1]['a.b']"}},
      {R"({"portsByName":{"q":{"z":1}},"labels":{"any":"x"}})",
       R"({"portsByName":{"q":{}},"labels":{"any":"x"}})",
       {"portsByName.q.z"}},
      {R"({"raw":{"any":{"thing":1}},"optionalRaw":{"a":1}})",
       R"({"raw":{"any":{"thing":1}},"optionalRaw":{"a":1}})",
       {}},
      {R"({"extra":{"k":["a"]},"schema":{"additional":{"z":1},"properties":{"p":{"q":1}}}})",
       R"({"extra":{"k":["a"]},"schema":{"additional":{},"properties":{"p":{}}}})",
       {"schema.additional.z", "schema.properties.p.q"}},
      {R"({"schema":{"additional":true},"ports":{"z":1},"port":[1],"boxedPort":null,"steps":{}})",
       R"({"schema":{"additional":true},"ports":{"z":1},"port":[1],"boxedPort":null,"steps":{}})",
       {}},
      {"[1]", "[1]", {}},
  };
  for (const auto& c : cases) {
    Paths dropped;
    EXPECT_EQ(Prune(c.json, &dropped), c.pruned);
    EXPECT_EQ(dropped, c.dropped) << c.json;
  }
}

TEST(PruneTest, PathsAreLimited) {
  Paths dropped;
  EXPECT_EQ(Prune(R"({"a":1,"b":2,"c":3})", &dropped, {.max_paths = 2}), "{}");
  EXPECT_EQ(dropped, (Paths{"a", "b"}));
}

// What is left decodes strictly.
TEST(PruneTest, WhatIsLeftIsKnown) {
  auto value = ParseJson(R"({"x":1,"port":{"y":1},"ports":[{"z":{"kind":1}}],"schema":{"w":1}})");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(PruneUnknown(TypeOf<Everything>(), &*value).size(), 4U);
  EXPECT_TRUE(FromJson<Everything>(ToText(*value)).ok());
}

TEST(PruneTest, ResetEmpty) {
  const struct {
    std::string json;
    std::string reset;
  } cases[] = {
      {R"({"boxedPort":{},"nullablePorts":[],"nullableMap":{}})", "{}"},
      {R"({"boxedPort":{"hostPort":0}})", R"({"boxedPort":{"hostPort":0}})"},
      {R"({"schema":{"additional":{"properties":{}}}})", R"({"schema":{"additional":{}}})"},
      {R"({"schema":{"properties":{"p":{"additional":false}}}})",
       R"({"schema":{"properties":{"p":{"additional":false}}}})"},
      {R"({"schema":{"additional":{"additional":{}}}})",
       R"({"schema":{"additional":{"additional":{}}}})"},
      {R"({"extra":{"k":[]}})", R"({"extra":{"k":[]}})"},
      {R"({"ports":[{}],"portsByName":{"q":{}}})", R"({"ports":[{}],"portsByName":{"q":{}}})"},
      {R"({"nullablePorts":[{}],"maybe":false,"optionalText":""})",
       R"({"nullablePorts":[{}],"maybe":false,"optionalText":""})"},
  };
  for (const auto& c : cases) {
    auto object = FromJson<Everything>(c.json);
    ASSERT_TRUE(object.ok()) << object.error().message();
    ResetEmpty(TypeOf<Everything>(), &*object);
    EXPECT_EQ(*ToJson(*object), *ToJson(*FromJson<Everything>(c.reset))) << c.json;
  }
}

}  // namespace
}  // namespace podium::reflect
