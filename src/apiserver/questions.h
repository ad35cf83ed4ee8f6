// Kinds that are not stored but answered: reviews of rights and of tokens, who one is, and the
// tokens of service accounts.
#pragma once

#include "apiserver/authentication/request_authenticator.h"
#include "apiserver/authentication/token_request.h"
#include "apiserver/authorization/authorizer.h"
#include "apiserver/authorization/rule_resolver.h"
#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "apiserver/write.h"
#include "base/clock.h"
#include "base/result.h"

namespace podium::apiserver {

class Questions {
 public:
  struct Parts {
    const Authorizer* authorizer = nullptr;
    const RuleResolver* rules = nullptr;
    RequestAuthenticator* authenticator = nullptr;
    const TokenRequests* tokens = nullptr;
    const AdmissionChain* admission = nullptr;
    const Clock* clock = nullptr;
  };
  // All of it outlives this.
  explicit Questions(const Parts& parts) : parts_(parts) {}

  // The POST of such a kind. Threads: any; nothing waits.
  Result<WriteOutcome> Answer(Call& call, const ServedResource& resource) const;
  // The POST to serviceaccounts/token.
  Result<WriteOutcome> IssueToken(Call& call) const;

 private:
  const Parts parts_;
};

}  // namespace podium::apiserver
