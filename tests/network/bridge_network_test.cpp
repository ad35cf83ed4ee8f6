#include "network/bridge_network.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "network/network_world.h"
#include "network/pods.h"

namespace podium::network {
namespace {

using namespace podium::testing;  // NOLINT: the world that the tests play in
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// What an administrator would find of podium in this namespace.
std::string Traces() {
  return Shell(
      "nft list ruleset; ip -br link | cut -d' ' -f1 | cut -d@ -f1; ip route; ip -6 route; ip "
      "neigh");
}

// Namespaces end some time after their last descriptor.
int DevicesLeft(const std::string& prefix) {
  int left = 0;
  for (int i = 0; i < 100; ++i) {
    left = std::stoi(Shell("ip -br link | grep -c '^" + prefix + "' || true"));
    if (left == 0) break;
    poll(nullptr, 0, 50);
  }
  return left;
}

TEST(BridgeNetworkTest, PodsReachEachOtherAndTheHost) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto network = OpenBridge(DualStackBridge());
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    const TestPod b = MakePod(network.get(), "b");
    ASSERT_EQ(a.network.addresses.size(), 2U);
    EXPECT_EQ(a.network.interface, "eth0");
    EXPECT_EQ(a.network.mtu, 1500U);
    const std::string& a6 = a.network.addresses[1];
    const std::string& b6 = b.network.addresses[1];
    const EchoServer in_b(b.ns(), "0.0.0.0", 80);
    const EchoServer in_b6(b.ns(), "::", 81);
    const EchoServer here(-1, "0.0.0.0", 90);
    // Source addresses are kept.
    EXPECT_EQ(Ask(a.ns(), b.address(), 80), a.address());
    EXPECT_EQ(Ask(a.ns(), b6, 81), a6);
    // A pod reaches itself by its address, and by localhost.
    EXPECT_EQ(Ask(b.ns(), b.address(), 80), b.address());
    EXPECT_EQ(Ask(b.ns(), "127.0.0.1", 80), "127.0.0.1");
    // The host reaches pods, and pods the host, without NAT.
    EXPECT_EQ(Ask(-1, b.address(), 80), "10.208.0.1");
    EXPECT_EQ(Ask(-1, b.address(), 80, Transport::kTcp, kHostAddress), kHostAddress);
    EXPECT_EQ(Ask(a.ns(), kHostAddress, 90), a.address());
    EXPECT_EQ(Ask(a.ns(), "10.208.0.1", 90), a.address());
    EXPECT_TRUE(network->Check("a").ok());
    // No ARP and no ICMP redirects are needed or seen.
    EXPECT_THAT(ShellIn(a.ns(), "ip neigh"), Not(HasSubstr(b.address())));
  });
}

TEST(BridgeNetworkTest, OnlyWhatLeavesTheClusterIsMasqueraded) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    BridgeOptions options = DualStackBridge();
    options.cluster_ranges = {"198.51.100.0/24", "2001:db8:5::/64"};
    const auto network = OpenBridge(options);
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    ShellIn(outside.get(),
            "ip addr add 198.51.100.9/32 dev lo; ip route add 10.208.0.0/16 via 192.0.2.1;"
            "ip addr add 2001:db8:5::9/128 dev lo; ip -6 route add fd00::/16 via 2001:db8::1");
    const EchoServer server(outside.get(), "0.0.0.0", 80);
    const EchoServer server6(outside.get(), "::", 81);
    const EchoServer datagrams(outside.get(), "0.0.0.0", 53, Transport::kUdp);
    EXPECT_EQ(Ask(a.ns(), kOutsideAddress, 80), kHostAddress);
    EXPECT_EQ(Ask(a.ns(), kOutsideAddress, 53, Transport::kUdp), kHostAddress);
    EXPECT_EQ(Ask(a.ns(), kOutsideAddress6, 81), kHostAddress6);
    EXPECT_EQ(Ask(a.ns(), "198.51.100.9", 80), a.address());
    EXPECT_EQ(Ask(a.ns(), "2001:db8:5::9", 81), a.network.addresses[1]);
    // From outside a pod is reached by its address where there is a route, and sees who asks.
    const EchoServer in_a(a.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(outside.get(), a.address(), 80), kOutsideAddress);
  });
}

