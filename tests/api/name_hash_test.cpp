#include "api/name_hash.h"

#include <gtest/gtest.h>

namespace podium::api {
namespace {

// What kubectl 1.32 makes of them.
TEST(NameHashTest, AsKubectl) {
  core::v1::ConfigMap map;
  map.metadata.name = "m";
  EXPECT_EQ(NameHash(map), "dc9f9c9275");
  map.data["a"] = "b";
  EXPECT_EQ(NameHash(map), "k8bhd2f7kc");
  core::v1::Secret secret;
  secret.metadata.name = "s";
  secret.data["a"] = {.data = "b", .present = true};
  EXPECT_EQ(NameHash(secret), "7fd2tm89d8");
  secret.type = "x";
  EXPECT_EQ(NameHash(secret), "426t5bkm8k");
}

}  // namespace
}  // namespace podium::api
