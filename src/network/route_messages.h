// Messages of rtnetlink that this room sends more than once: addresses, routes, neighbours.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <string>
#include <vector>

#include "linux/netlink_socket.h"
#include "network/addresses.h"

namespace podium::network {

// An address of either family, as it stands in packets.
using AddressBytes = std::vector<uint8_t>;

AddressBytes BigEndian(uint32_t v4);
inline AddressBytes BytesOf(const Ipv6& v6) { return {v6.begin(), v6.end()}; }

struct Route {
  AddressBytes destination;  // empty for 0.0.0.0/0 or ::/0, by the gateway's family
  unsigned bits = 0;
  AddressBytes gateway = {};  // empty: on the link
  AddressBytes source = {};   // of the host's own packets; empty: the kernel's choice
  uint32_t device = 0;        // not for unreachable routes
  unsigned char type = RTN_UNICAST;
  bool gateway_on_link = false;  // the gateway is there although no other route says so
};

// Each is one message. Adding what is there changes it; removing what is not there is no error.
void PutRoute(kernel::NetlinkBatch* batch, const Route& route);
void RemoveRoute(kernel::NetlinkBatch* batch, const Route& route);
// A host's address (/32, /128); an IPv6 address is usable at once, without a search for duplicates.
void PutAddress(kernel::NetlinkBatch* batch, uint32_t device, const AddressBytes& address);
void PutNeighbour(kernel::NetlinkBatch* batch, uint32_t device, const AddressBytes& address,
                  const Mac& mac);
void RemoveNeighbour(kernel::NetlinkBatch* batch, uint32_t device, const AddressBytes& address);
void PutUp(kernel::NetlinkBatch* batch, uint32_t device);
void PutUp(kernel::NetlinkBatch* batch, const std::string& device);
// Whether the device, which is down, gets an IPv6 link-local address once it is up; no message
// where there is no IPv6. (Not an attribute of its making: the kernel refuses that.)
void PutLinkLocal(kernel::NetlinkBatch* batch, const std::string& device, bool wanted);

}  // namespace podium::network