TEST(BridgeNetworkTest, AddressesWithoutAPodAreUnreachableAndNeverSentOut) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto network = OpenBridge(DualStackBridge());
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    TestPod gone = MakePod(network.get(), "gone");
    const EchoServer in_gone(gone.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(a.ns(), gone.address(), 80), a.address());
    Sniffer sniffer(outside.get(), "uplink");
    ASSERT_TRUE(network->Teardown("gone").ok());
    // The namespace still lives, and its device; but nobody gets there.
    int askers = 0;
    for (const std::string& address :
         {gone.address(), std::string("10.208.255.254"), gone.network.addresses[1]}) {
      EXPECT_THAT(Ask(-1, address, 80), HasSubstr("EHOSTUNREACH")) << address;
      // The kernel tells each sender only a few times a second (icmp_ratelimit). IPv6 has it that
      // there is no route.
      for (const Transport transport : {Transport::kTcp, Transport::kUdp}) {
        const TestPod asker = MakePod(network.get(), fmt::format("asker{}", askers++));
        EXPECT_THAT(AskPatiently(asker.ns(), address, 80, transport),
                    ::testing::AnyOf("errno: EHOSTUNREACH", "errno: ENETUNREACH"))
            << address;
      }
    }
    // A stranger's packets for such an address are not sent back out either.
    ShellIn(outside.get(), "ip route add 10.208.0.0/16 via 192.0.2.1");
    EXPECT_THAT(AskPatiently(outside.get(), gone.address(), 80, Transport::kUdp),
                HasSubstr("EHOSTUNREACH"));
    for (const auto& packet : sniffer.Packets()) {
      EXPECT_THAT(packet.destination, Not(StartsWith("10.208.")));
      EXPECT_THAT(packet.destination, Not(StartsWith("fd00:")));
    }
    EXPECT_EQ(Ask(gone.ns(), a.address(), 80), "timeout");
  });
}

TEST(BridgeNetworkTest, TheFirstPacketArrives) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const EchoServer here(-1, "0.0.0.0", 90, Transport::kUdp);
    for (int i = 0; i < 50; ++i) {
      // A datagram is not sent twice.
      const TestPod pod = MakePod(network.get(), fmt::format("p{}", i));
      EXPECT_EQ(Ask(pod.ns(), "10.208.0.1", 90, Transport::kUdp), pod.address());
    }
  });
}

TEST(BridgeNetworkTest, TheMtuIsTheUplinks) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside(1420);
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    EXPECT_EQ(a.network.mtu, 1420U);
    EXPECT_THAT(ShellIn(a.ns(), "ip link show eth0"), HasSubstr("mtu 1420"));
    EXPECT_THAT(Shell("ip link show podium0"), HasSubstr("mtu 1420"));
  });
}

TEST(BridgeNetworkTest, SingleStackPodsHaveNoIpv6) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    EXPECT_EQ(a.network.addresses.size(), 1U);
    EXPECT_THAT(ShellIn(a.ns(), "ip -6 addr show dev eth0"), IsEmpty());
    EXPECT_THAT(Shell("ip -6 addr show dev podium0"), IsEmpty());
  });
}

