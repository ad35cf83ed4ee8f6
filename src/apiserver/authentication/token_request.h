// POST to a service account's subresource `token` (upstream's
// pkg/registry/core/serviceaccount/storage/token.go).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/authentication_v1.h"
#include "apiserver/authentication/service_account_tokens.h"
#include "apiserver/objects.h"
#include "base/clock.h"

namespace podium::apiserver {

struct TokenRequestOptions {
  // The server's own: for requests that name none.
  std::vector<std::string> audiences{std::string(kDefaultIssuer)};
  int64_t max_expiration_seconds = 0;  // 0: no limit but the API's own of 2^32
  // A pod's token that is asked for with 3607 seconds, as kubelets ask for what old clients read
  // but once, lives a year, and its use after 3607 seconds is written to the audit log.
  bool extend_expiration = true;
};

struct IssuedToken {
  api::authentication::v1::TokenRequest object;
  std::vector<std::string> warnings;
  std::map<std::string, std::string> audit_annotations;
};

// Threads: any.
class TokenRequests {
 public:
  // All outlive it.
  TokenRequests(const ServiceAccountTokenIssuer& issuer, TokenRequestOptions options,
                const Objects& objects, const Clock& clock)
      : issuer_(issuer), options_(std::move(options)), objects_(objects), clock_(clock) {}

  // Validating admission of the request as it stands then; none: all is admitted.
  using Admit = std::function<Result<void>(const api::authentication::v1::TokenRequest& request)>;

  // `name_space` and `name` are those of the path. The errors are answers of the API.
  Result<IssuedToken> Create(std::string_view name_space, std::string_view name,
                             api::authentication::v1::TokenRequest request,
                             const Admit& admit = {}) const;

 private:
  const ServiceAccountTokenIssuer& issuer_;
  const TokenRequestOptions options_;
  const Objects& objects_;
  const Clock& clock_;
};

}  // namespace podium::apiserver
