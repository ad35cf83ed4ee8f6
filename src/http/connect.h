// Connections to servers: TCP and unix sockets.
#pragma once

#include <cstdint>
#include <string>

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

Result<UniqueFd> ConnectUnix(const std::string& path, const WaitLimits& limits);

}  // namespace podium::http