TEST(BridgeNetworkTest, ErrorsLeaveNothing) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    BridgeOptions options = TestBridge();
    options.pod_range = "10.208.0.0/28";
    const auto network = OpenBridge(options);
    ASSERT_TRUE(network);
    const std::string before = Traces();
    // A namespace with an eth0 already.
    const UniqueFd taken = NewNetns();
    ShellIn(taken.get(), "ip link add eth0 type bridge");
    auto setup = network->Setup(RequestFor("a", taken.get()));
    ASSERT_FALSE(setup.ok());
    EXPECT_EQ(setup.error().code(), Code::kAlreadyExists);
    EXPECT_THAT(setup.error().message(), HasSubstr("has a device eth0"));
    // What is no namespace.
    const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_FALSE(network->Setup(RequestFor("a", file.get())).ok());
    EXPECT_FALSE(network->Setup(RequestFor("a", -1)).ok());
    for (const char* id : {"", "a b", "../a", "a/b"}) {
      EXPECT_EQ(network->Setup(RequestFor(id, taken.get())).error().code(), Code::kInvalidArgument);
    }
    PodNetworkRequest fast = RequestFor("a", taken.get());
    fast.annotations["kubernetes.io/egress-bandwidth"] = "fast";
    EXPECT_EQ(network->Setup(fast).error().code(), Code::kInvalidArgument);
    EXPECT_EQ(Traces(), before);
    // All thirteen addresses, none lost to the failures; then none is left.
    std::vector<TestPod> pods;
    for (int i = 0; i < 13; ++i) pods.push_back(MakePod(network.get(), fmt::format("p{}", i)));
    const UniqueFd one_more = NewNetns();
    EXPECT_EQ(network->Setup(RequestFor("more", one_more.get())).error().code(),
              Code::kResourceExhausted);
    EXPECT_EQ(network->Setup(RequestFor("p0", one_more.get())).error().code(),
              Code::kAlreadyExists);
    ASSERT_TRUE(network->Teardown("p5").ok());
    EXPECT_EQ(MakePod(network.get(), "more").address(), pods[5].address());
  });
}

TEST(BridgeNetworkTest, RecoverTakesOverAndCleansUp) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    auto network = OpenBridge(DualStackBridge());
    ASSERT_TRUE(network);
    const TestPod kept = MakePod(network.get(), "kept", {TcpPort(8080, 80)});
    const TestPod forgotten = MakePod(network.get(), "forgotten", {TcpPort(8081, 80)});
    const EchoServer in_kept(kept.ns(), "0.0.0.0", 80);
    // The agent ends without a word; another comes.
    network.reset();
    EXPECT_EQ(Ask(outside.get(), kHostAddress, 8080), kOutsideAddress);
    auto next = BridgeNetwork::Open(DualStackBridge());
    ASSERT_TRUE(next.ok());
    const std::vector<LiveSandbox> live = {kept.live()};
    const auto recovered = (*next)->Recover(live);
    ASSERT_TRUE(recovered.ok()) << recovered.error().message();
    EXPECT_TRUE((*next)->Check("kept").ok()) << (*next)->Check("kept").error().message();
    EXPECT_EQ((*next)->Check("forgotten").error().code(), Code::kNotFound);
    EXPECT_EQ(Ask(outside.get(), kHostAddress, 8080), kOutsideAddress);
    // Of the other nothing is left, though its namespace lives.
    EXPECT_THAT(Traces(), Not(HasSubstr(forgotten.address())));
    EXPECT_THAT(Traces(), Not(HasSubstr(forgotten.network.host_interface)));
    EXPECT_THAT(ShellIn(forgotten.ns(), "ip -br link"), Not(HasSubstr("eth0")));
    // The port and the address are still held.
    const UniqueFd netns = NewNetns();
    PodNetworkRequest same_port = RequestFor("other", netns.get());
    same_port.ports = {TcpPort(8080, 80)};
    EXPECT_THAT((*next)->Setup(same_port).error().message(),
                HasSubstr("hostPort 8080/tcp is taken by pod default/kept"));
    EXPECT_TRUE((*next)->Teardown("kept").ok());
    EXPECT_TRUE((*next)->Uninstall().ok());
  });
}

