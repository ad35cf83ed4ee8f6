#include "network/packet_rules.h"

#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>

#include <array>

#include "network/host_ports.h"

namespace podium::network {

using kernel::NetlinkBatch;
using kernel::NetlinkSocket;

namespace {

constexpr uint32_t kBridgePreRouting = 0;  // NF_BR_PRE_ROUTING
constexpr uint32_t kIpv4Source = 12, kIpv4Destination = 16;
constexpr uint32_t kIpv6Source = 8, kIpv6Destination = 24;
constexpr uint32_t kEtherSource = 6, kEtherType = 12;
constexpr std::array<uint8_t, 2> kArp = {0x08, 0x06};
constexpr uint32_t kArpSenderMac = 8, kArpSenderAddress = 14;
constexpr uint8_t kRouterAdvertisement = 134, kIpv6Redirect = 137, kIpv4Redirect = 5;

std::array<uint8_t, 4> Big(uint32_t v4) {
  return {static_cast<uint8_t>(v4 >> 24), static_cast<uint8_t>(v4 >> 16),
          static_cast<uint8_t>(v4 >> 8), static_cast<uint8_t>(v4)};
}

// The address type as the fib expression gives it.
const std::array<uint8_t, 4> kLocal = [] {
  const uint32_t value = RTN_LOCAL;
  std::array<uint8_t, 4> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}();

constexpr std::array<uint8_t, 4> kLoopback = {127, 0, 0, 0};
constexpr std::array<uint8_t, 4> kMulticast = {224, 0, 0, 0};
constexpr Ipv6 kMulticast6 = {0xff};
constexpr Ipv6 kLoopback6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

std::string CommentOf(const PodRules& pod, const PortMapping& port) {
  return fmt::format("{} {}", pod.comment, port.container_port);
}

}  // namespace

// What differs between IPv4 and IPv6 in the rules for host ports.
struct PacketRules::PortFamily {
  uint8_t family;
  uint32_t destination;  // its offset in the header
  uint32_t size;         // of an address
  const char* at;        // the map by address, protocol and port
  const char* any;       // the map by protocol and port
};
const PacketRules::PortFamily PacketRules::kPorts4 = {NFPROTO_IPV4, kIpv4Destination, 4, "ports_at",
                                                      "ports"};
const PacketRules::PortFamily PacketRules::kPorts6 = {NFPROTO_IPV6, kIpv6Destination, 16,
                                                      "ports6_at", "ports6"};

PacketRules::PacketRules(RulesConfig config)
    : config_(std::move(config)),
      inet_{NFPROTO_INET, config_.table},
      bridge_{NFPROTO_BRIDGE, config_.table} {}

std::vector<NftSet> PacketRules::Sets() const {
  using enum NftType;
  std::vector<NftSet> sets = {{bridge_, "pods", {kInterface, kEther, kIpv4}, {}},
                              {inet_, "ports", {kProtocol, kPort}, {kIpv4, kPort}},
                              {inet_, "ports_at", {kIpv4, kProtocol, kPort}, {kIpv4, kPort}},
                              {inet_, "hairpin", {kIpv4, kIpv4}, {}}};
  if (config_.pods6) {
    sets.push_back({bridge_, "pods6", {kInterface, kEther, kIpv6}, {}});
    sets.push_back({inet_, "ports6", {kProtocol, kPort}, {kIpv6, kPort}});
    sets.push_back({inet_, "ports6_at", {kIpv6, kProtocol, kPort}, {kIpv6, kPort}});
    sets.push_back({inet_, "hairpin6", {kIpv6, kIpv6}, {}});
  }
  return sets;
}

std::vector<PacketRules::Change> PacketRules::ElementsOf(std::span<const PodRules> pods) const {
  std::vector<Change> changes;
  for (const NftSet& set : Sets()) changes.push_back({set, {}});
  const auto in = [&](std::string_view name) -> std::vector<NftElement>& {
    for (Change& change : changes) {
      if (change.set.name == name) return change.elements;
    }
    std::abort();  // a name that Sets() does not have
  };
  for (const PodRules& pod : pods) {
    const PodAddress& address = pod.address;
    const auto key = [&] { return NftData().Interface(pod.device).Raw(address.mac); };
    in("pods").push_back({key().Ipv4(address.v4), {}, pod.comment});
    if (address.v6) {
      in("pods6").push_back({key().Raw(*address.v6), {}, pod.comment});
      in("pods6").push_back({key().Raw(address.link_local), {}, pod.comment});
    }
    if (pod.ports.empty()) continue;
    in("hairpin").push_back({NftData().Ipv4(address.v4).Ipv4(address.v4), {}, pod.comment});
    if (address.v6) {
      in("hairpin6").push_back({NftData().Raw(*address.v6).Raw(*address.v6), {}, pod.comment});
    }
    for (const PortMapping& port : pod.ports) {
      const auto end = [&](NftData data) -> NftData {
        return data.Protocol(ProtocolNumber(port.protocol)).Port(port.host_port);
      };
      const NftData pod4 = NftData().Ipv4(address.v4).Port(port.container_port);
      const std::string comment = CommentOf(pod, port);
      const bool any4 = port.host_ip.empty() || port.host_ip == "0.0.0.0";
      const bool any6 = port.host_ip.empty() || port.host_ip == "::";
      if (const auto host = ParseIpv4(port.host_ip); host && !any4) {
        in("ports_at").push_back({end(NftData().Ipv4(*host)), pod4, comment});
      } else if (any4) {
        in("ports").push_back({end({}), pod4, comment});
      }
      if (!address.v6) continue;
      const NftData pod6 = NftData().Raw(*address.v6).Port(port.container_port);
      if (const auto host = ParseIpv6(port.host_ip); host && !any6) {
        in("ports6_at").push_back({end(NftData().Raw(*host)), pod6, comment});
      } else if (any6) {
        in("ports6").push_back({end({}), pod6, comment});
      }
    }
  }
  std::erase_if(changes, [](const Change& change) { return change.elements.empty(); });
  return changes;
}

// Before the bridge learns an address or br_netfilter shows the packet to iptables.
void PacketRules::AddFromPods(NftTransaction* transaction) const {
  const std::string chain = "from_pods";
  transaction->AddChain(bridge_, chain, {"filter", kBridgePreRouting, -300});
  const auto rule = [&](std::string_view comment = {}) {
    return NftRule(transaction, bridge_, chain, comment);
  };
  rule()
      .InterfacePrefix(NFT_META_IIFNAME, config_.device_prefix, /*equal=*/false)
      .Verdict(NF_ACCEPT);
  // Pods see each other through the host only, where addresses are translated and rules for packets
  // apply. (Isolated ports of the bridge would do it too, but br_netfilter leads what it translates
  // from port to port.)
  rule("frames to others than the host: multicast, and straight to another pod")
      .LoadPayload(NFT_PAYLOAD_LL_HEADER, kEtherType, 2)
      .IsNot(kArp)
      .LoadPayload(NFT_PAYLOAD_LL_HEADER, 0, 6)
      .IsNot(config_.gateway)
      .Verdict(NF_DROP);
  rule("packets for the host's loopback")
      .EtherType(ETH_P_IP)
      .Network(kLoopback, 8, kIpv4Destination)
      .Counter()
      .Verdict(NF_DROP);
  rule()
      .EtherType(ETH_P_IP)
      .LoadMeta(NFT_META_IIFNAME, 0)
      .LoadPayload(NFT_PAYLOAD_LL_HEADER, kEtherSource, 6, 4)
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kIpv4Source, 4, 6)
      .In("pods")
      .Verdict(NF_ACCEPT);
  // The sender named in the frame and the one named in the ARP packet: both must be the pod.
  rule()
      .EtherType(ETH_P_ARP)
      .LoadMeta(NFT_META_IIFNAME, 0)
      .LoadPayload(NFT_PAYLOAD_LL_HEADER, kEtherSource, 6, 4)
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kArpSenderAddress, 4, 6)
      .In("pods")
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kArpSenderMac, 6, 4)
      .In("pods")
      .Verdict(NF_ACCEPT);
  if (config_.pods6) {
    for (const uint8_t type : {kRouterAdvertisement, kIpv6Redirect}) {
      rule("router advertisements and redirects")
          .EtherType(ETH_P_IPV6)
          .LoadMeta(NFT_META_L4PROTO)
          .Is({IPPROTO_ICMPV6})
          .LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1)
          .Is({type})
          .Counter()
          .Verdict(NF_DROP);
    }
    rule()
        .EtherType(ETH_P_IPV6)
        .LoadMeta(NFT_META_IIFNAME, 0)
        .LoadPayload(NFT_PAYLOAD_LL_HEADER, kEtherSource, 6, 4)
        .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kIpv6Source, 16, 6)
        .In("pods6")
        .Verdict(NF_ACCEPT);
  }
  rule("not the pod's own address").Counter().Verdict(NF_DROP);
}

