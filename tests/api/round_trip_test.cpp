// Properties of every type of every table: random objects survive each encoding.
#include "support/round_trip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "api/types/registry.h"
#include "reflect/protobuf.h"
#include "reflect/yaml.h"

namespace podium::api {
namespace {

using reflect::AnyObject;
using reflect::Type;
using testing::JsonOf;

class RoundTripTest : public ::testing::TestWithParam<const Type*> {};

TEST_P(RoundTripTest, Json) { testing::CheckJsonRoundTrip(*GetParam()); }

TEST_P(RoundTripTest, Protobuf) {
  const Type& type = *GetParam();
  for (int round = 0; round < testing::Rounds(); ++round) {
    const AnyObject object = testing::RandomObject(type, round, true);
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
    ASSERT_EQ(JsonOf(type, back.get()), JsonOf(type, object.get()));
  }
}

// What kubectl prints with -o yaml, applied again.
TEST_P(RoundTripTest, Yaml) {
  const Type& type = *GetParam();
  if (!type.has(reflect::kRootKind)) return;  // the others are parts of these
  for (int round = 0; round < testing::Rounds() / 4; ++round) {
    const AnyObject object = testing::RandomObject(type, round, false);
    const std::string json = JsonOf(type, object.get());
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
    const auto found = reflect::ParseJson(JsonOf(type, back.get()));
    ASSERT_TRUE(expected.ok() && found.ok());
    ASSERT_TRUE(reflect::Equivalent(*expected, *found)) << sorted;
  }
}

TEST_P(RoundTripTest, CopyIsEqual) { testing::CheckCopyIsEqual(*GetParam()); }

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
