// Properties of all patch kinds, over random objects of every root kind.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "api/types/registry.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/patch_schema.h"
#include "reflect/patch/small_json.h"
#include "reflect/patch/strategic_patch.h"
#include "support/mutate_object.h"
#include "support/round_trip.h"

namespace podium::api {
namespace {

using reflect::JsonValue;
using reflect::MemberSchema;
using reflect::ObjectSchema;
using reflect::Type;

// Leaves out what no patch can say, or none exactly: members that are null, and elements of merged
// lists that have no key or that of another one.
void MakePatchable(const ObjectSchema& schema, const MemberSchema* list, JsonValue* value) {
  if (value->is_object()) {
    std::erase_if(value->object(), [](const auto& member) { return member.value.is_null(); });
    for (auto& [key, inner] : value->object()) {
      const auto member = LookUp(schema, key);
      ASSERT_TRUE(member.ok()) << member.error().message();
      MakePatchable(member->object, &*member, &inner);
    }
    return;
  }
  if (!value->is_array()) return;
  const MemberSchema untyped;
  const MemberSchema& its = list ? *list : untyped;
  for (JsonValue& element : value->array()) MakePatchable(its.element, nullptr, &element);
  if (!its.merge) return;
  std::set<std::string> seen;
  std::erase_if(value->array(), [&](const JsonValue& element) {
    const JsonValue* key = its.merge_key.empty() ? &element : element.Find(its.merge_key);
    return key == nullptr || !seen.insert(ToText(*key)).second;
  });
}

JsonValue Document(const Type& type, const reflect::AnyObject& object) {
  JsonValue value = reflect::testing::ParsedJson(testing::JsonOf(type, object.get()));
  MakePatchable({&type}, nullptr, &value);
  return value;
}

// Of each kind and property, of which there are many.
int Rounds() { return testing::Rounds() / 4; }

class PatchPropertyTest : public ::testing::TestWithParam<const Type*> {
 protected:
  // Two objects: that have nothing in common, or nearly everything, by turns.
  void Make(int round) {
    const Type& type = *GetParam();
    const reflect::AnyObject first = testing::RandomObject(type, round, false);
    from_ = Document(type, first);
    if (round % 2 == 0) {
      to_ = Document(type, testing::RandomObject(type, 1'000'000 + round, false));
      return;
    }
    reflect::AnyObject second = testing::RandomObject(type, round, false);
    testing::MutateObject(type, second.get(),
                          {.seed = static_cast<uint64_t>(round), .changes = 1 + round % 5});
    to_ = Document(type, second);
  }

  JsonValue from_;
  JsonValue to_;
};

TEST_P(PatchPropertyTest, JsonPatch) {
  for (int round = 0; round < Rounds(); ++round) {
    Make(round);
    const auto patch = reflect::JsonPatch::FromValue(reflect::JsonPatch::Make(from_, to_));
    ASSERT_TRUE(patch.ok());
    JsonValue document = from_;
    const auto applied = patch->Apply(&document);
    ASSERT_TRUE(applied.ok()) << applied.error().message();
    ASSERT_TRUE(Equivalent(document, to_)) << ToText(from_) << "\n" << ToText(to_);
  }
}

TEST_P(PatchPropertyTest, JsonMergePatch) {
  for (int round = 0; round < Rounds(); ++round) {
    Make(round);
    const JsonValue patch = reflect::MakeMergePatch(from_, to_);
    JsonValue document = from_;
    for (int times = 0; times < 2; ++times) {
      reflect::ApplyMergePatch(patch, &document);
      ASSERT_TRUE(Equivalent(document, to_)) << ToText(from_) << "\n" << ToText(to_);
    }
  }
}

TEST_P(PatchPropertyTest, StrategicPatch) {
  const Type& type = *GetParam();
  for (int round = 0; round < Rounds(); ++round) {
    Make(round);
    const auto patch = reflect::MakeStrategicPatch(type, from_, to_);
    ASSERT_TRUE(patch.ok()) << patch.error().message();
    JsonValue document = from_;
    for (int times = 0; times < 2; ++times) {
      const auto applied = reflect::ApplyStrategicPatch(type, *patch, &document);
      ASSERT_TRUE(applied.ok()) << applied.error().message() << "\n" << ToText(*patch);
      ASSERT_TRUE(Equivalent(document, to_)) << ToText(from_) << "\n"
                                             << ToText(to_) << "\n"
                                             << ToText(*patch);
    }
    ASSERT_EQ(ToText(*reflect::MakeStrategicPatch(type, to_, to_)), "{}");
  }
}

// Nobody else has changed anything: what is there becomes what is wanted, and stays it.
TEST_P(PatchPropertyTest, ThreeWayPatch) {
  const Type& type = *GetParam();
  for (int round = 0; round < Rounds(); ++round) {
    Make(round);
    JsonValue document = from_;
    for (int times = 0; times < 2; ++times) {
      const auto patch = reflect::MakeThreeWayPatch(type, times == 0 ? from_ : to_, to_, document);
      ASSERT_TRUE(patch.ok()) << patch.error().message();
      const auto applied = reflect::ApplyStrategicPatch(type, *patch, &document);
      ASSERT_TRUE(applied.ok()) << applied.error().message() << "\n" << ToText(*patch);
      ASSERT_TRUE(Equivalent(document, to_)) << ToText(from_) << "\n"
                                             << ToText(to_) << "\n"
                                             << ToText(*patch);
    }
  }
}

std::vector<const Type*> RootKinds() {
  std::vector<const Type*> all;
  for (const PackageTypes& package : kPackages) {
    for (const Type* type : package.types) {
      if (type->has(reflect::kRootKind)) all.push_back(type);
    }
  }
  return all;
}

std::string TestName(const ::testing::TestParamInfo<const Type*>& info) {
  std::string name = info.param->ApiVersion() + "_" + info.param->name;
  std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, PatchPropertyTest, ::testing::ValuesIn(RootKinds()), TestName);

}  // namespace
}  // namespace podium::api
