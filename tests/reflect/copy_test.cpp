#include "reflect/copy.h"

#include <gtest/gtest.h>

#include "reflect/json.h"
#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using testing::Everything;
using testing::Port;

Everything Sample() {
  return *FromJson<Everything>(
      R"({"flag":true,"maybe":false,"small":1,"text":"long enough not to be kept inside","bytes":"AA==",)"
      R"("raw":[1],"optionalRaw":{},"steps":"1s","optionalSteps":"2s","color":"GREEN",)"
      R"("boxedPort":{"containerPort":1},"ports":[{"name":"a","containerPort":2}],)"
      R"("nullablePorts":[],"words":["w"],"numbers":[1],"bools":[true],"labels":{"a":"b"},)"
      R"("limits":{"cpu":"1s"},"portsByName":{"x":{"containerPort":1}},"extra":{"g":["1"]},)"
      R"("nullableMap":{},"path":"p","schema":{"properties":{"a":{"additional":true}}}})");
}

TEST(CopyTest, CopyIsEqualAndIndependent) {
  const Everything original = Sample();
  Everything copy = Copy(original);
  EXPECT_EQ(*ToJson(copy), *ToJson(original));
  EXPECT_TRUE(Equal(copy, original));
  copy.boxedPort->containerPort = 7;
  copy.schema->properties.at("a").title = "changed";
  EXPECT_EQ(original.boxedPort->containerPort, 1);
  EXPECT_EQ(original.schema->properties.at("a").title, "");
}

TEST(CopyTest, EveryDifferenceIsSeen) {
  const Everything original = Sample();
  const char* changes[] = {R"({"flag":false})",
                           R"({"maybe":true})",
                           R"({"maybe":null})",
                           R"({"small":2})",
                           R"({"text":"x"})",
                           R"({"bytes":"AQ=="})",
                           R"({"raw":[2]})",
                           R"({"optionalRaw":[]})",
                           R"({"optionalRaw":null})",
                           R"({"steps":"2s"})",
                           R"({"optionalSteps":"3s"})",
                           R"({"optionalSteps":null})",
                           R"({"color":"RED"})",
                           R"({"boxedPort":null})",
                           R"({"boxedPort":{"hostPort":0}})",
                           R"({"ports":[]})",
                           R"({"ports":[{"name":"b","containerPort":2}]})",
                           R"({"words":["v"]})",
                           R"({"numbers":[2]})",
                           R"({"bools":[false]})",
                           R"({"labels":{"a":"c"}})",
                           R"({"labels":{"b":"b"}})",
                           R"({"limits":{}})",
                           R"({"portsByName":{}})",
                           R"({"extra":{"g":["2"]}})",
                           R"({"path":null})",
                           R"({"schema":{"properties":{"a":{"additional":false}}}})"};
  for (const char* change : changes) {
    Everything other = Copy(original);
    ASSERT_TRUE(DecodeJson(change, TypeOf<Everything>(), &other).empty()) << change;
    EXPECT_FALSE(Equal(original, other)) << change;
  }
}

TEST(CopyTest, AbsentAndEmptyContainersAreEqual) {
  Everything a;
  Everything b;
  b.nullablePorts.present = true;
  EXPECT_TRUE(Equal(a, b));
}

TEST(CopyTest, ResetMakesEveryFieldDefault) {
  Everything object = Sample();
  EXPECT_FALSE(IsZeroObject(TypeOf<Everything>(), &object));
  for (const Field& field : TypeOf<Everything>().fields) ResetField(field, field.at(&object));
  EXPECT_TRUE(IsZeroObject(TypeOf<Everything>(), &object));
  EXPECT_EQ(*ToJson(object), *ToJson(Everything()));
}

TEST(BoxTest, CopiesDeeplyAndMovesWithoutCopying) {
  Box<Port> a(Port{"a", 1, {}});
  Box<Port> b = a;
  b->name = "b";
  EXPECT_EQ(a->name, "a");
  EXPECT_FALSE(a == b);
  const Port* before = b.get();
  Box<Port> c = std::move(b);
  EXPECT_EQ(c.get(), before);
  EXPECT_FALSE(b.has_value());  // NOLINT(bugprone-use-after-move): empty by contract
  EXPECT_TRUE(Box<Port>() == Box<Port>(nullptr));
  c.reset();
  EXPECT_EQ(c.ensure().containerPort, 0);
}

}  // namespace
}  // namespace podium::reflect