TEST(BridgeNetworkTest, RecordsThatCannotBe) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    const std::string before = Traces();
    LiveSandbox twin = a.live();
    twin.request.sandbox_id = "twin";
    LiveSandbox elsewhere = a.live();
    elsewhere.network.addresses = {"10.99.0.5"};
    LiveSandbox nowhere = a.live();
    nowhere.network.addresses = {};
    LiveSandbox strange = a.live();
    strange.network.host_interface = "eth0";
    for (const std::vector<LiveSandbox>& live :
         {std::vector{a.live(), twin}, std::vector{elsewhere}, std::vector{nowhere},
          std::vector{strange}, std::vector{a.live(), a.live()}}) {
      const auto recovered = network->Recover(live);
      ASSERT_FALSE(recovered.ok());
      EXPECT_THAT(recovered.error().message(), HasSubstr("cannot be taken over"));
      EXPECT_EQ(Traces(), before);
      EXPECT_TRUE(network->Check("a").ok());
    }
  });
}

TEST(BridgeNetworkTest, RulesThatSomebodyFlushedComeBack) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a", {TcpPort(8080, 80)});
    Shell("nft flush ruleset");
    EXPECT_FALSE(network->Check("a").ok());
    const TestPod b = MakePod(network.get(), "b");
    EXPECT_TRUE(network->Check("a").ok());
    EXPECT_TRUE(network->Check("b").ok());
    Shell("nft flush ruleset");
    EXPECT_TRUE(network->Status().ready);
    EXPECT_TRUE(network->Check("a").ok());
    Shell("nft flush ruleset");
    EXPECT_TRUE(network->Teardown("b").ok());
    EXPECT_TRUE(network->Check("a").ok());
    Shell("ip route del " + a.address());
    EXPECT_THAT(network->Check("a").error().message(), HasSubstr("route"));
    Shell("ip link set " + a.network.host_interface + " down");
    EXPECT_THAT(network->Check("a").error().message(), HasSubstr("is down"));
  });
}

TEST(BridgeNetworkTest, TwoInstancesSideBySide) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    const auto first = OpenBridge();
    const auto second = OpenBridge(BridgeOptionsOf(*NamedInstance("blue")));
    ASSERT_TRUE(first && second);
    const TestPod a = MakePod(first.get(), "a");
    const TestPod b = MakePod(second.get(), "a", {TcpPort(8080, 80)});
    const EchoServer in_b(b.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(outside.get(), kHostAddress, 8080), kOutsideAddress);
    // To the other instance pods are as to any other place outside.
    EXPECT_EQ(Ask(a.ns(), b.address(), 80), b.network.gateways[0]);
    EXPECT_TRUE(first->Teardown("a").ok());
    EXPECT_TRUE(first->Recover({}).ok());
    EXPECT_TRUE(second->Check("a").ok()) << second->Check("a").error().message();
    EXPECT_TRUE(first->Uninstall().ok());
    EXPECT_TRUE(second->Check("a").ok());
    EXPECT_EQ(Ask(outside.get(), kHostAddress, 8080), kOutsideAddress);
  });
}

TEST(BridgeNetworkTest, ManyLivesLeaveNothing) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    BridgeOptions options = DualStackBridge();
    options.spare_namespaces = 4;
    const auto network = OpenBridge(options);
    ASSERT_TRUE(network);
    const auto one = [&](int i) {
      const std::string id = fmt::format("p{}", i);
      UniqueFd netns = i % 2 == 0 ? *network->PrepareNamespace(id) : NewNetns();
      PodNetworkRequest request = RequestFor(id, netns.get());
      request.ports = {TcpPort(static_cast<uint16_t>(10000 + i), 80)};
      const auto made = network->Setup(request);
      ASSERT_TRUE(made.ok()) << made.error().message();
      ASSERT_TRUE(network->Teardown(id).ok());
      netns.reset();
      ASSERT_TRUE(network->Teardown(id).ok());
    };
    constexpr int kLives = 1000;
    std::thread half([&] {
      for (int i = 0; i < kLives / 2; ++i) one(i);
    });
    for (int i = kLives / 2; i < kLives; ++i) one(i);
    half.join();
    EXPECT_THAT(Shell("nft list ruleset"), Not(HasSubstr("elements")));
    EXPECT_EQ(Shell("ip route show dev podium0; ip neigh show dev podium0 nud permanent"), "");
    EXPECT_TRUE(network->Uninstall().ok());
    EXPECT_EQ(DevicesLeft("veth"), 0);
    EXPECT_EQ(Traces(), "lo\n");
  });
}

