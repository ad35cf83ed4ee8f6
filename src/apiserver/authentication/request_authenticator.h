// All ways to say who one is, put together as upstream's API server does it: certificates, then
// bearer tokens in the header or in a WebSocket's protocols, then root by its socket, then nobody,
// who may see health and version alone. The first that knows the client counts, and the group
// system:authenticated is added.
//
//   TRY(auto authenticator, RequestAuthenticator::Create({.client_ca = credentials.ca_pem(),
//                                                        .tokens = {&tokens, &bootstrap}}, clock));
//   auto who = authenticator->Authenticate({.authorization = …, .certificates = …, .path = …});
//   if (!who.ok()) log(who.error()), answer UnauthorizedAnswer()
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/certificate_authenticator.h"
#include "apiserver/authentication/service_account_tokens.h"
#include "base/clock.h"

namespace podium::apiserver {

struct RequestAuthenticatorOptions {
  // Who signs clients' certificates: PEM, several one behind the other; "" for nobody.
  std::string client_ca{};
  // Asked in this order. They outlive the authenticator.
  std::vector<TokenAuthenticator*> tokens{};
  // The server's own audiences.
  std::vector<std::string> audiences{std::string(kDefaultIssuer)};
  // Paths that nobody in particular may ask for, exactly so (upstream's
  // AuthenticationConfiguration, anonymous.conditions).
  std::vector<std::string> anonymous_paths{"/healthz", "/livez", "/readyz", "/version",
                                           "/version/"};
};

class RequestAuthenticator final : public Authenticator {
 public:
  // kInvalidArgument: client_ca is no PEM of certificates. The clock outlives it.
  static Result<std::unique_ptr<RequestAuthenticator>> Create(RequestAuthenticatorOptions options,
                                                              const Clock& clock);

  // Never null: an error when nobody knows the client. A token that is wrong is an error on the
  // paths for everybody, too. A client over root's socket that shows a token is whom the token
  // says.
  Result<AuthenticatedPtr> Authenticate(const Credentials& credentials) override;

  // A token alone, for TokenReview: never null. It must be for one of the audiences, empty: the
  // server's own; the answer says for which.
  Result<AuthenticatedPtr> AuthenticateBearer(std::string_view token,
                                              std::span<const std::string> audiences);

 private:
  RequestAuthenticator(RequestAuthenticatorOptions options,
                       std::unique_ptr<CertificateAuthenticator> certificates);
  // Null: nobody's. What was wrong with it, from whoever took it for his, goes to *reasons.
  AuthenticatedPtr AskAll(std::string_view token, std::span<const std::string> audiences,
                          std::vector<std::string>* reasons);
  // Of tokens that do not say whom they are for. Null: for none of these.
  AuthenticatedPtr ForServer(const AuthenticatedPtr& who,
                             std::span<const std::string> audiences) const;

  const RequestAuthenticatorOptions options_;
  const std::unique_ptr<CertificateAuthenticator> certificates_;  // null without client_ca
  const AuthenticatedPtr root_;
  const AuthenticatedPtr anonymous_;
};

}  // namespace podium::apiserver
