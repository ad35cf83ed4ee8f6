#include "apiserver/authentication/service_account_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "pki/digest.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

bool Contains(std::span<const std::string> list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

// As Go's %q prints it.
std::string Quoted(std::span<const std::string> list) {
  return "[" + Join(list, " ", reflect::GoQuoted) + "]";
}

}  // namespace

Result<ServiceAccountTokenIssuer> ServiceAccountTokenIssuer::Create(const pki::PrivateKey& key,
                                                                    std::string issuer) {
  TRY(pki::TokenSigner signer, pki::TokenSigner::Create(key));
  return ServiceAccountTokenIssuer(std::move(signer), std::move(issuer));
}

Result<std::string> ServiceAccountTokenIssuer::Issue(ServiceAccountClaims claims) const {
  claims.issuer = issuer_;
  return signer_.Sign(WriteClaims(claims));
}

Result<std::string> ServiceAccountTokenIssuer::IssueLegacy(
    const api::core::v1::ServiceAccount& account, std::string_view secret_name) const {
  const auto& metadata = account.metadata;
  return signer_.Sign(WriteClaims(
      {.issuer = std::string(kLegacyIssuer),
       .subject = fmt::format("{}{}:{}", kServiceAccountPrefix, metadata.namespace_, metadata.name),
       .name_space = metadata.namespace_,
       .account = {.name = metadata.name, .uid = metadata.uid},
       .secret = ServiceAccountClaims::Reference{.name = std::string(secret_name)}}));
}

ServiceAccountTokens::ServiceAccountTokens(pki::KeySet keys, ServiceAccountTokenOptions options,
                                           const Objects& objects, const Clock& clock)
    : keys_(std::move(keys)), options_(std::move(options)), objects_(objects), clock_(clock) {}

Result<std::shared_ptr<const ServiceAccountClaims>> ServiceAccountTokens::Verify(
    std::string_view text) const {
  std::shared_ptr<const ServiceAccountClaims> none;
  const auto token = pki::ParseToken(text);
  if (!token.ok()) return none;
  const std::string_view issuer = IssuerOf(token->claims);
  if (issuer != kLegacyIssuer && !Contains(options_.issuers, issuer)) return none;
  TRY_VOID(keys_.Verify(*token));
  TRY(ServiceAccountClaims claims, ReadClaims(token->claims));
  return std::make_shared<const ServiceAccountClaims>(std::move(claims));
}

Result<std::vector<std::string>> ServiceAccountTokens::AudiencesOf(
    const ServiceAccountClaims& claims, std::span<const std::string> asked) const {
  if (asked.empty()) asked = options_.audiences;
  std::span<const std::string> own = claims.audiences;
  if (own.empty()) own = options_.audiences;
  std::vector<std::string> both;
  for (const std::string& audience : own) {
    if (Contains(asked, audience)) both.push_back(audience);
  }
  if (!both.empty()) return both;
  return Error(Code::kUnauthenticated,
               fmt::format("token audiences {} is invalid for the target audiences {}", Quoted(own),
                           Quoted(asked)));
}

bool ServiceAccountTokens::StillStands(const ValidatedAccount& account, int64_t now_nanos) const {
  if (now_nanos < account.from_nanos || now_nanos > account.until_nanos) return false;
  return std::ranges::all_of(account.depends_on, [this](const auto& dependency) {
    const auto entry = objects_.store().Get(dependency.first);
    return entry.ok() && *entry && (*entry)->mod_revision() == dependency.second;
  });
}

Result<AuthenticatedPtr> ServiceAccountTokens::AuthenticateToken(
    std::string_view token, std::span<const std::string> audiences) {
  const int64_t now = clock_.Now();
  const std::string digest = pki::Sha256(token);
  const auto known = known_.Find(digest);
  if (known != nullptr && audiences.empty() && StillStands(known->account, now)) {
    return known->account.who;
  }
  std::shared_ptr<const ServiceAccountClaims> claims;
  if (known != nullptr) {
    claims = known->claims;
  } else {
    TRY(claims, Verify(token));
    if (claims == nullptr) return AuthenticatedPtr();
  }
  TRY(auto good_for, AudiencesOf(*claims, audiences));
  TRY(ValidatedAccount account,
      ValidateAccount(*claims, token, std::move(good_for), objects_, now));
  if (account.label_is_old && options_.on_legacy_token) {
    options_.on_legacy_token(claims->name_space, claims->secret->name);
  }
  const AuthenticatedPtr who = account.who;
  if (audiences.empty()) {
    known_.Set(digest, std::make_shared<const Known>(Known{std::move(claims), std::move(account)}));
  }
  return who;
}

}  // namespace podium::apiserver