void PacketRules::AddGuard(NftTransaction* transaction) const {
  transaction->AddChain(inet_, "guard", {"filter", NF_INET_PRE_ROUTING, -300});
  const auto rule = [&](std::string_view comment) {
    return NftRule(transaction, inet_, "guard", comment);
  };
  rule("the host's loopback is no neighbour's")
      .Interface(NFT_META_IIFNAME, config_.bridge)
      .Family(NFPROTO_IPV4)
      .Network(kLoopback, 8, kIpv4Destination)
      .Counter()
      .Verdict(NF_DROP);
  const std::string spoofed = "a pod's address from elsewhere";
  rule(spoofed)
      .Interface(NFT_META_IIFNAME, config_.bridge, false)
      .Interface(NFT_META_IIFNAME, "lo", false)
      .Family(NFPROTO_IPV4)
      .Network(Big(config_.pods.first), config_.pods.bits, kIpv4Source)
      .Counter()
      .Verdict(NF_DROP);
  if (config_.pods6) {
    rule(spoofed)
        .Interface(NFT_META_IIFNAME, config_.bridge, false)
        .Interface(NFT_META_IIFNAME, "lo", false)
        .Family(NFPROTO_IPV6)
        .Network(config_.pods6->first, config_.pods6->bits, kIpv6Source)
        .Counter()
        .Verdict(NF_DROP);
  }
  // Pods talk to each other through the host, in and out by one device: the host would tell each
  // of them to use a shorter way, and there is none.
  transaction->AddChain(inet_, "redirects", {"filter", NF_INET_LOCAL_OUT, 0});
  const auto redirect = [&](uint8_t family, uint8_t protocol, uint8_t type) {
    NftRule(transaction, inet_, "redirects")
        .Interface(NFT_META_OIFNAME, config_.bridge)
        .Family(family)
        .LoadMeta(NFT_META_L4PROTO)
        .Is({protocol})
        .LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1)
        .Is({type})
        .Verdict(NF_DROP);
  };
  redirect(NFPROTO_IPV4, IPPROTO_ICMP, kIpv4Redirect);
  if (config_.pods6) redirect(NFPROTO_IPV6, IPPROTO_ICMPV6, kIpv6Redirect);
}

