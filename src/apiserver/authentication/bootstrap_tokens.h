// Tokens that nodes join with: abcdef.0123456789abcdef, kept in Secrets bootstrap-token-abcdef of
// kube-system with type bootstrap.kubernetes.io/token (upstream's
// plugin/pkg/auth/authenticator/token/bootstrap). The store is asked at every request.
#pragma once

#include "apiserver/authentication/authenticator.h"
#include "apiserver/objects.h"
#include "base/clock.h"

namespace podium::apiserver {

class BootstrapTokens final : public TokenAuthenticator {
 public:
  // They outlive it.
  BootstrapTokens(const Objects& objects, const Clock& clock) : objects_(objects), clock_(clock) {}

  // A token that is not one that is good now is nobody's: null. Errors are the store's.
  Result<AuthenticatedPtr> AuthenticateToken(std::string_view token,
                                             std::span<const std::string> audiences) override;

 private:
  const Objects& objects_;
  const Clock& clock_;
};

}  // namespace podium::apiserver
