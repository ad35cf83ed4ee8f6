// Properties of every type of every table: random objects survive each encoding.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "api/types/registry.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"
#include "support/long_form.h"
#include "support/random_object.h"

namespace podium::api {
namespace {

using reflect::AnyObject;
using reflect::Type;

// Objects of each type.
int Rounds() { return testing::IsLongForm() ? 200 : 20; }

std::string Json(const Type& type, const void* object) {
  std::string out;
  auto result = reflect::EncodeJson(type, object, &out);
  EXPECT_TRUE(result.ok()) << type.name;
  return out;
}

AnyObject Random(const Type& type, int round, bool for_protobuf) {
  AnyObject object(type);
  testing::RandomOptions options;
  options.seed = static_cast<uint64_t>(round);
  options.for_protobuf = for_protobuf;
  testing::FillRandom(type, object.get(), options);
  return object;
}

class RoundTripTest : public ::testing::TestWithParam<const Type*> {};

TEST_P(RoundTripTest, Json) {
  const Type& type = *GetParam();
  for (int round = 0; round < Rounds(); ++round) {
    const AnyObject object = Random(type, round, false);
    const std::string once = Json(type, object.get());
    AnyObject back(type);
    const auto problems = reflect::DecodeJson(once, type, back.get());
    ASSERT_TRUE(problems.empty()) << problems[0].Text() << "\n" << once;
    ASSERT_TRUE(reflect::EqualObjects(type, object.get(), back.get())) << once;
    ASSERT_EQ(Json(type, back.get()), once);
  }
}

TEST_P(RoundTripTest, Protobuf) {
  const Type& type = *GetParam();
  for (int round = 0; round < Rounds(); ++round) {
    const AnyObject object = Random(type, round, true);
    std::string bytes;
    const bool root = type.has(reflect::kRootKind);
    auto encoded = root ? reflect::EncodeEnveloped(type, object.get(), &bytes)
                        : reflect::EncodeProtobuf(type, object.get(), &bytes);
    if (type.has(reflect::kNoProto)) {
      ASSERT_EQ(encoded.error().code(), Code::kUnsupported);
      return;
    }
    ASSERT_TRUE(encoded.ok()) << encoded.error().message();
    AnyObject back(type);
    auto decoded = root ? reflect::DecodeEnveloped(bytes, type, back.get())
                        : reflect::DecodeProtobuf(bytes, type, back.get());
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    ASSERT_EQ(Json(type, back.get()), Json(type, object.get()));
  }
}

// What kubectl prints with -o yaml, applied again.
TEST_P(RoundTripTest, Yaml) {
  const Type& type = *GetParam();
  if (!type.has(reflect::kRootKind)) return;  // the others are parts of these
  for (int round = 0; round < Rounds() / 4; ++round) {
    const AnyObject object = Random(type, round, false);
    const std::string json = Json(type, object.get());
    std::string yaml;
    ASSERT_TRUE(reflect::JsonToYaml(json, &yaml, {.sort_keys = false}).ok()) << json;
    const auto document = reflect::YamlToJson(yaml);
    ASSERT_TRUE(document.ok()) << document.error().message() << "\n" << yaml;
    ASSERT_EQ(document->json, json) << yaml;

    std::string sorted;
    ASSERT_TRUE(reflect::JsonToYaml(json, &sorted).ok());
    const auto sorted_document = reflect::YamlToJson(sorted);
    ASSERT_TRUE(sorted_document.ok()) << sorted;
    AnyObject back(type);
    const auto problems = reflect::DecodeJson(sorted_document->json, type, back.get());
    ASSERT_TRUE(problems.empty()) << problems[0].Text() << "\n" << sorted;
    // A raw value's own members are sorted too, which is why objects are compared as data.
    const auto expected = reflect::ParseJson(json);
    const auto found = reflect::ParseJson(Json(type, back.get()));
    ASSERT_TRUE(expected.ok() && found.ok());
    ASSERT_TRUE(reflect::Equivalent(*expected, *found)) << sorted;
  }
}

TEST_P(RoundTripTest, CopyIsEqual) {
  const Type& type = *GetParam();
  const AnyObject object = Random(type, 7, false);
  AnyObject copy(type);
  reflect::CopyObject(type, object.get(), copy.get());
  EXPECT_TRUE(reflect::EqualObjects(type, object.get(), copy.get()));
  EXPECT_EQ(Json(type, copy.get()), Json(type, object.get()));
}

std::vector<const Type*> AllTypes() {
  std::vector<const Type*> all;
  for (const PackageTypes& package : kPackages) {
    for (const Type* type : package.types) {
      // Alternatives are values of others, not objects.
      if (type->form == reflect::Form::kStruct) all.push_back(type);
    }
  }
  return all;
}

std::string TestName(const ::testing::TestParamInfo<const Type*>& info) {
  std::string name = info.param->ApiVersion() + "_" + info.param->name;
  std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, RoundTripTest, ::testing::ValuesIn(AllTypes()), TestName);

}  // namespace
}  // namespace podium::api
