// What of links.h concerns one pod.
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "linux/netlink_socket.h"
#include "network/links.h"
#include "network/route_messages.h"

namespace podium::network {

using kernel::NetlinkBatch;
using kernel::NetlinkReply;
using kernel::NetlinkSocket;

namespace {

constexpr uint32_t kLoopbackIndex = 1;

// One queue: a veth has by default one for each processor, at some kilobytes each.
void PutDevice(NetlinkBatch* batch, const std::string& name, uint32_t mtu) {
  batch->PutText(IFLA_IFNAME, name);
  batch->PutU32(IFLA_MTU, mtu);
  batch->PutU32(IFLA_NUM_TX_QUEUES, 1);
  batch->PutU32(IFLA_NUM_RX_QUEUES, 1);
}

// The pair, in one message: the peer is made in its namespace. To move it there later would cost
// fifty times as much, as the kernel then waits for all processors.
Result<void> MakePair(NetlinkSocket* socket, const BridgeConfig& config, uint32_t bridge,
                      const std::string& device, const Mac& mac, int netns) {
  NetlinkBatch batch;
  batch.Begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "making the network device " + device);
  batch.PutHeader(ifinfomsg{});
  PutDevice(&batch, device, config.mtu);
  batch.PutU32(IFLA_MASTER, bridge);
  {
    const auto info = batch.Nest(IFLA_LINKINFO);
    batch.PutText(IFLA_INFO_KIND, "veth");
    const auto data = batch.Nest(IFLA_INFO_DATA);
    const auto peer = batch.Nest(VETH_INFO_PEER);
    batch.PutHeader(ifinfomsg{});
    PutDevice(&batch, kPodInterface, config.mtu);
    batch.Put(IFLA_ADDRESS, mac);
    batch.PutU32(IFLA_NET_NS_FD, static_cast<uint32_t>(netns));
  }
  PutLinkLocal(&batch, device, false);
  PutUp(&batch, device);
  auto made = socket->Execute(&batch);
  if (!made.ok() && made.error().os_errno() == EEXIST && !FindLink(device).ok()) {
    return Error(Code::kAlreadyExists,
                 std::string("the pod's network namespace has a device ") + kPodInterface, EEXIST);
  }
  return made;
}

// Index of the pod's end, in its namespace, and of ours.
struct Ends {
  uint32_t pod = 0;
  uint32_t host = 0;
};

Result<Ends> FindEnds(NetlinkSocket* inside) {
  NetlinkBatch batch;
  batch.Begin(RTM_GETLINK, 0, std::string("network device ") + kPodInterface);
  batch.PutHeader(ifinfomsg{});
  batch.PutText(IFLA_IFNAME, kPodInterface);
  std::vector<NetlinkReply> replies;
  TRY_VOID(inside->Execute(&batch, &replies));
  if (replies.empty()) return Error(Code::kInternal, "no answer about the pod's network device");
  const auto peer = replies[0].Attributes(sizeof(ifinfomsg)).Find(IFLA_LINK);
  return Ends{
      .pod = static_cast<uint32_t>(replies[0].Header<ifinfomsg>().value_or(ifinfomsg{}).ifi_index),
      .host = peer ? peer->Value<uint32_t>().value_or(0) : 0};
}

// No learning and no flooding: which device address is where is said once, by us, and no frame for
// one pod is seen by another. Hairpin: with br_netfilter a packet that a pod sends to its own host
// port goes back where it came from without leaving the bridge.
void PutPort(NetlinkBatch* batch, uint32_t device, const Mac& mac) {
  batch->Begin(RTM_NEWLINK, 0, "setting up a port of the bridge");
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(device);
  batch->PutHeader(header);
  {
    const auto info = batch->Nest(IFLA_LINKINFO);
    batch->PutText(IFLA_INFO_SLAVE_KIND, "bridge");
    const auto data = batch->Nest(IFLA_INFO_SLAVE_DATA);
    batch->PutU8(IFLA_BRPORT_MODE, 1);
    batch->PutU8(IFLA_BRPORT_LEARNING, 0);
    batch->PutU8(IFLA_BRPORT_UNICAST_FLOOD, 0);
  }
  batch->Begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, "adding the pod's device address");
  ndmsg entry{};
  entry.ndm_family = AF_BRIDGE;
  entry.ndm_ifindex = static_cast<int>(device);
  entry.ndm_state = NUD_NOARP;
  entry.ndm_flags = NTF_MASTER;
  batch->PutHeader(entry);
  batch->Put(NDA_LLADDR, mac);
}

