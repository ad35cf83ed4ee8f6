#include "apiserver/authentication/token_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/status.h"
#include "api/validation/reviews.h"
#include "pki/random.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::authentication::v1::BoundObjectReference;
using api::authentication::v1::TokenRequest;
using api::core::v1::Node;
using api::core::v1::Pod;
using api::core::v1::Secret;
using api::core::v1::ServiceAccount;
using Reference = ServiceAccountClaims::Reference;

// What a kubelet asks for where a client may keep a token for longer than it lives, and what it
// then gets.
constexpr int64_t kWarnOnlySeconds = 3607;
constexpr int64_t kExtendedSeconds = int64_t{365} * 86400;
constexpr int64_t kDefaultSeconds = 3600;

template <class T>
Reference ReferenceTo(const T& object) {
  return {.name = object.metadata.name, .uid = object.metadata.uid};
}

template <class T>
Result<std::shared_ptr<const T>> MustGet(const Objects& objects, std::string_view resource,
                                         std::string_view name_space, const std::string& name) {
  TRY(auto object, objects.Get<T>(name_space, name));
  if (object == nullptr) return api::NotFoundError({.group = "", .resource = resource}, name);
  return object;
}

// "/v1, Kind=Pod": Go's GroupVersionKind.
std::string KindText(const BoundObjectReference& reference) {
  const size_t slash = reference.apiVersion.find('/');
  const bool has_group = slash != std::string::npos;
  return fmt::format("{}/{}, Kind={}", has_group ? reference.apiVersion.substr(0, slash) : "",
                     has_group ? reference.apiVersion.substr(slash + 1) : reference.apiVersion,
                     reference.kind);
}

Result<void> BindPod(const Objects& objects, const BoundObjectReference& reference,
                     ServiceAccountClaims* claims, std::string* uid) {
  TRY(const auto pod, MustGet<Pod>(objects, "pods", claims->name_space, reference.name));
  if (pod->spec.serviceAccountName != claims->account.name) {
    return api::BadRequestError(fmt::format(
        "cannot bind token for serviceaccount {} to pod running with different serviceaccount "
        "name.",
        reflect::GoQuoted(claims->account.name)));
  }
  claims->pod = ReferenceTo(*pod);
  *uid = pod->metadata.uid;
  const std::string& node_name = pod->spec.nodeName;
  if (node_name.empty()) return {};
  TRY(const auto node, objects.Get<Node>("", node_name));
  claims->node = node != nullptr ? ReferenceTo(*node) : Reference{.name = node_name};
  return {};
}

Result<void> Bind(const Objects& objects, const BoundObjectReference& reference,
                  ServiceAccountClaims* claims) {
  std::string uid;
  const bool is_core = !reference.apiVersion.contains('/');
  if (is_core && reference.kind == "Pod") {
    TRY_VOID(BindPod(objects, reference, claims, &uid));
  } else if (is_core && reference.kind == "Node") {
    TRY(const auto node, MustGet<Node>(objects, "nodes", "", reference.name));
    claims->node = ReferenceTo(*node);
    uid = node->metadata.uid;
  } else if (is_core && reference.kind == "Secret") {
    TRY(const auto secret, MustGet<Secret>(objects, "secrets", claims->name_space, reference.name));
    claims->secret = ReferenceTo(*secret);
    uid = secret->metadata.uid;
  } else {
    return api::BadRequestError("cannot bind token to object of type " + KindText(reference));
  }
  if (reference.uid.empty() || reference.uid == uid) return {};
  return api::ConflictError(
      {.group = "", .resource = reference.kind}, reference.name,
      fmt::format("the UID in the bound object reference ({}) does not match the UID in record. "
                  "The object might have been deleted and then recreated",
                  reference.uid));
}

Error NameError(std::string_view name, std::string_view field, const std::string& value) {
  api::field::ErrorList errors;
  errors.Add(
      api::field::Invalid(api::field::Path("metadata").Child(field), value,
                          fmt::format("must match the service account {} if specified", field)));
  return api::InvalidError(api::authentication::v1::kGroupName, "TokenRequest", name, errors);
}

Result<void> CheckNames(std::string_view name_space, std::string_view name,
                        const TokenRequest& request) {
  const auto& metadata = request.metadata;
  if (!metadata.name.empty() && metadata.name != name) {
    return NameError(name, "name", metadata.name);
  }
  if (!metadata.namespace_.empty() && metadata.namespace_ != name_space) {
    return NameError(name, "namespace", metadata.namespace_);
  }
  return {};
}

}  // namespace

Result<IssuedToken> TokenRequests::Create(std::string_view name_space, std::string_view name,
                                          TokenRequest request, const Admit& admit) const {
  TRY_VOID(CheckNames(name_space, name, request));
  TRY(const auto account,
      MustGet<ServiceAccount>(objects_, "serviceaccounts", name_space, std::string(name)));
  auto& spec = request.spec;
  if (spec.audiences.empty()) spec.audiences = options_.audiences;
  request.metadata.name = account->metadata.name;
  request.metadata.namespace_ = account->metadata.namespace_;
  const int64_t now = clock_.Now() / kNanosPerSecond;
  request.metadata.creationTimestamp = api::Time::FromUnix(now);
  request.status = {};
  if (!spec.expirationSeconds) spec.expirationSeconds = kDefaultSeconds;
  if (const auto errors = api::ValidateTokenRequest(request); !errors.empty()) {
    return api::InvalidError(api::authentication::v1::kGroupName, "TokenRequest", "", errors);
  }
  if (admit) TRY_VOID(admit(request));

  ServiceAccountClaims claims = {
      .subject = fmt::format("{}{}:{}", kServiceAccountPrefix, name_space, name),
      .audiences = spec.audiences,
      .id = pki::RandomUuid(),
      .not_before = now,
      .issued_at = now,
      .name_space = std::string(name_space),
      .account = ReferenceTo(*account)};
  if (spec.boundObjectRef) TRY_VOID(Bind(objects_, *spec.boundObjectRef, &claims));
  IssuedToken issued;
  const int64_t most = options_.max_expiration_seconds;
  if (most > 0 && *spec.expirationSeconds > most) {
    issued.warnings.push_back(
        fmt::format("requested expiration of {} seconds shortened to {} seconds",
                    *spec.expirationSeconds, most));
    spec.expirationSeconds = most;
  }
  int64_t seconds = *spec.expirationSeconds;
  const bool for_server = std::ranges::all_of(spec.audiences, [&](const std::string& audience) {
    return std::ranges::find(options_.audiences, audience) != options_.audiences.end();
  });
  if (options_.extend_expiration && claims.pod && seconds == kWarnOnlySeconds && for_server) {
    claims.warn_after = now + seconds;
    seconds = kExtendedSeconds;
  }
  claims.expires = now + seconds;
  issued.audit_annotations["authentication.kubernetes.io/issued-credential-id"] =
      "JTI=" + claims.id;
  TRY(request.status.token, issuer_.Issue(std::move(claims)));
  request.status.expirationTimestamp = api::Time::FromUnix(now + *spec.expirationSeconds);
  issued.object = std::move(request);
  return issued;
}

}  // namespace podium::apiserver
