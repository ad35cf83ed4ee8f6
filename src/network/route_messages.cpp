#include "network/route_messages.h"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "network/links.h"

namespace podium::network {

using kernel::NetlinkBatch;

namespace {

unsigned char FamilyOf(const AddressBytes& address) {
  return address.size() == 16 ? AF_INET6 : AF_INET;
}

std::string TextOf(const AddressBytes& address) {
  if (address.size() == 4) return fmt::format("{}", fmt::join(address, "."));
  Ipv6 v6{};
  std::copy_n(address.begin(), std::min(address.size(), v6.size()), v6.begin());
  return ToText(v6);
}

std::string Describe(const Route& route) {
  if (route.destination.empty()) return "the default route via " + TextOf(route.gateway);
  return fmt::format("the route to {}/{}", TextOf(route.destination), route.bits);
}

void PutRouteBody(NetlinkBatch* batch, const Route& route) {
  rtmsg header{};
  header.rtm_family = FamilyOf(route.destination.empty() ? route.gateway : route.destination);
  header.rtm_dst_len = static_cast<unsigned char>(route.bits);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  const bool link = route.gateway.empty() && route.type == RTN_UNICAST;
  header.rtm_scope = link && header.rtm_family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_type = route.type;
  header.rtm_flags = route.gateway_on_link ? RTNH_F_ONLINK : 0;
  batch->PutHeader(header);
  if (!route.destination.empty()) batch->Put(RTA_DST, route.destination);
  if (!route.gateway.empty()) batch->Put(RTA_GATEWAY, route.gateway);
  if (!route.source.empty()) batch->Put(RTA_PREFSRC, route.source);
  if (route.device != 0) batch->PutU32(RTA_OIF, route.device);
}

void PutNeighbourBody(NetlinkBatch* batch, uint32_t device, const AddressBytes& address) {
  ndmsg header{};
  header.ndm_family = FamilyOf(address);
  header.ndm_ifindex = static_cast<int>(device);
  header.ndm_state = NUD_PERMANENT;
  batch->PutHeader(header);
  batch->Put(NDA_DST, address);
}

}  // namespace

AddressBytes BigEndian(uint32_t v4) {
  return {static_cast<uint8_t>(v4 >> 24), static_cast<uint8_t>(v4 >> 16),
          static_cast<uint8_t>(v4 >> 8), static_cast<uint8_t>(v4)};
}

void PutRoute(NetlinkBatch* batch, const Route& route) {
  batch->Begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, "adding " + Describe(route));
  PutRouteBody(batch, route);
}

void RemoveRoute(NetlinkBatch* batch, const Route& route) {
  batch->Begin(RTM_DELROUTE, 0, "removing " + Describe(route));
  PutRouteBody(batch, route);
  batch->Tolerate(ESRCH);
  batch->Tolerate(ENODEV);
}

void PutAddress(NetlinkBatch* batch, uint32_t device, const AddressBytes& address) {
  batch->Begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, "adding the address " + TextOf(address));
  ifaddrmsg header{};
  header.ifa_family = FamilyOf(address);
  header.ifa_prefixlen = static_cast<unsigned char>(address.size() * 8);
  header.ifa_flags = header.ifa_family == AF_INET6 ? IFA_F_NODAD : 0;
  header.ifa_index = device;
  batch->PutHeader(header);
  batch->Put(IFA_LOCAL, address);
  batch->Put(IFA_ADDRESS, address);
}

void PutNeighbour(NetlinkBatch* batch, uint32_t device, const AddressBytes& address,
                  const Mac& mac) {
  batch->Begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
               "adding the neighbour " + TextOf(address));
  PutNeighbourBody(batch, device, address);
  batch->Put(NDA_LLADDR, mac);
}

void RemoveNeighbour(NetlinkBatch* batch, uint32_t device, const AddressBytes& address) {
  batch->Begin(RTM_DELNEIGH, 0, "removing the neighbour " + TextOf(address));
  PutNeighbourBody(batch, device, address);
  batch->Tolerate(ENOENT);
  batch->Tolerate(ENODEV);
}

void PutUp(NetlinkBatch* batch, uint32_t device) {
  batch->Begin(RTM_SETLINK, 0, "setting a network device up");
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(device);
  header.ifi_flags = header.ifi_change = IFF_UP;
  batch->PutHeader(header);
}

void PutUp(NetlinkBatch* batch, const std::string& device) {
  batch->Begin(RTM_SETLINK, 0, "setting the network device " + device + " up");
  ifinfomsg header{};
  header.ifi_flags = header.ifi_change = IFF_UP;
  batch->PutHeader(header);
  batch->PutText(IFLA_IFNAME, device);
}

void PutLinkLocal(NetlinkBatch* batch, const std::string& device, bool wanted) {
  if (!HasIpv6()) return;
  batch->Begin(RTM_SETLINK, 0, "IPv6 on the network device " + device);
  batch->PutHeader(ifinfomsg{});
  batch->PutText(IFLA_IFNAME, device);
  const auto families = batch->Nest(IFLA_AF_SPEC);
  const auto v6 = batch->Nest(AF_INET6);
  batch->PutU8(IFLA_INET6_ADDR_GEN_MODE, wanted ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE);
}

}  // namespace podium::network
