// Registries as this machine reaches them: for each, the places to ask and the clients to ask with.
//
// Threads: everything may be called from any thread at any time.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "image/registry_options.h"

namespace podium::image {

// Where a registry's repositories may be asked for: the registry itself or a mirror.
struct RegistryEndpoint {
  std::string host;                // with port: what settings and schemes are known by
  std::string prefix{};            // before the repository's path; "" or "project/"
  std::string scheme{};            // "" for the registry itself: what it turns out to speak
  std::string mirrored{};          // the registry that this is a mirror of, or ""
  std::string credentials_name{};  // the host by which credentials are looked up
};

class Registries {
 public:
  explicit Registries(RegistryOptions options) : options_(std::move(options)) {}

  const RegistryOptions& options() const { return options_; }

  // Mirrors first, then the registry. kInvalidArgument: a mirror that is no URL.
  Result<std::vector<RegistryEndpoint>> EndpointsOf(const std::string& domain) const;

  // Schemes to try, the best first; one that worked before is the only one.
  std::vector<std::string> SchemesOf(const RegistryEndpoint& endpoint) const;
  void RememberScheme(const RegistryEndpoint& endpoint, const std::string& scheme);
  // Whether passwords may be sent there without TLS.
  bool MayBePlain(std::string_view host) const;

  // The client with the TLS settings of a host. kInvalidArgument: certificates that are none.
  Result<const http::Client*> ClientFor(std::string_view host);

 private:
  const RegistrySettings* SettingsOf(std::string_view host) const;

  const RegistryOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> schemes_;
  // By host, for those with settings of their own; "" for all others.
  std::map<std::string, std::unique_ptr<http::Client>, std::less<>> clients_;
};

// localhost, 127.0.0.0/8 and ::1, with a port or without.
bool IsLoopbackHost(std::string_view host);

}  // namespace podium::image