// Namespaces made ahead are open in their maker only: the kernel takes them when it is killed.
TEST(BridgeNetworkTest, SparesEndWithTheirMaker) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    BridgeOptions options = DualStackBridge();
    options.spare_namespaces = 4;
    const pid_t maker = fork();
    ASSERT_GE(maker, 0);
    if (maker == 0) {
      const auto network = BridgeNetwork::Open(options);
      if (!network.ok() || !(*network)->Recover({}).ok()) _exit(1);
      for (;;) pause();
    }
    const auto devices = [] { return std::stoi(Shell("ip -br link | grep -c '^veth' || true")); };
    for (int i = 0; i < 200 && devices() < 4; ++i) poll(nullptr, 0, 50);
    EXPECT_EQ(devices(), 4);
    EXPECT_EQ(kill(maker, SIGKILL), 0);
    int status = 0;
    EXPECT_EQ(waitpid(maker, &status, 0), maker);
    EXPECT_TRUE(WIFSIGNALED(status));

    options.spare_namespaces = 0;
    const auto network = OpenBridge(options);
    ASSERT_TRUE(network);
    EXPECT_TRUE(network->Recover({}).ok());
    EXPECT_EQ(DevicesLeft("veth"), 0);
    EXPECT_TRUE(network->Uninstall().ok());
    EXPECT_EQ(Traces(), "lo\n");
  });
}

TEST(BridgeNetworkTest, UninstallLeavesTheMachineAsItWas) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const UniqueFd outside = MakeOutside();
    Shell("iptables-nft -P FORWARD DROP; ip neigh flush all; sleep 2");
    const std::string before = Shell("nft list ruleset; ip -br link; ip route; ip -6 route");
    const auto network = OpenBridge(DualStackBridge());
    ASSERT_TRUE(network);
    TestPod a = MakePod(network.get(), "a");
    EXPECT_EQ(network->Uninstall().error().code(), Code::kConflict);
    EXPECT_TRUE(network->Teardown("a").ok());
    const auto done = network->Uninstall();
    EXPECT_TRUE(done.ok()) << done.error().message();
    EXPECT_EQ(DevicesLeft("veth"), 0);
    EXPECT_EQ(Shell("nft list ruleset; ip -br link; ip route; ip -6 route"), before);
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST(BridgeNetworkTest, PreparedNamespaces) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    // Used for what it was made for.
    auto netns = network->PrepareNamespace("a");
    ASSERT_TRUE(netns.ok()) << netns.error().message();
    EXPECT_THAT(ShellIn(netns->get(), "ip -br addr"), HasSubstr("10.208."));
    EXPECT_EQ(network->PrepareNamespace("a").error().code(), Code::kAlreadyExists);
    EXPECT_EQ(network->Check("a").error().code(), Code::kNotFound);
    const auto made = network->Setup(RequestFor("a", netns->get()));
    ASSERT_TRUE(made.ok()) << made.error().message();
    EXPECT_TRUE(network->Check("a").ok());
    const EchoServer in_a(netns->get(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(-1, made->addresses[0], 80), "10.208.0.1");
    // Before Setup it is unreachable, and it is the sandbox's to give back.
    auto unused = network->PrepareNamespace("b");
    ASSERT_TRUE(unused.ok());
    EXPECT_THAT(Shell("ip route"),
                Not(HasSubstr("dev podium0 proto static scope link src 10.208.0.1 \n10.208")));
    EXPECT_TRUE(network->Teardown("b").ok());
    // Another namespace than the prepared one will do as well.
    auto prepared = network->PrepareNamespace("c");
    ASSERT_TRUE(prepared.ok());
    const UniqueFd other = NewNetns();
    ASSERT_TRUE(network->Setup(RequestFor("c", other.get())).ok());
    EXPECT_TRUE(network->Check("c").ok());
    EXPECT_THAT(ShellIn(other.get(), "ip -br addr"), HasSubstr("eth0"));
    EXPECT_THAT(ShellIn(prepared->get(), "ip -br addr"), Not(HasSubstr("eth0")));
  });
}

