#include "network/forward_chains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "network/network_world.h"
#include "network/pods.h"

namespace podium::network {
namespace {

using namespace podium::testing;  // NOLINT: the world that the tests play in
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// As Docker leaves a machine. br_netfilter's default is to show bridged packets to iptables.
void DropForwarded(const std::string& iptables) {
  Shell(iptables + " -P FORWARD DROP");
  Shell(iptables + " -N DOCKER-USER; " + iptables + " -A FORWARD -j DOCKER-USER");
}

void ExpectAllReachable(Network* network, int outside) {
  const TestPod a = MakePod(network, "a", {TcpPort(8080, 80)});
  const TestPod b = MakePod(network, "b");
  const EchoServer in_a(a.ns(), "0.0.0.0", 80);
  const EchoServer beyond(outside, "0.0.0.0", 80);
  EXPECT_EQ(Ask(b.ns(), a.address(), 80), b.address());
  EXPECT_EQ(Ask(outside, kHostAddress, 8080), kOutsideAddress);
  EXPECT_EQ(Ask(a.ns(), kHostAddress, 8080), "10.208.0.1");
  EXPECT_EQ(Ask(b.ns(), kOutsideAddress, 80), kHostAddress);
}

TEST(ForwardChainsTest, PolicyDropOfIptables) {
  PODIUM_NEEDS_ROOT();
  for (const char* bridged : {"0", "1"}) {
    InOwnNamespaces([&] {
      const UniqueFd outside = MakeOutside();
      const std::string setting = "/proc/sys/net/bridge/bridge-nf-call-iptables";
      if (std::filesystem::exists(setting)) {
        Shell("echo " + std::string(bridged) + " > " + setting);
      }
      DropForwarded("iptables-nft");
      const auto network = OpenBridge();
      ASSERT_TRUE(network);
      ExpectAllReachable(network.get(), outside.get());
      // iptables still understands its table.
      const std::string rules = Shell("iptables-nft -S FORWARD");
      EXPECT_THAT(rules, HasSubstr("-A FORWARD -i podium0"));
      EXPECT_THAT(rules, HasSubstr("-A FORWARD -o podium0"));
    });
  }
}

TEST(ForwardChainsTest, OnceAndBackAgain) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    EXPECT_THAT(*AcceptForwarded("podium0"), IsEmpty());
    EXPECT_THAT(Shell("nft list ruleset"), IsEmpty());
    DropForwarded("iptables-nft");
    const std::string before = Shell("iptables-nft -S");
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(AcceptForwarded("podium0").ok());
    EXPECT_TRUE(AcceptForwarded("pd-blue").ok());
    EXPECT_EQ(Shell("iptables-nft -S | grep -c podium0"), "2\n");
    // One of the two lost: both are made anew.
    Shell("iptables-nft -D FORWARD 1");
    EXPECT_TRUE(AcceptForwarded("pd-blue").ok());
    EXPECT_EQ(Shell("iptables-nft -S | grep -c pd-blue"), "2\n");
    EXPECT_TRUE(ForgetForwarded("podium0").ok());
    EXPECT_THAT(Shell("iptables-nft -S"), Not(HasSubstr("podium0")));
    EXPECT_TRUE(ForgetForwarded("pd-blue").ok());
    EXPECT_EQ(Shell("iptables-nft -S"), before);
  });
}

TEST(ForwardChainsTest, OtherFirewallsAreNamed) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    Shell(
        "nft add table inet wall; "
        "nft 'add chain inet wall walk { type filter hook forward priority 0; policy drop; }'; "
        "nft 'add chain inet wall in { type filter hook input priority 0; policy drop; }'; "
        "nft add table ip open; "
        "nft 'add chain ip open walk { type filter hook forward priority 0; policy accept; }'");
    const auto warnings = AcceptForwarded("podium0");
    ASSERT_TRUE(warnings.ok());
    EXPECT_THAT(*warnings, ElementsAre(HasSubstr("nftables chain wall walk has the policy drop")));
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const NetworkStatus status = network->Status();
    EXPECT_TRUE(status.ready);
    EXPECT_THAT(status.warnings, ElementsAre(HasSubstr("wall")));
  });
}

TEST(ForwardChainsTest, LegacyIptables) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    EXPECT_THAT(*AcceptForwarded("podium0"), IsEmpty());
    Shell("iptables-legacy -P FORWARD ACCEPT; iptables-legacy -A FORWARD -j ACCEPT");
    EXPECT_THAT(*AcceptForwarded("podium0"), IsEmpty());
    Shell("iptables-legacy -P FORWARD DROP");
    EXPECT_THAT(*AcceptForwarded("podium0"),
                ElementsAre(HasSubstr("iptables-legacy -I FORWARD -i podium0 -j ACCEPT")));
  });
}

}  // namespace
}  // namespace podium::network
