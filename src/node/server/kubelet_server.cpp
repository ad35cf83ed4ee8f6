#include "node/server/kubelet_server.h"

#include <string_view>
#include <utility>
#include <vector>

#include "http/listener.h"

namespace podium::node {
namespace {

// Between requests of a connection; upstream's.
constexpr std::chrono::seconds kIdle{90};

// It ends when its client goes: nothing else would tell of that while the container is quiet.
bool FollowsALog(std::string_view target) {
  const size_t query = target.find('?');
  return target.starts_with("/containerLogs/") && query != std::string_view::npos &&
         target.substr(query).contains("follow=");
}

}  // namespace

Result<std::unique_ptr<KubeletServer>> KubeletServer::Start(KubeletApi& api, Options options) {
  TRY(auto tls, http::TlsServer::Create({.certificate = std::move(options.certificate),
                                         .key = std::move(options.key),
                                         .client_certificates = http::ClientCertificates::kRequest,
                                         .client_roots = std::move(options.client_roots)}));
  TRY(auto listener, http::Listener::Tcp(options.address, options.port));
  const uint16_t port = listener.port();
  std::vector<http::Endpoint> endpoints;
  endpoints.push_back({std::move(listener), tls});
  http::ServerOptions server_options;
  server_options.treatment = [](const http::RequestHead& head) {
    return http::Treatment{.long_running = FollowsALog(head.target), .strict_path = true};
  };
  server_options.idle_timeout = kIdle;
  TRY(auto server, http::Server::Start(std::move(endpoints), std::move(server_options),
                                       [&api](const std::shared_ptr<http::Exchange>& exchange) {
                                         api.Handle(exchange);
                                       }));
  return std::unique_ptr<KubeletServer>(new KubeletServer(std::move(tls), std::move(server), port));
}

Result<void> KubeletServer::SetCertificate(std::string certificate, std::string key) {
  return tls_->SetCertificate(std::move(certificate), std::move(key));
}

Result<void> KubeletServer::SetClientRoots(std::string client_roots) {
  return tls_->SetClientRoots(std::move(client_roots));
}

}  // namespace podium::node
