#include "node/cluster/service_account_tokens.h"

#include <algorithm>
#include <utility>

#include "api/types/authentication_v1.h"

namespace podium::node {
namespace {

namespace auth = api::authentication::v1;

constexpr int64_t kMaxAge = int64_t{24} * 3600 * kNanosPerSecond;
constexpr int64_t kMaxJitter = 10 * kNanosPerSecond;
// The server's own length where none is asked for.
constexpr int64_t kDefaultSeconds = 3600;
// After the server gave none. Upstream asks again whenever it looks at the pod, about so often.
constexpr int64_t kRetry = 60 * kNanosPerSecond;

}  // namespace

Result<ServiceAccountTokens::Kept> ServiceAccountTokens::Request(
    const api::core::v1::Pod& pod, std::string_view audience,
    std::optional<int64_t> expiration_seconds) const {
  auth::TokenRequest request;
  request.kind = "TokenRequest";
  request.apiVersion = "authentication.k8s.io/v1";
  if (!audience.empty()) request.spec.audiences.emplace_back(audience);
  request.spec.expirationSeconds = expiration_seconds;
  auto& bound = request.spec.boundObjectRef.ensure();
  bound.kind = "Pod";
  bound.apiVersion = "v1";
  bound.name = pod.metadata.name;
  bound.uid = pod.metadata.uid;
  TRY(const client::SharedObject answer,
      access_.connection->Create({.group = "",
                                  .version = "v1",
                                  .resource = "serviceaccounts",
                                  .namespace_ = pod.metadata.namespace_,
                                  .name = pod.spec.serviceAccountName,
                                  .subresource = "token"},
                                 request, {}));
  const auto given = answer.As<auth::TokenRequest>();
  if (!given || given->status.token.empty()) {
    return Error(Code::kInternal, "the server answered a TokenRequest without a token");
  }
  Kept kept;
  kept.token.token = given->status.token;
  kept.expires_at = given->status.expirationTimestamp.unix_seconds() * kNanosPerSecond;
  const int64_t life = given->spec.expirationSeconds.value_or(kDefaultSeconds) * kNanosPerSecond;
  kept.issued_at = kept.expires_at - life;
  const double random = access_.random ? access_.random() : 0;
  const auto jitter = static_cast<int64_t>(random * static_cast<double>(kMaxJitter));
  kept.token.refresh_at = std::min(kept.issued_at + kMaxAge, kept.expires_at - life / 5) - jitter;
  return kept;
}

Result<ServiceAccountToken> ServiceAccountTokens::Get(const api::core::v1::Pod& pod,
                                                      std::string_view audience,
                                                      std::optional<int64_t> expiration_seconds) {
  const Key key(pod.metadata.uid, pod.metadata.namespace_, pod.spec.serviceAccountName, audience,
                expiration_seconds.value_or(0));
  const int64_t now = access_.clock->Now();
  std::optional<Kept> before;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = tokens_.find(key); found != tokens_.end()) before = found->second;
  }
  if (before && now < before->token.refresh_at && now >= before->issued_at) return before->token;
  auto fetched = Request(pod, audience, expiration_seconds);
  if (fetched.ok()) {
    const std::lock_guard lock(mutex_);
    tokens_[key] = *fetched;
    return fetched->token;
  }
  if (before && now < before->expires_at) {
    before->token.refresh_at = now + kRetry;
    return before->token;
  }
  return std::move(fetched).error().WithContext(before ? "token expired and refresh failed"
                                                       : "failed to fetch token");
}

void ServiceAccountTokens::Forget(std::string_view uid) {
  const std::lock_guard lock(mutex_);
  std::erase_if(tokens_, [&](const auto& each) { return std::get<0>(each.first) == uid; });
}

size_t ServiceAccountTokens::size() const {
  const std::lock_guard lock(mutex_);
  return tokens_.size();
}

}  // namespace podium::node
