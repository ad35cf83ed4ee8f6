#include "http/proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "http/headers.h"

namespace podium::http {
namespace {

// An address as IPv6, IPv4 mapped into it.
using Address = std::array<unsigned char, 16>;

std::optional<Address> ParseAddress(const std::string& text) {
  Address address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  if (inet_pton(AF_INET, text.c_str(), &address[12]) != 1) return std::nullopt;
  address[10] = address[11] = 0xFF;
  return address;
}

bool SharePrefix(const Address& a, const Address& b, unsigned bits) {
  if (std::memcmp(a.data(), b.data(), bits / 8) != 0) return false;
  return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8)) == 0;
}

bool IsMapped(const Address& address) {
  static constexpr unsigned char kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::memcmp(address.data(), kPrefix, sizeof kPrefix) == 0;
}

bool IsLoopback(const Address& address) {
  if (IsMapped(address)) return address[12] == 127;
  return address == Address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

// Whether "10.0.0.0/8" is a range, and has the address.
struct RangeMatch {
  bool is_range = false;
  bool matches = false;
};

RangeMatch MatchRange(std::string_view entry, const std::optional<Address>& address) {
  const size_t slash = entry.find('/');
  if (slash == std::string_view::npos) return {};
  const auto base = ParseAddress(std::string(entry.substr(0, slash)));
  unsigned bits = 0;
  const std::string_view length = entry.substr(slash + 1);
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (!base || error != std::errc() || end != length.data() + length.size()) return {};
  const bool four = entry.find(':') == std::string_view::npos;
  if (bits > (four ? 32U : 128U)) return {};
  if (!address || IsMapped(*address) != IsMapped(*base)) return {true, false};
  return {true, SharePrefix(*base, *address, four ? bits + 96 : bits)};
}

struct HostPort {
  std::string host;
  std::string port;  // "" for none
};

// "host:80", "[::1]:80"; nothing where there is no port, as Go's SplitHostPort fails then.
std::optional<HostPort> SplitPort(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find("]:");
    if (end == std::string_view::npos) return std::nullopt;
    return HostPort{std::string(text.substr(1, end - 1)), std::string(text.substr(end + 2))};
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return HostPort{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

// One entry of NO_PROXY, trimmed and in lower case.
bool MatchesEntry(std::string_view entry, const std::string& host, const std::string& port,
                  const std::optional<Address>& address) {
  if (entry == "*") return true;
  if (const RangeMatch range = MatchRange(entry, address); range.is_range) return range.matches;
  HostPort wanted{std::string(entry), ""};
  if (auto split = SplitPort(entry)) {
    if (split->host.empty()) return false;
    wanted = std::move(*split);
  } else if (entry.starts_with('[') && entry.ends_with(']')) {
    wanted.host = entry.substr(1, entry.size() - 2);
  }
  if (!wanted.port.empty() && wanted.port != port) return false;
  if (const auto literal = ParseAddress(wanted.host)) return address == literal;
  std::string_view domain = wanted.host;
  if (domain.starts_with("*.")) domain.remove_prefix(1);
  if (domain.empty()) return false;
  if (domain.starts_with('.')) return host.ends_with(domain);
  return host == domain || host.ends_with("." + std::string(domain));
}

bool UsesProxy(const ProxySettings& settings, const Url& url) {
  const std::optional<Address> address = ParseAddress(url.host);
  if (url.host == "localhost" || (address && IsLoopback(*address))) return false;
  const std::string port = std::to_string(url.EffectivePort());
  return std::ranges::none_of(SplitList(settings.no_proxy), [&](std::string_view entry) {
    return MatchesEntry(LowerCase(entry), url.host, port, address);
  });
}

}  // namespace

ProxySettings ProxyFromEnvironment(const EnvironmentLookup& lookup) {
  const auto value = [&](const char* upper, const char* lower) -> std::string {
    for (const char* name : {upper, lower}) {
      const char* text = lookup(name);
      if (text && *text) return text;
    }
    return "";
  };
  return {value("HTTP_PROXY", "http_proxy"), value("HTTPS_PROXY", "https_proxy"),
          value("NO_PROXY", "no_proxy")};
}

Result<std::optional<Url>> ProxyFor(const ProxySettings& settings, const Url& url) {
  const bool always = !settings.always.empty();
  const std::string& proxy = always                  ? settings.always
                             : url.scheme == "https" ? settings.https_proxy
                                                     : settings.http_proxy;
  if (proxy.empty() || (!always && !UsesProxy(settings, url))) return std::optional<Url>();
  auto parsed = Url::Parse(proxy);
  if (!parsed.ok()) parsed = Url::Parse("http://" + proxy);
  // Its text may hold a password, so the message does not repeat it.
  if (!parsed.ok()) {
    return Error(Code::kInvalidArgument,
                 always ? "invalid proxy address" : "invalid proxy address in the environment");
  }
  const std::string& scheme = parsed->scheme;
  if (scheme != "http" && scheme != "https" && scheme != "socks5" && scheme != "socks5h") {
    return Error(Code::kUnsupported, "proxies of " + parsed->scheme + " are not supported");
  }
  return std::optional<Url>(*std::move(parsed));
}

}  // namespace podium::http
