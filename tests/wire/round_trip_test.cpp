// Random objects of every type of CRI, CNI and OCI survive each encoding.
#include "support/round_trip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "reflect/copy.h"
#include "reflect/protobuf.h"
#include "wire/types/cri.h"
#include "wire/types/registry.h"

namespace podium::wire {
namespace {

using reflect::AnyObject;
using reflect::Type;
using testing::JsonOf;

class WireRoundTripTest : public ::testing::TestWithParam<const Type*> {};

TEST_P(WireRoundTripTest, Json) { testing::CheckJsonRoundTrip(*GetParam()); }

TEST_P(WireRoundTripTest, Protobuf) {
  const Type& type = *GetParam();
  for (int round = 0; round < testing::Rounds(); ++round) {
    const AnyObject object = testing::RandomObject(type, round, true);
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
    ASSERT_TRUE(reflect::EqualObjects(type, object.get(), back.get()))
        << JsonOf(type, object.get());
    std::string again;
    ASSERT_TRUE(reflect::EncodeProtobuf(type, back.get(), &again).ok());
    ASSERT_EQ(again, bytes);
  }
}

TEST_P(WireRoundTripTest, CopyIsEqual) { testing::CheckCopyIsEqual(*GetParam()); }

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
