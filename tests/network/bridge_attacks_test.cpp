// The network's rows of the list of attacks, played out against a bridge. Test names are the rows.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <cstring>

#include "network/addresses.h"
#include "network/network_world.h"
#include "network/pods.h"

namespace podium::network {
namespace {

using namespace podium::testing;  // NOLINT: the world that the tests play in
using ::testing::HasSubstr;
using ::testing::Not;

using Frame = std::vector<uint8_t>;

void Append(Frame* frame, std::initializer_list<unsigned> bytes) {
  for (const unsigned byte : bytes) frame->push_back(static_cast<uint8_t>(byte));
}
template <class T>
void Append(Frame* frame, const T& bytes) {
  frame->insert(frame->end(), bytes.begin(), bytes.end());
}

std::array<uint8_t, 4> Bytes4(const std::string& text) {
  const uint32_t v4 = *ParseIpv4(text);
  return {static_cast<uint8_t>(v4 >> 24), static_cast<uint8_t>(v4 >> 16),
          static_cast<uint8_t>(v4 >> 8), static_cast<uint8_t>(v4)};
}

Mac MacOf(const std::string& address) {
  const auto v4 = Bytes4(address);
  return {0x0a, 0x58, v4[0], v4[1], v4[2], v4[3]};
}

uint16_t Checksum(std::span<const uint8_t> bytes, uint32_t sum = 0) {
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

Frame Ethernet(const Mac& to, const Mac& from, unsigned type) {
  Frame frame;
  Append(&frame, to);
  Append(&frame, from);
  Append(&frame, {type >> 8, type & 255});
  return frame;
}

// A UDP packet with one byte, to port 9.
Frame UdpFrame(const Mac& to, const Mac& from, const std::string& source,
               const std::string& destination, uint16_t port = 9) {
  Frame frame = Ethernet(to, from, 0x0800);
  const size_t start = frame.size();
  Append(&frame, {0x45, 0, 0, 29, 0, 1, 0, 0, 64, 17, 0, 0});
  Append(&frame, Bytes4(source));
  Append(&frame, Bytes4(destination));
  const uint16_t sum = Checksum(std::span(frame).subspan(start, 20));
  frame[start + 10] = static_cast<uint8_t>(sum >> 8);
  frame[start + 11] = static_cast<uint8_t>(sum);
  Append(&frame, {0x30, 0x39, static_cast<unsigned>(port >> 8), port & 255U, 0, 9, 0, 0, 'x'});
  return frame;
}

Frame ArpAnswer(const Mac& ethernet_source, const Mac& sender, const std::string& address) {
  Frame frame = Ethernet({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ethernet_source, 0x0806);
  Append(&frame, {0, 1, 8, 0, 6, 4, 0, 2});
  Append(&frame, sender);
  Append(&frame, Bytes4(address));
  Append(&frame, {0, 0, 0, 0, 0, 0});
  Append(&frame, Bytes4("10.208.0.1"));
  return frame;
}

// A router advertisement with a lifetime, and a prefix to take addresses from.
Frame RouterAdvertisement(const Mac& from, const Ipv6& source) {
  const Ipv6 all = *ParseIpv6("ff02::1");
  Frame body;
  Append(&body, {134, 0, 0, 0, 64, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0});
  Append(&body, {3, 4, 64, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0});
  Append(&body, *ParseIpv6("2001:db8:bad::"));
  Frame pseudo;
  Append(&pseudo, source);
  Append(&pseudo, all);
  Append(&pseudo, {0, 0, 0, static_cast<unsigned>(body.size()), 0, 0, 0, 58});
  Append(&pseudo, body);
  const uint16_t sum = Checksum(pseudo);
  body[2] = static_cast<uint8_t>(sum >> 8);
  body[3] = static_cast<uint8_t>(sum);
  Frame frame = Ethernet({0x33, 0x33, 0, 0, 0, 1}, from, 0x86dd);
  Append(&frame, {0x60, 0, 0, 0, 0, static_cast<unsigned>(body.size()), 58, 255});
  Append(&frame, source);
  Append(&frame, all);
  Append(&frame, body);
  return frame;
}

const Mac kGateway = MacOf("10.208.0.1");

// Whether one of the packets that reach the pod is from this source.
bool Arrives(Sniffer* sniffer, const std::string& source) {
  for (const auto& packet : sniffer->Packets()) {
    if (packet.source == source) return true;
  }
  return false;
}

TEST(BridgeAttacksTest, RouteLocalnet) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const std::string settings =
        "cd /proc/sys/net/ipv4/conf; grep -l 1 */route_localnet | tr '\\n' ' '";
    const TestPod pod = MakePod(network.get(), "a");
    EXPECT_EQ(Shell(settings), "");
    // On for the bridge alone, and only while a pod has a host port.
    const TestPod open = MakePod(network.get(), "b", {TcpPort(8080, 80)});
    EXPECT_EQ(Shell(settings), "podium0/route_localnet ");
    const EchoServer secret(-1, "127.0.0.1", 9, Transport::kUdp);
    const EchoServer tcp_secret(-1, "127.0.0.1", 9);
    Sniffer answers(pod.ns(), "eth0");
    const auto send = [&] {
      for (const std::string& source : {pod.address(), std::string("127.0.0.1")}) {
        SendFrame(pod.ns(), "eth0", UdpFrame(kGateway, MacOf(pod.address()), source, "127.0.0.1"));
      }
    };
    send();
    EXPECT_FALSE(Arrives(&answers, "127.0.0.1"));
    EXPECT_THAT(Shell("nft list chain bridge podium from_pods"),
                HasSubstr("127.0.0.0/8 counter packets 2"));
    // Each of the two tables alone keeps the pod away.
    Shell("nft flush chain bridge podium from_pods");
    send();
    EXPECT_FALSE(Arrives(&answers, "127.0.0.1"));
    EXPECT_THAT(Shell("nft list chain inet podium guard"),
                HasSubstr("127.0.0.0/8 counter packets 2"));
    // Without either it would come through: the frames are well made.
    Shell("nft flush chain inet podium guard");
    send();
    EXPECT_TRUE(Arrives(&answers, "127.0.0.1"));
    // Rules that somebody has taken away come back.
    Shell("nft flush ruleset");
    EXPECT_TRUE(network->Status().ready);
    send();
    EXPECT_FALSE(Arrives(&answers, "127.0.0.1"));

    // A neighbour's packets are none of the bridge's.
    const std::string mac =
        Shell("ip -o link show uplink | sed 's/.*link.ether \\([0-9a-f:]*\\) .*/\\1/'");
    Mac uplink{};
    for (size_t i = 0; i < uplink.size(); ++i) {
      uplink[i] = static_cast<uint8_t>(std::stoul(mac.substr(3 * i, 2), nullptr, 16));
    }
    Sniffer outside_sees(outside.get(), "uplink");
    SendFrame(outside.get(), "uplink",
              UdpFrame(uplink, MacOf("192.0.2.2"), "192.0.2.2", "127.0.0.1"));
    EXPECT_FALSE(Arrives(&outside_sees, "127.0.0.1"));

    EXPECT_TRUE(network->Teardown("b").ok());
    EXPECT_EQ(Shell(settings), "");
    // Also where somebody has turned it on everywhere, as other software does.
    Shell("sysctl -qw net.ipv4.conf.all.route_localnet=1");
    send();
    EXPECT_FALSE(Arrives(&answers, "127.0.0.1"));
  });
}

TEST(BridgeAttacksTest, SpoofedAddressOrArp) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge(DualStackBridge());
    ASSERT_TRUE(network);
    const TestPod evil = MakePod(network.get(), "evil");
    const TestPod other = MakePod(network.get(), "other");
    const TestPod victim = MakePod(network.get(), "victim");
    const Mac evil_mac = MacOf(evil.address());
    Sniffer victim_sees(victim.ns(), "eth0");
    // Another pod's address, a stranger's, the gateway's, nobody's; from its own and others' MAC.
    for (const std::string& source : {other.address(), std::string("8.8.8.8"),
                                      std::string("10.208.0.1"), std::string("0.0.0.0")}) {
      for (const Mac& mac : {evil_mac, MacOf(other.address()), kGateway}) {
        SendFrame(evil.ns(), "eth0", UdpFrame(kGateway, mac, source, victim.address()));
        // Past the host, straight to the other's port of the bridge.
        SendFrame(evil.ns(), "eth0",
                  UdpFrame(MacOf(victim.address()), mac, source, victim.address()));
      }
    }
    SendFrame(evil.ns(), "eth0",
              UdpFrame(kGateway, MacOf(other.address()), evil.address(), victim.address()));
    // In a VLAN's clothes.
    Frame tagged = UdpFrame(kGateway, evil_mac, other.address(), victim.address());
    const Frame tag = {0x81, 0x00, 0x00, 0x00};
    tagged.insert(tagged.begin() + 12, tag.begin(), tag.end());
    SendFrame(evil.ns(), "eth0", tagged);
    for (const auto& packet : victim_sees.Packets()) {
      EXPECT_NE(packet.protocol, 17) << packet.source;
    }
    // The honest packet arrives: the frames above were well made.
    SendFrame(evil.ns(), "eth0", UdpFrame(kGateway, evil_mac, evil.address(), victim.address()));
    EXPECT_TRUE(Arrives(&victim_sees, evil.address()));

