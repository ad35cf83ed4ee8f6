#include "client/client.h"

#include "client/http_connection.h"
#include "client/session.h"
#include "http/url.h"

namespace podium::client {
namespace {

Result<std::string> PodPath(const ObjectKey& pod, std::string_view subresource) {
  TRY(const Target target, TargetOf(reflect::TypeOf<api::core::v1::Pod>(), pod, subresource));
  return PathOf(target);
}

}  // namespace

Result<Client> Client::Create(ServerAddress address) {
  TRY(auto session, Session::Create(std::move(address)));
  return Over(std::move(session));
}

Client Client::Over(std::shared_ptr<Session> session) {
  auto connection = std::make_shared<HttpConnection>(session);
  return {std::move(session), std::move(connection)};
}

Result<std::string> Client::Raw(std::string_view method, const std::string& path,
                                std::string_view query, std::string_view body) const {
  http::Request request = session_->RequestFor(method, path, query);
  if (!body.empty()) {
    request.headers.Add("Content-Type", "application/json");
    request.body = body;
  }
  return session_->SendForBody(request);
}

Result<ByteStream> Client::RawStream(std::string_view method, const std::string& path,
                                     std::string_view query, http::BodySource body,
                                     std::string_view content_type) const {
  http::Request request = session_->RequestFor(method, path, query);
  request.headers.Set("Accept", "*/*");
  request.timeouts = kEndless;
  if (body) {
    request.headers.Add("Content-Type", content_type);
    request.body_source = std::move(body);
  }
  TRY(auto response, session_->SendChecked(request));
  return ByteStream(std::move(response));
}

Result<ByteStream> Client::Logs(const ObjectKey& pod,
                                const api::core::v1::PodLogOptions& options) const {
  TRY(const std::string path, PodPath(pod, "log"));
  TRY(const std::string query, QueryOf(options));
  http::Request request = session_->RequestFor("GET", path, query);
  request.headers.Set("Accept", "*/*");
  request.timeouts = kEndless;
  TRY(auto response, session_->SendChecked(request));
  return ByteStream(std::move(response));
}

Result<std::unique_ptr<http::WebSocket>> Client::Connect(const ObjectKey& pod,
                                                         std::string_view subresource,
                                                         const std::string& query) const {
  TRY(const std::string path, PodPath(pod, subresource));
  http::Request request = session_->RequestFor("GET", path, query);
  Login login;
  TRY(const http::Client http, session_->Prepare(&request, &login));
  auto answer = http::ConnectWebSocket(http, request, http::ChannelProtocols());
  if (!answer.ok()) return session_->Explain(std::move(answer).error());
  if (answer->socket) return std::move(answer->socket);
  return Session::Refusal(*answer->refusal, request);
}

Result<RemoteCommand> Client::Exec(const ObjectKey& pod,
                                   const api::core::v1::PodExecOptions& options,
                                   const std::optional<http::TerminalSize>& window) const {
  TRY(std::string query, QueryOf(options));
  if (window) {
    query +=
        "&columns=" + std::to_string(window->width) + "&rows=" + std::to_string(window->height);
  }
  TRY(auto socket, Connect(pod, "exec", query));
  return RemoteCommand(std::move(socket));
}

Result<RemoteCommand> Client::Attach(const ObjectKey& pod,
                                     const api::core::v1::PodAttachOptions& options) const {
  TRY(const std::string query, QueryOf(options));
  TRY(auto socket, Connect(pod, "attach", query));
  return RemoteCommand(std::move(socket));
}

Result<PortConnection> Client::PortForward(const ObjectKey& pod, uint16_t port) const {
  TRY(auto socket,
      Connect(pod, "portforward", http::EncodeQuery({{"ports", std::to_string(port)}})));
  return PortConnection(std::move(socket));
}

}  // namespace podium::client
