#include "client/client.h"

#include <cerrno>

#include "api/scheme.h"
#include "base/text.h"
#include "client/status_error.h"
#include "http/url.h"
#include "reflect/json_value.h"

namespace podium::client {
namespace {

constexpr size_t kMaxAnswer = size_t{64} << 20;
constexpr size_t kMaxErrorBody = size_t{1} << 20;

// Streams may be silent for as long as they like.
const http::Timeouts kEndless{.connect = std::chrono::seconds(10),
                              .idle = std::chrono::milliseconds(0)};

std::string ScalarText(const reflect::JsonValue& value) {
  if (value.is_bool()) return value.boolean() ? "true" : "false";
  return value.is_number() ? value.number() : value.string();
}

// "get pods web", for messages about answers that say nothing themselves.
std::string Described(const http::Request& request) {
  const std::string path = http::Url::Parse(request.url).ok() ? http::Url::Parse(request.url)->path
                                                              : std::string(request.url);
  return LowerCase(request.method) + " " + path;
}

}  // namespace

ServerAddress AgentAt(std::string_view run_dir) {
  return {.unix_socket = std::string(run_dir) + "/agent.sock"};
}

Result<std::string> QueryOf(const reflect::Type& type, const void* options) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(type, options, &json));
  TRY(const reflect::JsonValue value, reflect::ParseJson(json));
  http::QueryParameters parameters;
  for (const auto& [key, member] : value.object()) {
    if (key == "kind" || key == "apiVersion" || member.is_null()) continue;
    if (member.is_object()) {
      return Error(Code::kInvalidArgument, "\"" + key + "\" has no form as a query parameter");
    }
    if (!member.is_array()) {
      parameters.emplace_back(key, ScalarText(member));
      continue;
    }
    for (const reflect::JsonValue& element : member.array()) {
      parameters.emplace_back(key, ScalarText(element));
    }
  }
  return http::EncodeQuery(parameters);
}

Result<Client> Client::Create(ServerAddress address) {
  TRY(const http::Url url, http::Url::Parse(address.url));
  while (address.url.ends_with('/')) address.url.pop_back();
  TRY(auto http, http::Client::Create({.tls = address.tls,
                                       .proxy = address.proxy,
                                       .timeouts = {.connect = std::chrono::seconds(10),
                                                    .idle = std::chrono::seconds(60)}}));
  return Client(std::move(address), std::move(http));
}

Result<std::string> Client::PathOf(const reflect::Type& type, const ObjectKey& key,
                                   std::string_view subresource) {
  const std::string_view group = type.package->group;
  const std::string_view version = type.package->version;
  std::string_view kind = type.name;
  const api::Resource* resource = api::FindResourceByKind(group, version, kind);
  if (!resource && kind.ends_with("List")) {
    kind.remove_suffix(4);
    resource = api::FindResourceByKind(group, version, kind);
  }
  if (!resource) {
    return Error(Code::kInvalidArgument, "no resource is of kind " + std::string(type.name));
  }
  std::string path = group.empty() ? "/api/" : "/apis/" + std::string(group) + "/";
  path += version;
  if (resource->namespaced && !key.namespace_.empty()) {
    path += "/namespaces/" + http::PercentEncode(key.namespace_);
  }
  path.append("/").append(resource->plural);
  // "." and ".." are no names of objects, and would be folders of a path.
  if (key.name == "." || key.name == ".." || key.namespace_ == "." || key.namespace_ == "..") {
    return Error(Code::kInvalidArgument, "\"" + key.name + "\" is no name of an object");
  }
  if (!key.name.empty()) path += "/" + http::PercentEncode(key.name);
  if (!subresource.empty()) path.append("/").append(subresource);
  return path;
}

http::Request Client::RequestFor(std::string_view method, const std::string& path,
                                 std::string_view query) const {
  http::Request request{.method = std::string(method), .url = address_.url + path};
  if (!query.empty()) request.url.append("?").append(query);
  request.unix_socket = address_.unix_socket;
  request.headers.Add("Accept", "application/json");
  if (!address_.bearer_token.empty()) {
    request.headers.Add("Authorization", "Bearer " + address_.bearer_token);
  }
  return request;
}

Error Client::Explain(Error error) const {
  const std::string& path = address_.unix_socket;
  if (path.empty()) return error;
  if (error.os_errno() == ENOENT || error.os_errno() == ECONNREFUSED) {
    return Error(Code::kUnavailable,
                 "no agent is listening at " + path + "; start one with \"podium agent\"",
                 error.os_errno());
  }
  if (error.os_errno() == EACCES) {
    return Error(Code::kPermissionDenied, "the agent at " + path + " serves root alone",
                 error.os_errno());
  }
  return error;
}