// What is sent to an address of the host's own: first the ports of one address, then those of all.
void PacketRules::AddPortRules(NftTransaction* transaction, const std::string& chain,
                               const PortFamily& ports) const {
  const uint32_t words = ports.size / 4;
  NftRule(transaction, inet_, chain)
      .Family(ports.family)
      .LoadFib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR)
      .Is(kLocal)
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, ports.destination, ports.size, 0)
      .LoadMeta(NFT_META_L4PROTO, words)
      .LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, words + 1)
      .Map(ports.at)
      .Dnat(ports.family);
  NftRule(transaction, inet_, chain)
      .Family(ports.family)
      .LoadFib(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR)
      .Is(kLocal)
      .LoadMeta(NFT_META_L4PROTO, 0)
      .LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 1)
      .Map(ports.any)
      .Dnat(ports.family);
}

void PacketRules::AddPorts(NftTransaction* transaction) const {
  const std::string local = "to_ports_local";
  transaction->AddChain(inet_, "to_ports", {"nat", NF_INET_PRE_ROUTING, -100});
  transaction->AddChain(inet_, local, {"nat", NF_INET_LOCAL_OUT, -100});
  // Of loopback only 127.0.0.1 leads to pods. What is left alone finds the port closed; a packet
  // that was led on would find nothing at all, as the kernel lets none of ::1 leave the device.
  NftRule(transaction, inet_, local)
      .Family(NFPROTO_IPV4)
      .Network(kLoopback, 8, kIpv4Destination)
      .Network(Big(kLocalhost), 32, kIpv4Destination, /*equal=*/false)
      .Verdict(NF_ACCEPT);
  NftRule(transaction, inet_, local)
      .Family(NFPROTO_IPV6)
      .Network(kLoopback6, 128, kIpv6Destination)
      .Verdict(NF_ACCEPT);
  for (const std::string& chain : {std::string("to_ports"), local}) {
    AddPortRules(transaction, chain, kPorts4);
    if (config_.pods6) AddPortRules(transaction, chain, kPorts6);
  }
}

