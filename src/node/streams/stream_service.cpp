#include "node/streams/stream_service.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "http/message.h"
#include "http/websocket.h"
#include "http/websocket_feed.h"

namespace podium::node {
namespace {

constexpr std::string_view kVersionHeader = "X-Stream-Protocol-Version";
constexpr std::string_view kAcceptedHeader = "X-Accepted-Stream-Protocol-Versions";
constexpr std::string_view kPortForward = "portforward.k8s.io";
constexpr std::string_view kTunnel = "SPDY/3.1+portforward.k8s.io";
constexpr StreamId kRemoteChannels = 5;

struct SpdyVersion {
  std::string_view name;
  RemoteProtocol protocol;
};
constexpr std::array kSpdyVersions{
    SpdyVersion{"v4.channel.k8s.io", {.json_status = true, .resize = true}},
    SpdyVersion{"v3.channel.k8s.io", {.resize = true}},
    SpdyVersion{"v2.channel.k8s.io", {}},
    SpdyVersion{"channel.k8s.io", {}},
};

struct ChannelVersion {
  std::string_view name;
  ChannelForm form;
  bool json_status = false;
  bool forwards = true;  // ports too
};
constexpr std::array kChannelVersions{
    ChannelVersion{"v5.channel.k8s.io", {.can_end = true}, true},
    ChannelVersion{"v4.channel.k8s.io", {}, true},
    ChannelVersion{"v4.base64.channel.k8s.io", {.base64 = true}, true},
    ChannelVersion{"channel.k8s.io", {}, false, false},
    ChannelVersion{"base64.channel.k8s.io", {.base64 = true}, false, false},
};
// Of a client that names none.
constexpr ChannelVersion kNoVersion{"", {}};

void Refuse(http::Exchange& exchange, int status, const std::string& why,
            http::Headers headers = {}) {
  headers.Set("Content-Type", "text/plain; charset=utf-8");
  headers.Set("X-Content-Type-Options", "nosniff");
  (void)exchange.Respond(status, std::move(headers), why + "\n");
}

template <class Names>
std::string Listed(const Names& names) {
  return "[" + Join(names, " ") + "]";
}

// The first that the client names and the server knows (httpstream.Handshake); none when the client
// was answered.
std::optional<std::string> NegotiateSpdy(http::Exchange& exchange,
                                         const std::vector<std::string_view>& known) {
  const http::Headers& headers = exchange.request().head.headers;
  if (!headers.HasToken("Connection", "upgrade") ||
      !headers.HasToken("Upgrade", http::kSpdyProtocol)) {
    Refuse(exchange, 400, "unable to upgrade: missing upgrade headers in request");
    return std::nullopt;
  }
  std::vector<std::string_view> asked;
  for (const std::string_view value : headers.All(kVersionHeader)) {
    for (const std::string_view name : http::SplitList(value)) asked.push_back(name);
  }
  if (asked.empty()) {
    Refuse(exchange, 400, "unable to upgrade: " + std::string(kVersionHeader) + " is required");
    return std::nullopt;
  }
  for (const std::string_view name : asked) {
    if (std::ranges::find(known, name) != known.end()) return std::string(name);
  }
  http::Headers accepted;
  for (const std::string_view name : known) accepted.Add(kAcceptedHeader, name);
  Refuse(exchange, 403,
         "unable to upgrade: unable to negotiate protocol: client supports " + Listed(asked) +
             ", server accepts " + Listed(known),
         std::move(accepted));
  return std::nullopt;
}

http::Headers SpdyAcceptance(const std::string& version) {
  return {{"Upgrade", std::string(http::kSpdyProtocol)}, {std::string(kVersionHeader), version}};
}

// The same of channels (wsstream.Conn); null when the client was answered.
const ChannelVersion* NegotiateChannels(http::Exchange& exchange, bool forwards) {
  const auto asked = http::OfferedProtocols(exchange.request().head.headers);
  if (asked.empty()) return &kNoVersion;
  for (const std::string_view name : asked) {
    for (const ChannelVersion& version : kChannelVersions) {
      if (version.name == name && (version.forwards || !forwards)) return &version;
    }
  }
  std::vector<std::string_view> known;
  for (const ChannelVersion& version : kChannelVersions) {
    if (version.forwards || !forwards) known.push_back(version.name);
  }
  Refuse(
      exchange, 403,
      "requested protocol(s) are not supported: " + Listed(asked) + "; supports " + Listed(known));
  return nullptr;
}

std::optional<http::Headers> AcceptSocket(http::Exchange& exchange, std::string_view protocol) {
  auto headers = http::WebSocketAcceptance(exchange.request().head, protocol);
  if (headers.ok()) return *std::move(headers);
  Refuse(exchange, 400, headers.error().message(), {{"Sec-WebSocket-Version", "13"}});
  return std::nullopt;
}

bool AsksForTunnel(const http::RequestHead& head) {
  const auto asked = http::OfferedProtocols(head.headers);
  return std::ranges::find(asked, kTunnel) != asked.end();
}

}  // namespace

Result<std::unique_ptr<StreamService>> StreamService::Create(Executor& executor,
                                                             StreamTimes times) {
  TRY(auto poller, http::Poller::Create());
  return std::unique_ptr<StreamService>(new StreamService(std::move(poller), executor, times));
}

StreamService::~StreamService() { Stop(); }

void StreamService::Stop() {
  std::vector<std::weak_ptr<StreamConnection>> connections;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    connections.swap(connections_);
  }
  for (const auto& weak : connections) {
    poller_->Post([weak] {
      const auto connection = weak.lock();
      if (connection) connection->Close();
    });
  }
  gate_.WaitUntilEmpty();
  poller_->Stop();
}

