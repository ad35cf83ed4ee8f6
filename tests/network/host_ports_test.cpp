#include "network/host_ports.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "network/network_world.h"
#include "network/pods.h"

namespace podium::network {
namespace {

using namespace podium::testing;  // NOLINT: the world that the tests play in
using ::testing::HasSubstr;

PortMapping UdpPort(uint16_t host, uint16_t container) {
  return {
      .protocol = Protocol::kUdp, .container_port = container, .host_port = host, .host_ip = {}};
}

TEST(HostPortsTest, Collisions) {
  EXPECT_TRUE(Collide(TcpPort(80, 1), TcpPort(80, 2)));
  EXPECT_FALSE(Collide(TcpPort(80, 1), TcpPort(81, 1)));
  EXPECT_FALSE(Collide(TcpPort(80, 1), UdpPort(80, 1)));
  EXPECT_TRUE(Collide(TcpPort(80, 1, "192.0.2.1"), TcpPort(80, 1)));
  EXPECT_TRUE(Collide(TcpPort(80, 1, "192.0.2.1"), TcpPort(80, 1, "0.0.0.0")));
  EXPECT_TRUE(Collide(TcpPort(80, 1, "192.0.2.1"), TcpPort(80, 1, "192.0.2.1")));
  EXPECT_FALSE(Collide(TcpPort(80, 1, "192.0.2.1"), TcpPort(80, 1, "192.0.2.2")));
}

TEST(HostPortsTest, WhatCannotBeAskedFor) {
  const auto code = [](const PortMapping& port) {
    const auto effective = EffectivePorts({&port, 1});
    return effective.ok() ? Code::kInternal : effective.error().code();
  };
  EXPECT_EQ(code(TcpPort(80, 0)), Code::kInvalidArgument);
  EXPECT_EQ(code(TcpPort(80, 80, "localhost")), Code::kInvalidArgument);
  EXPECT_EQ(code(TcpPort(80, 80, "127.0.0.53")), Code::kUnsupported);
  EXPECT_EQ(code(TcpPort(80, 80, "::1")), Code::kUnsupported);
  const std::vector<PortMapping> twice = {TcpPort(80, 1), TcpPort(80, 2)};
  EXPECT_THAT(EffectivePorts(twice).error().message(), HasSubstr("80/tcp is mapped twice"));
  const std::vector<PortMapping> fine = {TcpPort(0, 1), TcpPort(80, 2), UdpPort(80, 2)};
  EXPECT_EQ(EffectivePorts(fine)->size(), 2U);
}

TEST(HostPortsTest, ReachedFromEverywhere) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto network = OpenBridge(DualStackBridge());
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a", {TcpPort(8080, 80), UdpPort(5353, 53)});
    const TestPod b = MakePod(network.get(), "b");
    const EchoServer tcp(a.ns(), "::", 80);
    const EchoServer udp(a.ns(), "0.0.0.0", 53, Transport::kUdp);
    const std::string mapped = "::ffff:";
    // From outside and from other pods, with their own address.
    EXPECT_EQ(Ask(outside.get(), kHostAddress, 8080), mapped + kOutsideAddress);
    EXPECT_EQ(Ask(outside.get(), kHostAddress6, 8080), kOutsideAddress6);
    EXPECT_EQ(Ask(outside.get(), kHostAddress, 5353, Transport::kUdp), kOutsideAddress);
    EXPECT_EQ(Ask(b.ns(), kHostAddress, 8080), mapped + b.address());
    EXPECT_EQ(Ask(b.ns(), kHostAddress, 5353, Transport::kUdp), b.address());
    // From the host itself, by each of its addresses.
    EXPECT_EQ(Ask(-1, kHostAddress, 8080), mapped + kHostAddress);
    EXPECT_EQ(Ask(-1, "10.208.0.1", 8080), mapped + "10.208.0.1");
    EXPECT_EQ(Ask(-1, kHostAddress, 5353, Transport::kUdp), kHostAddress);
    EXPECT_EQ(Ask(-1, kHostAddress6, 8080), kHostAddress6);
    // From the pod itself, by way of the host.
    EXPECT_EQ(Ask(a.ns(), kHostAddress, 8080), mapped + "10.208.0.1");
    EXPECT_EQ(Ask(a.ns(), kHostAddress, 5353, Transport::kUdp), "10.208.0.1");
    // And by its 127.0.0.1, as the bridge's address. Other addresses of loopback do not lead to
    // the pod: said at once, no packet is lost.
    EXPECT_EQ(Ask(-1, "127.0.0.1", 8080), mapped + "10.208.0.1");
    EXPECT_EQ(Ask(-1, "127.0.0.1", 5353, Transport::kUdp), "10.208.0.1");
    EXPECT_THAT(Ask(-1, "127.0.0.2", 8080), HasSubstr("ECONNREFUSED"));
    EXPECT_THAT(Ask(-1, "::1", 8080), HasSubstr("ECONNREFUSED"));
    // A pod's own 127.0.0.1 is its own.
    EXPECT_THAT(Ask(b.ns(), "127.0.0.1", 8080), HasSubstr("ECONNREFUSED"));
    // Gone with the pod.
    EXPECT_TRUE(network->Teardown("a").ok());
    EXPECT_THAT(Ask(outside.get(), kHostAddress, 8080), HasSubstr("ECONNREFUSED"));
    EXPECT_THAT(Ask(-1, "127.0.0.1", 8080), HasSubstr("ECONNREFUSED"));
  });
}

