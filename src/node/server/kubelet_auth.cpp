#include "node/server/kubelet_auth.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"
#include "client/paths.h"
#include "pki/certificate.h"
#include "pki/chain.h"
#include "pki/digest.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

using api::authentication::v1::TokenReview;
using api::authorization::v1::SubjectAccessReview;

// Of answers that are remembered; beyond, those that were are dropped.
constexpr size_t kMaxRemembered = 4096;
constexpr std::string_view kBearer = "bearer ";
constexpr char kAuthenticated[] = "system:authenticated";

bool IsSubpath(std::string_view path, std::string_view of) {
  return path.starts_with(of) && (path.size() == of.size() || path[of.size()] == '/');
}

template <class Map>
void Remember(Map& map, const std::string& key, typename Map::mapped_type value, int64_t now) {
  if (map.size() >= kMaxRemembered) {
    std::erase_if(map, [&](const auto& entry) { return entry.second.until <= now; });
    if (map.size() >= kMaxRemembered) map.clear();
  }
  map.insert_or_assign(key, std::move(value));
}

template <class T>
Result<std::shared_ptr<const T>> Ask(client::Connection& connection, const T& review) {
  TRY(const client::Target target, client::TargetOf(reflect::TypeOf<T>(), {"", ""}));
  TRY(const client::SharedObject answer, connection.Create(target, review, {}));
  auto read = answer.As<T>();
  if (!read) return Error(Code::kInternal, "the server has answered with something else");
  return read;
}

}  // namespace

std::vector<std::string_view> NodeSubresources(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kAlone{{
      {"/stats", "stats"},
      {"/metrics", "metrics"},
      {"/logs", "log"},
      {"/checkpoint", "checkpoint"},
  }};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kFineGrained{{
      {"/pods", "pods"},
      {"/runningpods", "pods"},
      {"/healthz", "healthz"},
      {"/configz", "configz"},
      {"/statusz", "statusz"},
  }};
  for (const auto& [prefix, name] : kAlone) {
    if (IsSubpath(path, prefix)) return {name};
  }
  for (const auto& [prefix, name] : kFineGrained) {
    if (IsSubpath(path, prefix)) return {name, "proxy"};
  }
  return {"proxy"};
}

std::string_view VerbOf(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

std::optional<KubeletAuth::Refusal> KubeletAuth::Check(const http::ServerRequest& request) {
  const auto user = Authenticate(request);
  if (!user.ok() || !*user) return Refusal{401, "Unauthorized"};
  const std::string_view verb = VerbOf(request.head.method);
  const auto subresources = NodeSubresources(request.path);
  for (const std::string_view subresource : subresources) {
    const auto allowed = IsAllowed(**user, verb, subresource);
    if (!allowed.ok()) {
      return Refusal{500, "Authorization error (user=" + (*user)->username +
                              ", verb=" + std::string(verb) +
                              ", resource=nodes, subresource=" + std::string(subresource) + ")"};
    }
    if (*allowed) return std::nullopt;
  }
  return Refusal{403, "Forbidden (user=" + (*user)->username + ", verb=" + std::string(verb) +
                          ", resource=nodes, subresource(s)=[" + Join(subresources, " ") + "])\n"};
}

Result<std::optional<KubeletAuth::User>> KubeletAuth::Authenticate(
    const http::ServerRequest& request) {
  const std::vector<std::string>& certificates = request.remote->certificates;
  if (!certificates.empty()) {
    auto user = ByCertificate(certificates);
    // A token may know the client all the same (upstream's union of authenticators).
    if (user.ok()) return std::optional(*std::move(user));
  }
  const std::string_view value = request.head.headers.Get("Authorization");
  if (LowerCase(value.substr(0, kBearer.size())) != kBearer) return std::optional<User>();
  const std::string token(http::TrimBlanks(value.substr(kBearer.size())));
  if (token.empty()) return std::optional<User>();
  return ByToken(token);
}

Result<KubeletAuth::User> KubeletAuth::ByCertificate(
    const std::vector<std::string>& certificates) const {
  TRY(const auto authorities, pki::Certificate::AllFromPem(roots_()));
  TRY(const pki::TrustedRoots roots, pki::TrustedRoots::Create(authorities));
  TRY(const pki::Certificate own, pki::Certificate::FromDer(certificates.front()));
  std::vector<pki::Certificate> others;
  for (size_t i = 1; i < certificates.size(); ++i) {
    TRY(pki::Certificate other, pki::Certificate::FromDer(certificates[i]));
    others.push_back(std::move(other));
  }
  TRY_VOID(roots.Verify(own, others, pki::Purpose::kClientAuth, clock_.Now() / kNanosPerSecond));
  if (own.subject().common_name.empty()) {
    return Error(Code::kUnauthenticated, "a certificate without a name");
  }
  User user;
  user.username = own.subject().common_name;
  for (const std::string& group : own.subject().organizations) user.groups.push_back(group);
  user.groups.push_back(kAuthenticated);
  return user;
}

Result<std::optional<KubeletAuth::User>> KubeletAuth::ByToken(const std::string& token) {
  const std::string key = pki::Sha256Hex(token);
  const int64_t now = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    const auto found = tokens_.find(key);
    if (found != tokens_.end() && found->second.until > now) return found->second.value;
  }
  TokenReview review;
  review.spec.token = token;
  TRY(const auto answer, Ask(connection_, review));
  std::optional<User> user;
  if (answer->status.authenticated) {
    user = reflect::Copy(answer->status.user);
    if (std::ranges::find(user->groups, kAuthenticated) == user->groups.end()) {
      user->groups.push_back(kAuthenticated);
    }
  } else if (!answer->status.error.empty()) {
    return Error(Code::kUnauthenticated, answer->status.error);
  }
  const std::lock_guard lock(mutex_);
  Remember(tokens_, key, {user, now + kTokenTime}, now);
  return user;
}

Result<bool> KubeletAuth::IsAllowed(const User& user, std::string_view verb,
                                    std::string_view subresource) {
  SubjectAccessReview review;
  review.spec.user = user.username;
  review.spec.uid = user.uid;
  review.spec.groups = user.groups;
  for (const auto& [name, values] : user.extra) {
    review.spec.extra.emplace(name, api::authorization::v1::ExtraValue{values.items});
  }
  auto& resource = review.spec.resourceAttributes.ensure();
  resource.verb = verb;
  resource.version = "v1";
  resource.resource = "nodes";
  resource.subresource = subresource;
  resource.name = node_name_;
  TRY(const std::string key, reflect::ToJson(review.spec));
  const int64_t now = clock_.Now();
  {
    const std::lock_guard lock(mutex_);
    const auto found = decisions_.find(key);
    if (found != decisions_.end() && found->second.until > now) return found->second.value;
  }
  TRY(const auto answer, Ask(connection_, review));
  const bool allowed = answer->status.allowed && !answer->status.denied;
  const std::lock_guard lock(mutex_);
  Remember(decisions_, key, {allowed, now + (allowed ? kAllowedTime : kRefusedTime)}, now);
  return allowed;
}

}  // namespace podium::node
