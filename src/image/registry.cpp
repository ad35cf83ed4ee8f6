#include "image/registry.h"

#include "http/url.h"

namespace podium::image {
namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kHubHost = "registry-1.docker.io";

}  // namespace

bool IsLoopbackHost(std::string_view host) {
  const auto url = http::Url::Parse("http://" + std::string(host) + "/");
  if (!url.ok()) return false;
  return url->host == "localhost" || url->host == "::1" ||
         (url->host.starts_with("127.") && http::IsIpAddress(url->host));
}

const RegistrySettings* Registries::SettingsOf(std::string_view host) const {
  auto found = options_.registries.find(host);
  if (found == options_.registries.end() && host == kHubHost) {
    found = options_.registries.find(kHub);
  }
  return found == options_.registries.end() ? nullptr : &found->second;
}

Result<std::vector<RegistryEndpoint>> Registries::EndpointsOf(const std::string& domain) const {
  std::vector<RegistryEndpoint> endpoints;
  if (const RegistrySettings* settings = SettingsOf(domain)) {
    for (const std::string& mirror : settings->mirrors) {
      auto url = http::Url::Parse(mirror);
      if (!url.ok()) return std::move(url).error().WithContext("the mirror " + mirror);
      RegistryEndpoint endpoint{.host = url->Authority(), .scheme = url->scheme};
      endpoint.prefix = url->path.substr(1);
      if (!endpoint.prefix.empty() && !endpoint.prefix.ends_with('/')) endpoint.prefix += '/';
      endpoint.mirrored = domain;
      endpoint.credentials_name = endpoint.host;
      endpoints.push_back(std::move(endpoint));
    }
  }
  endpoints.push_back({.host = std::string(domain == kHub ? kHubHost : std::string_view(domain)),
                       .credentials_name = domain});
  return endpoints;
}

bool Registries::MayBePlain(std::string_view host) const {
  const RegistrySettings* settings = SettingsOf(host);
  return (settings && settings->plain_http) || IsLoopbackHost(host);
}

std::vector<std::string> Registries::SchemesOf(const RegistryEndpoint& endpoint) const {
  if (!endpoint.scheme.empty()) return {endpoint.scheme};
  const std::lock_guard lock(mutex_);
  const auto known = schemes_.find(endpoint.host);
  if (known != schemes_.end()) return {known->second};
  if (MayBePlain(endpoint.host)) return {"https", "http"};
  return {"https"};
}

void Registries::RememberScheme(const RegistryEndpoint& endpoint, const std::string& scheme) {
  const std::lock_guard lock(mutex_);
  schemes_[endpoint.host] = scheme;
}

Result<const http::Client*> Registries::ClientFor(std::string_view host) {
  const RegistrySettings* settings = SettingsOf(host);
  const std::string key(settings ? host : std::string_view());
  const std::lock_guard lock(mutex_);
  auto& client = clients_[key];
  if (!client) {
    auto made = http::Client::Create({.tls = settings ? settings->tls : http::TlsOptions(),
                                      .proxy = options_.proxy,
                                      .timeouts = options_.timeouts,
                                      .user_agent = options_.user_agent});
    if (!made.ok()) return std::move(made).error().WithContext("registry " + key);
    client = std::make_unique<http::Client>(*std::move(made));
  }
  return client.get();
}

}  // namespace podium::image
