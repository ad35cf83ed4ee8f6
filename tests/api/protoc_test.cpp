#include "support/protoc.h"

#include <gtest/gtest.h>

#include <vector>

#include "api/types/registry.h"
#include "support/long_form.h"

namespace podium::api {
namespace {

TEST(ProtocTest, ReadsAndWritesEveryMessageOfTheApi) {
  std::vector<const reflect::Type*> types;
  for (const PackageTypes& package : kPackages) {
    for (const reflect::Type* type : package.types) {
      if (!type->has(reflect::kNoProto)) types.push_back(type);
    }
  }
  EXPECT_GE(types.size(), 600u);
  testing::ExpectProtocAgrees(types, false, testing::IsLongForm() ? 20 : 2);
}

}  // namespace
}  // namespace podium::api
