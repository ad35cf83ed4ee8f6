#include "reflect/copy.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "reflect/json.h"
#include "reflect/test_types.h"
#include "support/random_object.h"

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

// The leak check sees to it that nothing of what was there before is lost.
TEST(CopyTest, EachFieldIsReplacedByItself) {
  const Type& type = TypeOf<Everything>();
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Everything from;
    Everything to;
    podium::testing::FillRandom(type, &from, {.seed = seed, .fill = seed % 10 / 9.0});
    podium::testing::FillRandom(type, &to, {.seed = seed + 1000, .fill = seed % 7 / 6.0});
    for (const Field& field : type.fields) {
      ReplaceField(field, field.at(&from), field.at(&to));
      EXPECT_TRUE(EqualField(field, field.at(&from), field.at(&to))) << field.name();
    }
    EXPECT_EQ(*ToJson(to), *ToJson(from));
  }
}

TEST(CopyTest, CopyOfAnythingIsEqualAndOutlivesIt) {
  const Type& type = TypeOf<Everything>();
  for (uint64_t seed = 0; seed < 300; ++seed) {
    auto original = std::make_unique<Everything>();
    podium::testing::FillRandom(type, original.get(), {.seed = seed, .fill = seed % 10 / 9.0});
    const std::string json = *ToJson(*original);
    const Everything copy = Copy(*original);
    EXPECT_TRUE(Equal(copy, *original)) << json;
    EXPECT_EQ(*ToJson(*original), json);
    original.reset();
    EXPECT_EQ(*ToJson(copy), json);
  }
}

TEST(CopyTest, TextsOfAnyLengthAndRoom) {
  for (size_t length = 0; length < 40; ++length) {
    for (const size_t room : {0, 15, 16, 100}) {
      Everything from;
      from.text.reserve(room);
      for (size_t i = 0; i < length; ++i) from.text += static_cast<char>(i % 5);
      from.raw.text = from.text;
      from.optionalText = from.text;
      from.labels = {{from.text, from.text}};
      from.words = {from.text, "", from.text};
      from.port.name = from.text;
      Everything copy = Copy(from);
      EXPECT_EQ(copy.text, from.text);
      EXPECT_EQ(copy.raw, from.raw);
      EXPECT_EQ(copy.optionalText, from.optionalText);
      EXPECT_EQ(copy.labels, from.labels);
      EXPECT_EQ(copy.words, from.words);
      EXPECT_EQ(copy.port.name, from.text);
      EXPECT_EQ(copy.text.data()[length], '\0');
      copy.text += "more";
      EXPECT_EQ(copy.text.substr(0, length), from.text);
    }
  }
}

TEST(CopyTest, ShortTextIsInTheCopyItself) {
  Everything from;
  from.text = "fifteen letters";
  const Everything copy = Copy(from);
  const char* inside = reinterpret_cast<const char*>(&copy.text);
  EXPECT_GE(copy.text.data(), inside);
  EXPECT_LT(copy.text.data(), inside + sizeof copy.text);
}

TEST(CopyTest, WhatWasMovedFromIsCopiedAsWhatIsLeft) {
  Everything from = Sample();
  const Everything taken = std::move(from);
  // NOLINTNEXTLINE(bugprone-use-after-move): valid, with whatever is left in it
  const Everything copy = Copy(from);
  EXPECT_TRUE(Equal(copy, from));  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(Equal(taken, Sample()));
}

TEST(CopyTest, RoomWithoutElementsIsNotCopied) {
  Everything from;
  from.ports.reserve(10);
  from.words.reserve(10);
  from.nullablePorts.present = true;
  const Everything copy = Copy(from);
  EXPECT_EQ(copy.ports.capacity(), 0u);
  EXPECT_EQ(copy.words.capacity(), 0u);
  EXPECT_TRUE(copy.nullablePorts.present);
  EXPECT_FALSE(copy.nullableMap.present);
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

TEST(BoxTest, TakesItselfAndWhatIsInside) {
  Box<Port> box(Port{"a long name that is not kept inside", 1, 2});
  const Box<Port>& same = box;
  box = same;
  EXPECT_EQ(box->name, "a long name that is not kept inside");
  EXPECT_EQ(box->hostPort, 2);

  Box<testing::Schema> outer;
  outer.ensure().title = "outer";
  testing::Schema& properties = outer->properties["inner"];
  properties.title = "inner";
  outer = Box<testing::Schema>(properties);
  EXPECT_EQ(outer->title, "inner");
  EXPECT_TRUE(outer->properties.empty());
}

}  // namespace
}  // namespace podium::reflect
