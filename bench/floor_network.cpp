#include "floor_network.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace bench {
namespace {

// A request with attributes, and its answer.

class Request {
 public:
  template <class T>
  Request(uint16_t type, uint16_t flags, const T& body) {
    header()->nlmsg_type = type;
    header()->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    size_ = sizeof(nlmsghdr);
    Append(&body, sizeof(body));
  }

  Request& Add(uint16_t type, const void* data, size_t size) {
    const rtattr attribute = {.rta_len = static_cast<uint16_t>(RTA_LENGTH(size)), .rta_type = type};
    Append(&attribute, sizeof(attribute));
    Append(data, size);
    return *this;
  }
  Request& Add(uint16_t type, uint32_t value) { return Add(type, &value, sizeof(value)); }
  Request& Add(uint16_t type, const std::string& text) {
    return Add(type, text.c_str(), text.size() + 1);
  }
  size_t Begin(uint16_t type) {
    const size_t at = size_;
    Add(type, nullptr, 0);
    return at;
  }
  void End(size_t at) {
    const auto length = static_cast<uint16_t>(size_ - at);
    std::memcpy(bytes_ + at, &length, sizeof(length));
  }
  template <class T>
  void Raw(const T& data) {
    Append(&data, sizeof(data));
  }

  void Send(int socket, const char* what) {
    header()->nlmsg_len = static_cast<uint32_t>(size_);
    Must(send(socket, bytes_, size_, 0), what);
    alignas(8) char answer[4096];
    Must(recv(socket, answer, sizeof(answer), 0), what);
    nlmsgerr error = {};
    std::memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
    errno = -error.error;
    Must(error.error, what);
  }

 private:
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(bytes_); }
  void Append(const void* data, size_t size) {
    if (size > 0) std::memcpy(bytes_ + size_, data, size);
    size_ += NLMSG_ALIGN(size);
  }

  alignas(8) char bytes_[1024] = {};
  size_t size_ = 0;
};

}  // namespace

int OpenRoute() {
  return Must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
}

void MakeBridge(int route) {
  ifinfomsg up = {};
  up.ifi_flags = up.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, up);
  request.Add(IFLA_IFNAME, std::string("floor0"));
  const size_t info = request.Begin(IFLA_LINKINFO);
  request.Add(IFLA_INFO_KIND, std::string("bridge"));
  request.End(info);
  request.Send(route, "bridge");
}

void MakeVeth(int route, int pod, pid_t infra, unsigned bridge) {
  ifinfomsg up = {};
  up.ifi_flags = up.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, up);
  request.Add(IFLA_IFNAME, "fl" + std::to_string(pod)).Add(IFLA_MASTER, bridge);
  const size_t info = request.Begin(IFLA_LINKINFO);
  request.Add(IFLA_INFO_KIND, std::string("veth"));
  const size_t data = request.Begin(IFLA_INFO_DATA);
  const size_t peer = request.Begin(VETH_INFO_PEER);
  request.Raw(ifinfomsg{});
  request.Add(IFLA_IFNAME, std::string("eth0")).Add(IFLA_NET_NS_PID, static_cast<uint32_t>(infra));
  request.End(peer);
  request.End(data);
  request.End(info);
  request.Send(route, "veth");
}

void SetAddress(int pod) {
  const int route = OpenRoute();
  for (const char* name : {"lo", "eth0"}) {
    ifinfomsg up = {};
    up.ifi_index = static_cast<int>(if_nametoindex(name));
    up.ifi_flags = up.ifi_change = IFF_UP;
    Request(RTM_NEWLINK, 0, up).Send(route, name);
  }
  const unsigned link = if_nametoindex("eth0");
  ifaddrmsg address = {};
  address.ifa_family = AF_INET;
  address.ifa_prefixlen = 16;
  address.ifa_index = link;
  const uint8_t own[] = {10, 99, static_cast<uint8_t>(pod / 250),
                         static_cast<uint8_t>(pod % 250 + 2)};
  Request(RTM_NEWADDR, NLM_F_CREATE, address)
      .Add(IFA_LOCAL, own, sizeof(own))
      .Add(IFA_ADDRESS, own, sizeof(own))
      .Send(route, "address");
  rtmsg way = {};
  way.rtm_family = AF_INET;
  way.rtm_table = RT_TABLE_MAIN;
  way.rtm_protocol = RTPROT_STATIC;
  way.rtm_scope = RT_SCOPE_UNIVERSE;
  way.rtm_type = RTN_UNICAST;
  const uint8_t gateway[] = {10, 99, 0, 1};
  Request(RTM_NEWROUTE, NLM_F_CREATE, way)
      .Add(RTA_GATEWAY, gateway, sizeof(gateway))
      .Add(RTA_OIF, link)
      .Send(route, "route");
  close(route);
}

}  // namespace bench
