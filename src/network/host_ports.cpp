#include "network/host_ports.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "linux/netlink_socket.h"
#include "network/addresses.h"

namespace podium::network {

using kernel::NetlinkBatch;
using kernel::NetlinkReply;
using kernel::NetlinkSocket;

namespace {

namespace fs = std::filesystem;

bool IsAny(const std::string& host_ip) {
  return host_ip.empty() || host_ip == "0.0.0.0" || host_ip == "::";
}

// Of the addresses of loopback 127.0.0.1 alone is led to pods: others are for servers of the host's
// own (127.0.0.53), and IPv6 has none that the kernel would lead on.
bool StaysOnLoopback(const std::string& host_ip) {
  if (const auto v4 = ParseIpv4(host_ip)) return *v4 >> 24 == 127 && *v4 != kLocalhost;
  return host_ip == "::1";
}

struct Listener {
  std::string address;
  uint16_t port = 0;
  uint32_t inode = 0;
};

std::string AddressOf(const inet_diag_msg& message) {
  if (message.idiag_family == AF_INET) return ToText(ntohl(message.id.idiag_src[0]));
  Ipv6 v6{};
  std::memcpy(v6.data(), message.id.idiag_src, v6.size());
  return ToText(v6);
}

// Sockets that take what anybody sends to a port.
std::vector<Listener> Listeners(NetlinkSocket* socket, uint8_t family, Protocol protocol) {
  NetlinkBatch batch;
  batch.Begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, "listing sockets");
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = ProtocolNumber(protocol);
  // An unconnected datagram socket counts as closed.
  request.idiag_states = protocol == Protocol::kUdp ? 1U << TCP_CLOSE : 1U << TCP_LISTEN;
  batch.PutHeader(request);
  std::vector<Listener> listeners;
  const auto replies = socket->Dump(&batch);
  if (!replies.ok()) return listeners;
  for (const NetlinkReply& reply : *replies) {
    const auto message = reply.Header<inet_diag_msg>();
    if (!message || message->id.idiag_dport != 0) continue;
    listeners.push_back(
        {AddressOf(*message), ntohs(message->id.idiag_sport), message->idiag_inode});
  }
  return listeners;
}

// "nginx (pid 123)"; "a process" when it cannot be seen from here.
std::string HolderOf(uint32_t inode) {
  const std::string wanted = fmt::format("socket:[{}]", inode);
  std::error_code error;
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    const std::string pid = process.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code gone;
    for (fs::directory_iterator fd(process.path() / "fd", gone), end; !gone && fd != end;
         fd.increment(gone)) {
      std::error_code unread;
      if (fs::read_symlink(fd->path(), unread) != wanted) continue;
      std::ifstream file(process.path() / "comm");
      std::string name;
      std::getline(file, name);
      return fmt::format("{} (pid {})", name.empty() ? "a process" : name, pid);
    }
  }
  return "a process";
}

}  // namespace

uint8_t ProtocolNumber(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
      return IPPROTO_TCP;
    case Protocol::kUdp:
      return IPPROTO_UDP;
    case Protocol::kSctp:
      return IPPROTO_SCTP;
  }
  return IPPROTO_TCP;
}

std::string ToText(const PortMapping& port) {
  std::string end = fmt::format("{}/{}", port.host_port, ProtocolName(port.protocol));
  if (IsAny(port.host_ip)) return end;
  const bool v6 = port.host_ip.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", port.host_ip, end) : fmt::format("{}:{}", port.host_ip, end);
}

bool Collide(const PortMapping& a, const PortMapping& b) {
  if (a.host_port != b.host_port || a.protocol != b.protocol) return false;
  return IsAny(a.host_ip) || IsAny(b.host_ip) || a.host_ip == b.host_ip;
}

Result<std::vector<PortMapping>> EffectivePorts(std::span<const PortMapping> ports) {
  std::vector<PortMapping> effective;
  for (const PortMapping& port : ports) {
    if (port.host_port == 0) continue;
    const std::string text = ToText(port);
    if (port.container_port == 0) {
      return Error(Code::kInvalidArgument, "hostPort " + text + " has no containerPort");
    }
    if (!port.host_ip.empty() && !ParseIpv4(port.host_ip) && !ParseIpv6(port.host_ip)) {
      return Error(Code::kInvalidArgument,
                   fmt::format("hostIP '{}' of hostPort {} is no address", port.host_ip, text));
    }
    if (StaysOnLoopback(port.host_ip)) {
      return Error(Code::kUnsupported,
                   fmt::format("hostPort {}: of loopback's addresses only 127.0.0.1 can lead to a "
                               "pod; use that, or an address of the node",
                               text));
    }
    if (std::ranges::any_of(effective, [&](const auto& other) { return Collide(port, other); })) {
      return Error(Code::kInvalidArgument, "hostPort " + text + " is mapped twice");
    }
    effective.push_back(port);
  }
  return effective;
}

std::optional<std::string> ListenerOn(std::span<const PortMapping> ports) {
  if (ports.empty()) return std::nullopt;
  auto socket = NetlinkSocket::Open(NETLINK_SOCK_DIAG);
  if (!socket.ok()) return std::nullopt;
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (std::ranges::none_of(ports, [&](const auto& port) { return port.protocol == protocol; })) {
      continue;
    }
    for (const uint8_t family : {AF_INET, AF_INET6}) {
      for (const Listener& listener : Listeners(&*socket, family, protocol)) {
        // Not in the way: nothing of a pod's is reached there.
        if (StaysOnLoopback(listener.address)) continue;
        const PortMapping held{.protocol = protocol,
                               .container_port = 0,
                               .host_port = listener.port,
                               .host_ip = listener.address};
        for (const PortMapping& port : ports) {
          if (!Collide(port, held)) continue;
          return fmt::format("hostPort {} is taken by {}, which listens on {}", ToText(port),
                             HolderOf(listener.inode),
                             family == AF_INET6
                                 ? fmt::format("[{}]:{}", listener.address, listener.port)
                                 : fmt::format("{}:{}", listener.address, listener.port));
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace podium::network
