#include "cli/server.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "api/status.h"
#include "api/time.h"
#include "base/clock.h"
#include "cli/agent_client.h"
#include "cli/server_errors.h"
#include "cli/text.h"
#include "http/url.h"
#include "linux/terminal.h"

namespace podium::cli {
namespace {

const char* Variable(const char* name) {
  return std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
}

// kubectl's: Go's durations, or seconds.
Result<std::chrono::milliseconds> ParseTimeout(std::string_view text) {
  std::string with_unit(text);
  if (!text.empty() && text.find_first_not_of("0123456789") == text.npos) with_unit += 's';
  const auto duration = api::Duration::Parse(with_unit);
  if (!duration.ok() || duration->nanos() < 0) {
    return Error(Code::kInvalidArgument,
                 "invalid value for option --request-timeout: \"" + std::string(text) +
                     "\"; it is 0, or a number of seconds, or 300ms, 5s, 2m");
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::nanoseconds(duration->nanos()));
}

bool IsThere(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0;
}

// Discovery's forms, the newest first; servers before 1.26 know the last alone.
constexpr std::string_view kAcceptDiscovery =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

}  // namespace

client::KubeConfigSources KubeConfigSources(const Invocation& invocation) {
  return client::KubeConfigSourcesOf(Variable, std::string(invocation.Get("kubeconfig")));
}

bool NamesServer(const Invocation& invocation) {
  for (const char* option : {"kubeconfig", "context", "cluster", "user", "server"}) {
    if (invocation.Has(option)) return true;
  }
  return false;
}

client::AddressOverrides AddressOverridesOf(const Invocation& invocation) {
  const auto text = [&](std::string_view option) { return std::string(invocation.Get(option)); };
  return {.context = text("context"),
          .cluster = text("cluster"),
          .user = text("user"),
          .server = text("server"),
          .token = text("token"),
          .as = text("as"),
          .as_groups = invocation.All("as-group"),
          .as_uid = text("as-uid"),
          .insecure_skip_tls_verify = invocation.Has("insecure-skip-tls-verify"),
          .tls_server_name = text("tls-server-name"),
          .certificate_authority = text("certificate-authority"),
          .client_certificate = text("client-certificate"),
          .client_key = text("client-key")};
}

Result<std::unique_ptr<Server>> Server::Of(const Invocation& invocation, const Streams& streams) {
  auto server = std::unique_ptr<Server>(new Server(streams));
  TRY(server->request_timeout_, ParseTimeout(invocation.Get("request-timeout", "0")));
  TRY(const Instance instance, ThisInstance());
  static const SystemClock kClock;
  const client::AddressEnvironment environment = {
      .lookup = Variable, .clock = &kClock, .interactive = kernel::IsTerminal(streams.in)};
  const client::ServerAddress agent = client::AgentAt(instance.run_dir);
  client::ChosenAddress chosen{.address = agent};
  if (!invocation.Has("node")) {
    auto found = client::DefaultAddress(KubeConfigSources(invocation), instance.AdminKubeconfig(),
                                        AddressOverridesOf(invocation), environment);
    const bool none = !found.ok() && found.error().code() == Code::kNotFound;
    if (found.ok()) {
      chosen = *std::move(found);
    } else if (!none || NamesServer(invocation) || !IsThere(agent.unix_socket)) {
      return std::move(found).error();
    }
  }
  if (chosen.address.unix_socket.empty()) {
    server->url_ = chosen.address.url;
  } else {
    server->agent_socket_ = chosen.address.unix_socket;
  }
  while (server->url_.ends_with('/')) server->url_.pop_back();
  server->namespace_given_ = !invocation.Get("namespace").empty();
  server->namespace_name_ = invocation.Get("namespace", chosen.namespace_);
  if (server->namespace_name_.empty()) server->namespace_name_ = "default";
  Server* self = server.get();
  TRY(server->session_,
      client::Session::Create(std::move(chosen.address), [self](std::string_view text) {
        if (!self->warnings_.insert(std::string(text)).second) return;
        (void)self->streams_.Err("Warning: " + Printable(text) + '\n');
      }));
  return server;
}

http::Request Server::RequestFor(const ServerRequest& request) const {
  http::Request out = session_->RequestFor(request.method, request.path, request.query);
  out.headers.Set("Accept", request.accept);
  if (!request.body.empty()) {
    out.headers.Add("Content-Type", request.content_type);
    out.body = request.body;
  }
  return out;
}

Error Server::Explain(Error error) const {
  if (api::FindStatus(error) || is_agent()) return error;
  const auto url = http::Url::Parse(url_);
  const std::string where =
      url.ok() ? url->host + ":" + std::to_string(url->EffectivePort()) : url_;
  if (error.os_errno() == ECONNREFUSED) {
    return VerbatimError(error.code(),
                         "The connection to the server " + where +
                             " was refused - did you specify the right host or port?");
  }
  return VerbatimError(error.code(), "Unable to connect to the server: " + error.message());
}

Result<std::string> Server::Ask(const ServerRequest& request) {
  http::Request out = RequestFor(request);
  if (request_timeout_.count() > 0) {
    out.timeouts = http::Timeouts{.connect = request_timeout_, .total = request_timeout_};
  }
  auto response = session_->SendChecked(out);
  if (!response.ok()) return Explain(std::move(response).error());
  auto body = response->ReadAll(client::kMaxAnswer);
  if (!body.ok()) return Explain(std::move(body).error());
  return body;
}

Result<reflect::JsonValue> Server::AskJson(const ServerRequest& request) {
  TRY(const std::string text, Ask(request));
  auto value = reflect::ParseJson(text);
  if (!value.ok()) {
    return std::move(value).error().WithContext("the server's answer to " + request.path);
  }
  return value;
}

Result<http::Response> Server::Open(const ServerRequest& request) {
  http::Request out = RequestFor(request);
  out.timeouts = client::kEndless;
  const auto at_most = request.at_most.count() > 0 ? request.at_most : request_timeout_;
  if (at_most.count() > 0) {
    out.timeouts->connect = std::min(out.timeouts->connect, at_most);
    out.timeouts->total = at_most;
  }
  auto response = session_->SendChecked(out);
  if (!response.ok()) return Explain(std::move(response).error());
  return response;
}

Result<const ServerResources*> Server::Resources() {
  if (resources_) return resources_.get();
  if (is_agent()) {
    resources_ = std::make_unique<ServerResources>(ServerResources::OfAgent());
    return resources_.get();
  }
  const auto ask = [this](const std::string& path) {
    return AskJson({.path = path, .accept = std::string(kAcceptDiscovery)});
  };
  TRY(ServerResources found, ServerResources::Discover(ask));
  resources_ = std::make_unique<ServerResources>(std::move(found));
  return resources_.get();
}

}  // namespace podium::cli