void PacketRules::AddLeaving(NftTransaction* transaction) const {
  transaction->AddChain(inet_, "leaving", {"nat", NF_INET_POST_ROUTING, 100});
  const auto rule = [&](std::string_view comment = {}) {
    return NftRule(transaction, inet_, "leaving", comment);
  };
  // A pod that reached itself through a host port would take the packet for a forged one.
  rule("a pod that reaches itself")
      .Family(NFPROTO_IPV4)
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kIpv4Source, 4, 0)
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kIpv4Destination, 4, 1)
      .In("hairpin")
      .Masquerade();
  rule("from the host's 127.0.0.1 through a host port")
      .Family(NFPROTO_IPV4)
      .Network(kLoopback, 8, kIpv4Source)
      .Interface(NFT_META_OIFNAME, config_.bridge)
      .Masquerade();
  const auto& v4 = config_.pods;
  const auto stays4 = [&](std::span<const uint8_t> first, unsigned bits) {
    rule()
        .Family(NFPROTO_IPV4)
        .Network(Big(v4.first), v4.bits, kIpv4Source)
        .Network(first, bits, kIpv4Destination)
        .Verdict(NF_ACCEPT);
  };
  stays4(Big(v4.first), v4.bits);
  stays4(kMulticast, 4);
  for (const Ipv4Range& range : config_.cluster) stays4(Big(range.first), range.bits);
  rule("leaves the cluster")
      .Family(NFPROTO_IPV4)
      .Network(Big(v4.first), v4.bits, kIpv4Source)
      .Interface(NFT_META_OIFNAME, config_.bridge, false)
      .Masquerade();
  if (!config_.pods6) return;
  const Ipv6Range& v6 = *config_.pods6;
  rule("a pod that reaches itself")
      .Family(NFPROTO_IPV6)
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kIpv6Source, 16, 0)
      .LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, kIpv6Destination, 16, 4)
      .In("hairpin6")
      .Masquerade();
  const auto stays6 = [&](const Ipv6& first, unsigned bits) {
    rule()
        .Family(NFPROTO_IPV6)
        .Network(v6.first, v6.bits, kIpv6Source)
        .Network(first, bits, kIpv6Destination)
        .Verdict(NF_ACCEPT);
  };
  stays6(v6.first, v6.bits);
  stays6(kMulticast6, 8);
  for (const Ipv6Range& range : config_.cluster6) stays6(range.first, range.bits);
  rule("leaves the cluster")
      .Family(NFPROTO_IPV6)
      .Network(v6.first, v6.bits, kIpv6Source)
      .Interface(NFT_META_OIFNAME, config_.bridge, false)
      .Masquerade();
}

