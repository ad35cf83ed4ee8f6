// Connections to servers: TCP and unix sockets.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/stream.h"

namespace podium::http {

enum class LinkLocal {
  kAllow,
  kRefuse,  // 169.254.0.0/16 and fe80::/10 are passed over, also as what a name means
};

// To a name or an address. A name's addresses are tried in turn, in the order that the resolver
// gives (RFC 6724), each for its share of the time; the error is the first one's. kNotFound: no
// such host; kPermissionDenied: it has none but refused addresses.
Result<UniqueFd> ConnectTcp(const std::string& host, uint16_t port, const WaitLimits& limits,
                            LinkLocal link_local = LinkLocal::kAllow);

// The same in steps, for who must not wait.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  // Neither loopback, link-local, multicast, broadcast nor unspecified: what upstream sends the
  // requests of clients to (Go's net.IP.IsGlobalUnicast).
  bool IsGlobalUnicast() const;
};
// Waits for the resolver, unless the host is an address.
Result<std::vector<SocketAddress>> LookUp(const std::string& host, uint16_t port,
                                          const WaitLimits& limits);
// A socket that becomes writable when it is connected, or is not to be: FinishConnect says which.
Result<UniqueFd> BeginConnect(const SocketAddress& address);
Result<void> FinishConnect(int fd);

Result<UniqueFd> ConnectUnix(const std::string& path, const WaitLimits& limits);

}  // namespace podium::http
