// Random objects of every type of CRI, CNI and OCI survive each encoding.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/protobuf.h"
#include "support/long_form.h"
#include "support/random_object.h"
#include "wire/types/cri.h"
#include "wire/types/registry.h"

namespace podium::wire {
namespace {

using reflect::AnyObject;
using reflect::Type;

int Rounds() { return testing::IsLongForm() ? 200 : 20; }

std::string Json(const Type& type, const void* object) {
  std::string out;
  EXPECT_TRUE(reflect::EncodeJson(type, object, &out).ok()) << type.name;
  return out;
}

AnyObject Random(const Type& type, int round, bool for_protobuf) {
  AnyObject object(type);
  testing::FillRandom(
      type, object.get(),
      {.seed = static_cast<uint64_t>(round), .fill = 0.7, .for_protobuf = for_protobuf});
  return object;
}

class WireRoundTripTest : public ::testing::TestWithParam<const Type*> {};

TEST_P(WireRoundTripTest, Json) {
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

TEST_P(WireRoundTripTest, Protobuf) {
  const Type& type = *GetParam();
  for (int round = 0; round < Rounds(); ++round) {
    const AnyObject object = Random(type, round, true);
    std::string bytes;
    const auto encoded = reflect::EncodeProtobuf(type, object.get(), &bytes);
    if (type.package != &cri::kPackage) {
      ASSERT_EQ(encoded.error().code(), Code::kUnsupported);
      return;
    }
    ASSERT_TRUE(encoded.ok()) << encoded.error().message();
    AnyObject back(type);
    const auto decoded = reflect::DecodeProtobuf(bytes, type, back.get());
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    ASSERT_TRUE(reflect::EqualObjects(type, object.get(), back.get())) << Json(type, object.get());
    std::string again;
    ASSERT_TRUE(reflect::EncodeProtobuf(type, back.get(), &again).ok());
    ASSERT_EQ(again, bytes);
  }
}

TEST_P(WireRoundTripTest, CopyIsEqual) {
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
    all.insert(all.end(), package.types.begin(), package.types.end());
  }
  return all;
}

std::string TestName(const ::testing::TestParamInfo<const Type*>& info) {
  const Type& type = *info.param;
  for (const PackageTypes& package : kPackages) {
    if (package.package == type.package) {
      return std::string(package.package->group) + "_" + type.name;
    }
  }
  return type.name;
}

INSTANTIATE_TEST_SUITE_P(All, WireRoundTripTest, ::testing::ValuesIn(AllTypes()), TestName);

}  // namespace
}  // namespace podium::wire
