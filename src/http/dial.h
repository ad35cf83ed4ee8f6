// The way to a server: directly, through a proxy, or by a unix socket; with TLS on it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "http/stream.h"
#include "http/tls.h"
#include "http/url.h"

namespace podium::http {

struct Route {
  std::string scheme;
  std::string host;
  uint16_t port = 0;
  std::optional<Url> proxy{};
  std::string unix_socket{};
  // Of the server itself; what a proxy connects to is the proxy's.
  bool refuse_link_local = false;

  // Connections of equal routes serve each other's requests.
  friend bool operator==(const Route&, const Route&) = default;
};

// "Basic dXNlcjpwYXNz" of a URL's user; kInvalidArgument when it is badly encoded.
Result<std::string> BasicCredentials(const Url& url);

// `tls` is null unless the scheme of the route or of its proxy is https.
Result<std::unique_ptr<Stream>> Dial(const Route& route, const TlsClient* tls,
                                     const WaitLimits& limits);

}  // namespace podium::http
