#include "http/dial.h"

#include "http/connect.h"
#include "http/message.h"
#include "http/message_reader.h"
#include "http/socks.h"
#include "http/transport.h"
#include "reflect/base64.h"

namespace podium::http {
namespace {

constexpr uint16_t kSocksPort = 1080;

// Asks a proxy for a tunnel (RFC 9110, section 9.3.6).
Result<void> OpenTunnel(const Route& route, Transport& transport, const WaitLimits& limits) {
  const auto stream = StreamOver(transport);
  stream->SetLimits(limits);
  Url target{.scheme = "http", .host = route.host};
  const std::string authority = target.Authority() + ":" + std::to_string(route.port);
  RequestHead request{.method = "CONNECT", .target = authority};
  request.headers.Add("Host", authority);
  if (!route.proxy->user_info.empty()) {
    TRY(const std::string credentials, BasicCredentials(*route.proxy));
    request.headers.Add("Proxy-Authorization", credentials);
  }
  TRY(const std::string bytes, SerializeRequestHead(request));
  TRY_VOID(stream->Write(bytes));
  MessageReader reader(*stream);
  TRY(const std::string head, reader.ReadHead({}));
  TRY(const ResponseHead response, ParseResponseHead(head));
  if (response.status / 100 != 2) {
    return Error(response.status == 407 ? Code::kUnauthenticated : Code::kUnavailable,
                 std::to_string(response.status) + " " + response.reason);
  }
  // TLS begins with the client's words: whatever came before them is not the server's.
  if (reader.HasRest()) return Error(Code::kUnavailable, "unexpected bytes behind the answer");
  return {};
}

Result<std::unique_ptr<Transport>> DialProxy(const Route& route, const TlsClient* tls,
                                             const WaitLimits& limits) {
  const Url& proxy = *route.proxy;
  const bool socks = IsSocks(proxy);
  const uint16_t port = socks && proxy.port == 0 ? kSocksPort : proxy.EffectivePort();
  TRY(UniqueFd fd, ConnectTcp(proxy.host, port, limits));
  TRY(auto transport, SocketTransport(std::move(fd)));
  if (socks) {
    const auto stream = StreamOver(*transport);
    stream->SetLimits(limits);
    TRY_VOID(OpenSocksTunnel(proxy, route.host, route.port, *stream));
    return transport;
  }
  if (proxy.scheme == "https") {
    TRY(transport, tls->Connect(std::move(transport), proxy.host, limits));
  }
  if (route.scheme == "https") TRY_VOID(OpenTunnel(route, *transport, limits));
  return transport;
}

Result<std::unique_ptr<Transport>> DialTransport(const Route& route, const TlsClient* tls,
                                                 const WaitLimits& limits) {
  if (!route.unix_socket.empty()) {
    TRY(UniqueFd fd, ConnectUnix(route.unix_socket, limits));
    return SocketTransport(std::move(fd));
  }
  if (route.proxy) {
    auto transport = DialProxy(route, tls, limits);
    if (transport.ok()) return transport;
    return std::move(transport).error().WithContext("proxy " + route.proxy->Authority());
  }
  const LinkLocal link_local = route.refuse_link_local ? LinkLocal::kRefuse : LinkLocal::kAllow;
  TRY(UniqueFd fd, ConnectTcp(route.host, route.port, limits, link_local));
  return SocketTransport(std::move(fd));
}

}  // namespace

Result<std::string> BasicCredentials(const Url& url) {
  const std::string_view info = url.user_info;
  const size_t colon = std::min(info.find(':'), info.size());
  TRY(const std::string user, PercentDecode(info.substr(0, colon)));
  TRY(const std::string password, PercentDecode(info.substr(std::min(colon + 1, info.size()))));
  std::string credentials = "Basic ";
  reflect::AppendBase64(user + ":" + password, &credentials);
  return credentials;
}

Result<std::unique_ptr<Stream>> Dial(const Route& route, const TlsClient* tls,
                                     const WaitLimits& limits) {
  TRY(auto transport, DialTransport(route, tls, limits));
  if (route.scheme == "https") {
    const std::string& name = tls->server_name().empty() ? route.host : tls->server_name();
    TRY(transport, tls->Connect(std::move(transport), name, limits));
  }
  return StreamOver(std::move(transport));
}

}  // namespace podium::http
