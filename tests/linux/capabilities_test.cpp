#include "linux/capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace podium::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Names = std::vector<std::string>;

constexpr CapabilityMask kChown = CapabilityBit(0);
constexpr CapabilityMask kNetAdmin = CapabilityBit(12);
constexpr CapabilityMask kSysResource = CapabilityBit(24);

TEST(CapabilitiesTest, NamesAndNumbers) {
  EXPECT_EQ(CapabilityNumber("CAP_CHOWN"), 0);
  EXPECT_EQ(CapabilityNumber("net_admin"), 12);
  EXPECT_EQ(CapabilityNumber("Cap_Checkpoint_Restore"), kLastNamedCapability);
  for (const char* wrong : {"", "CAP_", "ALL", "CAP_ALL", "NET ADMIN", "CAP_CAP_CHOWN", "CHOWN "}) {
    EXPECT_EQ(CapabilityNumber(wrong), std::nullopt) << wrong;
  }
  for (int number = 0; number <= kLastNamedCapability; ++number) {
    EXPECT_EQ(CapabilityNumber(CapabilityName(number)), number);
  }
  EXPECT_EQ(CapabilityName(-1), "");
  EXPECT_EQ(CapabilityName(kLastNamedCapability + 1), "");
}

TEST(CapabilitiesTest, Sets) {
  EXPECT_THAT(CapabilityNames(kChown | kNetAdmin), ElementsAre("CAP_CHOWN", "CAP_NET_ADMIN"));
  EXPECT_EQ(*ParseCapabilities(Names{"chown", "CAP_NET_ADMIN"}), kChown | kNetAdmin);
  EXPECT_THAT(ParseCapabilities(Names{"chown", "nonsense"}).error().message(),
              HasSubstr("\"nonsense\""));
  EXPECT_FALSE(ParseCapabilities(Names{"ALL"}).ok());
}

TEST(CapabilitiesTest, DefaultsAreContainerdsFourteen) {
  EXPECT_THAT(
      CapabilityNames(kDefaultCapabilities),
      ElementsAre("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
                  "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW",
                  "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP"));
}

TEST(CapabilitiesTest, AddAndDrop) {
  const CapabilityMask most = kNamedCapabilities & ~kSysResource;
  const auto change = [&](const Names& add, const Names& drop) {
    return *ChangeCapabilities(kDefaultCapabilities, add, drop, most);
  };
  EXPECT_EQ(change({}, {}), kDefaultCapabilities);
  EXPECT_EQ(change({"NET_ADMIN"}, {"CHOWN"}), (kDefaultCapabilities | kNetAdmin) & ~kChown);
  EXPECT_EQ(change({"all"}, {}), most);
  EXPECT_EQ(change({"ALL"}, {"CHOWN"}), most & ~kChown);
  EXPECT_EQ(change({"CHOWN"}, {"ALL"}), kChown);
  EXPECT_EQ(change({"ALL"}, {"ALL"}), 0u);
  EXPECT_EQ(change({"CHOWN"}, {"CHOWN"}), kDefaultCapabilities & ~kChown);
  // What the giver lacks is not given.
  EXPECT_EQ(change({"SYS_RESOURCE"}, {"ALL"}), 0u);
  EXPECT_FALSE(ChangeCapabilities(0, Names{"X"}, Names{}, most).ok());
  EXPECT_FALSE(ChangeCapabilities(0, Names{}, Names{"X"}, most).ok());
}

TEST(CapabilitiesTest, AContainerInheritsNothing) {
  const CapabilitySets sets = ContainerCapabilities(kChown | kNetAdmin, 0);
  EXPECT_EQ(sets.bounding, kChown | kNetAdmin);
  EXPECT_EQ(sets.permitted, sets.bounding);
  EXPECT_EQ(sets.effective, sets.bounding);
  EXPECT_EQ(sets.inheritable, 0u);
  EXPECT_EQ(sets.ambient, 0u);
  const CapabilitySets ambient = ContainerCapabilities(kChown, kChown | kNetAdmin);
  EXPECT_EQ(ambient.ambient, kChown);
  EXPECT_EQ(ambient.inheritable, kChown);
}

TEST(CapabilitiesTest, OfThisThread) {
  const auto sets = CurrentCapabilities();
  ASSERT_TRUE(sets.ok()) << sets.error().message();
  std::ifstream status("/proc/thread-self/status");
  int seen = 0;
  for (std::string line; std::getline(status, line);) {
    const auto expect = [&](std::string_view key, CapabilityMask mask) {
      if (!line.starts_with(key)) return;
      EXPECT_EQ(std::stoull(line.substr(key.size()), nullptr, 16), mask) << line;
      ++seen;
    };
    expect("CapInh:", sets->inheritable);
    expect("CapPrm:", sets->permitted);
    expect("CapEff:", sets->effective);
    expect("CapBnd:", sets->bounding);
    expect("CapAmb:", sets->ambient);
  }
  EXPECT_EQ(seen, 5);
  EXPECT_GE(*LastCapability(), kLastNamedCapability);
}

}  // namespace
}  // namespace podium::kernel
