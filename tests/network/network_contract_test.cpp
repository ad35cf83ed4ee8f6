// What network.h promises, of every Network that touches the machine.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "network/cni_network.h"
#include "network/network_world.h"
#include "network/pods.h"

namespace podium::network {
namespace {

using namespace podium::testing;  // NOLINT: the world that the tests play in
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPlugins = "/usr/lib/cni";

// Opens the same network again and again, as agents that follow each other.
struct Kind {
  const char* name;
  std::function<std::unique_ptr<Network>(const fs::path& folder)> open;
  std::function<bool()> offered;
};

// Debian's plugins; the addresses are kept in the test's folder, not in /var.
// CHECK is off: in Debian's version that of bandwidth falls over without limits, and that of
// portmap looks for IPv6 rules that no one wanted. CheckOfDebiansPlugins asks the sound ones.
std::unique_ptr<Network> OpenCni(const fs::path& folder) {
  fs::create_directories(folder / "net.d");
  std::ofstream(folder / "net.d/10-test.conflist") << fmt::format(R"({{
    "cniVersion": "1.0.0", "name": "test-net", "disableCheck": true, "plugins": [
      {{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
       "ipam": {{"type": "host-local", "dataDir": "{}", "ranges": [[{{"subnet": "10.99.0.0/24"}}]],
                "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
      {{"type": "portmap", "capabilities": {{"portMappings": true}}}},
      {{"type": "bandwidth", "capabilities": {{"bandwidth": true}}}},
      {{"type": "firewall"}}]}})",
                                                                  (folder / "ipam").string());
  auto network = CniNetwork::Open({.config_dir = folder / "net.d",
                                   .plugin_dirs = {kPlugins},
                                   .cache_dir = folder / "results",
                                   .netns_dir = folder / "netns"});
  EXPECT_TRUE(network.ok()) << network.error().message();
  return *std::move(network);
}

std::unique_ptr<Network> OpenOwnBridge(const fs::path&) {
  auto network = BridgeNetwork::Open(TestBridge());
  EXPECT_TRUE(network.ok()) << network.error().message();
  return *std::move(network);
}

class NetworkContractTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    PODIUM_NEEDS_ROOT();
    if (!GetParam().offered()) GTEST_SKIP() << "Debian's containernetworking-plugins are missing";
  }
  // `body` gets a network, and opens it once more by calling its second argument.
  using Open = std::function<std::unique_ptr<Network>()>;
  static void Play(const std::function<void(const Open& open, int outside)>& body) {
    InOwnNamespaces([&] {
      const UniqueFd outside = MakeOutside();
      const fs::path folder =
          fs::temp_directory_path() / fmt::format("podium_network_test_{}", getpid());
      fs::create_directories(folder);
      body([&] { return GetParam().open(folder); }, outside.get());
      EXPECT_FALSE(fs::exists(folder / "netns")) << "Uninstall has left it";
      fs::remove_all(folder);
    });
  }
};

TEST_P(NetworkContractTest, ALife) {
  Play([](const Open& open, int outside) {
    const auto network = open();
    ASSERT_TRUE(network->Recover({}).ok());
    const NetworkStatus status = network->Status();
    EXPECT_TRUE(status.ready) << status.message;
    EXPECT_THAT(status.warnings, IsEmpty());
    auto netns = network->PrepareNamespace("a");
    ASSERT_TRUE(netns.ok()) << netns.error().message();
    EXPECT_EQ(network->Check("a").error().code(), Code::kNotFound);
    const auto made = network->Setup(RequestFor("a", netns->get()));
    ASSERT_TRUE(made.ok()) << made.error().message();
    EXPECT_EQ(made->interface, "eth0");
    ASSERT_EQ(made->addresses.size(), 1U);
    EXPECT_EQ(made->gateways.size(), 1U);
    EXPECT_THAT(ShellIn(netns->get(), "ip -br addr show eth0"), HasSubstr(made->addresses[0]));
    EXPECT_THAT(ShellIn(netns->get(), "ip link show eth0"), HasSubstr(made->mac));
    EXPECT_THAT(ShellIn(netns->get(), "ip -br addr show lo"), HasSubstr("127.0.0.1"));
    EXPECT_TRUE(network->Check("a").ok()) << network->Check("a").error().message();
    EXPECT_EQ(network->Setup(RequestFor("a", netns->get())).error().code(), Code::kAlreadyExists);

    const TestPod b = MakePod(network.get(), "b");
    EXPECT_NE(b.address(), made->addresses[0]);
    const EchoServer in_b(b.ns(), "0.0.0.0", 80);
    const EchoServer beyond(outside, "0.0.0.0", 80);
    EXPECT_EQ(Ask(netns->get(), b.address(), 80), made->addresses[0]);
    EXPECT_EQ(Ask(-1, b.address(), 80), b.network.gateways[0]);
    EXPECT_EQ(Ask(netns->get(), kOutsideAddress, 80), kHostAddress);
    const auto counters = network->Counters("a");
    ASSERT_TRUE(counters.ok()) << counters.error().message();
    EXPECT_GT(counters->tx_packets, 0U);
    EXPECT_EQ(network->Uninstall().error().code(), Code::kConflict);

    for (const char* id : {"a", "a", "b", "nobody"}) EXPECT_TRUE(network->Teardown(id).ok());
    EXPECT_EQ(network->Check("a").error().code(), Code::kNotFound);
    EXPECT_EQ(network->Counters("nobody").error().code(), Code::kNotFound);
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST_P(NetworkContractTest, HostPorts) {
  Play([](const Open& open, int outside) {
    const auto network = open();
    ASSERT_TRUE(network->Recover({}).ok());
    {
      const TestPod a = MakePod(network.get(), "a", {TcpPort(8080, 80)});
      const EchoServer in_a(a.ns(), "0.0.0.0", 80);
      EXPECT_EQ(Ask(outside, kHostAddress, 8080), kOutsideAddress);
      EXPECT_THAT(Ask(a.ns(), kHostAddress, 8080), HasSubstr("."));  // itself, by way of the host
      const UniqueFd netns = NewNetns();
      PodNetworkRequest request = RequestFor("b", netns.get());
      request.ports = {TcpPort(8080, 81)};
      const auto refused = network->Setup(request);
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code(), Code::kAlreadyExists);
      EXPECT_EQ(refused.error().message(), "hostPort 8080/tcp is taken by pod default/a");
      EXPECT_TRUE(network->Teardown("a").ok());
      const auto made = network->Setup(request);
      EXPECT_TRUE(made.ok()) << made.error().message();
      EXPECT_TRUE(network->Teardown("b").ok());
    }
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST_P(NetworkContractTest, Recover) {
  Play([](const Open& open, int outside) {
    auto network = open();
    ASSERT_TRUE(network->Recover({}).ok());
    {
      const TestPod kept = MakePod(network.get(), "kept", {TcpPort(8080, 80)});
      const TestPod lost = MakePod(network.get(), "lost", {TcpPort(8081, 80)});
      const EchoServer in_kept(kept.ns(), "0.0.0.0", 80);
      const EchoServer in_lost(lost.ns(), "0.0.0.0", 80);
      network = open();
      const std::vector<LiveSandbox> live = {kept.live()};
      const auto recovered = network->Recover(live);
      ASSERT_TRUE(recovered.ok()) << recovered.error().message();
      EXPECT_TRUE(network->Check("kept").ok()) << network->Check("kept").error().message();
      EXPECT_EQ(network->Check("lost").error().code(), Code::kNotFound);
      EXPECT_EQ(Ask(outside, kHostAddress, 8080), kOutsideAddress);
      EXPECT_THAT(Ask(outside, kHostAddress, 8081), HasSubstr("ECONNREFUSED"));
      const TestPod next = MakePod(network.get(), "next", {TcpPort(8081, 80)});
      EXPECT_NE(next.address(), kept.address());
      for (const char* id : {"kept", "next"}) EXPECT_TRUE(network->Teardown(id).ok());
    }
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST_P(NetworkContractTest, WrongRequests) {
  Play([](const Open& open, int) {
    const auto network = open();
    ASSERT_TRUE(network->Recover({}).ok());
    const UniqueFd netns = NewNetns();
    for (const char* id : {"", ".", "..", "../a", "a/b", "-a", "a b"}) {
      EXPECT_EQ(network->Setup(RequestFor(id, netns.get())).error().code(), Code::kInvalidArgument)
          << id;
    }
    PodNetworkRequest request = RequestFor("a", netns.get());
    request.annotations["kubernetes.io/ingress-bandwidth"] = "1";
    EXPECT_EQ(network->Setup(request).error().code(), Code::kInvalidArgument);
    request = RequestFor("a", netns.get());
    request.ports = {TcpPort(80, 80, "nowhere")};
    EXPECT_EQ(network->Setup(request).error().code(), Code::kInvalidArgument);
    EXPECT_FALSE(network->Setup(RequestFor("a", -1)).ok());
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST_P(NetworkContractTest, Bandwidth) {
  Play([](const Open& open, int) {
    const auto network = open();
    ASSERT_TRUE(network->Recover({}).ok());
    const UniqueFd netns = NewNetns();
    PodNetworkRequest request = RequestFor("a", netns.get());
    request.annotations = {{"kubernetes.io/ingress-bandwidth", "8M"},
                           {"kubernetes.io/egress-bandwidth", "16M"}};
    const auto made = network->Setup(request);
    if (made.ok()) {
      EXPECT_THAT(Shell("tc qdisc show"), HasSubstr("rate 8Mbit"));
      EXPECT_THAT(Shell("tc qdisc show"), HasSubstr("rate 16Mbit"));
      const EchoServer in_pod(netns.get(), "0.0.0.0", 80);
      EXPECT_EQ(Ask(-1, made->addresses[0], 80), made->gateways[0]);
      EXPECT_TRUE(network->Teardown("a").ok());
    } else {
      EXPECT_EQ(made.error().code(), Code::kUnsupported) << made.error().message();
    }
    EXPECT_TRUE(network->Uninstall().ok());
  });
}

TEST(CniPluginsTest, CheckOfDebiansPlugins) {
  PODIUM_NEEDS_ROOT();
  if (access("/usr/lib/cni/firewall", X_OK) != 0) {
    GTEST_SKIP() << "Debian's containernetworking-plugins are missing";
  }
  InOwnNamespaces([] {
    const fs::path folder =
        fs::temp_directory_path() / fmt::format("podium_network_test_{}", getpid());
    fs::create_directories(folder / "net.d");
    std::ofstream(folder / "net.d/10.conflist") << fmt::format(
        R"({{"cniVersion":"0.4.0","name":"n","plugins":[{{"type":"bridge","ipam":)"
        R"({{"type":"host-local","dataDir":"{}","subnet":"10.99.0.0/24"}}}},{{"type":"firewall"}}]}})",
        (folder / "ipam").string());
    const auto network = CniNetwork::Open({.config_dir = folder / "net.d",
                                           .plugin_dirs = {kPlugins},
                                           .cache_dir = folder / "results",
                                           .netns_dir = folder / "netns"});
    ASSERT_TRUE(network.ok());
    {
      const TestPod a = MakePod(network->get(), "a");
      EXPECT_TRUE((*network)->Check("a").ok()) << (*network)->Check("a").error().message();
      ShellIn(a.ns(), "ip addr flush dev eth0");
      EXPECT_THAT((*network)->Check("a").error().message(), HasSubstr("failed (check)"));
      EXPECT_TRUE((*network)->Teardown("a").ok());
    }
    EXPECT_TRUE((*network)->Uninstall().ok());
    fs::remove_all(folder);
  });
}

INSTANTIATE_TEST_SUITE_P(, NetworkContractTest,
                         ::testing::Values(Kind{"Bridge", OpenOwnBridge, [] { return true; }},
                                           Kind{"Cni", OpenCni,
                                                [] {
                                                  return access("/usr/lib/cni/portmap", X_OK) == 0;
                                                }}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace podium::network
