// How a bridge is taken over, kept whole, and removed.
#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "network/bridge_network.h"
#include "network/forward_chains.h"
#include "network/host_ports.h"
#include "network/traffic_shaping.h"

namespace podium::network {

// Into pods_ and addresses_, or neither is changed.
Result<void> BridgeNetwork::Adopt(std::span<const LiveSandbox> live) {
  std::map<std::string, Pod> pods;
  const std::lock_guard lock(mutex_);
  AddressPool addresses = addresses_;
  for (const auto& [id, pod] : pods_) addresses.Free(pod.rules.address.number);
  for (const LiveSandbox& sandbox : live) {
    const std::string& id = sandbox.request.sandbox_id;
    const auto damaged = [&](const std::string& why) {
      return Error(Code::kInvalidArgument,
                   fmt::format("sandbox {} cannot be taken over: {}", id, why));
    };
    const auto& recorded = sandbox.network.addresses;
    const auto v4 = recorded.empty() ? std::nullopt : ParseIpv4(recorded[0]);
    if (!v4) return damaged("its record has no IPv4 address");
    auto address = addresses.Claim(*v4);
    if (!address.ok()) return damaged(address.error().message());
    auto ports = EffectivePorts(sandbox.request.ports);
    if (!ports.ok()) return damaged(ports.error().message());
    Pod pod;
    pod.rules = {.address = *address,
                 .device = sandbox.network.host_interface,
                 .ports = *std::move(ports),
                 .comment = NameOf(sandbox.request)};
    // One that was set up before the second range came keeps what it has.
    if (recorded.size() < 2) pod.rules.address.v6.reset();
    const auto bandwidth = BandwidthOf(sandbox.request.annotations);
    pod.limited = bandwidth.ok() && bandwidth->egress_rate != 0;
    pod.up = true;
    if (!pod.rules.device.starts_with(device_prefix_)) {
      return damaged("its device '" + pod.rules.device + "' is not of this instance");
    }
    if (!pods.emplace(id, std::move(pod)).second) return damaged("it is listed twice");
  }
  pods_ = std::move(pods);
  addresses_ = std::move(addresses);
  return {};
}

// Routes and devices of pods that live no more.
Result<void> BridgeNetwork::RemoveStrays() {
  TRY(const std::set<uint32_t> routed, RoutedPods(bridge_, bridge_index_));
  TRY(const std::vector<Link> ports, PortsOf(bridge_index_));
  std::set<uint32_t> numbers;
  std::set<std::string> devices;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, pod] : pods_) {
      numbers.insert(pod.rules.address.v4);
      devices.insert(pod.rules.device);
    }
    for (const Spare& spare : spares_) devices.insert(spare.device);
  }
  for (const uint32_t v4 : routed) {
    if (numbers.contains(v4) || v4 == bridge_.gateway.v4) continue;
    PodAddress stray = addresses_.AddressOf(v4 - bridge_.pods.first);
    TRY_VOID(RemovePodRoutes(bridge_, bridge_index_, stray));
  }
  for (const Link& port : ports) {
    if (!port.name.starts_with(device_prefix_) || devices.contains(port.name)) continue;
    TRY_VOID(RemoveRateDevice(port.name));
    TRY_VOID(RemoveLink(port.name));
  }
  return {};
}

Result<void> BridgeNetwork::Recover(std::span<const LiveSandbox> live) {
  TRY_VOID(EnsureHost());
  TRY_VOID(Adopt(live));
  {
    const std::lock_guard lock(rules_mutex_);
    TRY_VOID(ReplaceRules());
  }
  std::vector<PodAddress> addresses;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, pod] : pods_) addresses.push_back(pod.rules.address);
  }
  for (const PodAddress& address : addresses) {
    TRY_VOID(AddPodRoutes(bridge_, bridge_index_, address));
  }
  TRY_VOID(RemoveStrays());
  {
    // Not before: the device of a namespace that is just being made would be a stray.
    const std::lock_guard lock(mutex_);
    recovered_ = true;
    wanted_.notify_all();
  }
  TRY_VOID(UpdateLoopback());
  TRY(const auto warnings, AcceptForwarded(bridge_.name));
  (void)warnings;  // Status tells them
  return {};
}

NetworkStatus BridgeNetwork::Status() {
  NetworkStatus status;
  const auto ensure = [&]() -> Result<void> {
    TRY_VOID(EnsureHost());
    {
      const std::lock_guard lock(rules_mutex_);
      if (!rules_.CheckTables().ok()) TRY_VOID(ReplaceRules());
    }
    TRY_VOID(UpdateLoopback());
    TRY(status.warnings, AcceptForwarded(bridge_.name));
    return {};
  };
  if (const auto ready = ensure(); !ready.ok()) {
    status.reason = "NetworkPluginNotReady";
    status.message = "Network plugin returns error: " + ready.error().message();
    return status;
  }
  status.ready = true;
  return status;
}

Result<void> BridgeNetwork::Uninstall() {
  {
    const std::lock_guard lock(mutex_);
    if (!pods_.empty()) {
      return Error(Code::kConflict, "sandbox " + pods_.begin()->first + " has its network here");
    }
  }
  StopKeeping();
  if (FindLink(bridge_.name).ok()) TRY_VOID(RemoveStrays());
  TRY_VOID(ForgetForwarded(bridge_.name));
  const std::lock_guard lock(rules_mutex_);
  TRY_VOID(rules_.Uninstall());
  return RemoveBridge(bridge_);
}

}  // namespace podium::network
