// SOCKS version 5 (RFC 1928), the client's half: a tunnel to a server, whose name the proxy looks
// up. With a user and a password as RFC 1929 has it.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "http/stream.h"
#include "http/url.h"

namespace podium::http {

// "socks5" or "socks5h".
bool IsSocks(const Url& proxy);

// Asks the proxy at the other end of the stream for a connection to host and port. Behind it the
// stream is the server's. kUnauthenticated: it wants another user, or one at all; kUnavailable: it
// cannot get there; kInvalidArgument: a name or a user longer than 255 bytes, or an answer that is
// no SOCKS.
Result<void> OpenSocksTunnel(const Url& proxy, const std::string& host, uint16_t port,
                             Stream& stream);

}  // namespace podium::http