    // ARP: neither the host nor a pod believes it.
    const std::string before = Shell("ip neigh show dev podium0 | sort");
    for (const Mac& ethernet : {evil_mac, MacOf(other.address())}) {
      SendFrame(evil.ns(), "eth0", ArpAnswer(ethernet, evil_mac, other.address()));
      SendFrame(evil.ns(), "eth0", ArpAnswer(ethernet, evil_mac, "10.208.0.1"));
      SendFrame(evil.ns(), "eth0", ArpAnswer(ethernet, MacOf(other.address()), evil.address()));
    }
    EXPECT_EQ(Shell("ip neigh show dev podium0 | sort"), before);
    EXPECT_THAT(
        Shell("bridge fdb show br podium0"),
        HasSubstr(fmt::format("{} dev {} master podium0 static", ToText(MacOf(other.address())),
                              other.network.host_interface)));
    const EchoServer in_other(other.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(victim.ns(), other.address(), 80), victim.address());

    // With the rights to change its own addresses, IPv6 as well.
    ShellIn(evil.ns(), fmt::format("ip addr add {}/32 dev eth0; ip addr add {}/128 dev eth0 nodad",
                                   other.address(), other.network.addresses[1]));
    const EchoServer in_victim(victim.ns(), "::", 80);
    EXPECT_EQ(Ask(evil.ns(), victim.address(), 80, Transport::kTcp, other.address()), "timeout");
    EXPECT_EQ(Ask(evil.ns(), victim.network.addresses[1], 80, Transport::kTcp,
                  other.network.addresses[1]),
              "timeout");
    EXPECT_EQ(
        Ask(evil.ns(), victim.network.addresses[1], 80, Transport::kTcp, evil.network.addresses[1]),
        evil.network.addresses[1]);
  });
}

