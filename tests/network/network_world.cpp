#include "network/network_world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <thread>

#include "support/own_namespaces.h"

namespace podium::testing {
namespace {

constexpr int kPatienceMs = 1500;
constexpr int kMuchPatienceMs = 8000;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address MakeAddress(const std::string& text, uint16_t port) {
  Address address;
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
    return address;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &v4->sin_addr), 1) << text;
  address.size = sizeof *v4;
  return address;
}

std::string TextOf(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr, text,
              sizeof text);
  } else {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr, text,
              sizeof text);
  }
  return text;
}

void In(int netns, const std::function<void()>& body) {
  if (netns < 0) {
    body();
  } else {
    InNetns(netns, body);
  }
}

int SocketType(Transport transport) {
  return (transport == Transport::kTcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
}

std::string ErrnoName(int number) { return fmt::format("errno: {}", strerrorname_np(number)); }

bool Ready(int fd, short events, int patience_ms) {
  pollfd wanted{fd, events, 0};
  return poll(&wanted, 1, patience_ms) == 1;
}

std::string AskFromHere(const std::string& text, uint16_t port, Transport transport,
                        const std::string& source, int patience_ms) {
  Address address = MakeAddress(text, port);
  const UniqueFd fd(socket(address.storage.ss_family, SocketType(transport), 0));
  // Says what ICMP says of a datagram.
  const int one = 1;
  setsockopt(fd.get(), IPPROTO_IP, IP_RECVERR, &one, sizeof one);
  setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof one);
  if (!source.empty()) {
    Address own = MakeAddress(source, 0);
    if (bind(fd.get(), own.get(), own.size) != 0) return ErrnoName(errno);
  }
  if (connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) {
    return ErrnoName(errno);
  }
  if (!Ready(fd.get(), POLLOUT, patience_ms)) return "timeout";
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return ErrnoName(error);
  if (transport == Transport::kUdp && send(fd.get(), "?", 1, 0) < 0) return ErrnoName(errno);
  if (!Ready(fd.get(), POLLIN, patience_ms)) return "timeout";
  char answer[256];
  const ssize_t length = recv(fd.get(), answer, sizeof answer, 0);
  if (length < 0) return ErrnoName(errno);
  return std::string(answer, static_cast<size_t>(length));
}

}  // namespace

std::string Shell(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) return "";
  std::string output;
  char buffer[4096];
  while (const size_t size = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, size);
  const int status = pclose(pipe);
  EXPECT_EQ(status, 0) << command << "\n" << output;
  return output;
}

std::string ShellIn(int netns, const std::string& command) {
  std::string output;
  InNetns(netns, [&] { output = Shell(command); });
  return output;
}

UniqueFd MakeOutside(uint32_t mtu) {
  UniqueFd outside = NewNetns();
  Shell("ip link set lo up");
  Shell(fmt::format(
      "ip link add uplink mtu {0} type veth peer name uplink mtu {0} netns /proc/{1}/fd/{2}", mtu,
      getpid(), outside.get()));
  const auto address = [](const char* v4, const char* v6) {
    return fmt::format(
        "ip link set uplink up; ip addr add {}/24 dev uplink; ip addr add {}/64 dev uplink nodad",
        v4, v6);
  };
  Shell(address(kHostAddress, kHostAddress6));
  ShellIn(outside.get(), "ip link set lo up; " + address(kOutsideAddress, kOutsideAddress6));
  Shell(fmt::format("ip route add default via {}; ip -6 route add default via {}", kOutsideAddress,
                    kOutsideAddress6));
  return outside;
}

struct EchoServer::State {
  UniqueFd socket;
  UniqueFd stop;
  Transport transport = Transport::kTcp;
  std::thread thread;
};

EchoServer::EchoServer(int netns, const std::string& text, uint16_t port, Transport transport)
    : state_(new State) {
  state_->transport = transport;
  state_->stop.reset(eventfd(0, EFD_CLOEXEC));
  In(netns, [&] {
    Address address = MakeAddress(text, port);
    state_->socket.reset(socket(address.storage.ss_family, SocketType(transport), 0));
    const int one = 1;
    setsockopt(state_->socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(state_->socket.get(), address.get(), address.size) != 0 ||
        (transport == Transport::kTcp && listen(state_->socket.get(), 16) != 0)) {
      problem_ = ErrnoName(errno);
      return;
    }
    getsockname(state_->socket.get(), address.get(), &address.size);
    port_ = ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
  });
  if (problem_.empty()) state_->thread = std::thread([this] { Serve(); });
}

EchoServer::~EchoServer() {
  const uint64_t one = 1;
  EXPECT_EQ(write(state_->stop.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  if (state_->thread.joinable()) state_->thread.join();
  delete state_;
}

void EchoServer::Serve() {
  while (true) {
    pollfd fds[] = {{state_->socket.get(), POLLIN, 0}, {state_->stop.get(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 || fds[1].revents != 0) return;
    Address peer;
    peer.size = sizeof peer.storage;
    if (state_->transport == Transport::kTcp) {
      const UniqueFd fd(accept4(state_->socket.get(), peer.get(), &peer.size, SOCK_CLOEXEC));
      const std::string answer = TextOf(peer);
      if (fd) (void)!send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    } else {
      char byte = 0;
      if (recvfrom(state_->socket.get(), &byte, 1, 0, peer.get(), &peer.size) < 0) continue;
      const std::string answer = TextOf(peer);
      (void)!sendto(state_->socket.get(), answer.data(), answer.size(), 0, peer.get(), peer.size);
    }
  }
}

std::string Ask(int netns, const std::string& address, uint16_t port, Transport transport,
                const std::string& source) {
  std::string answer;
  In(netns, [&] { answer = AskFromHere(address, port, transport, source, kPatienceMs); });
  return answer;
}

std::string AskPatiently(int netns, const std::string& address, uint16_t port,
                         Transport transport) {
  std::string answer;
  In(netns, [&] { answer = AskFromHere(address, port, transport, {}, kMuchPatienceMs); });
  return answer;
}

Sniffer::Sniffer(int netns, const std::string& device) {
  In(netns, [&] {
    fd_.reset(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  });
}

std::vector<Sniffer::Packet> Sniffer::Packets() {
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::vector<Packet> packets;
  std::vector<uint8_t> buffer(65536);
  while (true) {
    sockaddr_ll from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0) return packets;
    char source[INET6_ADDRSTRLEN] = {};
    char destination[INET6_ADDRSTRLEN] = {};
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    if (from.sll_protocol == htons(ETH_P_IP) && size >= 20) {
      inet_ntop(AF_INET, &buffer[12], source, sizeof source);
      inet_ntop(AF_INET, &buffer[16], destination, sizeof destination);
      packets.push_back({source, destination, buffer[9]});
    } else if (from.sll_protocol == htons(ETH_P_IPV6) && size >= 40) {
      inet_ntop(AF_INET6, &buffer[8], source, sizeof source);
      inet_ntop(AF_INET6, &buffer[24], destination, sizeof destination);
      packets.push_back({source, destination, buffer[6]});
    }
  }
}

void SendFrame(int netns, const std::string& device, const std::vector<uint8_t>& frame) {
  In(netns, [&] {
    const UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
    EXPECT_EQ(sendto(fd.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&address),
                     sizeof address),
              static_cast<ssize_t>(frame.size()));
  });
}

}  // namespace podium::testing
