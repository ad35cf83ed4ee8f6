#include "network/links.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "linux/netlink_socket.h"
#include "network/route_messages.h"

namespace podium::network {

using kernel::NetlinkAttributes;
using kernel::NetlinkBatch;
using kernel::NetlinkReply;
using kernel::NetlinkSocket;

namespace {

namespace fs = std::filesystem;

constexpr uint32_t kDefaultMtu = 1500;
const fs::path kSettings = "/proc/sys/net";

uint32_t Number(const NetlinkAttributes& attributes, uint16_t type) {
  const auto attribute = attributes.Find(type);
  return attribute ? attribute->Value<uint32_t>().value_or(0) : 0;
}

// The structure grows with the kernel: what both know is at its start.
rtnl_link_stats64 StatsOf(std::span<const uint8_t> bytes) {
  rtnl_link_stats64 stats{};
  std::memcpy(&stats, bytes.data(), std::min(bytes.size(), sizeof stats));
  return stats;
}

Link LinkOf(const NetlinkReply& reply) {
  const auto header = reply.Header<ifinfomsg>().value_or(ifinfomsg{});
  const NetlinkAttributes attributes = reply.Attributes(sizeof(ifinfomsg));
  Link link;
  link.index = static_cast<uint32_t>(header.ifi_index);
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.master = Number(attributes, IFLA_MASTER);
  link.peer = Number(attributes, IFLA_LINK);
  link.mtu = Number(attributes, IFLA_MTU);
  if (const auto name = attributes.Find(IFLA_IFNAME)) link.name = name->Text();
  if (const auto mac = attributes.Find(IFLA_ADDRESS)) {
    link.mac = mac->Value<Mac>().value_or(Mac{});
  }
  if (const auto info = attributes.Find(IFLA_LINKINFO)) {
    const auto kind = info->Nested().Find(IFLA_INFO_KIND);
    if (kind) link.kind = kind->Text();
  }
  if (const auto stats = attributes.Find(IFLA_STATS64)) {
    const rtnl_link_stats64 all = StatsOf(stats->bytes);
    link.counters = {.rx_bytes = all.rx_bytes,
                     .rx_packets = all.rx_packets,
                     .rx_errors = all.rx_errors,
                     .rx_dropped = all.rx_dropped,
                     .tx_bytes = all.tx_bytes,
                     .tx_packets = all.tx_packets,
                     .tx_errors = all.tx_errors,
                     .tx_dropped = all.tx_dropped};
  }
  return link;
}

// The device that packets to this address leave by; 0 when there is no way.
uint32_t WayTo(NetlinkSocket* socket, std::span<const uint8_t> address) {
  NetlinkBatch batch;
  batch.Begin(RTM_GETROUTE, 0, "");
  rtmsg header{};
  header.rtm_family = address.size() == 4 ? AF_INET : AF_INET6;
  header.rtm_dst_len = static_cast<uint8_t>(address.size() * 8);
  batch.PutHeader(header);
  batch.Put(RTA_DST, address);
  std::vector<NetlinkReply> replies;
  if (!socket->Execute(&batch, &replies).ok() || replies.empty()) return 0;
  return Number(replies[0].Attributes(sizeof(rtmsg)), RTA_OIF);
}

Result<std::string> ReadSetting(const fs::path& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text)) return Error(Code::kNotFound, path.string() + " cannot be read");
  return text;
}

// Not written when it is so already: /proc/sys may be read-only.
Result<void> SetSetting(const fs::path& path, const std::string& value) {
  const auto present = ReadSetting(path);
  if (present.ok() && *present == value) return {};
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), value.data(), value.size()) < 0) {
    return Error::FromErrno(errno, "setting " + path.string() + " to " + value);
  }
  return {};
}

