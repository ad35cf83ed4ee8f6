// Tokens of service accounts: made, and checked (upstream's pkg/serviceaccount).
//
// A token's signature is checked once and remembered by the token's SHA-256; that its account and
// what it is bound to are still there is checked at every request, by the revisions of the objects:
// a token ends with its pod, at once. (Upstream believes a token for ten seconds.)
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/bounded_cache.h"
#include "apiserver/authentication/service_account_claims.h"
#include "apiserver/authentication/service_account_validator.h"
#include "apiserver/objects.h"
#include "base/clock.h"
#include "pki/jwt.h"

namespace podium::apiserver {

inline constexpr std::string_view kDefaultIssuer = "https://kubernetes.default.svc.cluster.local";

// Immutable; any thread.
class ServiceAccountTokenIssuer {
 public:
  // kInvalidArgument: a key that is not for tokens.
  static Result<ServiceAccountTokenIssuer> Create(const pki::PrivateKey& key, std::string issuer);

  const std::string& issuer() const { return issuer_; }
  // The issuer is set; the rest is the caller's.
  Result<std::string> Issue(ServiceAccountClaims claims) const;
  // What stands in a Secret of type kubernetes.io/service-account-token, under `token`.
  Result<std::string> IssueLegacy(const api::core::v1::ServiceAccount& account,
                                  std::string_view secret_name) const;

 private:
  ServiceAccountTokenIssuer(pki::TokenSigner signer, std::string issuer)
      : signer_(std::move(signer)), issuer_(std::move(issuer)) {}
  pki::TokenSigner signer_;
  std::string issuer_;
};

struct ServiceAccountTokenOptions {
  // Whose tokens are taken; the first is who makes new ones.
  std::vector<std::string> issuers{std::string(kDefaultIssuer)};
  // The server's own: what a token is for that names none, and whom one is for that is shown here.
  std::vector<std::string> audiences{std::string(kDefaultIssuer)};
  // A token out of this Secret was used, whose label kubernetes.io/legacy-token-last-used is not of
  // today. Must not wait; about once a day for each.
  std::function<void(std::string_view name_space, std::string_view secret)> on_legacy_token{};
};

class ServiceAccountTokens final : public TokenAuthenticator {
 public:
  // Objects and clock outlive it.
  ServiceAccountTokens(pki::KeySet keys, ServiceAccountTokenOptions options, const Objects& objects,
                       const Clock& clock);

  bool ForAudiences() const override { return true; }
  Result<AuthenticatedPtr> AuthenticateToken(std::string_view token,
                                             std::span<const std::string> audiences) override;

 private:
  // Signed by one of the keys, which say no more than that.
  struct Known {
    std::shared_ptr<const ServiceAccountClaims> claims;
    ValidatedAccount account;  // for the server itself
  };
  // Null: no token, or another issuer's.
  Result<std::shared_ptr<const ServiceAccountClaims>> Verify(std::string_view token) const;
  // Those of the token that were asked for.
  Result<std::vector<std::string>> AudiencesOf(const ServiceAccountClaims& claims,
                                               std::span<const std::string> asked) const;
  bool StillStands(const ValidatedAccount& account, int64_t now_nanos) const;

  const pki::KeySet keys_;
  const ServiceAccountTokenOptions options_;
  const Objects& objects_;
  const Clock& clock_;
  BoundedCache<Known> known_{4096};
};

}  // namespace podium::apiserver
