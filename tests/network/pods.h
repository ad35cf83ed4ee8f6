// Pods of a Network under test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "network/bridge_network.h"
#include "support/own_namespaces.h"

namespace podium::network {

struct TestPod {
  UniqueFd netns;
  PodNetwork network;
  PodNetworkRequest request;
  const std::string& address() const { return network.addresses[0]; }
  int ns() const { return netns.get(); }
  LiveSandbox live() const {
    LiveSandbox sandbox{.request = request, .network = network};
    sandbox.request.netns = -1;
    return sandbox;
  }
};

inline PodNetworkRequest RequestFor(const std::string& id, int netns) {
  PodNetworkRequest request;
  request.sandbox_id = id;
  request.netns = netns;
  request.pod_name = id;
  request.pod_namespace = "default";
  request.pod_uid = "uid-" + id;
  return request;
}

inline PortMapping TcpPort(uint16_t host, uint16_t container, const std::string& host_ip = {}) {
  return {.protocol = Protocol::kTcp,
          .container_port = container,
          .host_port = host,
          .host_ip = host_ip};
}

// The test fails, and the pod has the address 0.0.0.0, when Setup fails.
inline TestPod MakePod(Network* network, const std::string& id,
                       std::vector<PortMapping> ports = {}) {
  TestPod pod;
  pod.netns = podium::testing::NewNetns();
  pod.request = RequestFor(id, pod.netns.get());
  pod.request.ports = std::move(ports);
  auto made = network->Setup(pod.request);
  EXPECT_TRUE(made.ok()) << made.error().message();
  pod.network.addresses = {"0.0.0.0"};
  if (made.ok()) pod.network = *std::move(made);
  return pod;
}

inline BridgeOptions TestBridge() {
  BridgeOptions options;
  options.bridge = "podium0";
  options.table = "podium";
  options.pod_range = "10.208.0.0/16";
  return options;
}

inline BridgeOptions DualStackBridge() {
  BridgeOptions options = TestBridge();
  options.pod_range6 = "fd00:10:208::/64";
  return options;
}

// Null, and the test fails, when it cannot be opened.
inline std::unique_ptr<BridgeNetwork> OpenBridge(const BridgeOptions& options = TestBridge()) {
  auto network = BridgeNetwork::Open(options);
  EXPECT_TRUE(network.ok()) << network.error().message();
  if (!network.ok()) return nullptr;
  const auto recovered = (*network)->Recover({});
  EXPECT_TRUE(recovered.ok()) << recovered.error().message();
  return *std::move(network);
}

}  // namespace podium::network