Result<void> SetBridgeSettings(const std::string& bridge, bool v6) {
  const fs::path v4_folder = kSettings / "ipv4/conf" / bridge;
  for (const auto& [name, value] :
       {std::pair("forwarding", "1"), std::pair("accept_redirects", "0"),
        std::pair("send_redirects", "0")}) {
    TRY_VOID(SetSetting(v4_folder / name, value));
  }
  if (!HasIpv6()) return {};
  const fs::path v6_folder = kSettings / "ipv6/conf" / bridge;
  // The host takes no routes from pods (CVE-2020-10749).
  for (const auto& [name, value] :
       {std::pair("accept_ra", "0"), std::pair("autoconf", "0"), std::pair("accept_redirects", "0"),
        std::pair("forwarding", v6 ? "1" : "0")}) {
    TRY_VOID(SetSetting(v6_folder / name, value));
  }
  return {};
}

Result<uint32_t> MakeBridge(NetlinkSocket* socket, const BridgeConfig& config) {
  const auto found = FindLink(config.name);
  if (found.ok() && found->kind != "bridge") {
    return Error(Code::kAlreadyExists,
                 "the network device " + config.name +
                     " is there and is no bridge: remove it, or give this instance another bridge");
  }
  // To set what is set already would make the kernel forget the neighbours.
  if (found.ok() && found->up && found->mac == config.gateway.mac && found->mtu == config.mtu) {
    return found->index;
  }
  NetlinkBatch batch;
  batch.Begin(RTM_NEWLINK, found.ok() ? 0 : NLM_F_CREATE | NLM_F_EXCL,
              "making the bridge " + config.name);
  ifinfomsg header{};
  header.ifi_index = found.ok() ? static_cast<int>(found->index) : 0;
  batch.PutHeader(header);
  batch.PutText(IFLA_IFNAME, config.name);
  batch.Put(IFLA_ADDRESS, config.gateway.mac);
  batch.PutU32(IFLA_MTU, config.mtu);
  if (!found.ok()) {
    const auto info = batch.Nest(IFLA_LINKINFO);
    batch.PutText(IFLA_INFO_KIND, "bridge");
    const auto data = batch.Nest(IFLA_INFO_DATA);
    batch.PutU32(IFLA_BR_STP_STATE, 0);
    batch.PutU32(IFLA_BR_FORWARD_DELAY, 0);
    batch.PutU8(IFLA_BR_MCAST_SNOOPING, 0);
  }
  PutLinkLocal(&batch, config.name, config.pods6.has_value());
  PutUp(&batch, config.name);
  TRY_VOID(socket->Execute(&batch));
  TRY(const Link link, FindLink(config.name));
  return link.index;
}

}  // namespace

Result<void> LeadLoopback(const std::string& bridge, bool on) {
  return SetSetting(kSettings / "ipv4/conf" / bridge / "route_localnet", on ? "1" : "0");
}

bool HasIpv6() { return access("/proc/sys/net/ipv6", F_OK) == 0; }

Result<Link> FindLink(const std::string& name) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  batch.Begin(RTM_GETLINK, 0, "network device " + name);
  batch.PutHeader(ifinfomsg{});
  batch.PutText(IFLA_IFNAME, name);
  std::vector<NetlinkReply> replies;
  auto found = socket.Execute(&batch, &replies);
  if (!found.ok() && found.error().os_errno() == ENODEV) {
    return Error(Code::kNotFound, "there is no network device " + name, ENODEV);
  }
  TRY_VOID(std::move(found));
  if (replies.empty()) return Error(Code::kInternal, "no answer about network device " + name);
  return LinkOf(replies[0]);
}

Result<std::vector<Link>> PortsOf(uint32_t bridge) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  batch.Begin(RTM_GETLINK, NLM_F_DUMP, "listing the bridge's ports");
  batch.PutHeader(ifinfomsg{});
  batch.PutU32(IFLA_MASTER, bridge);
  TRY(const std::vector<NetlinkReply> replies, socket.Dump(&batch));
  std::vector<Link> ports;
  for (const NetlinkReply& reply : replies) {
    Link link = LinkOf(reply);
    if (link.master == bridge) ports.push_back(std::move(link));
  }
  return ports;
}

