// How registries are reached: mirrors, TLS, plain HTTP, retries, limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace podium::image {

// Of one registry, by its name in references: "docker.io", "registry.example:5000".
struct RegistrySettings {
  // Asked before the registry itself, in order: "https://mirror.example", "http://10.0.0.1:5000".
  // What stands behind the host comes before the repository's path. A mirror serves what its scheme
  // and its own settings, by its host, say.
  std::vector<std::string> mirrors{};
  // Plain HTTP where the registry does not speak TLS. Loopback addresses always may.
  bool plain_http = false;
  // Certificates: whom to trust, who we are, and whether to look at all.
  http::TlsOptions tls{};
};

// What is tried again: connections that break, answers of 408, 429 and 5xx, bytes that are wrong.
struct RetryPolicy {
  // Without progress in between; what has moved on begins to count anew.
  int attempts = 5;
  // Doubled each time, and each time a random part of that is waited, at least half.
  std::chrono::milliseconds first_delay{500};
  std::chrono::milliseconds max_delay{15'000};
  // A server's Retry-After is kept to, unless it asks for more than this.
  std::chrono::milliseconds max_retry_after{120'000};
};

struct RegistryOptions {
  std::map<std::string, RegistrySettings, std::less<>> registries{};
  http::ProxySettings proxy{};
  http::Timeouts timeouts{};
  std::string user_agent = "podium";
  RetryPolicy retry{};
  size_t parallel_layers = 3;  // of one pull
  // Of what comes over the network, as the manifest announces it; 0: no bound.
  uint64_t max_layer_size = 0;
  uint64_t max_image_size = 0;
};

}  // namespace podium::image