// That both ends are up reaches their queues and the bridge by way of a work queue of the kernel's,
// and that the bridge has a port that is up (its first, or its first again) reaches the bridge's
// own queue by another turn of it. Until then packets are dropped: the pod's first would be lost,
// and TCP tries again after a second. To ask for the device makes the kernel catch up (Linux 6.8);
// before that it is a matter of waiting.
Result<void> AwaitUp(NetlinkSocket* socket, uint32_t device) {
  constexpr int kTries = 2000;
  constexpr useconds_t kPause = 1000;
  for (int i = 0; i < kTries; ++i) {
    NetlinkBatch batch;
    batch.Begin(RTM_GETLINK, 0, "asking for the pod's network device");
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(device);
    batch.PutHeader(header);
    std::vector<NetlinkReply> replies;
    TRY_VOID(socket->Execute(&batch, &replies));
    if (replies.empty()) return Error(Code::kInternal, "no answer about the pod's network device");
    const auto state = replies[0].Attributes(sizeof(ifinfomsg)).Find(IFLA_OPERSTATE);
    if (!state || state->Value<uint8_t>() == IF_OPER_UP) return {};
    usleep(kPause);
  }
  return Error(Code::kUnavailable, "the pod's network device does not come up");
}

void PutInside(NetlinkBatch* batch, uint32_t device, const AddressBytes& own,
               const AddressBytes& gateway, const Mac& gateway_mac) {
  PutAddress(batch, device, own);
  PutRoute(batch, {.destination = gateway,
                   .bits = static_cast<unsigned>(gateway.size() * 8),
                   .device = device});
  PutRoute(batch, {.destination = {}, .bits = 0, .gateway = gateway, .device = device});
  PutNeighbour(batch, device, gateway, gateway_mac);
}

Result<void> Configure(NetlinkSocket* outside, const BridgeConfig& config, uint32_t bridge,
                       const PodAddress& address, int netns) {
  TRY(NetlinkSocket inside, NetlinkSocket::OpenIn(NETLINK_ROUTE, netns));
  TRY(const Ends ends, FindEnds(&inside));
  NetlinkBatch pod;
  PutUp(&pod, kLoopbackIndex);
  PutLinkLocal(&pod, kPodInterface, config.pods6.has_value());
  PutUp(&pod, ends.pod);
  PutInside(&pod, ends.pod, BigEndian(address.v4), BigEndian(config.gateway.v4),
            config.gateway.mac);
  if (address.v6) {
    PutInside(&pod, ends.pod, BytesOf(*address.v6), BytesOf(*config.gateway.v6),
              config.gateway.mac);
  }
  TRY_VOID(inside.Execute(&pod));
  NetlinkBatch host;
  PutPort(&host, ends.host, address.mac);
  TRY_VOID(outside->Execute(&host));
  TRY_VOID(AwaitUp(&inside, ends.pod));
  TRY_VOID(AwaitUp(outside, ends.host));
  return AwaitUp(outside, bridge);
}

// The pod's routes on the host, one an address. To IPv4 the pod is its own gateway: a plain route
// on the link would make the host tell each pod, by ICMP redirects, of a shorter way to the others;
// even where these are dropped they count against the rate at which it tells of unreachable
// addresses.
std::vector<Route> RoutesTo(const BridgeConfig& config, uint32_t bridge,
                            const PodAddress& address) {
  std::vector<Route> routes;
  routes.push_back({.destination = BigEndian(address.v4),
                    .bits = 32,
                    .gateway = BigEndian(address.v4),
                    .source = BigEndian(config.gateway.v4),
                    .device = bridge,
                    .gateway_on_link = true});
  if (address.v6) {
    routes.push_back({.destination = BytesOf(*address.v6), .bits = 128, .device = bridge});
  }
  return routes;
}