Result<http::Response> Client::Send(const http::Request& request) const {
  auto response = http_.Send(request);
  if (!response.ok()) return Explain(std::move(response).error());
  return response;
}

Result<http::Response> Client::SendChecked(const http::Request& request) const {
  TRY(auto response, Send(request));
  if (response.status() >= 200 && response.status() < 300) return response;
  TRY(const std::string body, response.ReadAll(kMaxErrorBody));
  return ErrorOfAnswer(response.status(), body, Described(request));
}

Result<std::string> Client::Raw(std::string_view method, const std::string& path,
                                std::string_view query, std::string_view body) const {
  http::Request request = RequestFor(method, path, query);
  if (!body.empty()) {
    request.headers.Add("Content-Type", "application/json");
    request.body = body;
  }
  TRY(auto response, SendChecked(request));
  return response.ReadAll(kMaxAnswer);
}

Result<ByteStream> Client::RawStream(std::string_view method, const std::string& path,
                                     std::string_view query, http::BodySource body,
                                     std::string_view content_type) const {
  http::Request request = RequestFor(method, path, query);
  request.headers.Set("Accept", "*/*");
  request.timeouts = kEndless;
  if (body) {
    request.headers.Add("Content-Type", content_type);
    request.body_source = std::move(body);
  }
  TRY(auto response, SendChecked(request));
  return ByteStream(std::move(response));
}

Result<void> Client::DeleteObject(const reflect::Type& type, const ObjectKey& key,
                                  const api::meta::v1::DeleteOptions& options) const {
  TRY(const std::string path, PathOf(type, key, ""));
  TRY(const std::string body, reflect::ToJson(options));
  TRY_VOID(Raw("DELETE", path, "", body));
  return {};
}

Result<EventStream> Client::StartWatch(const reflect::Type& type, std::string_view name_space,
                                       const api::meta::v1::ListOptions& options) const {
  TRY(const std::string path, PathOf(type, {std::string(name_space), ""}, ""));
  api::meta::v1::ListOptions watching = options;
  watching.watch = true;
  TRY(const std::string query, QueryOf(reflect::TypeOf<api::meta::v1::ListOptions>(), &watching));
  http::Request request = RequestFor("GET", path, query);
  request.timeouts = kEndless;
  TRY(auto response, SendChecked(request));
  return EventStream(std::move(response));
}

Result<ByteStream> Client::Logs(const ObjectKey& pod,
                                const api::core::v1::PodLogOptions& options) const {
  TRY(const std::string path, PathOf(reflect::TypeOf<api::core::v1::Pod>(), pod, "log"));
  TRY(const std::string query, QueryOf(reflect::TypeOf<api::core::v1::PodLogOptions>(), &options));
  http::Request request = RequestFor("GET", path, query);
  request.headers.Set("Accept", "*/*");
  request.timeouts = kEndless;
  TRY(auto response, SendChecked(request));
  return ByteStream(std::move(response));
}

Result<std::unique_ptr<http::WebSocket>> Client::Connect(const ObjectKey& pod,
                                                         std::string_view subresource,
                                                         const std::string& query) const {
  TRY(const std::string path, PathOf(reflect::TypeOf<api::core::v1::Pod>(), pod, subresource));
  http::Request request = RequestFor("GET", path, query);
  auto answer = http::ConnectWebSocket(http_, request, http::ChannelProtocols());
  if (!answer.ok()) return Explain(std::move(answer).error());
  if (answer->socket) return std::move(answer->socket);
  TRY(const std::string body, answer->refusal->ReadAll(kMaxErrorBody));
  return ErrorOfAnswer(answer->refusal->status(), body, Described(request));
}

Result<RemoteCommand> Client::Exec(const ObjectKey& pod,
                                   const api::core::v1::PodExecOptions& options,
                                   const std::optional<http::TerminalSize>& window) const {
  TRY(std::string query, QueryOf(reflect::TypeOf<api::core::v1::PodExecOptions>(), &options));
  if (window) {
    query +=
        "&columns=" + std::to_string(window->width) + "&rows=" + std::to_string(window->height);
  }
  TRY(auto socket, Connect(pod, "exec", query));
  return RemoteCommand(std::move(socket));
}

Result<RemoteCommand> Client::Attach(const ObjectKey& pod,
                                     const api::core::v1::PodAttachOptions& options) const {
  TRY(const std::string query,
      QueryOf(reflect::TypeOf<api::core::v1::PodAttachOptions>(), &options));
  TRY(auto socket, Connect(pod, "attach", query));
  return RemoteCommand(std::move(socket));
}

Result<PortConnection> Client::PortForward(const ObjectKey& pod, uint16_t port) const {
  TRY(auto socket,
      Connect(pod, "portforward", http::EncodeQuery({{"ports", std::to_string(port)}})));
  return PortConnection(std::move(socket));
}

}  // namespace podium::client
