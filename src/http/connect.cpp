#include "http/connect.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "http/url.h"

namespace podium::http {
namespace {

using Address = SocketAddress;

// What a thread that resolves a name shares with who waits for it, and may give up before it.
struct Lookup {
  UniqueFd done;
  std::string host;
  std::string port;
  std::mutex mutex;  // of what follows
  int error = 0;
  std::vector<Address> addresses;
};

void Resolve(Lookup* lookup, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(lookup->host.c_str(), lookup->port.c_str(), &hints, &list);
  const std::lock_guard lock(lookup->mutex);
  lookup->error = error;
  for (const addrinfo* info = list; info; info = info->ai_next) {
    Address address;
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.size = info->ai_addrlen;
    lookup->addresses.push_back(address);
  }
  if (list) freeaddrinfo(list);
}

Error LookupError(const Lookup& lookup) {
  const bool missing = lookup.error == EAI_NONAME || lookup.error == EAI_NODATA;
  return Error(
      missing ? Code::kNotFound : Code::kUnavailable,
      "lookup " + lookup.host + ": " + (missing ? "no such host" : gai_strerror(lookup.error)));
}

// An attempt's share of what is left, as Go deals it out: an address that swallows packets must not
// take the time of the one behind it.
WaitLimits ShareOf(const WaitLimits& limits, size_t attempts) {
  WaitLimits share = limits;
  if (!limits.deadline || attempts <= 1) return share;
  const auto left = *limits.deadline - Clock::now();
  const auto part = std::max<Clock::duration>(left / attempts, std::chrono::seconds(2));
  share.deadline = std::min(*limits.deadline, Clock::now() + part);
  return share;
}

Result<UniqueFd> ConnectTo(const Address& address, const WaitLimits& limits) {
  TRY(UniqueFd fd, BeginConnect(address));
  auto waited = WaitFor(fd.get(), POLLOUT, limits);
  if (!waited.ok()) return std::move(waited).error().WithContext("connect");
  TRY_VOID(FinishConnect(fd.get()));
  return fd;
}

// What stands in an IPv6 address behind ::ffff:, or the IPv4 address itself, in host order.
std::optional<uint32_t> VersionFour(const Address& address) {
  if (address.storage.ss_family == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr.s_addr);
  }
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr;
  if (!IN6_IS_ADDR_V4MAPPED(&six)) return std::nullopt;
  uint32_t mapped = 0;
  std::memcpy(&mapped, &six.s6_addr[12], sizeof mapped);
  return ntohl(mapped);
}

bool IsLinkLocal(const Address& address) {
  constexpr uint32_t kNetwork = 0xa9fe;  // 169.254
  if (const auto four = VersionFour(address)) return *four >> 16U == kNetwork;
  return IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr);
}

}  // namespace

bool SocketAddress::IsGlobalUnicast() const {
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return false;
  if (const auto four = VersionFour(*this)) {
    const bool loopback = *four >> 24U == 127;
    const bool multicast = *four >> 28U == 0xe;
    return !loopback && !multicast && *four != 0 && *four != UINT32_MAX && !IsLinkLocal(*this);
  }
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  return !IN6_IS_ADDR_UNSPECIFIED(&six) && !IN6_IS_ADDR_LOOPBACK(&six) &&
         !IN6_IS_ADDR_MULTICAST(&six) && !IN6_IS_ADDR_LINKLOCAL(&six);
}

Result<std::vector<SocketAddress>> LookUp(const std::string& host, uint16_t port,
                                          const WaitLimits& limits) {
  auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  lookup->port = std::to_string(port);
  if (IsIpAddress(host)) {
    Resolve(lookup.get(), AI_NUMERICHOST);
  } else {
    // getaddrinfo neither ends at a deadline nor when asked to.
    lookup->done.reset(eventfd(0, EFD_CLOEXEC));
    if (!lookup->done) return Error::FromErrno(errno, "making an eventfd");
    try {
      std::thread([lookup] {
        Resolve(lookup.get(), 0);
        eventfd_write(lookup->done.get(), 1);
      }).detach();
    } catch (const std::system_error& error) {
      return Error::FromErrno(error.code().value(), "starting a thread");
    }
    auto waited = WaitFor(lookup->done.get(), POLLIN, limits);
    if (!waited.ok()) return std::move(waited).error().WithContext("lookup " + host);
  }
  const std::lock_guard lock(lookup->mutex);
  if (lookup->addresses.empty()) return LookupError(*lookup);
  return std::move(lookup->addresses);
}

Result<UniqueFd> BeginConnect(const SocketAddress& address) {
  UniqueFd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Error::FromErrno(errno, "connect");
  const auto set = [&](int level, int name, int value) {
    setsockopt(fd.get(), level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // A peer that has gone without a word is found within three minutes, as Go's dialer does it: a
  // watch is silent for as long as nothing changes.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
      errno != EINPROGRESS && errno != EINTR) {
    return Error::FromErrno(errno, "connect");
  }
  return fd;
}

Result<void> FinishConnect(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Error::FromErrno(error, "connect");
  return {};
}

Result<UniqueFd> ConnectTcp(const std::string& host, uint16_t port, const WaitLimits& limits,
                            LinkLocal link_local) {
  TRY(std::vector<Address> addresses, LookUp(host, port, limits));
  if (link_local == LinkLocal::kRefuse) std::erase_if(addresses, IsLinkLocal);
  if (addresses.empty()) {
    return Error(Code::kPermissionDenied,
                 "connect to " + host + ": link-local addresses are refused");
  }
  std::optional<Error> first;
  for (size_t i = 0; i < addresses.size(); ++i) {
    auto fd = ConnectTo(addresses[i], ShareOf(limits, addresses.size() - i));
    if (fd.ok() || fd.error().code() == Code::kCancelled) return fd;
    if (!first) first = std::move(fd).error();
  }
  return *std::move(first);
}

Result<UniqueFd> ConnectUnix(const std::string& path, const WaitLimits& limits) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Error(Code::kInvalidArgument, "a bad socket path: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Error::FromErrno(errno, "connect");
  while (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    // EAGAIN: the server's backlog is full, and nothing tells when it no longer is.
    if (errno != EAGAIN && errno != EINTR) return Error::FromErrno(errno, "connect " + path);
    WaitLimits pause = limits;
    pause.deadline = Clock::now() + std::chrono::milliseconds(10);
    auto paused = WaitFor(-1, 0, pause);
    if (paused.error().code() == Code::kCancelled) return std::move(paused).error();
    if (limits.deadline && Clock::now() >= *limits.deadline) {
      return Error(Code::kDeadlineExceeded, "connect " + path + ": timed out");
    }
  }
  return fd;
}

}  // namespace podium::http
