// The devices, addresses and routes of pods, by rtnetlink.
//
//   host                                          pod
//   bridge podium0, 10.208.0.1/32                 lo, up
//     port veth…  (no learning, no flooding) ──── eth0, 10.208.0.5/32
//   route 10.208.0.5 via 10.208.0.5 dev podium0   route 10.208.0.1 dev eth0
//   neighbour 10.208.0.5 is 0a:58:0a:d0:00:05     route default via 10.208.0.1
//   route unreachable 10.208.0.0/16               neighbour 10.208.0.1 is 0a:58:0a:d0:00:01
//
// Pods reach each other through the host: their frames go to the bridge's own address, and to no
// other (packet_rules.h). So Services and policies see every packet whether or not br_netfilter is
// loaded, no ARP is needed, and an address without a pod is answered at once. A pod's route is the
// switch: without it the pod is unreachable.
//
// Everything here works in the calling thread's network namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "network/addresses.h"
#include "network/network.h"

namespace podium::network {

struct BridgeConfig {
  std::string name;
  PodAddress gateway;  // its address; the MAC is the device's
  Ipv4Range pods;
  std::optional<Ipv6Range> pods6;
  uint32_t mtu = 1500;
};

struct Link {
  uint32_t index = 0;
  uint32_t master = 0;  // 0: none
  uint32_t peer = 0;    // of a veth; 0: none
  uint32_t mtu = 0;
  bool up = false;
  std::string name;
  std::string kind;  // "bridge", "veth"; empty for hardware
  Mac mac{};
  PodCounters counters;  // as the device counts
};

// kNotFound.
Result<Link> FindLink(const std::string& name);
// The devices that hang on the bridge.
Result<std::vector<Link>> PortsOf(uint32_t bridge);
// A device that is not there is no error.
Result<void> RemoveLink(const std::string& name);

// The MTU of the device that leads out of the machine; 1500 when none does.
uint32_t UplinkMtu();

// Makes the bridge or takes over what is there, sets its addresses, the unreachable route, and the
// kernel's settings of the device. Returns its index. kAlreadyExists when the name is another kind
// of device's.
Result<uint32_t> EnsureBridge(const BridgeConfig& config);
// With its addresses and routes.
Result<void> RemoveBridge(const BridgeConfig& config);

// The pod's ends: device `device` of the host, a port of the bridge, and eth0 in the namespace,
// addressed. Not yet reachable. After an error the device is gone again. kAlreadyExists: `device`
// is taken, or the namespace has an eth0.
Result<void> ConnectPod(const BridgeConfig& config, uint32_t bridge, const std::string& device,
                        const PodAddress& address, int netns);

// The way to the pod from everywhere.
Result<void> AddPodRoutes(const BridgeConfig& config, uint32_t bridge, const PodAddress& address);
// What is not there is no error.
Result<void> RemovePodRoutes(const BridgeConfig& config, uint32_t bridge,
                             const PodAddress& address);
// kNotFound.
Result<void> CheckPodRoutes(const BridgeConfig& config, uint32_t bridge, const PodAddress& address);
// The pods (by IPv4 address) that have a route or neighbour entry on the bridge.
Result<std::set<uint32_t>> RoutedPods(const BridgeConfig& config, uint32_t bridge);

// Whether packets from and to 127.0.0.1 may pass the bridge (route_localnet of this device alone):
// what the host sends to its own 127.0.0.1 can then be led to a pod. Packets of pods for it must be
// dropped before (packet_rules.h): the kernel no longer does (CVE-2020-8558).
Result<void> LeadLoopback(const std::string& bridge, bool on);

// Forwarding between pods, and from pods to elsewhere.
Result<void> EnableForwarding(bool v6);

// Whether the machine has IPv6.
bool HasIpv6();

inline constexpr const char* kPodInterface = "eth0";

}  // namespace podium::network
