// How a connection of HTTP becomes one of WebSocket (RFC 6455, section 4).
#include <openssl/sha.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "http/websocket.h"
#include "http/websocket_feed.h"
#include "reflect/base64.h"

namespace podium::http {
namespace {

std::string Base64(std::string_view bytes) {
  std::string text;
  reflect::AppendBase64(bytes, &text);
  return text;
}

// Sec-WebSocket-Accept for a key: a proof that the server knows the protocol, and no secret.
std::string AcceptOf(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return Base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

// Sixteen bytes in base64.
bool IsKey(std::string_view key) {
  std::string bytes;
  return key.size() == 24 && !reflect::DecodeBase64(key, &bytes) && bytes.size() == 16;
}

// What is wrong with the request, or nothing.
std::string_view Problem(const RequestHead& head) {
  if (head.method != "GET" || head.minor < 1) return "websocket: not a GET request";
  if (head.headers.Get("Sec-WebSocket-Version") != "13") return "websocket: unsupported version";
  if (head.headers.Count("Sec-WebSocket-Key") != 1 ||
      !IsKey(head.headers.Get("Sec-WebSocket-Key"))) {
    return "websocket: missing or bad Sec-WebSocket-Key";
  }
  return {};
}

Error Refuse(Exchange& exchange, std::string_view problem) {
  Headers headers{{"Content-Type", "text/plain; charset=utf-8"}, {"Sec-WebSocket-Version", "13"}};
  (void)exchange.Respond(400, std::move(headers), std::string(problem) + "\n");
  return Error(Code::kInvalidArgument, std::string(problem));
}

// What the server's 101 has to say.
Result<std::string> CheckAnswer(const Headers& headers, std::string_view key,
                                const std::vector<std::string>& protocols) {
  const std::string protocol(headers.Get("Sec-WebSocket-Protocol"));
  if (!headers.HasToken("Upgrade", "websocket") || !headers.HasToken("Connection", "upgrade") ||
      headers.Get("Sec-WebSocket-Accept") != AcceptOf(key)) {
    return Error(Code::kUnsupported, "websocket: the server did not switch to it");
  }
  if (headers.Find("Sec-WebSocket-Extensions") ||
      (!protocol.empty() && std::ranges::find(protocols, protocol) == protocols.end())) {
    return Error(Code::kUnsupported, "websocket: the server chose what was not offered");
  }
  return protocol;
}

}  // namespace

std::vector<std::string_view> OfferedProtocols(const Headers& headers) {
  std::vector<std::string_view> offered;
  for (const std::string_view value : headers.All("Sec-WebSocket-Protocol")) {
    for (const std::string_view name : SplitList(value)) offered.push_back(name);
  }
  return offered;
}

Result<Headers> WebSocketAcceptance(const RequestHead& head, std::string_view protocol) {
  if (const std::string_view problem = Problem(head); !problem.empty()) {
    return Error(Code::kInvalidArgument, std::string(problem));
  }
  Headers headers{{"Upgrade", "websocket"},
                  {"Sec-WebSocket-Accept", AcceptOf(head.headers.Get("Sec-WebSocket-Key"))}};
  if (!protocol.empty()) headers.Add("Sec-WebSocket-Protocol", protocol);
  return headers;
}

bool IsWebSocketRequest(const RequestHead& head) {
  return head.headers.HasToken("Connection", "upgrade") &&
         head.headers.HasToken("Upgrade", "websocket");
}

Result<std::unique_ptr<WebSocket>> AcceptWebSocket(Exchange& exchange,
                                                   const std::vector<std::string>& protocols,
                                                   WebSocketLimits limits) {
  const RequestHead& head = exchange.request().head;
  if (!IsWebSocketRequest(head)) return Refuse(exchange, "websocket: not a websocket request");
  auto accepted = WebSocketAcceptance(head, "");
  if (!accepted.ok()) return Refuse(exchange, accepted.error().message());
  Headers headers = *std::move(accepted);
  std::string protocol;
  if (!protocols.empty()) {
    const auto offered = OfferedProtocols(head.headers);
    const auto chosen = std::ranges::find_if(offered, [&](std::string_view name) {
      return std::ranges::find(protocols, name) != protocols.end();
    });
    if (chosen == offered.end()) return Refuse(exchange, "websocket: unsupported protocol");
    protocol = *chosen;
    headers.Add("Sec-WebSocket-Protocol", protocol);
  }
  TRY(auto stream, exchange.Upgrade(std::move(headers)));
  return std::make_unique<WebSocket>(std::move(stream), WebSocket::Role::kServer,
                                     std::move(protocol), limits);
}

Result<WebSocketAnswer> ConnectWebSocket(const Client& client, Request request,
                                         const std::vector<std::string>& protocols,
                                         WebSocketLimits limits) {
  std::array<char, 16> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return Error::FromErrno(errno, "getrandom");
  }
  const std::string key = Base64({bytes.data(), bytes.size()});
  request.headers.Set("Connection", "Upgrade");
  request.headers.Set("Upgrade", "websocket");
  request.headers.Set("Sec-WebSocket-Version", "13");
  request.headers.Set("Sec-WebSocket-Key", key);
  if (!protocols.empty()) request.headers.Set("Sec-WebSocket-Protocol", Join(protocols, ", "));
  TRY(auto response, client.Send(request));
  if (response.status() != 101) return WebSocketAnswer{nullptr, std::move(response)};
  TRY(std::string protocol, CheckAnswer(response.headers(), key, protocols));
  TRY(auto stream, response.TakeStream());
  return WebSocketAnswer{std::make_unique<WebSocket>(std::move(stream), WebSocket::Role::kClient,
                                                     std::move(protocol), limits),
                         std::nullopt};
}

}  // namespace podium::http
