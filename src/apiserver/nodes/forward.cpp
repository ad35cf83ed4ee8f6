#include "apiserver/nodes/forward.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "http/url.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kHopByHop[] = {"Connection",
                                          "Proxy-Connection",
                                          "Keep-Alive",
                                          "Proxy-Authenticate",
                                          "Proxy-Authorization",
                                          "Te",
                                          "Trailer",
                                          "Transfer-Encoding",
                                          "Upgrade"};
// The server's own business with the client; Expect was answered already.
constexpr std::string_view kOfThisServer[] = {"Authorization", "Expect", "Content-Length", "Host"};
constexpr std::string_view kImpersonate = "impersonate-";
constexpr std::string_view kOrigins[] = {
    "Access-Control-Allow-Credentials", "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods", "Access-Control-Allow-Origin"};
constexpr std::string_view kProtocols = "Sec-WebSocket-Protocol";

bool IsOneOf(std::string_view name, auto&& names) {
  return std::ranges::any_of(
      names, [&](std::string_view other) { return EqualsIgnoringCase(name, other); });
}

bool IsImpersonation(std::string_view name) {
  return name.size() >= kImpersonate.size() &&
         EqualsIgnoringCase(name.substr(0, kImpersonate.size()), kImpersonate);
}

// Those that the header Connection names.
std::vector<std::string_view> OfConnection(const http::Headers& headers) {
  std::vector<std::string_view> names;
  for (const std::string_view value : headers.All("Connection")) {
    for (const std::string_view name : http::SplitList(value)) names.push_back(name);
  }
  return names;
}

std::string WithoutTokens(std::string_view protocols) {
  std::string left;
  for (const std::string_view protocol : http::SplitList(protocols)) {
    if (protocol.starts_with(kBearerProtocol)) continue;
    if (!left.empty()) left += ", ";
    left += protocol;
  }
  return left;
}

// "10.0.0.1" of "10.0.0.1:80", "fd00::1" of "[fd00::1]:80".
std::string HostOf(std::string_view address) {
  const size_t colon = address.rfind(':');
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace

bool IsUpgrade(const http::RequestHead& head) {
  return head.headers.HasToken("Connection", "upgrade") && head.headers.Find("Upgrade") != nullptr;
}

http::RequestHead ForwardedHead(const http::ServerRequest& request,
                                const BackendLocation& location) {
  const http::RequestHead& asked = request.head;
  http::RequestHead head{.method = asked.method};
  head.target = location.path.empty() ? "/" : location.path;
  if (!location.query.empty()) head.target += "?" + location.query;
  const std::string_view host = asked.headers.Get("Host");
  head.headers.Add("Host", host.empty() ? location.Authority() : host);
  const auto named = OfConnection(asked.headers);
  std::string forwarded_for;
  for (const auto& [name, value] : asked.headers.fields()) {
    if (IsOneOf(name, kHopByHop) || IsOneOf(name, kOfThisServer) || IsOneOf(name, named) ||
        IsImpersonation(name)) {
      continue;
    }
    if (EqualsIgnoringCase(name, "X-Forwarded-For")) {
      forwarded_for += (forwarded_for.empty() ? "" : ", ") + value;
    } else if (EqualsIgnoringCase(name, kProtocols)) {
      if (const std::string left = WithoutTokens(value); !left.empty()) {
        head.headers.Add(name, left);
      }
    } else {
      head.headers.Add(name, value);
    }
  }
  if (request.remote != nullptr && !request.remote->address.empty()) {
    forwarded_for += (forwarded_for.empty() ? "" : ", ") + HostOf(request.remote->address);
  }
  if (!forwarded_for.empty()) head.headers.Add("X-Forwarded-For", forwarded_for);
  if (asked.headers.HasToken("Te", "trailers")) head.headers.Add("Te", "trailers");
  if (IsUpgrade(asked)) {
    head.headers.Add("Connection", "Upgrade");
    head.headers.Add("Upgrade", asked.headers.Get("Upgrade"));
  } else {
    // There is one request to each connection.
    head.headers.Add("Connection", "close");
  }
  return head;
}

http::Headers AnswerHeaders(const http::ResponseHead& head) {
  http::Headers headers;
  const auto named = OfConnection(head.headers);
  for (const auto& [name, value] : head.headers.fields()) {
    if (IsOneOf(name, kHopByHop) || IsOneOf(name, named) || IsOneOf(name, kOrigins) ||
        EqualsIgnoringCase(name, "Content-Length")) {
      continue;
    }
    headers.Add(name, value);
  }
  return headers;
}

ProxyPath SplitProxyPath(std::string_view target, std::string_view path,
                         std::string_view subresource) {
  const std::string_view before(path.data(), subresource.data() + subresource.size());
  std::string encoded;
  if (!target.starts_with('/')) {
    for (const std::string_view segment : Split(path.substr(1), '/')) {
      encoded += "/" + http::PercentEncode(segment);
    }
    target = encoded;
  }
  target = target.substr(0, target.find('?'));
  // Slashes are never encoded here (Treatment::strict_path), so both have the same ones.
  size_t end = 0;
  for (auto slashes = std::ranges::count(before, '/'); slashes > 0; --slashes) {
    end = target.find('/', end) + 1;
  }
  end = std::min(target.find('/', end), target.size());
  return {std::string(target.substr(0, end)), std::string(target.substr(end))};
}

}  // namespace podium::apiserver
