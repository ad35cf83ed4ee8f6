// The layouts that SurelyEmpty takes for granted, checked against the types themselves: whatever
// the probe calls empty must be empty by the type's own word, and the kinds that can be probed must
// be.
#include "reflect/presence.h"

#include <gtest/gtest.h>

#include <random>

#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/test_types.h"
#include "support/random_object.h"

namespace podium::reflect {
namespace {

using podium::reflect::testing::Everything;

const Type& EverythingType() { return TypeOf<Everything>(); }

const Probe& ProbeFor(const Field& field) {
  return EverythingType().probes[&field - EverythingType().fields.data()];
}

bool IsDefault(const Field& field, const Everything& object) {
  Everything copy = Copy(object);
  for (const Field& other : EverythingType().fields) {
    if (&other != &field) ResetField(other, other.at(&copy));
  }
  return IsZeroObject(EverythingType(), &copy);
}

TEST(PresenceTest, EmptyByTheProbeIsEmptyByTheType) {
  ASSERT_NE(EverythingType().probes, nullptr);
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Everything object;
    podium::testing::FillRandom(EverythingType(), &object, {.seed = seed, .fill = 0.5});
    for (const Field& field : EverythingType().fields) {
      if (ProbeFor(field).SurelyEmpty(&object)) {
        EXPECT_TRUE(IsDefault(field, object)) << field.name() << " of " << seed;
      }
    }
  }
}

TEST(PresenceTest, AllButStructsLeavesBytesAndNullablesAreProbed) {
  const Everything object;
  for (const Field& field : EverythingType().fields) {
    const bool container =
        field.shape == Shape::kBox || field.shape == Shape::kList || field.shape == Shape::kMap;
    const bool plain =
        field.kind != Kind::kStruct && field.kind != Kind::kLeaf && field.kind != Kind::kBytes;
    const bool told = (container || plain) && !field.has(kNullable);
    EXPECT_EQ(ProbeFor(field).SurelyEmpty(&object), told) << field.name();
  }
}

TEST(PresenceTest, EachSmallestValueIsSeen) {
  for (const char* json : {R"({"flag":true})",
                           R"({"maybe":false})",
                           R"({"small":1})",
                           R"({"small":-2147483648})",
                           R"({"big":4294967296})",
                           R"({"usmall":1})",
                           R"({"ubig":9223372036854775808})",
                           R"({"ratio":5e-324})",
                           R"({"text":"a"})",
                           R"({"optionalText":""})",
                           R"({"raw":0})",
                           R"({"optionalRaw":0})",
                           R"({"color":"GREEN"})",
                           R"({"boxedPort":{}})",
                           R"({"ports":[{}]})",
                           R"({"words":[""]})",
                           R"({"numbers":[0]})",
                           R"({"bools":[false]})",
                           R"({"labels":{"":""}})",
                           R"({"limits":{"":"0s"}})",
                           R"({"portsByName":{"":{}}})",
                           R"({"path":""})",
                           R"({"schema":{}})"}) {
    auto object = FromJson<Everything>(json);
    ASSERT_TRUE(object.ok()) << json;
    size_t seen = 0;
    for (const Field& field : EverythingType().fields) {
      const Probe& probe = ProbeFor(field);
      seen += probe.mask != Probe::kNone && !probe.SurelyEmpty(&*object) ? 1 : 0;
    }
    EXPECT_EQ(seen, 1u) << json;
  }
}

}  // namespace
}  // namespace podium::reflect