Result<NetlinkSocket*> PacketRules::Socket() {
  if (!socket_) {
    TRY(socket_, NetlinkSocket::Open(NETLINK_NETFILTER));
  }
  return &*socket_;
}

Result<void> PacketRules::Replace(std::span<const PodRules> pods) {
  NftTransaction transaction;
  for (const NftTable& table : {inet_, bridge_}) {
    transaction.AddTable(table);
    transaction.DeleteTable(table);
    transaction.AddTable(table);
  }
  for (const NftSet& set : Sets()) transaction.AddSet(set);
  AddFromPods(&transaction);
  AddGuard(&transaction);
  AddPorts(&transaction);
  AddLeaving(&transaction);
  for (const Change& change : ElementsOf(pods))
    transaction.AddElements(change.set, change.elements);
  TRY(NetlinkSocket * socket, Socket());
  return transaction.Commit(socket);
}

Result<void> PacketRules::Add(const PodRules& pod) {
  NftTransaction transaction;
  for (const Change& change : ElementsOf({&pod, 1})) {
    transaction.AddElements(change.set, change.elements);
  }
  TRY(NetlinkSocket * socket, Socket());
  return transaction.Commit(socket);
}

Result<void> PacketRules::Remove(const PodRules& pod) {
  NftTransaction transaction;
  for (const Change& change : ElementsOf({&pod, 1})) {
    transaction.DeleteElements(change.set, change.elements);
  }
  TRY(NetlinkSocket * socket, Socket());
  return transaction.Commit(socket);
}

Result<void> PacketRules::CheckTables() {
  TRY(NetlinkSocket * socket, Socket());
  NetlinkBatch batch;
  for (const NftTable& table : {inet_, bridge_}) {
    batch.Begin(NftMessage(NFT_MSG_GETTABLE), 0, "nftables table " + table.name);
    PutNftHeader(&batch, table.family);
    batch.PutText(NFTA_TABLE_NAME, table.name);
  }
  return socket->Execute(&batch);
}

Result<void> PacketRules::Check(const PodRules& pod) {
  TRY_VOID(CheckTables());
  TRY(NetlinkSocket * socket, Socket());
  for (const Change& change : ElementsOf({&pod, 1})) {
    for (const NftElement& element : change.elements) {
      NetlinkBatch batch;
      batch.Begin(
          NftMessage(NFT_MSG_GETSETELEM), 0,
          fmt::format("element of {} in set {} {}", pod.comment, inet_.name, change.set.name));
      PutNftHeader(&batch, change.set.table.family);
      batch.PutText(NFTA_SET_ELEM_LIST_TABLE, change.set.table.name);
      batch.PutText(NFTA_SET_ELEM_LIST_SET, change.set.name);
      {
        const auto list = batch.Nest(NFTA_SET_ELEM_LIST_ELEMENTS);
        const auto nested = batch.Nest(NFTA_LIST_ELEM);
        const auto key = batch.Nest(NFTA_SET_ELEM_KEY);
        batch.Put(NFTA_DATA_VALUE, element.key.bytes());
      }
      TRY_VOID(socket->Execute(&batch));
    }
  }
  return {};
}

Result<void> PacketRules::Uninstall() {
  NftTransaction transaction;
  for (const NftTable& table : {inet_, bridge_}) {
    transaction.AddTable(table);
    transaction.DeleteTable(table);
  }
  TRY(NetlinkSocket * socket, Socket());
  return transaction.Commit(socket);
}

}  // namespace podium::network