TEST(HostPortsTest, OneAddressOfTheHost) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    Shell("ip addr add 192.0.2.7/24 dev uplink");
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a", {TcpPort(8080, 80, "192.0.2.7")});
    const TestPod b = MakePod(network.get(), "b", {TcpPort(8080, 80, kHostAddress)});
    const EchoServer in_a(a.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(outside.get(), "192.0.2.7", 8080), kOutsideAddress);
    EXPECT_THAT(Ask(outside.get(), kHostAddress, 8080), HasSubstr("ECONNREFUSED"));
    const EchoServer in_b(b.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(outside.get(), kHostAddress, 8080), kOutsideAddress);
  });
}

TEST(HostPortsTest, OnlyTheHostsOwnLoopback) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a", {TcpPort(8080, 80, "127.0.0.1")});
    const EchoServer in_a(a.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(-1, "127.0.0.1", 8080), "10.208.0.1");
    EXPECT_THAT(Ask(-1, kHostAddress, 8080), HasSubstr("ECONNREFUSED"));
    EXPECT_THAT(Ask(outside.get(), kHostAddress, 8080), HasSubstr("ECONNREFUSED"));
  });
}

// A client that goes on from one port of its own, as a resolver or a log shipper does.
class Datagrams {
 public:
  explicit Datagrams(int netns) {
    // A socket stays where it was made.
    std::thread([&] {
      if (netns >= 0 && setns(netns, CLONE_NEWNET) != 0) return;
      fd_ = UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    }).join();
  }
  // The answer within half a second; empty when none comes.
  std::string Ask(const std::string& address, uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &to.sin_addr);
    sendto(fd_.get(), "?", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    pollfd wait{fd_.get(), POLLIN, 0};
    std::array<char, 128> answer{};
    if (poll(&wait, 1, 500) <= 0) return {};
    const ssize_t size = recv(fd_.get(), answer.data(), answer.size(), 0);
    return size > 0 ? std::string(answer.data(), static_cast<size_t>(size)) : std::string();
  }

 private:
  UniqueFd fd_;
};

TEST(HostPortsTest, DatagramsFollowThePort) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    // Flows are remembered from here on, and this one ends at the host.
    Datagrams near(-1);
    Datagrams far(outside.get());
    Datagrams other(outside.get());
    const EchoServer of_host(-1, kHostAddress, 5354, Transport::kUdp);
    EXPECT_EQ(near.Ask("127.0.0.1", 5353), "");
    EXPECT_EQ(far.Ask(kHostAddress, 5353), "");
    EXPECT_EQ(other.Ask(kHostAddress, 5354), kOutsideAddress);
    for (const std::string name : {"a", "b"}) {
      const TestPod pod = MakePod(network.get(), name, {UdpPort(5353, 53)});
      const EchoServer in_pod(pod.ns(), "0.0.0.0", 53, Transport::kUdp);
      EXPECT_EQ(far.Ask(kHostAddress, 5353), kOutsideAddress) << name;
      EXPECT_EQ(near.Ask("127.0.0.1", 5353), "10.208.0.1") << name;
      EXPECT_TRUE(network->Teardown(name).ok());
      EXPECT_EQ(far.Ask(kHostAddress, 5353), "") << name;
    }
    EXPECT_EQ(other.Ask(kHostAddress, 5354), kOutsideAddress);
  });
}

TEST(HostPortsTest, Sctp) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(
        network.get(), "a",
        {{.protocol = Protocol::kSctp, .container_port = 9, .host_port = 36412, .host_ip = {}}});
    EXPECT_THAT(Shell("nft list map inet podium ports"), HasSubstr("sctp . 36412"));
  });
}

TEST(HostPortsTest, HoldersAreNamed) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a", {TcpPort(8080, 80)});
    const UniqueFd netns = NewNetns();
    const auto refused = [&](std::vector<PortMapping> ports) -> std::string {
      PodNetworkRequest request = RequestFor("b", netns.get());
      request.ports = std::move(ports);
      const auto made = network->Setup(request);
      if (made.ok()) {
        EXPECT_TRUE(network->Teardown("b").ok());
        ShellIn(netns.get(), "ip link del eth0");
        return "";
      }
      EXPECT_EQ(made.error().code(), Code::kAlreadyExists);
      return made.error().message();
    };
    Shell("ip link set lo up");
    EXPECT_EQ(refused({TcpPort(8080, 81)}), "hostPort 8080/tcp is taken by pod default/a");
    EXPECT_EQ(refused({UdpPort(8080, 81)}), "");
    const std::string me = fmt::format("(pid {}), which listens on", getpid());
    const EchoServer tcp(-1, "0.0.0.0", 9090);
    EXPECT_THAT(refused({TcpPort(9090, 81)}), HasSubstr("9090/tcp is taken by network_test " + me));
    EXPECT_EQ(refused({UdpPort(9090, 81)}), "");
    const EchoServer udp(-1, "0.0.0.0", 9091, Transport::kUdp);
    EXPECT_THAT(refused({UdpPort(9091, 81)}), HasSubstr("9091/udp is taken by network_test " + me));
    const EchoServer six(-1, "::", 9092);
    EXPECT_THAT(refused({TcpPort(9092, 81)}), HasSubstr("which listens on [::]:9092"));
    const EchoServer local(-1, "127.0.0.1", 9093);
    EXPECT_THAT(refused({TcpPort(9093, 81)}), HasSubstr("which listens on 127.0.0.1:9093"));
    EXPECT_EQ(refused({TcpPort(9093, 81, "10.208.0.1")}), "");
    // Not led on, so not in the way: a resolver of the host's own, say.
    const EchoServer resolver(-1, "127.0.0.53", 9094);
    EXPECT_EQ(refused({TcpPort(9094, 81)}), "");
  });
}

}  // namespace
}  // namespace podium::network