std::optional<uint32_t> AddressIn(const std::optional<kernel::NetlinkAttributes::Attribute>& found,
                                  const Ipv4Range& range) {
  if (!found || found->bytes.size() != 4) return std::nullopt;
  const auto& bytes = found->bytes;
  const uint32_t v4 = uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 |
                      uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
  if (!range.contains(v4)) return std::nullopt;
  return v4;
}

Result<std::set<uint32_t>> RoutesOn(const BridgeConfig& config, uint32_t bridge) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  batch.Begin(RTM_GETROUTE, NLM_F_DUMP, "listing routes");
  rtmsg wanted{};
  wanted.rtm_family = AF_INET;
  wanted.rtm_table = RT_TABLE_MAIN;
  batch.PutHeader(wanted);
  batch.PutU32(RTA_OIF, bridge);
  TRY(const std::vector<NetlinkReply> replies, socket.Dump(&batch));
  std::set<uint32_t> pods;
  for (const NetlinkReply& reply : replies) {
    const auto v4 = AddressIn(reply.Attributes(sizeof(rtmsg)).Find(RTA_DST), config.pods);
    const auto header = reply.Header<rtmsg>();
    if (v4 && header && header->rtm_dst_len == 32) pods.insert(*v4);
  }
  return pods;
}

}  // namespace

Result<void> ConnectPod(const BridgeConfig& config, uint32_t bridge, const std::string& device,
                        const PodAddress& address, int netns) {
  TRY(NetlinkSocket outside, NetlinkSocket::Open(NETLINK_ROUTE));
  TRY_VOID(MakePair(&outside, config, bridge, device, address.mac, netns));
  auto configured = Configure(&outside, config, bridge, address, netns);
  // The first error counts; the device goes with its namespace in any case.
  if (!configured.ok()) (void)RemoveLink(device);
  return configured;
}

Result<void> AddPodRoutes(const BridgeConfig& config, uint32_t bridge, const PodAddress& address) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  for (const Route& route : RoutesTo(config, bridge, address)) {
    PutNeighbour(&batch, bridge, route.destination, address.mac);
    PutRoute(&batch, route);
  }
  return socket.Execute(&batch);
}

Result<void> RemovePodRoutes(const BridgeConfig& config, uint32_t bridge,
                             const PodAddress& address) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  for (const Route& route : RoutesTo(config, bridge, address)) {
    RemoveRoute(&batch, route);
    RemoveNeighbour(&batch, bridge, route.destination);
  }
  return socket.Execute(&batch);
}

Result<void> CheckPodRoutes(const BridgeConfig& config, uint32_t bridge,
                            const PodAddress& address) {
  TRY(const std::set<uint32_t> routed, RoutesOn(config, bridge));
  if (routed.contains(address.v4)) return {};
  return Error(Code::kNotFound, "the route to " + ToText(address.v4) + " is gone");
}

Result<std::set<uint32_t>> RoutedPods(const BridgeConfig& config, uint32_t bridge) {
  TRY(std::set<uint32_t> pods, RoutesOn(config, bridge));
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  batch.Begin(RTM_GETNEIGH, NLM_F_DUMP, "listing neighbours");
  ndmsg wanted{};
  wanted.ndm_family = AF_INET;
  batch.PutHeader(wanted);
  batch.PutU32(NDA_IFINDEX, bridge);
  TRY(const std::vector<NetlinkReply> replies, socket.Dump(&batch));
  for (const NetlinkReply& reply : replies) {
    const auto v4 = AddressIn(reply.Attributes(sizeof(ndmsg)).Find(NDA_DST), config.pods);
    const auto header = reply.Header<ndmsg>();
    if (v4 && header && static_cast<uint32_t>(header->ndm_ifindex) == bridge) pods.insert(*v4);
  }
  return pods;
}

}  // namespace podium::network