TEST(BridgeAttacksTest, PodAddressFromOutside) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    const TestPod b = MakePod(network.get(), "b");
    ShellIn(outside.get(),
            "ip route add 10.208.0.0/16 via 192.0.2.1; ip addr add " + b.address() + "/32 dev lo");
    Shell("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.uplink.rp_filter=0");
    Sniffer sniffer(a.ns(), "eth0");
    EXPECT_EQ(Ask(outside.get(), a.address(), 80, Transport::kTcp, b.address()), "timeout");
    EXPECT_FALSE(Arrives(&sniffer, b.address()));
    EXPECT_THAT(Ask(outside.get(), a.address(), 80), HasSubstr("ECONNREFUSED"));
  });
}

TEST(BridgeAttacksTest, RogueIpv6RouterAdvertisement) {
  PODIUM_NEEDS_ROOT();
  for (const BridgeOptions& options : {TestBridge(), DualStackBridge()}) {
    InOwnNamespaces([&] {
      const UniqueFd outside = MakeOutside();
      // A host that takes advertisements everywhere, as desktops do.
      Shell("sysctl -qw net.ipv6.conf.default.accept_ra=2 net.ipv6.conf.all.accept_ra=2");
      const auto network = OpenBridge(options);
      ASSERT_TRUE(network);
      const TestPod evil = MakePod(network.get(), "evil");
      const TestPod other = MakePod(network.get(), "other");
      const Mac mac = MacOf(evil.address());
      const auto pool = AddressPool::Create(*ParseIpv4Range(options.pod_range), {}, 0);
      const Ipv6 source = pool->AddressOf(*ParseIpv4(evil.address()) - pool->v4().first).link_local;
      poll(nullptr, 0, 2000);  // link-local addresses of the devices become usable
      const std::string routes = Shell("ip -6 route");
      const std::string pod_routes = ShellIn(other.ns(), "ip -6 route");
      for (int i = 0; i < 3; ++i) {
        SendFrame(evil.ns(), "eth0", RouterAdvertisement(mac, source));
        SendFrame(evil.ns(), "eth0", RouterAdvertisement(mac, *ParseIpv6("fe80::1")));
      }
      poll(nullptr, 0, 300);
      EXPECT_EQ(Shell("ip -6 route"), routes);
      EXPECT_THAT(Shell("ip -6 addr"), Not(HasSubstr("2001:db8:bad")));
      EXPECT_EQ(ShellIn(other.ns(), "ip -6 route"), pod_routes);
      EXPECT_EQ(Shell("cat /proc/sys/net/ipv6/conf/podium0/accept_ra"), "0\n");
    });
  }
}

TEST(BridgeAttacksTest, TornDownPodsAreCutOff) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod evil = MakePod(network.get(), "evil");
    const TestPod victim = MakePod(network.get(), "victim");
    EXPECT_TRUE(network->Teardown("evil").ok());
    Sniffer sniffer(victim.ns(), "eth0");
    SendFrame(evil.ns(), "eth0",
              UdpFrame(kGateway, MacOf(evil.address()), evil.address(), victim.address()));
    EXPECT_FALSE(Arrives(&sniffer, evil.address()));
  });
}

}  // namespace
}  // namespace podium::network
