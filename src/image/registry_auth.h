// Who we are to a registry: what stands in the Authorization header, got as the registry's
// challenges ask for it.
// Source: distribution, "Token Authentication Specification" and "OAuth 2 Token Authentication".
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"
#include "image/docker_config.h"
#include "image/registry.h"
#include "image/registry_challenge.h"

namespace podium::image {

// For one repository at one endpoint. Threads: any.
class Authorizer {
 public:
  // `path` is the repository's, as the endpoint knows it.
  Authorizer(Registries& registries, std::string host, const std::string& path,
             Credentials credentials);

  // For the next request; "" to send none.
  std::string Header() const;

  // After an answer of 401 to a request with `used`: gets another header to try with, or waits for
  // a thread that does. kUnauthenticated when there is none to get.
  Result<void> Answer(const http::Response& response, const std::string& used,
                      const http::Cancellation* cancellation);
  // A request with this header was let in: when it is refused later, it has grown old.
  void Accepted(const std::string& used);

 private:
  Result<std::string> HeaderFor(const Challenge& challenge, bool https,
                                const http::Cancellation* cancellation);
  Result<std::string> BasicHeader(bool https) const;
  Result<std::string> FetchToken(const Challenge& challenge, bool https,
                                 const http::Cancellation* cancellation);
  Result<http::Request> TokenRequest(const Challenge& challenge, http::Url realm) const;

  Registries* const registries_;
  const std::string host_;
  const std::string scope_;
  const Credentials credentials_;

  mutable std::mutex mutex_;  // of what follows
  std::string header_;
  bool accepted_ = false;
  std::mutex fetching_;  // held by the one that gets a token
};

}  // namespace podium::image
