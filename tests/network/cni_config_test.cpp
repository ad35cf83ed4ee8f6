#include "network/cni_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "network/cni_result.h"

namespace podium::network {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CniConfigTest : public ::testing::Test {
 protected:
  CniConfigTest() { fs::create_directories(folder_); }
  ~CniConfigTest() override { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  Result<std::optional<CniConfig>> Load() const { return LoadCniConfig(folder_.string()); }
  const fs::path folder_ = fs::temp_directory_path() / fmt::format("podium_cni_{}", getpid());
};

TEST_F(CniConfigTest, TheFirstByNameOfTheEndings) {
  EXPECT_FALSE(LoadCniConfig("/nowhere/at/all")->has_value());
  Write("05.txt", "x");
  Write("05.conflist.bak", "x");
  fs::create_directories(folder_ / "04.conflist");
  EXPECT_FALSE(Load()->has_value());
  Write("20.conf",
        R"({"cniVersion":"0.4.0","name":"single","type":"ptp","capabilities":{"ips":true}})");
  ASSERT_TRUE(Load().ok()) << Load().error().message();
  const CniConfig single = **Load();
  EXPECT_EQ(single.name, "single");
  EXPECT_EQ(single.version, "0.4.0");
  ASSERT_EQ(single.plugins.size(), 1U);
  EXPECT_EQ(single.plugins[0].type, "ptp");
  EXPECT_THAT(single.plugins[0].capabilities, ElementsAre("ips"));
  Write("10.conflist",
        R"({"cniVersion":"1.0.0","name":"list","plugins":[{"type":"a"},{"type":"b"}]})");
  EXPECT_EQ((*Load())->name, "list");
  EXPECT_EQ((*Load())->plugins.size(), 2U);
  Write("01.json", "{");
  EXPECT_THAT(Load().error().message(), HasSubstr("01.json"));
}

TEST_F(CniConfigTest, PluginsOfTheFolderBeside) {
  Write("10.conflist", R"({"cniVersion":"1.1.0","name":"net","plugins":[{"type":"a"}]})");
  Write("net/20-c.conf", R"({"type":"c"})");
  Write("net/10-b.conf", R"({"type":"b"})");
  const auto config = Load();
  ASSERT_TRUE(config.ok());
  ASSERT_EQ((*config)->plugins.size(), 3U);
  EXPECT_EQ((*config)->plugins[1].type, "b");
  // What is kept of it is the whole.
  EXPECT_EQ(ParseCniConfig((*config)->text)->plugins.size(), 3U);
  Write(
      "10.conflist",
      R"({"cniVersion":"1.1.0","name":"net","loadOnlyInlinedPlugins":true,"plugins":[{"type":"a"}]})");
  EXPECT_EQ((*Load())->plugins.size(), 1U);
}

TEST_F(CniConfigTest, Versions) {
  const auto version = [](const std::string& fields) {
    const auto config = ParseCniConfig("{" + fields + R"("name":"n","plugins":[{"type":"a"}]})");
    return config.ok() ? config->version : config.error().message();
  };
  EXPECT_EQ(version(""), "0.1.0");
  EXPECT_EQ(version(R"("cniVersion":"0.3.1",)"), "0.3.1");
  EXPECT_EQ(version(R"("cniVersion":"0.4.0","cniVersions":["0.4.0","1.0.0","7.0.0"],)"), "1.0.0");
  EXPECT_EQ(version(R"("cniVersion":"9.0.0","cniVersions":["1.1.0"],)"), "1.1.0");
  EXPECT_THAT(version(R"("cniVersion":"9.0.0",)"), HasSubstr("'9.0.0' is not known"));
  EXPECT_TRUE(CniAtLeast("1.0.0", "0.4.0"));
  EXPECT_TRUE(CniAtLeast("0.4.0", "0.4.0"));
  EXPECT_FALSE(CniAtLeast("0.3.1", "0.4.0"));
}

TEST_F(CniConfigTest, WhatIsNoNetwork) {
  for (const char* text :
       {"", "[]", R"({"plugins":[{"type":"a"}]})", R"({"name":"n","plugins":[]})",
        R"({"name":"n"})", R"({"name":"n","plugins":[{}]})", R"({"name":"n","plugins":[1]})",
        R"({"name":"n","plugins":[{"type":"../a"}]})", R"({"name":"n","plugins":[{"type":".."}]})",
        R"({"name":"../n","plugins":[{"type":"a"}]})",
        R"({"name":"n","plugins":[{"type":"a","capabilities":7}]})"}) {
    EXPECT_FALSE(ParseCniConfig(text).ok()) << text;
  }
}

TEST(CniResultTest, OfEachVersion) {
  const auto old = ReadCniResult(
      R"({"ip6":{"ip":"fd00::5/64"},"ip4":{"ip":"10.0.0.5/24","gateway":"10.0.0.1"}})", "eth0");
  ASSERT_TRUE(old.ok());
  EXPECT_THAT(old->addresses, ElementsAre("10.0.0.5", "fd00::5"));
  EXPECT_THAT(old->gateways, ElementsAre("10.0.0.1", ""));
  const auto of_04 =
      ReadCniResult(R"({"cniVersion":"0.4.0","interfaces":[{"name":"cni0"},{"name":"veth1"},)"
                    R"({"name":"eth0","mac":"00:11:22:33:44:55","sandbox":"/x"}],"ips":[)"
                    R"({"version":"6","interface":2,"address":"fd00::6/64","gateway":"fd00::1"},)"
                    R"({"version":"4","interface":2,"address":"10.0.0.6/24","gateway":"10.0.0.1"},)"
                    R"({"version":"4","interface":0,"address":"10.9.9.9/24"}],"dns":{}})",
                    "eth0");
  ASSERT_TRUE(of_04.ok()) << of_04.error().message();
  // IPv4 first; the bridge's own address is not the pod's.
  EXPECT_THAT(of_04->addresses, ElementsAre("10.0.0.6", "fd00::6"));
  EXPECT_THAT(of_04->gateways, ElementsAre("10.0.0.1", "fd00::1"));
  EXPECT_EQ(of_04->mac, "00:11:22:33:44:55");
  EXPECT_EQ(of_04->host_interface, "veth1");
  const auto of_11 = ReadCniResult(
      R"({"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/x","mtu":1450,"new":1}],)"
      R"("ips":[{"address":"10.0.0.7/32"}]})",
      "eth0");
  EXPECT_EQ(of_11->mtu, 1450U);
  EXPECT_THAT(of_11->addresses, ElementsAre("10.0.0.7"));
}

TEST(CniResultTest, WhatIsNoResult) {
  for (
      const char* text :
      {"", "7", "{}", R"({"ips":[]})", R"({"ips":[{"address":"x"}]})", R"({"ips":7})",
       R"({"interfaces":[{"name":"net1","sandbox":"x"}],"ips":[{"interface":0,"address":"10.0.0.1/8"}]})",
       R"({"ips":[{"interface":-1,"address":"10.0.0.1/8"}]})",
       R"({"ips":[{"interface":9,"address":"10.0.0.1/8"}]})"}) {
    EXPECT_FALSE(ReadCniResult(text, "eth0").ok()) << text;
  }
}

}  // namespace
}  // namespace podium::network
