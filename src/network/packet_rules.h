// The packet rules of one instance: two nftables tables of its name, of the families inet and
// bridge.
//
//   table bridge NAME   what a pod may send: each pod's device, MAC and addresses are an element
//     set pods, pods6   of pods (pods6); whatever else comes in on a device of ours is dropped, and
//     chain from_pods   so are frames to anybody but the host
//   table inet NAME
//     map ports, ports_at, ports6, ports6_at   host ports: → address and port of the pod
//     set hairpin, hairpin6                    pods that reach themselves through a host port
//     chain guard         packets for 127.0.0.0/8, or with a pod's source from elsewhere: dropped
//     chain to_ports, to_ports_local           the maps applied to what comes in, and to our own
//     chain leaving       masquerade for what leaves the cluster's ranges
//     chain redirects     ICMP redirects to pods: dropped
//
// A pod is some elements, added and removed in one transaction; a lookup costs the same for one pod
// and for a thousand. The tables belong to nobody's process: they go on while no agent runs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "network/addresses.h"
#include "network/network.h"
#include "network/nftables.h"

namespace podium::network {

struct RulesConfig {
  std::string table;
  std::string bridge;
  std::string device_prefix;  // of the pods' devices on the host
  Mac gateway{};              // the bridge's own device address
  Ipv4Range pods;
  std::optional<Ipv6Range> pods6;
  // Reached without masquerade, besides the above.
  std::vector<Ipv4Range> cluster;
  std::vector<Ipv6Range> cluster6;
};

struct PodRules {
  PodAddress address;
  std::string device;
  std::vector<PortMapping> ports;  // all with a host port
  std::string comment;             // "namespace/name"
};

// Keeps no state but the configuration and a socket of the network namespace that the first call
// came from. Calls must come one at a time.
class PacketRules {
 public:
  explicit PacketRules(RulesConfig config);

  // Both tables anew with just these pods, in one transaction: no packet meets half of it.
  Result<void> Replace(std::span<const PodRules> pods);
  // kNotFound when the tables or the elements are not there: somebody has removed them, and Replace
  // is due.
  Result<void> Add(const PodRules& pod);
  Result<void> Remove(const PodRules& pod);
  // Whether both tables and the pod's elements are there. kNotFound.
  Result<void> Check(const PodRules& pod);
  Result<void> CheckTables();
  Result<void> Uninstall();

 private:
  struct PortFamily;
  static const PortFamily kPorts4, kPorts6;
  struct Change {
    NftSet set;
    std::vector<NftElement> elements;
  };

  void AddFromPods(NftTransaction* transaction) const;
  void AddGuard(NftTransaction* transaction) const;
  void AddPorts(NftTransaction* transaction) const;
  void AddPortRules(NftTransaction* transaction, const std::string& chain,
                    const PortFamily& ports) const;
  void AddLeaving(NftTransaction* transaction) const;
  std::vector<NftSet> Sets() const;
  // The elements of these pods, by set.
  std::vector<Change> ElementsOf(std::span<const PodRules> pods) const;

  Result<kernel::NetlinkSocket*> Socket();

  const RulesConfig config_;
  const NftTable inet_;
  const NftTable bridge_;
  std::optional<kernel::NetlinkSocket> socket_;
};

}  // namespace podium::network
