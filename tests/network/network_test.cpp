#include "network/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::network {
namespace {

const PodNetwork kNetwork{.interface = "eth0",
                          .mac = "0a:58:0a:d0:00:05",
                          .addresses = {"10.208.0.5", "fd00::5"},
                          .gateways = {"10.208.0.1", "fd00::1"},
                          .host_interface = "veth1",
                          .mtu = 1450};

TEST(PodNetworkTest, RecordsReadBack) {
  EXPECT_EQ(*DecodePodNetwork(EncodePodNetwork(kNetwork)), kNetwork);
  EXPECT_EQ(*DecodePodNetwork(EncodePodNetwork({})), PodNetwork{});
  EXPECT_EQ(EncodePodNetwork(kNetwork).find('\n'), std::string::npos);
}

TEST(PodNetworkTest, DamagedRecordsAreRefused) {
  for (const char* text :
       {"", "[]", "null", "{", R"({"interface":1})", R"({"addresses":"a"})", R"({"gateways":[1]})",
        R"({"mtu":"1"})", R"({"mtu":-1})", R"({"mtu":4294967296})", R"({"mtu":1.5})"}) {
    const auto network = DecodePodNetwork(text);
    ASSERT_FALSE(network.ok()) << text;
    EXPECT_EQ(network.error().code(), Code::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace podium::network
