// Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY as programs in Go read
// them (golang.org/x/net/http/httpproxy), so that what works for containerd and kubectl works here.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "http/url.h"

namespace podium::http {

// As they stand in the environment; "" for none.
struct ProxySettings {
  // "http://user:password@host:3128", "https://…", or "host:3128".
  std::string http_proxy{};   // for http URLs
  std::string https_proxy{};  // for https URLs
  // Separated by commas: "*" for everything; an address or a range of them; "example.com" and what
  // lies below it; ".example.com" or "*.example.com" for just what lies below. Each with ":port" if
  // only that port is meant.
  std::string no_proxy{};
  // For every URL, also those of loopback, whatever the others say: what a kubeconfig names.
  // "socks5://host:1080" as well: names are then looked up by the proxy.
  std::string always{};
};

// A variable's value, or null: std::getenv has this form.
using EnvironmentLookup = std::function<const char*(const char* variable)>;
// The upper case variable wins over the lower case one unless it is empty, as in Go.
ProxySettings ProxyFromEnvironment(const EnvironmentLookup& lookup);

// The proxy for this URL, or none. localhost and loopback addresses are always reached directly.
// kInvalidArgument for a proxy that is no URL, kUnsupported for one that is not of http, https,
// socks5 or socks5h.
Result<std::optional<Url>> ProxyFor(const ProxySettings& settings, const Url& url);

}  // namespace podium::http