TEST(BridgeNetworkTest, CountersAreThePods) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    const TestPod a = MakePod(network.get(), "a");
    const auto before = network->Counters("a");
    ASSERT_TRUE(before.ok());
    const EchoServer here(-1, "0.0.0.0", 90, Transport::kUdp);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(Ask(a.ns(), "10.208.0.1", 90, Transport::kUdp), a.address());
    }
    const auto after = network->Counters("a");
    ASSERT_TRUE(after.ok());
    EXPECT_GE(after->tx_packets, before->tx_packets + 100);
    EXPECT_GE(after->rx_packets, before->rx_packets + 100);
    // An answer has twelve bytes or so, a question one.
    EXPECT_GT(after->rx_bytes, after->tx_bytes);
    EXPECT_EQ(network->Counters("nobody").error().code(), Code::kNotFound);
  });
}

TEST(BridgeNetworkTest, WhatIsInTheWayIsNamed) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    Shell("ip link add podium0 type veth peer name x");
    const auto network = BridgeNetwork::Open(TestBridge());
    ASSERT_FALSE(network.ok());
    EXPECT_EQ(network.error().code(), Code::kAlreadyExists);
    EXPECT_THAT(network.error().message(), HasSubstr("podium0 is there and is no bridge"));
    for (const char* range : {"10.0.0.0/29", "10.0.0.1/16", "", "fd00::/64"}) {
      BridgeOptions options = TestBridge();
      options.pod_range = range;
      EXPECT_EQ(BridgeNetwork::Open(options).error().code(), Code::kInvalidArgument) << range;
    }
  });
}

TEST(BridgeNetworkTest, BandwidthIsLimitedOnTheHostsSide) {
  PODIUM_NEEDS_ROOT();
  InOwnNamespaces([] {
    const auto network = OpenBridge();
    ASSERT_TRUE(network);
    TestPod pod;
    pod.netns = NewNetns();
    pod.request = RequestFor("a", pod.ns());
    pod.request.annotations = {{"kubernetes.io/ingress-bandwidth", "8M"},
                               {"kubernetes.io/egress-bandwidth", "16M"}};
    const auto made = network->Setup(pod.request);
    if (!made.ok() && made.error().code() == Code::kUnsupported) {
      GTEST_SKIP() << made.error().message();
    }
    ASSERT_TRUE(made.ok()) << made.error().message();
    const std::string queues = Shell("tc qdisc show");
    EXPECT_THAT(queues, HasSubstr("rate 8Mbit"));
    EXPECT_THAT(queues, HasSubstr("rate 16Mbit"));
    EXPECT_THAT(Shell("ip -br link"), HasSubstr("ifbp"));
    // Both ways still lead through.
    const EchoServer in_pod(pod.ns(), "0.0.0.0", 80);
    EXPECT_EQ(Ask(-1, made->addresses[0], 80), "10.208.0.1");
    EXPECT_TRUE(network->Teardown("a").ok());
    EXPECT_THAT(Shell("ip -br link"), Not(HasSubstr("ifbp")));
  });
}

}  // namespace
}  // namespace podium::network
