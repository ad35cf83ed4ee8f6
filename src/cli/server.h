// The server that a command talks to: which one, who asks, and requests as bytes. Commands show
// what servers answer, also of kinds and fields that this program does not know, so nothing is
// decoded on the way.
//
//   TRY(auto server, Server::Of(invocation, streams));
//   TRY(std::string text, server->Ask({.path = "/version"}));
//
// Which one, as the options of server_options.h say; without any the kubeconfig's current context;
// else the server of this machine, whose kubeconfig its owner may read; else what a pod is given;
// else the agent of this machine, which knows pods, config maps, secrets and events.
//
// Errors carry the server's Status (api::FindStatus); of one that cannot be reached they say so in
// kubectl's words, and are Verbatim.
//
// Threads: one at a time.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command.h"
#include "cli/server_options.h"
#include "cli/server_resources.h"
#include "client/kubeconfig.h"
#include "client/kubeconfig_address.h"
#include "client/session.h"
#include "http/client.h"

namespace podium::cli {

struct ServerRequest {
  std::string method = "GET";
  std::string path;  // begins with a slash
  std::string query = {};
  std::string accept = "application/json";
  std::string body = {};
  std::string content_type = "application/json";
  // Until the end of the answer; 0 for what --request-timeout says.
  std::chrono::milliseconds at_most{0};
};

class Server {
 public:
  // Nothing is sent yet. Warnings of the server go to streams.err, each text once, as kubectl has
  // it.
  static Result<std::unique_ptr<Server>> Of(const Invocation& invocation, const Streams& streams);

  // The agent of this machine rather than an API server.
  bool is_agent() const { return !agent_socket_.empty(); }
  // Scheme, host, and what stands before /api.
  const std::string& url() const { return url_; }
  // Of --namespace, else the context's, else "default". The API's word.
  // NOLINTNEXTLINE(readability-identifier-naming)
  const std::string& namespace_() const { return namespace_name_; }
  // Whether --namespace says it.
  bool namespace_given() const { return namespace_given_; }

  // The body of a success, at most 64 MiB.
  Result<std::string> Ask(const ServerRequest& request);
  Result<reflect::JsonValue> AskJson(const ServerRequest& request);
  // The answer as it comes, for watches and logs: it may be silent for as long as it likes.
  Result<http::Response> Open(const ServerRequest& request);

  // What the server has; asked for at the first call.
  Result<const ServerResources*> Resources();

  const std::shared_ptr<client::Session>& session() const { return session_; }
  const Streams& streams() const { return streams_; }

 private:
  explicit Server(const Streams& streams) : streams_(streams) {}
  http::Request RequestFor(const ServerRequest& request) const;
  Error Explain(Error error) const;

  const Streams streams_;
  std::shared_ptr<client::Session> session_;
  std::string url_;
  std::string agent_socket_;
  std::string namespace_name_ = "default";
  bool namespace_given_ = false;
  std::chrono::milliseconds request_timeout_{0};
  std::set<std::string> warnings_;
  std::unique_ptr<ServerResources> resources_;
};

// What the options and the environment say of files.
client::KubeConfigSources KubeConfigSources(const Invocation& invocation);
// Whether the command line names a server: without one the agent of this machine may be meant.
bool NamesServer(const Invocation& invocation);
client::AddressOverrides AddressOverridesOf(const Invocation& invocation);

}  // namespace podium::cli