bool StreamService::IsUpgrade(const http::RequestHead& head) {
  return head.headers.HasToken("Connection", "upgrade");
}

bool StreamService::HasPortsInQuery(const http::RequestHead& head) {
  return http::IsWebSocketRequest(head) && !AsksForTunnel(head);
}

StreamService::Upgraded StreamService::Upgrade(http::Exchange& exchange, http::Headers headers,
                                               std::unique_ptr<StreamCarrier> carrier) {
  headers.Set("Connection", "Upgrade");
  auto answer = http::SerializeResponseHead({.status = 101,
                                             .reason = std::string(http::ReasonPhrase(101)),
                                             .headers = std::move(headers)});
  if (!answer.ok()) {
    Refuse(exchange, 500, answer.error().message());
    return {};
  }
  const std::lock_guard lock(mutex_);
  if (stopped_) {
    Refuse(exchange, 503, "the node is stopping");
    return {};
  }
  auto client = exchange.TakeConnection();
  if (!client.ok()) {
    if (client.error().code() == Code::kUnsupported) {
      Refuse(exchange, 500, "unable to upgrade: unable to hijack response");
    }
    return {};
  }
  auto connection = std::make_shared<StreamConnection>(
      poller_, *std::move(client), *std::move(answer), std::move(carrier), times_);
  std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  connections_.push_back(connection);
  return {std::move(connection), gate_.Enter()};
}

void StreamService::Serve(http::Exchange& exchange, RemoteCommand command) {
  Upgraded upgraded;
  if (http::IsWebSocketRequest(exchange.request().head)) {
    const ChannelVersion* version = NegotiateChannels(exchange, false);
    if (version == nullptr) return;
    auto headers = AcceptSocket(exchange, version->name);
    if (!headers) return;
    command.protocol = {.channels = true, .json_status = version->json_status, .resize = true};
    upgraded =
        Upgrade(exchange, *std::move(headers), ChannelCarrier(version->form, kRemoteChannels));
  } else {
    std::vector<std::string_view> known;
    known.reserve(kSpdyVersions.size());
    for (const SpdyVersion& version : kSpdyVersions) known.push_back(version.name);
    const auto chosen = NegotiateSpdy(exchange, known);
    if (!chosen) return;
    command.protocol = std::ranges::find(kSpdyVersions, *chosen, &SpdyVersion::name)->protocol;
    upgraded = Upgrade(exchange, SpdyAcceptance(*chosen), SpdyCarrier());
  }
  if (!upgraded.connection) return;
  RunRemoteCommand(upgraded.connection, std::move(command), executor_, std::move(upgraded.pass));
}

void StreamService::Serve(http::Exchange& exchange, PortForward forward) {
  Upgraded upgraded;
  const http::RequestHead& head = exchange.request().head;
  if (HasPortsInQuery(head)) {
    const ChannelVersion* version = NegotiateChannels(exchange, true);
    if (version == nullptr) return;
    auto headers = AcceptSocket(exchange, version->name);
    if (!headers) return;
    upgraded =
        Upgrade(exchange, *std::move(headers),
                ChannelCarrier(version->form, static_cast<StreamId>(2 * forward.ports.size())));
  } else if (http::IsWebSocketRequest(head)) {
    forward.ports.clear();
    auto headers = AcceptSocket(exchange, kTunnel);
    if (!headers) return;
    upgraded = Upgrade(exchange, *std::move(headers), TunnelCarrier());
  } else {
    forward.ports.clear();
    const auto chosen = NegotiateSpdy(exchange, {kPortForward});
    if (!chosen) return;
    upgraded = Upgrade(exchange, SpdyAcceptance(*chosen), SpdyCarrier());
  }
  if (!upgraded.connection) return;
  RunPortForward(upgraded.connection, std::move(forward), executor_, std::move(upgraded.pass));
}

}  // namespace podium::node
