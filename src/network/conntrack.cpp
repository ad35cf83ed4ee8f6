#include "network/conntrack.h"

#include <ifaddrs.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "base/owned.h"
#include "linux/netlink_socket.h"
#include "network/route_messages.h"

namespace podium::network {

using kernel::NetlinkAttributes;
using kernel::NetlinkBatch;
using kernel::NetlinkReply;
using kernel::NetlinkSocket;

namespace {

using Bytes = std::vector<uint8_t>;
using Attribute = NetlinkAttributes::Attribute;

constexpr uint16_t kSubsystem = NFNL_SUBSYS_CTNETLINK << 8;
// Which parts of a tuple a dump is filtered by (Linux 5.8; older ones give all). The kernel's
// headers have these for itself alone.
constexpr uint32_t kByProtocol = 1U << 3, kByDestinationPort = 1U << 5;

struct End {
  Bytes source;
  Bytes destination;
  uint16_t destination_port = 0;
  uint8_t protocol = 0;
};

Bytes BytesIn(const std::optional<Attribute>& attribute) {
  if (!attribute) return {};
  return {attribute->bytes.begin(), attribute->bytes.end()};
}

// One direction of a flow.
End EndOf(const std::optional<Attribute>& tuple) {
  End end;
  if (!tuple) return end;
  if (const auto ip = tuple->Nested().Find(CTA_TUPLE_IP)) {
    const NetlinkAttributes addresses = ip->Nested();
    const bool v4 = addresses.Find(CTA_IP_V4_SRC).has_value();
    end.source = BytesIn(addresses.Find(v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC));
    end.destination = BytesIn(addresses.Find(v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST));
  }
  if (const auto protocol = tuple->Nested().Find(CTA_TUPLE_PROTO)) {
    const NetlinkAttributes parts = protocol->Nested();
    if (const auto number = parts.Find(CTA_PROTO_NUM)) {
      end.protocol = number->Value<uint8_t>().value_or(0);
    }
    if (const auto port = parts.Find(CTA_PROTO_DST_PORT)) {
      end.destination_port = ntohs(port->Value<uint16_t>().value_or(0));
    }
  }
  return end;
}

// Of the machine's own addresses, loopback's too.
std::vector<Bytes> OwnAddresses() {
  std::vector<Bytes> own;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return own;
  const Owned<ifaddrs, freeifaddrs> list(first);
  for (const ifaddrs* each = first; each; each = each->ifa_next) {
    if (!each->ifa_addr) continue;
    const void* bytes = nullptr;
    size_t size = 0;
    if (each->ifa_addr->sa_family == AF_INET) {
      bytes = &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr;
      size = sizeof(in_addr);
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      bytes = &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr;
      size = sizeof(in6_addr);
    } else {
      continue;
    }
    Bytes address(size);
    std::memcpy(address.data(), bytes, size);
    own.push_back(std::move(address));
  }
  return own;
}

void PutHeader(NetlinkBatch* batch, uint8_t family) {
  nfgenmsg header{};
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
  batch->PutHeader(header);
}

Result<std::vector<NetlinkReply>> FlowsTo(NetlinkSocket* socket, uint8_t family, uint16_t port) {
  NetlinkBatch batch;
  batch.Begin(kSubsystem | IPCTNL_MSG_CT_GET, NLM_F_DUMP, "listing flows");
  PutHeader(&batch, family);
  {
    const auto tuple = batch.Nest(CTA_TUPLE_ORIG);
    const auto protocol = batch.Nest(CTA_TUPLE_PROTO);
    batch.PutU8(CTA_PROTO_NUM, IPPROTO_UDP);
    batch.PutBe16(CTA_PROTO_DST_PORT, port);
  }
  {
    const auto filter = batch.Nest(CTA_FILTER);
    batch.PutU32(CTA_FILTER_ORIG_FLAGS, kByProtocol | kByDestinationPort);
    batch.PutU32(CTA_FILTER_REPLY_FLAGS, 0);
  }
  return socket->Dump(&batch);
}

// Names the flow by its first direction, and by its id: it may have ended, and another have come.
void PutRemoval(NetlinkBatch* batch, uint8_t family, const NetlinkAttributes& flow) {
  batch->Begin(kSubsystem | IPCTNL_MSG_CT_DELETE, 0, "forgetting a flow");
  batch->Tolerate(ENOENT);
  PutHeader(batch, family);
  batch->Put(CTA_TUPLE_ORIG | NLA_F_NESTED, flow.Find(CTA_TUPLE_ORIG)->bytes);
  for (const uint16_t type : {CTA_ZONE, CTA_ID}) {
    if (const auto attribute = flow.Find(type)) batch->Put(type, attribute->bytes);
  }
}

// Modules are not loaded, or are not there.
bool HasNoCtnetlink(const Error& error) {
  return error.os_errno() == EINVAL || error.os_errno() == EOPNOTSUPP ||
         error.os_errno() == EPROTONOSUPPORT;
}

Result<void> Forget(NetlinkSocket* socket, uint8_t family, uint16_t port, const Bytes& pod,
                    const std::vector<Bytes>& own) {
  auto flows = FlowsTo(socket, family, port);
  if (!flows.ok()) {
    if (HasNoCtnetlink(flows.error())) return {};
    return std::move(flows).error();
  }
  NetlinkBatch removals;
  for (const NetlinkReply& reply : *flows) {
    const NetlinkAttributes flow = reply.Attributes(sizeof(nfgenmsg));
    const End there = EndOf(flow.Find(CTA_TUPLE_ORIG));
    const End back = EndOf(flow.Find(CTA_TUPLE_REPLY));
    if (there.protocol != IPPROTO_UDP || there.destination_port != port) continue;
    // Whoever answers is where the flow ends.
    const bool to_pod = back.source == pod;
    const bool to_host =
        back.source == there.destination && std::ranges::find(own, back.source) != own.end();
    if (to_pod || to_host) PutRemoval(&removals, family, flow);
  }
  return removals.empty() ? Result<void>() : socket->Execute(&removals);
}

}  // namespace

Result<void> ForgetFlows(std::span<const PortMapping> ports, const PodAddress& pod) {
  const auto datagrams = [](const PortMapping& port) { return port.protocol == Protocol::kUdp; };
  if (std::ranges::none_of(ports, datagrams)) return {};
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_NETFILTER));
  const std::vector<Bytes> own = OwnAddresses();
  for (const PortMapping& port : ports) {
    if (!datagrams(port)) continue;
    TRY_VOID(Forget(&socket, AF_INET, port.host_port, BigEndian(pod.v4), own));
    if (!pod.v6) continue;
    TRY_VOID(Forget(&socket, AF_INET6, port.host_port, BytesOf(*pod.v6), own));
  }
  return {};
}

}  // namespace podium::network
