#include "base/instance.h"

#include <gtest/gtest.h>

#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace podium {
namespace {

using Variables = std::map<std::string, std::string>;

Result<Instance> FromVariables(const Variables& variables) {
  return InstanceFromEnvironment([&](const char* name) -> const char* {
    auto it = variables.find(name);
    return it == variables.end() ? nullptr : it->second.c_str();
  });
}

TEST(InstanceTest, NothingSetGivesTheDefaults) {
  auto instance = FromVariables({});
  ASSERT_TRUE(instance.ok()) << instance.error().message();
  EXPECT_EQ(*instance, Instance());
  EXPECT_EQ(instance->data_dir, "/var/lib/podium");
  EXPECT_EQ(instance->run_dir, "/run/podium");
  EXPECT_EQ(instance->log_dir, "/var/log/pods");
  EXPECT_EQ(instance->config_dir, "/etc/podium");
  EXPECT_EQ(instance->cni_dir, "/etc/cni/net.d");
  EXPECT_EQ(instance->cgroup_root, "podium");
  EXPECT_EQ(instance->bridge, "podium0");
  EXPECT_EQ(instance->nftables_table, "podium");
  EXPECT_EQ(instance->pod_range, "10.208.0.0/16");
}

// std::getenv's form.
const char* OnlyBridge(const char* name) {
  return std::string_view(name) == "PODIUM_BRIDGE" ? "br-test" : nullptr;
}

TEST(InstanceTest, AFunctionLikeGetenvIsALookup) {
  auto instance = InstanceFromEnvironment(OnlyBridge);
  ASSERT_TRUE(instance.ok()) << instance.error().message();
  EXPECT_EQ(instance->bridge, "br-test");
}

TEST(InstanceTest, ANameGivesEveryName) {
  auto instance = FromVariables({{"PODIUM_INSTANCE", "blue"}});
  ASSERT_TRUE(instance.ok()) << instance.error().message();
  EXPECT_EQ(instance->name, "blue");
  EXPECT_EQ(instance->data_dir, "/var/lib/podium-blue");
  EXPECT_EQ(instance->run_dir, "/run/podium-blue");
  EXPECT_EQ(instance->log_dir, "/var/log/pods-blue");
  EXPECT_EQ(instance->config_dir, "/etc/podium-blue");
  EXPECT_EQ(instance->cni_dir, "/etc/podium-blue/cni/net.d");
  EXPECT_EQ(instance->cgroup_root, "podium-blue");
  EXPECT_EQ(instance->bridge, "pd-blue");
  EXPECT_EQ(instance->nftables_table, "podium-blue");
  // Kept from release to release: a running cluster's addresses hang on it.
  EXPECT_EQ(instance->pod_range, "10.214.0.0/16");
}

TEST(InstanceTest, TheNameOfTheDefaultsIsPodium) {
  EXPECT_EQ(*NamedInstance("podium"), Instance());
}

TEST(InstanceTest, VariablesWinOverTheName) {
  auto instance = FromVariables({{"PODIUM_INSTANCE", "blue"},
                                 {"PODIUM_DATA_DIR", "/srv/blue"},
                                 {"PODIUM_RUN_DIR", "/run/b"},
                                 {"PODIUM_LOG_DIR", "/srv/logs"},
                                 {"PODIUM_CONFIG_DIR", "/etc/blue"},
                                 {"PODIUM_CNI_DIR", "/etc/cni/blue.d"},
                                 {"PODIUM_CGROUP_ROOT", "machine.slice/blue"},
                                 {"PODIUM_BRIDGE", "br0"},
                                 {"PODIUM_NFTABLES_TABLE", "blue"},
                                 {"PODIUM_POD_RANGE", "10.7.0.0/20"},
                                 {"PODIUM_POD_RANGE6", "fd07::/64"}});
  ASSERT_TRUE(instance.ok()) << instance.error().message();
  Instance expected{.name = "blue",
                    .data_dir = "/srv/blue",
                    .run_dir = "/run/b",
                    .log_dir = "/srv/logs",
                    .config_dir = "/etc/blue",
                    .cni_dir = "/etc/cni/blue.d",
                    .cgroup_root = "machine.slice/blue",
                    .bridge = "br0",
                    .nftables_table = "blue",
                    .pod_range = "10.7.0.0/20",
                    .pod_range6 = "fd07::/64"};
  EXPECT_EQ(*instance, expected);
}

TEST(InstanceTest, EmptyVariablesAreNotSet) {
  auto instance = FromVariables({{"PODIUM_INSTANCE", ""}, {"PODIUM_BRIDGE", ""}});
  ASSERT_TRUE(instance.ok());
  EXPECT_EQ(*instance, Instance());
}

TEST(InstanceTest, EverySettingHasItsVariableAndOption) {
  std::set<std::string> seen;
  for (const InstanceSetting& setting : InstanceSettings()) {
    std::string from_option = "PODIUM_";
    for (char c : std::string(setting.option)) {
      from_option += c == '-' ? '_' : static_cast<char>(std::toupper(c));
    }
    EXPECT_EQ(from_option, setting.variable);
    EXPECT_STRNE(setting.help, "");
    EXPECT_TRUE(seen.insert(setting.variable).second);
  }
  EXPECT_EQ(seen.size(), 10u);
}

TEST(InstanceTest, LongNamesGiveBridgesThatFitAndDiffer) {
  std::set<std::string> bridges;
  for (std::string name : {"twelve-chars", "thirteen-char", "a-name-that-is-quite-long-indeed",
                           "a-name-that-is-quite-long-too"}) {
    auto instance = NamedInstance(name);
    ASSERT_TRUE(instance.ok()) << name;
    EXPECT_LE(instance->bridge.size(), 15u);
    EXPECT_TRUE(bridges.insert(instance->bridge).second) << instance->bridge;
    EXPECT_TRUE(CheckInstance(*instance).ok());
  }
  EXPECT_EQ(NamedInstance("twelve-chars")->bridge, "pd-twelve-chars");
}

TEST(InstanceTest, RangesOfNamesAvoidWhatOthersTake) {
  std::set<std::string> ranges;
  for (int i = 0; i < 2000; ++i) {
    auto instance = NamedInstance("i" + std::to_string(i));
    ASSERT_TRUE(CheckInstance(*instance).ok()) << instance->pod_range;
    ranges.insert(instance->pod_range);
  }
  EXPECT_EQ(ranges.size(), 60u);
  for (const char* taken : {"10.208.0.0/16", "10.233.0.0/16", "10.244.0.0/16", "10.255.0.0/16"}) {
    EXPECT_FALSE(ranges.contains(taken)) << taken;
  }
  EXPECT_TRUE(ranges.contains("10.192.0.0/16"));
  EXPECT_TRUE(ranges.contains("10.254.0.0/16"));
}

struct BadValue {
  const char* variable;
  std::string value;
  const char* problem;
};

TEST(InstanceTest, BadValuesAreRefusedByName) {
  const BadValue cases[] = {
      {"PODIUM_INSTANCE", "Blue", "is not of lower-case letters, digits and inner dashes"},
      {"PODIUM_INSTANCE", "-blue", "is not of lower-case letters, digits and inner dashes"},
      {"PODIUM_INSTANCE", "blue-", "is not of lower-case letters, digits and inner dashes"},
      {"PODIUM_INSTANCE", "a/b", "is not of lower-case letters, digits and inner dashes"},
      {"PODIUM_INSTANCE", std::string(33, 'a'), "has more than 32 characters"},
      {"PODIUM_DATA_DIR", "var/lib", "is not an absolute path"},
      {"PODIUM_DATA_DIR", "/", "has an empty component"},
      {"PODIUM_DATA_DIR", "/var//lib", "has an empty component"},
      {"PODIUM_DATA_DIR", "/var/lib/", "has an empty component"},
      {"PODIUM_DATA_DIR", "/var/../lib", "is not normal: it has . or .."},
      {"PODIUM_DATA_DIR", "/var/./lib", "is not normal: it has . or .."},
      {"PODIUM_DATA_DIR", "/var/a:b", "has characters other than letters, digits, and _ - . /"},
      {"PODIUM_DATA_DIR", "/var/a b", "has characters other than letters, digits, and _ - . /"},
      {"PODIUM_DATA_DIR", "/" + std::string(255, 'a'), "has more than 255 characters"},
      {"PODIUM_RUN_DIR", "/" + std::string(48, 'a'),
       "has more than 48 characters: sockets below would not fit"},
      {"PODIUM_RUN_DIR", "/var/lib/podium", "is also the data folder"},
      {"PODIUM_LOG_DIR", "/var/lib/podium", "is also the data or the run folder"},
      {"PODIUM_LOG_DIR", "/run/podium", "is also the data or the run folder"},
      {"PODIUM_CONFIG_DIR", "etc", "is not an absolute path"},
      {"PODIUM_CNI_DIR", "net.d", "is not an absolute path"},
      {"PODIUM_CGROUP_ROOT", "/podium", "is absolute; it is a path below the cgroup file system"},
      {"PODIUM_CGROUP_ROOT", "a/../b", "is not normal: it has . or .."},
      {"PODIUM_CGROUP_ROOT", "a/", "has an empty component"},
      {"PODIUM_CGROUP_ROOT", "cgroup.procs", "has a component that starts with cgroup."},
      {"PODIUM_CGROUP_ROOT", "a/cgroup.x", "has a component that starts with cgroup."},
      {"PODIUM_CGROUP_ROOT", std::string(256, 'a'), "has more than 255 characters"},
      {"PODIUM_BRIDGE", "sixteen-letters0", "has more than 15 characters"},
      {"PODIUM_BRIDGE", "..", "is no name"},
      {"PODIUM_BRIDGE", "br%d", "has characters other than letters, digits, _ - ."},
      {"PODIUM_NFTABLES_TABLE", "0day", "starts with a digit or a dash"},
      {"PODIUM_NFTABLES_TABLE", "a b", "has characters other than letters, digits, _ - ."},
      {"PODIUM_NFTABLES_TABLE", std::string(256, 'a'), "has more than 255 characters"},
      {"PODIUM_POD_RANGE", "10.208.0.0", "is not an IPv4 range like 10.208.0.0/16"},
      {"PODIUM_POD_RANGE", "10.208.0/16", "is not an IPv4 range like 10.208.0.0/16"},
      {"PODIUM_POD_RANGE", "fd00::/64", "is not an IPv4 range like 10.208.0.0/16"},
      {"PODIUM_POD_RANGE", "10.208.0.0/", "is not an IPv4 range like 10.208.0.0/16"},
      {"PODIUM_POD_RANGE", "10.208.0.0/16x", "is not an IPv4 range like 10.208.0.0/16"},
      {"PODIUM_POD_RANGE", "10.208.0.0/016", "is not an IPv4 range like 10.208.0.0/16"},
      {"PODIUM_POD_RANGE", "10.0.0.0/7", "has a prefix length outside of 8 to 28"},
      {"PODIUM_POD_RANGE", "10.0.0.0/29", "has a prefix length outside of 8 to 28"},
      {"PODIUM_POD_RANGE", "10.208.1.0/16", "has bits set after its prefix"},
      {"PODIUM_POD_RANGE", "127.0.0.0/16", "is not of addresses for hosts"},
      {"PODIUM_POD_RANGE", "169.254.0.0/16", "is not of addresses for hosts"},
      {"PODIUM_POD_RANGE", "224.0.0.0/8", "is not of addresses for hosts"},
      {"PODIUM_POD_RANGE", "0.0.0.0/8", "is not of addresses for hosts"},
      {"PODIUM_POD_RANGE6", "fd00::", "is not an IPv6 range like fd00:10:208::/64"},
      {"PODIUM_POD_RANGE6", "10.208.0.0/16", "is not an IPv6 range like fd00:10:208::/64"},
      {"PODIUM_POD_RANGE6", "fd00::/", "is not an IPv6 range like fd00:10:208::/64"},
      {"PODIUM_POD_RANGE6", "fd00::/064", "is not an IPv6 range like fd00:10:208::/64"},
      {"PODIUM_POD_RANGE6", "fd00::/105", "has a prefix length outside of 16 to 104"},
      {"PODIUM_POD_RANGE6", "fd00::/8", "has a prefix length outside of 16 to 104"},
      {"PODIUM_POD_RANGE6", "fd00::1/64", "has bits set after its prefix"},
      {"PODIUM_POD_RANGE6", "fe80::/64", "is not of addresses for hosts"},
      {"PODIUM_POD_RANGE6", "ff02::/64", "is not of addresses for hosts"},
      {"PODIUM_POD_RANGE6", "::/64", "is not of addresses for hosts"},
  };
  for (const BadValue& bad : cases) {
    auto instance = FromVariables({{bad.variable, bad.value}});
    ASSERT_FALSE(instance.ok()) << bad.variable << "=" << bad.value;
    EXPECT_EQ(instance.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(instance.error().message(),
              std::string(bad.variable) + ": \"" + bad.value + "\" " + bad.problem);
  }
}

TEST(InstanceTest, TheWidestAndNarrowestValuesAreAccepted) {
  const Variables cases[] = {
      {{"PODIUM_INSTANCE", std::string(32, 'a')}},
      {{"PODIUM_INSTANCE", "7"}},
      {{"PODIUM_RUN_DIR", "/" + std::string(47, 'a')}},
      {{"PODIUM_BRIDGE", "fifteen-letters"}},
      {{"PODIUM_POD_RANGE", "10.0.0.0/8"}},
      {{"PODIUM_POD_RANGE", "192.168.7.16/28"}},
  };
  for (const Variables& variables : cases) {
    auto instance = FromVariables(variables);
    EXPECT_TRUE(instance.ok()) << instance.error().message();
  }
}

TEST(InstanceTest, AnEmptyNameSetInCodeIsRefused) {
  Instance instance;
  instance.bridge = "";
  EXPECT_EQ(CheckInstance(instance).error().message(), "PODIUM_BRIDGE: \"\" is empty");
  instance = Instance();
  instance.nftables_table = "";
  EXPECT_EQ(CheckInstance(instance).error().message(), "PODIUM_NFTABLES_TABLE: \"\" is empty");
  EXPECT_EQ(NamedInstance("").error().message(), "PODIUM_INSTANCE: \"\" is empty");
}

}  // namespace
}  // namespace podium
