// What the profile does is tested where there is AppArmor: tests/vm/pods_guest.py.
#include "runtime/default_apparmor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace podium::runtime {
namespace {

TEST(DefaultApparmorTest, SaysWhyContainersGoWithoutIt) {
  if (std::filesystem::exists("/sys/kernel/security/apparmor/profiles")) {
    GTEST_SKIP() << "the profile would stay loaded in this machine's kernel";
  }
  std::vector<std::string> said;
  {
    DefaultApparmor apparmor;
    EXPECT_FALSE(apparmor.IsLoaded());
    apparmor.Begin([&](const std::string& sentence) { said.push_back(sentence); });
    EXPECT_FALSE(apparmor.IsLoaded());
    EXPECT_FALSE(IsApparmorLoaded(kDefaultApparmorName));
  }
  ASSERT_EQ(said.size(), 1U);
  EXPECT_THAT(said[0], ::testing::HasSubstr("podium-default, which could not be loaded: "));
}

}  // namespace
}  // namespace podium::runtime
