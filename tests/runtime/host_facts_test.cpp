#include "runtime/host_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>

#include "support/own_namespaces.h"

namespace podium::runtime {
namespace {

TEST(HostFactsTest, AChrootThatIsNoMountSaysSo) {
  PODIUM_NEEDS_ROOT();
  char folder[] = "/tmp/podium_chroot_XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  testing::InOwnNamespaces([&] {
    // Of this thread alone.
    ASSERT_EQ(chroot(folder), 0);
    const auto facts = FindHostFacts(kernel::CgroupMode::kV1);
    ASSERT_FALSE(facts.ok());
    EXPECT_THAT(facts.error().message(), ::testing::HasSubstr("chroot that nothing is mounted on"));
  });
  testing::InOwnNamespaces([&] {
    ASSERT_EQ(mount(folder, folder, nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(chroot(folder), 0);
    const auto facts = FindHostFacts(kernel::CgroupMode::kV1);
    // Much else is missing there.
    if (!facts.ok()) {
      EXPECT_THAT(facts.error().message(), ::testing::Not(::testing::HasSubstr("chroot")));
    }
  });
  rmdir(folder);
}

}  // namespace
}  // namespace podium::runtime
