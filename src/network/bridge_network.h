// BridgeNetwork: pods on a bridge of this machine, made by netlink in this process.
//
// docs/network.md says what it makes and what an administrator sees of it; links.h has the devices
// and routes, packet_rules.h the nftables tables.
//
// Namespaces may be made ahead (BridgeOptions::spare_namespaces): a thread keeps so many of them,
// each with its pair of devices and an address; Setup then only adds the pod's rules and route.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/instance.h"
#include "network/addresses.h"
#include "network/links.h"
#include "network/network.h"
#include "network/packet_rules.h"

namespace podium::network {

struct BridgeOptions {
  std::string bridge;      // the device
  std::string table;       // of nftables
  std::string pod_range;   // IPv4
  std::string pod_range6;  // empty: pods have no IPv6
  // Reached by pods without masquerade, besides the pod ranges: those of other nodes, of Services.
  std::vector<std::string> cluster_ranges;
  uint32_t mtu = 0;  // 0: of the device that leads out of the machine
  uint32_t spare_namespaces = 0;
  // IP forwarding of the whole host is turned on (once; it stays on). False: that is somebody
  // else's.
  bool enable_forwarding = true;
};

BridgeOptions BridgeOptionsOf(const Instance& instance);

class BridgeNetwork final : public Network {
 public:
  // Makes the bridge or takes it over. Everything happens in the calling thread's network
  // namespace; the object must be used by threads of that namespace.
  static Result<std::unique_ptr<BridgeNetwork>> Open(const BridgeOptions& options);
  // What is set up stays.
  ~BridgeNetwork() override;

  Result<UniqueFd> PrepareNamespace(const std::string& sandbox_id) override;
  Result<PodNetwork> Setup(const PodNetworkRequest& request) override;
  Result<void> Teardown(const std::string& sandbox_id) override;
  Result<void> Check(const std::string& sandbox_id) override;
  Result<PodCounters> Counters(const std::string& sandbox_id) override;
  Result<void> Recover(std::span<const LiveSandbox> live) override;
  NetworkStatus Status() override;
  Result<void> Uninstall() override;

 private:
  // A pod, from PrepareNamespace or Setup until Teardown.
  struct Pod {
    PodRules rules;
    ino_t prepared = 0;  // the namespace that has our device already; 0: none
    bool up = false;     // Setup has succeeded
    bool limited = false;
  };
  // A namespace ahead of its pod.
  struct Spare {
    UniqueFd netns;
    PodAddress address;
    std::string device;
  };

  BridgeNetwork(const BridgeOptions& options, AddressPool addresses, RulesConfig rules,
                uint32_t first_device);

  // The pod's, for comments and messages.
  static std::string NameOf(const PodNetworkRequest& request);

  Result<void> EnsureHost();
  Result<Spare> MakeSpare();
  void KeepSpares();
  void StopKeeping();
  std::string NextDevice();
  Result<PodAddress> TakeAddress();
  void FreeAddress(uint32_t number);

  // The steps of Setup. Reserve: the address and ports are the pod's, or the error names the
  // holder.
  Result<Pod> Reserve(const PodNetworkRequest& request, std::vector<PortMapping> ports,
                      bool* connected);
  std::optional<std::string> PortHolder(const std::string& sandbox_id,
                                        const std::vector<PortMapping>& ports) const;
  Result<void> Connect(const PodNetworkRequest& request, Pod* pod);
  Result<void> Enable(const Pod& pod, const Bandwidth& bandwidth);
  Result<void> UpdateLoopback();
  void Forget(const std::string& sandbox_id, const Pod& pod);
  Result<void> AddRules(const Pod& pod);
  Result<void> RemoveRules(const Pod& pod);
  Result<void> ReplaceRules();
  Result<void> Disconnect(const Pod& pod);
  PodNetwork Describe(const Pod& pod) const;
  Result<Pod> FindPod(const std::string& sandbox_id) const;

  Result<void> Adopt(std::span<const LiveSandbox> live);
  Result<void> RemoveStrays();

  const BridgeOptions options_;
  BridgeConfig bridge_;
  uint32_t bridge_index_ = 0;
  std::string device_prefix_;

  // One transaction at a time, so that Replace never undoes an Add. Taken before mutex_.
  std::mutex rules_mutex_;
  PacketRules rules_;

  mutable std::mutex mutex_;
  AddressPool addresses_;
  std::map<std::string, Pod> pods_;
  uint32_t next_device_;
  std::deque<Spare> spares_;
  bool recovered_ =
      false;  // nothing is made ahead before the live pods have theirs, and strays are gone
  bool stopping_ = false;
  std::condition_variable wanted_;

  std::thread keeper_;
};

}  // namespace podium::network
