#include "apiserver/authentication/request_authenticator.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/names.h"
#include "apiserver/authentication/admin_kubeconfig.h"
#include "apiserver/authentication/known_user.h"
#include "base/text.h"
#include "http/headers.h"
#include "pki/base64_url.h"
#include "reflect/utf8.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kProtocolPrefix = "base64url.bearer.authorization.k8s.io.";

Error Wrong(std::string why) { return Error(Code::kUnauthenticated, std::move(why)); }

// Of "Bearer TOKEN", as upstream splits it; "" for another scheme or none.
std::string_view BearerToken(std::string_view authorization) {
  const auto parts = Split(http::TrimBlanks(authorization), ' ');
  return parts.size() >= 2 && EqualsIgnoringCase(parts[0], "bearer") ? parts[1]
                                                                     : std::string_view();
}

// The token among a WebSocket's protocols; "" for none. There must be another protocol, which the
// server can answer with.
Result<std::string> ProtocolToken(std::string_view protocols) {
  std::optional<std::string> token;
  bool others = false;
  for (const std::string_view protocol : http::SplitList(protocols)) {
    if (!protocol.starts_with(kProtocolPrefix)) {
      others = true;
      continue;
    }
    if (token) return Wrong("multiple base64.bearer.authorization tokens specified");
    token = pki::DecodeBase64Url(protocol.substr(kProtocolPrefix.size()));
    if (!token) return Wrong("invalid base64.bearer.authorization token encoding");
    if (!reflect::IsUtf8(*token)) return Wrong("invalid base64.bearer.authorization token");
  }
  if (token && !token->empty() && !others) return Wrong("missing additional subprotocol");
  return token.value_or("");
}

// Of several, each once, as upstream joins errors.
Error Joined(std::vector<std::string> reasons) {
  std::vector<std::string> once;
  for (std::string& reason : reasons) {
    if (std::ranges::find(once, reason) == once.end()) once.push_back(std::move(reason));
  }
  return Wrong(once.size() == 1 ? once[0] : "[" + Join(once, ", ") + "]");
}

}  // namespace

RequestAuthenticator::RequestAuthenticator(RequestAuthenticatorOptions options,
                                           std::unique_ptr<CertificateAuthenticator> certificates)
    : options_(std::move(options)),
      certificates_(std::move(certificates)),
      root_(KnownUser(
          {.user = {.name = std::string(kAdminUser), .groups = {std::string(kMastersGroup)}}})),
      anonymous_(KnownUser({.user = {.name = std::string(kAnonymous),
                                     .groups = {std::string(kUnauthenticatedGroup)}}})) {}

Result<std::unique_ptr<RequestAuthenticator>> RequestAuthenticator::Create(
    RequestAuthenticatorOptions options, const Clock& clock) {
  std::unique_ptr<CertificateAuthenticator> certificates;
  if (!options.client_ca.empty()) {
    TRY(certificates, CertificateAuthenticator::Create(options.client_ca, clock));
  }
  return std::unique_ptr<RequestAuthenticator>(
      new RequestAuthenticator(std::move(options), std::move(certificates)));
}

AuthenticatedPtr RequestAuthenticator::ForServer(const AuthenticatedPtr& who,
                                                 std::span<const std::string> audiences) const {
  std::vector<std::string> both;
  for (const std::string& own : options_.audiences) {
    if (std::ranges::find(audiences, own) != audiences.end()) both.push_back(own);
  }
  if (both.empty()) return nullptr;
  Authenticated copy = *who;
  copy.audiences = std::move(both);
  return std::make_shared<const Authenticated>(std::move(copy));
}

AuthenticatedPtr RequestAuthenticator::AskAll(std::string_view token,
                                              std::span<const std::string> audiences,
                                              std::vector<std::string>* reasons) {
  // Upstream says this first of any token that is wrong, and then why.
  reasons->emplace_back("invalid bearer token");
  for (TokenAuthenticator* const authenticator : options_.tokens) {
    auto who = authenticator->AuthenticateToken(token, audiences);
    if (!who.ok()) {
      reasons->push_back(who.error().message());
    } else if (*who != nullptr) {
      if (audiences.empty() || authenticator->ForAudiences()) return *std::move(who);
      return ForServer(*who, audiences);
    }
  }
  return nullptr;
}

Result<AuthenticatedPtr> RequestAuthenticator::AuthenticateBearer(
    std::string_view token, std::span<const std::string> audiences) {
  std::vector<std::string> reasons;
  AuthenticatedPtr who = AskAll(token, audiences, &reasons);
  if (who == nullptr) return Joined(std::move(reasons));
  return who->audiences.empty() ? ForServer(who, options_.audiences) : who;
}

Result<AuthenticatedPtr> RequestAuthenticator::Authenticate(const Credentials& credentials) {
  std::vector<std::string> reasons;
  if (certificates_ != nullptr) {
    auto who = certificates_->Authenticate(credentials);
    if (who.ok() && *who != nullptr) return who;
    if (!who.ok()) reasons.push_back(who.error().message());
  }
  std::string decoded;
  std::string_view token = BearerToken(credentials.authorization);
  if (token.empty() && !credentials.websocket_protocols.empty()) {
    auto of_protocol = ProtocolToken(credentials.websocket_protocols);
    if (!of_protocol.ok()) {
      reasons.push_back(of_protocol.error().message());
    } else {
      decoded = *std::move(of_protocol);
      token = decoded;
    }
  }
  if (!token.empty()) {
    if (AuthenticatedPtr who = AskAll(token, {}, &reasons)) return who;
  }
  if (!reasons.empty()) return Joined(std::move(reasons));
  if (credentials.is_root) return root_;
  if (std::ranges::find(options_.anonymous_paths, credentials.path) !=
      options_.anonymous_paths.end()) {
    return anonymous_;
  }
  return Wrong("no credentials");
}

}  // namespace podium::apiserver
