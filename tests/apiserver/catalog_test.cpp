#include "apiserver/catalog.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace podium::apiserver {
namespace {

// Versions of a resource are views of one stored object: otherwise what one of them wrote could not
// be read through the other.
TEST(CatalogTest, WhatIsStoredUnderOneKeyHasOneType) {
  const auto catalog = Catalog::Make({});
  std::map<std::string, const reflect::Type*> types;
  for (const ServedResource& resource : catalog->resources()) {
    if (!resource.is_stored()) continue;
    const auto [at, is_new] = types.emplace(resource.prefix, resource.stored_type);
    EXPECT_EQ(at->second, resource.stored_type) << resource.api_version << " " << resource.plural;
  }
  EXPECT_GT(types.size(), 30U);
}

}  // namespace
}  // namespace podium::apiserver