Result<void> RemoveLink(const std::string& name) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  batch.Begin(RTM_DELLINK, 0, "removing the network device " + name);
  batch.PutHeader(ifinfomsg{});
  batch.PutText(IFLA_IFNAME, name);
  batch.Tolerate(ENODEV);
  return socket.Execute(&batch);
}

uint32_t UplinkMtu() {
  auto socket = NetlinkSocket::Open(NETLINK_ROUTE);
  if (!socket.ok()) return kDefaultMtu;
  // Addresses for documentation (RFC 5737, RFC 3849): nobody has a route of their own for them.
  constexpr uint8_t kSomewhere[] = {198, 51, 100, 1};
  constexpr Ipv6 kSomewhere6 = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  uint32_t index = WayTo(&*socket, kSomewhere);
  if (index == 0) index = WayTo(&*socket, kSomewhere6);
  if (index == 0) return kDefaultMtu;
  NetlinkBatch batch;
  batch.Begin(RTM_GETLINK, 0, "");
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  batch.PutHeader(header);
  std::vector<NetlinkReply> replies;
  if (!socket->Execute(&batch, &replies).ok() || replies.empty()) return kDefaultMtu;
  const auto answer = replies[0].Header<ifinfomsg>().value_or(ifinfomsg{});
  if ((answer.ifi_flags & IFF_LOOPBACK) != 0) return kDefaultMtu;
  const uint32_t mtu = LinkOf(replies[0]).mtu;
  return mtu == 0 ? kDefaultMtu : mtu;
}

Result<uint32_t> EnsureBridge(const BridgeConfig& config) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  TRY(const uint32_t index, MakeBridge(&socket, config));
  TRY_VOID(SetBridgeSettings(config.name, config.pods6.has_value()));
  NetlinkBatch batch;
  PutAddress(&batch, index, BigEndian(config.gateway.v4));
  PutRoute(&batch, {.destination = BigEndian(config.pods.first),
                    .bits = config.pods.bits,
                    .type = RTN_UNREACHABLE});
  if (config.pods6) {
    PutAddress(&batch, index, BytesOf(*config.gateway.v6));
    PutRoute(&batch, {.destination = BytesOf(config.pods6->first),
                      .bits = config.pods6->bits,
                      .type = RTN_UNREACHABLE});
  }
  TRY_VOID(socket.Execute(&batch));
  return index;
}

Result<void> RemoveBridge(const BridgeConfig& config) {
  TRY_VOID(RemoveLink(config.name));
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  NetlinkBatch batch;
  RemoveRoute(&batch, {.destination = BigEndian(config.pods.first),
                       .bits = config.pods.bits,
                       .type = RTN_UNREACHABLE});
  if (config.pods6) {
    RemoveRoute(&batch, {.destination = BytesOf(config.pods6->first),
                         .bits = config.pods6->bits,
                         .type = RTN_UNREACHABLE});
  }
  return socket.Execute(&batch);
}

Result<void> EnableForwarding(bool v6) {
  TRY_VOID(SetSetting(kSettings / "ipv4/ip_forward", "1"));
  if (!v6) return {};
  const fs::path all = kSettings / "ipv6/conf/all/forwarding";
  const auto present = ReadSetting(all);
  if (present.ok() && *present == "1") return {};
  // A router takes no advertisements unless told so (2): without that, turning forwarding on would
  // cost the host the default route that it has from them.
  std::error_code error;
  for (const auto& folder : fs::directory_iterator(kSettings / "ipv6/conf", error)) {
    const fs::path accept = folder.path() / "accept_ra";
    const auto value = ReadSetting(accept);
    if (value.ok() && *value == "1") TRY_VOID(SetSetting(accept, "2"));
  }
  return SetSetting(all, "1");
}

}  // namespace podium::network
