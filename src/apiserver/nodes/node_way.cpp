#include "apiserver/nodes/node_way.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "api/status.h"
#include "apiserver/authorization/forbidden.h"
#include "apiserver/authorization/server_authorizer.h"
#include "apiserver/encode.h"
#include "apiserver/nodes/page_links.h"
#include "apiserver/nodes/refused_log.h"
#include "apiserver/request_options.h"
#include "base/text.h"
#include "http/channels.h"
#include "http/splice.h"
#include "http/websocket_feed.h"

namespace podium::apiserver {
namespace {

namespace v1 = api::core::v1;

constexpr std::chrono::seconds kDialTimeout{30};

bool IsStream(std::string_view subresource) {
  return subresource == "exec" || subresource == "attach" || subresource == "portforward";
}

bool HasBody(const http::Headers& headers) {
  const std::string_view length = headers.Get("Content-Length");
  return headers.Find("Transfer-Encoding") != nullptr || (!length.empty() && length != "0");
}

bool WantsPages(const http::Headers& headers) {
  return headers.Get("Accept").find("text/html") != std::string_view::npos;
}

// What upstream's handlers answer with an error that is none of the API's.
Error PlainError(std::string message) {
  api::meta::v1::Status status;
  status.status = "Failure";
  status.code = 500;
  status.message = std::move(message);
  return api::StatusError(std::move(status));
}

// What the subresource of a path is called, as far as it stands where one of these can.
std::string_view SubresourceOf(std::string_view target) {
  const std::vector<std::string_view> parts = Split(target.substr(0, target.find('?')), '/');
  // "", api, v1, nodes, NAME, proxy; "", api, v1, namespaces, NS, pods, NAME, exec
  if (parts.size() < 6 || parts[1] != "api" || parts[2] != "v1") return "";
  if (parts[3] == "nodes") return parts[5];
  if (parts.size() < 8 || parts[3] != "namespaces") return "";
  return parts[5] == "pods" || parts[5] == "services" ? parts[7] : "";
}

}  // namespace

void NodeWay::Way::Fail(const Error& error) const {
  request.reply(AnswerWithError(*request.call, error));
}

bool NodeWay::Serves(const RequestInfo& info) {
  if (!info.is_resource || !info.group.empty()) return false;
  if (info.resource == "pods") {
    return info.subresource == "log" || info.subresource == "proxy" || IsStream(info.subresource);
  }
  return info.subresource == "proxy" && (info.resource == "services" || info.resource == "nodes");
}

void NodeWay::Treat(const http::RequestHead& head, http::Treatment* treatment) {
  const std::string_view subresource = SubresourceOf(head.target);
  if (subresource == "log" || IsStream(subresource)) treatment->long_running = true;
  if (subresource != "proxy" || !HasBody(head.headers)) return;
  treatment->stream_body = true;
  treatment->max_body = UINT64_MAX;
}

void NodeWay::Serve(Request request) const {
  auto way = std::make_shared<Way>(Way{.request = std::move(request)});
  const http::ServerRequest& asked = way->request.exchange->request();
  way->upgrade = IsUpgrade(asked.head);
  if (way->upgrade && (!asked.body.empty() || HasBody(asked.head.headers))) {
    return way->Fail(api::BadRequestError("an upgrade request has no body"));
  }
  way->request.exchange->OnCancel([cancel = way->cancel] { cancel->Cancel(); });
  if (auto begun = Begin(way); !begun.ok()) way->Fail(begun.error());
}

Result<void> NodeWay::Begin(const WayPtr& way) const {
  const std::string_view subresource = way->request.call->info.subresource;
  if (subresource == "log") return BeginLog(way);
  if (subresource == "proxy") return BeginProxy(way);
  return BeginStream(way);
}

Result<void> NodeWay::BeginLog(const WayPtr& way) const {
  const Call& call = *way->request.call;
  TRY(const auto options, OptionsOfQuery<v1::PodLogOptions>(call.query));
  TRY_VOID(CheckLogOptions(call.info.name, options));
  TRY(auto location, LogLocation(*parts_.objects, call.info.namespace_, call.info.name, options));
  if (!location) {
    way->request.reply({.status = 204});
    return {};
  }
  way->is_log = true;
  way->upgrade = false;
  way->location = *std::move(location);
  Send(way);
  return {};
}

Result<void> NodeWay::BeginStream(const WayPtr& way) const {
  const Call& call = *way->request.call;
  TRY_VOID(CheckCreate(call));
  const std::string_view what = call.info.subresource;
  if (what == "exec") return BeginStreamWith<v1::PodExecOptions>(way, ExecLocation);
  if (what == "attach") return BeginStreamWith<v1::PodAttachOptions>(way, AttachLocation);
  return BeginStreamWith<v1::PodPortForwardOptions>(way, PortForwardLocation);
}

template <class Options>
Result<void> NodeWay::BeginStreamWith(
    const WayPtr& way, Result<BackendLocation> (*locate)(const Objects&, std::string_view,
                                                         std::string_view, const Options&)) const {
  TRY(Options read, OptionsOfQuery<Options>(way->request.call->query));
  auto options = std::make_shared<Options>(std::move(read));
  if constexpr (requires { options->stdin_; }) {
    way->streams = {.in = options->stdin_,
                    .out = options->stdout_,
                    .err = options->stderr_,
                    .tty = options->tty};
  }
  Admit(way, options, reflect::TypeOf<Options>(), [this, way, options, locate]() -> Result<void> {
    const RequestInfo& info = way->request.call->info;
    TRY(way->location, locate(*parts_.objects, info.namespace_, info.name, *options));
    // As upstream counts: by what the kubelet can, whatever the client speaks.
    parts_.metrics->CountStream(info.subresource, way->location.speaks_websocket);
    if (!way->upgrade) return api::BadRequestError("Upgrade request required");
    const http::RequestHead& asked = way->request.exchange->request().head;
    way->translation = TranslationOf(asked, info.subresource, way->location);
    if (way->translation != StreamTranslation::kNone) {
      const auto acceptance = http::WebSocketAcceptance(asked, "");
      if (!acceptance.ok()) return api::BadRequestError(acceptance.error().message());
    }
    Send(way);
    return {};
  });
  return {};
}

Result<void> NodeWay::BeginProxy(const WayPtr& way) const {
  const Call& call = *way->request.call;
  const http::ServerRequest& asked = way->request.exchange->request();
  way->is_proxy = true;
  way->streamed = !way->upgrade && asked.body.empty() && HasBody(asked.head.headers);
  way->path = SplitProxyPath(asked.head.target, call.path, call.info.subresource);
  const std::string_view resource = call.info.resource;
  // The three kinds of options are the same.
  auto options = std::make_shared<v1::PodProxyOptions>();
  options->path = way->path.rest;
  const reflect::Type& type = resource == "pods"    ? reflect::TypeOf<v1::PodProxyOptions>()
                              : resource == "nodes" ? reflect::TypeOf<v1::NodeProxyOptions>()
                                                    : reflect::TypeOf<v1::ServiceProxyOptions>();
  Admit(way, options, type, [this, way]() -> Result<void> {
    const RequestInfo& info = way->request.call->info;
    const Objects& objects = *parts_.objects;
    if (info.resource == "pods") {
      TRY(way->location, PodProxyLocation(objects, info.namespace_, info.name));
    } else if (info.resource == "nodes") {
      TRY(way->location, NodeProxyLocation(objects, info.name));
    } else {
      TRY(way->location, ServiceProxyLocation(objects, info.namespace_, info.name, parts_.random));
    }
    const http::ServerRequest& request = way->request.exchange->request();
    const std::string_view method = request.head.method;
    if (way->path.rest.empty() && !way->upgrade && (method == "GET" || method == "HEAD")) {
      // Or the links of the page would lead past the proxy.
      Answer answer{.status = 301};
      answer.headers.Set(
          "Location", way->path.prefix + "/" + (request.query.empty() ? "" : "?" + request.query));
      way->request.reply(std::move(answer));
      return {};
    }
    way->location.path = way->path.rest;
    way->location.query = request.query;
    Send(way);
    return {};
  });
  return {};
}

Result<void> NodeWay::CheckCreate(const Call& call) const {
  if (call.info.verb == "create") return {};
  RequestInfo info = call.info;
  info.verb = "create";
  const AuthorizationQuestion question = QuestionOf(*call.user, info, call.query);
  const Authorization authorization = parts_.authorizer->Authorize(question);
  if (authorization.decision == Decision::kAllow) return {};
  return ForbiddenQuestionError(question, authorization.reason);
}

void NodeWay::Admit(const WayPtr& way, std::shared_ptr<void> options, const reflect::Type& type,
                    std::function<Result<void>()> next) const {
  const CallPtr call = way->request.call;
  const RequestInfo& info = call->info;
  AdmissionRequest asked{.operation = Operation::kConnect,
                         .group = info.group,
                         .version = info.version,
                         .resource = info.resource,
                         .subresource = info.subresource,
                         .kind_version = "v1",
                         .kind = type.name,
                         .namespace_ = info.namespace_,
                         .name = info.name,
                         .builtin = way->request.resource->builtin,
                         .type = &type,
                         .object = options.get(),
                         .user = call->user.get()};
  asked.warn = [call](std::string warning) { call->Warn(std::move(warning)); };
  asked.annotate = [call](std::string key, std::string value) {
    call->annotations.emplace_back(std::move(key), std::move(value));
  };
  auto run = [this, way, options = std::move(options), next = std::move(next), asked]() mutable {
    const auto admitted = [&]() -> Result<void> {
      TRY_VOID(parts_.admission->Admit(asked));
      TRY_VOID(parts_.admission->Validate(asked));
      return next();
    }();
    if (!admitted.ok()) way->Fail(admitted.error());
  };
  if (!parts_.admission->MayBlock(asked)) return run();
  parts_.executor->Post(std::move(run));
}

Result<void> NodeWay::Dial(const WayPtr& way, http::BackendDialled done) const {
  http::BackendTarget target{.host = way->location.host,
                             .only_global_unicast = way->location.only_global_unicast};
  std::string_view port = way->location.port;
  if (port.empty()) port = way->location.https ? "443" : "80";
  const bool digits =
      port.size() <= 5 && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  const unsigned long number = digits ? std::stoul(std::string(port)) : 0;
  if (number == 0 || number > UINT16_MAX) {
    return Error(Code::kInvalidArgument, "address " + std::string(port) + ": invalid port");
  }
  target.port = static_cast<uint16_t>(number);
  if (way->location.https) {
    TRY(target.tls, parts_.tls->For(way->location.trust));
  }
  http::DialBackend(parts_.poller, *parts_.executor, std::move(target), kDialTimeout, way->cancel,
                    std::move(done));
  return {};
}

http::BackendRequest NodeWay::RequestOf(const Way& way) const {
  if (way.is_log) {
    // The server's own request; what the client said is in its options.
    const std::string query = way.location.query.empty() ? "" : "?" + way.location.query;
    return {.head = {.method = "GET",
                     .target = way.location.path + query,
                     .headers = {{"Host", way.location.Authority()}, {"Connection", "close"}}}};
  }
  const http::ServerRequest& asked = way.request.exchange->request();
  if (way.translation != StreamTranslation::kNone) {
    return {.head = TranslatedHead(asked, way.translation, way.location)};
  }
  http::BackendRequest request{.head = ForwardedHead(asked, way.location), .body = asked.body};
  http::Headers& headers = request.head.headers;
  const std::string& method = asked.head.method;
  if (way.streamed) {
    const std::string_view length = asked.head.headers.Get("Content-Length");
    length.empty() ? headers.Set("Transfer-Encoding", "chunked")
                   : headers.Set("Content-Length", length);
    request.source = http::RequestBody(way.request.exchange, parts_.poller);
  } else if (!asked.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    headers.Set("Content-Length", std::to_string(asked.body.size()));
  }
  if (way.is_proxy && !way.upgrade) {
    headers.Set("X-Forwarded-Uri", way.path.prefix + way.path.rest);
    // Links are rewritten in what is not compressed.
    if (WantsPages(headers)) headers.Remove("Accept-Encoding");
  }
  return request;
}

void NodeWay::Send(const WayPtr& way) const {
  auto dialled = Dial(way, [this, way](Result<std::unique_ptr<http::Transport>> connection) {
    if (!connection.ok()) return Lose(way, connection.error(), false);
    http::AskBackend(
        parts_.poller, *std::move(connection), RequestOf(*way), way->cancel,
        [this, way](Result<http::BackendAnswer> answer) { Answered(way, std::move(answer)); });
  });
  if (!dialled.ok()) Lose(way, dialled.error(), false);
}

void NodeWay::Lose(const WayPtr& way, const Error& error, bool dialled) const {
  if (way->translation != StreamTranslation::kChannels) {
    return way->Fail(LostError(*way, error, dialled));
  }
  // Whoever speaks of commands in channels is told there.
  const std::string where = "dial tcp " + way->location.Authority() + ": ";
  const Error told = api::InternalError(
      "error sending request: Post \"https://" + way->location.Authority() + way->location.path +
      "?" + way->location.query + "\": " + (dialled ? "" : where) + error.message());
  Translate(way, http::kChannelsV5, http::RefuseChannels(way->streams, CommandStatus(told)), {});
}

Error NodeWay::LostError(const Way& way, const Error& error, bool dialled) {
  if (error.code() == Code::kPermissionDenied && error.message() == "address not allowed") {
    return api::BadRequestError(error.message());
  }
  const std::string where = "dial tcp " + way.location.Authority() + ": ";
  const std::string why = dialled ? error.message() : where + error.message();
  if (way.is_log) {
    return PlainError("Get \"https://" + way.location.Authority() + way.location.path + "?" +
                      way.location.query + "\": " + why);
  }
  if (way.upgrade) {
    return PlainError(dialled ? why : "error dialing backend: " + why);
  }
  return api::ServiceUnavailableError("error trying to reach service: " + why);
}

void NodeWay::Answered(const WayPtr& way, Result<http::BackendAnswer> answer) const {
  if (!answer.ok()) return Lose(way, answer.error(), true);
  if (way->is_log) return AnswerLog(way, *std::move(answer));
  if (way->translation == StreamTranslation::kChannels) {
    return AnswerCommand(way, *std::move(answer));
  }
  if (way->upgrade) return AnswerUpgrade(way, *std::move(answer));
  AnswerProxied(way, *std::move(answer));
}

void NodeWay::AnswerLog(const WayPtr& way, http::BackendAnswer answer) const {
  const int status = answer.head.status;
  if (status < 200 || status > 206) {
    const std::string name(way->request.call->info.name);
    return ReadRefusal(parts_.poller, *parts_.executor, std::move(answer),
                       [way, name, status](const std::string& text) {
                         way->Fail(LogRefusedError(status, name, text));
                       });
  }
  Answer log{.status = 200};
  log.headers.Set("Content-Type", "text/plain");
  log.pulled = http::BackendBody(parts_.poller, std::move(answer), way->request.call->in_flight);
  way->request.reply(std::move(log));
}

void NodeWay::AnswerProxied(const WayPtr& way, http::BackendAnswer answer) const {
  Answer proxied{.status = answer.head.status, .headers = AnswerHeaders(answer.head)};
  const http::ServerRequest& asked = way->request.exchange->request();
  const LinkContext context{.prefix = way->path.prefix,
                            .backend = way->location.Authority(),
                            .request_host = std::string(asked.head.headers.Get("Host"))};
  const std::string location(proxied.headers.Get("Location"));
  if (!location.empty()) proxied.headers.Set("Location", RewriteUrl(location, context));
  const std::string_view type = proxied.headers.Get("Content-Type");
  const bool page = http::TrimBlanks(type.substr(0, type.find(';'))) == "text/html" &&
                    proxied.headers.Find("Content-Encoding") == nullptr && location.empty();
  // Of HEAD too, where there is no body.
  const auto framing = http::ResponseFraming(answer.head, "GET");
  if (!page && framing.ok() && framing->kind == http::Framing::Kind::kLength) {
    proxied.pulled_size = framing->length;
  }
  proxied.pulled =
      http::BackendBody(parts_.poller, std::move(answer), way->request.call->in_flight);
  if (page) proxied.pulled = WithRewrittenLinks(std::move(proxied.pulled), context);
  way->request.reply(std::move(proxied));
}

void NodeWay::AnswerUpgrade(const WayPtr& way, http::BackendAnswer answer) const {
  const int status = answer.head.status;
  if (status != 101 && status < 400) {
    return way->Fail(PlainError("invalid upgrade response: status code " + std::to_string(status)));
  }
  if (status != 101) {
    // As the backend says it; then this connection ends like the other.
    Answer refused{.status = status, .headers = AnswerHeaders(answer.head)};
    refused.headers.Set("Connection", "close");
    refused.pulled =
        http::BackendBody(parts_.poller, std::move(answer), way->request.call->in_flight);
    return way->request.reply(std::move(refused));
  }
  if (way->translation == StreamTranslation::kTunnel) return AnswerTunnel(way, std::move(answer));
  const auto head = http::SerializeResponseHead(answer.head);
  if (!head.ok()) return way->Fail(head.error());
  way->request.count(101);
  auto client = way->request.exchange->TakeConnection();
  if (!client.ok()) return;  // it is gone
  http::Splice(parts_.poller,
               {.transport = std::move(client->transport), .first = std::move(client->rest)},
               {.transport = std::move(answer.connection), .first = *head + answer.rest},
               [in_flight = way->request.call->in_flight, audit = way->request.call->audit] {});
}

void NodeWay::AnswerTunnel(const WayPtr& way, http::BackendAnswer answer) const {
  const auto protocol = SpdyProtocolOf(answer.head);
  if (!protocol.ok()) return way->Fail(PlainError(protocol.error().message()));
  Translate(way, protocol->empty() ? "" : std::string(kTunnelPrefix) + *protocol,
            http::TranslateTunnel(),
            {.transport = std::move(answer.connection), .first = std::move(answer.rest)});
}

void NodeWay::AnswerCommand(const WayPtr& way, http::BackendAnswer answer) const {
  const auto refuse = [this, way](const std::string& text) {
    Translate(way, http::kChannelsV5,
              http::RefuseChannels(way->streams, RefusedCommandStatus(text)), {});
  };
  if (answer.head.status != 101) {
    return ReadRefusal(parts_.poller, *parts_.executor, std::move(answer), refuse);
  }
  const auto protocol = SpdyProtocolOf(answer.head);
  if (!protocol.ok()) return refuse(protocol.error().message());
  // The older ones say otherwise how a command has ended; no kubelet since 1.4 chooses them.
  if (*protocol != http::kChannelsV5 && *protocol != http::kChannelsV4) {
    return refuse("the node speaks \"" + *protocol + "\"");
  }
  Translate(
      way, http::kChannelsV5,
      http::TranslateChannels(
          way->streams, [](std::optional<std::string_view> said) { return CommandStatus(said); }),
      {.transport = std::move(answer.connection), .first = std::move(answer.rest)});
}

void NodeWay::Translate(const WayPtr& way, std::string_view protocol,
                        std::unique_ptr<http::Translation> translation,
                        http::SpliceSide server) const {
  auto headers = http::WebSocketAcceptance(way->request.exchange->request().head, protocol);
  if (!headers.ok()) return way->Fail(api::BadRequestError(headers.error().message()));
  headers->Set("Connection", "Upgrade");
  const auto head = http::SerializeResponseHead(
      {.status = 101, .reason = std::string(http::ReasonPhrase(101)), .headers = *headers});
  if (!head.ok()) return way->Fail(head.error());
  way->request.count(101);
  auto client = way->request.exchange->TakeConnection();
  if (!client.ok()) return;  // it is gone
  translation->to_client.insert(0, *head);
  http::Relay(parts_.poller,
              {.transport = std::move(client->transport), .first = std::move(client->rest)},
              std::move(server), std::move(translation),
              [in_flight = way->request.call->in_flight, audit = way->request.call->audit] {});
}

}  // namespace podium::apiserver
