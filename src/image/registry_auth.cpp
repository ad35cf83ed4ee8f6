#include "image/registry_auth.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "image/backoff.h"
#include "image/registry_errors.h"
#include "reflect/base64.h"
#include "reflect/json.h"
#include "wire/types/oci_distribution.h"

namespace podium::image {
namespace {

constexpr size_t kMaxTokenAnswer = size_t{1} << 20;
constexpr std::string_view kClientId = "podium";
constexpr std::string_view kDenied =
    "pull access denied, repository does not exist or may require authorization: ";

Error Refused(const std::string& why) {
  return {Code::kUnauthenticated, std::string(kDenied) + why};
}

std::string Basic(const Credentials& credentials) {
  std::string header = "Basic ";
  reflect::AppendBase64(credentials.username + ':' + credentials.password, &header);
  return header;
}

// All scopes that are asked for: ours, and the server's own where it names another.
std::vector<std::string> Scopes(const std::string& own, std::string_view asked) {
  std::vector<std::string> scopes = {own};
  while (!asked.empty()) {
    const size_t blank = std::min(asked.find(' '), asked.size());
    std::string scope(asked.substr(0, blank));
    asked.remove_prefix(std::min(blank + 1, asked.size()));
    if (!scope.empty() && std::ranges::find(scopes, scope) == scopes.end()) scopes.push_back(scope);
  }
  return scopes;
}

// The challenge that we can meet best.
const Challenge* Choose(const std::vector<Challenge>& challenges) {
  for (const char* scheme : {"bearer", "basic"}) {
    const auto found = std::ranges::find(challenges, scheme, &Challenge::scheme);
    if (found != challenges.end()) return &*found;
  }
  return nullptr;
}

Result<std::string> ReadToken(const std::string& body) {
  TRY(auto answer, reflect::FromJson<wire::oci_distribution::TokenResponse>(
                       body, {.strict = false, .max_depth = 32}));
  std::string& token = answer.token.empty() ? answer.access_token : answer.token;
  if (token.empty())
    return Error(Code::kUnauthenticated,
                 "authorization server did not include a token in the response");
  return std::move(token);
}

}  // namespace

Authorizer::Authorizer(Registries& registries, std::string host, const std::string& path,
                       Credentials credentials)
    : registries_(&registries),
      host_(std::move(host)),
      scope_("repository:" + path + ":pull"),
      credentials_(std::move(credentials)) {
  if (!credentials_.registry_token.empty()) header_ = "Bearer " + credentials_.registry_token;
}

std::string Authorizer::Header() const {
  const std::lock_guard lock(mutex_);
  return header_;
}

void Authorizer::Accepted(const std::string& used) {
  const std::lock_guard lock(mutex_);
  if (header_ == used) accepted_ = true;
}

Result<void> Authorizer::Answer(const http::Response& response, const std::string& used,
                                const http::Cancellation* cancellation) {
  // Whoever waits here waits for one request of bounded time.
  const std::lock_guard one_at_a_time(fetching_);
  {
    const std::lock_guard lock(mutex_);
    if (header_ != used) return {};
  }
  std::vector<Challenge> challenges;
  for (const std::string_view header : response.headers().All("WWW-Authenticate")) {
    std::ranges::move(ParseChallenges(header), std::back_inserter(challenges));
  }
  const Challenge* challenge = Choose(challenges);
  if (!challenge) {
    return Refused("authorization failed: the server does not say how to log in");
  }
  bool accepted = false;
  {
    const std::lock_guard lock(mutex_);
    accepted = accepted_;
  }
  const std::string_view reason = challenge->Get("error");
  const bool grown_old =
      accepted && challenge->scheme == "bearer" && reason != "insufficient_scope";
  if (!used.empty() && !grown_old) {
    return Refused(reason.empty()
                       ? "authorization failed"
                       : "server message: " + std::string(reason) + ": authorization failed");
  }
  TRY(std::string header, HeaderFor(*challenge, response.url().scheme == "https", cancellation));
  const std::lock_guard lock(mutex_);
  header_ = std::move(header);
  accepted_ = false;
  return {};
}

Result<std::string> Authorizer::HeaderFor(const Challenge& challenge, bool https,
                                          const http::Cancellation* cancellation) {
  if (challenge.scheme == "basic") return BasicHeader(https);
  TRY(const std::string token, FetchToken(challenge, https, cancellation));
  if (!http::IsFieldValue(token)) {
    return Error(Code::kUnauthenticated, "failed to authorize: the token cannot be sent");
  }
  return "Bearer " + token;
}

Result<std::string> Authorizer::BasicHeader(bool https) const {
  if (credentials_.username.empty() && credentials_.password.empty()) {
    return Refused("authorization failed: no basic auth credentials");
  }
  if (!https && !registries_->MayBePlain(host_)) {
    return Error(Code::kPermissionDenied, "a password is not sent to " + host_ +
                                              " without TLS; allow plain HTTP for it to do so");
  }
  return Basic(credentials_);
}

// A POST with an identity token, a GET with name and password or with nothing.
Result<http::Request> Authorizer::TokenRequest(const Challenge& challenge, http::Url realm) const {
  http::Request request;
  const std::string_view service = challenge.Get("service");
  const auto scopes = Scopes(scope_, challenge.Get("scope"));
  http::QueryParameters parameters;
  if (!service.empty()) parameters.emplace_back("service", service);
  if (!credentials_.identity_token.empty()) {
    parameters.emplace_back("scope", Join(scopes, " "));
    parameters.emplace_back("client_id", kClientId);
    parameters.emplace_back("grant_type", "refresh_token");
    parameters.emplace_back("refresh_token", credentials_.identity_token);
    request.method = "POST";
    request.url = realm.ToString();
    request.headers.Add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    request.body = http::EncodeQuery(parameters);
    return request;
  }
  for (const std::string& scope : scopes) parameters.emplace_back("scope", scope);
  if (!credentials_.username.empty()) {
    parameters.emplace_back("account", credentials_.username);
    request.headers.Add("Authorization", Basic(credentials_));
  }
  const std::string query = http::EncodeQuery(parameters);
  realm.query = realm.query.value_or("").empty() ? query : *realm.query + '&' + query;
  request.url = realm.ToString();
  return request;
}

Result<std::string> Authorizer::FetchToken(const Challenge& challenge, bool https,
                                           const http::Cancellation* cancellation) {
  const std::string_view what = credentials_.empty()
                                    ? "failed to authorize: failed to fetch anonymous token"
                                    : "failed to authorize: failed to fetch oauth token";
  auto realm = http::Url::Parse(challenge.Get("realm"));
  if (!realm.ok()) return std::move(realm).error().WithContext("failed to authorize: realm");
  // Otherwise whoever answers in the registry's place could have passwords sent in the clear.
  if (realm->scheme != "https" && (https || !registries_->MayBePlain(host_))) {
    return Error(Code::kPermissionDenied,
                 std::string(what) + ": the token server " + realm->ToString() + " is without TLS");
  }
  TRY(const http::Client* client, registries_->ClientFor(realm->Authority()));
  TRY(http::Request request, TokenRequest(challenge, *std::move(realm)));
  request.cancellation = cancellation;
  request.timeouts = registries_->options().timeouts;
  request.timeouts->total = std::chrono::seconds(60);
  Backoff backoff(registries_->options().retry);
  while (true) {
    auto response = client->Send(request);
    std::optional<std::chrono::seconds> after;
    std::optional<Error> error;
    if (!response.ok()) {
      error = std::move(response).error();
    } else if (response->status() == 200) {
      auto body = response->ReadAll(kMaxTokenAnswer);
      if (body.ok()) {
        auto token = ReadToken(*body);
        if (token.ok()) return token;
        return std::move(token).error().WithContext(what);
      }
      error = std::move(body).error();
    } else {
      after = RetryAfter(response->headers().Get("Retry-After"), std::chrono::system_clock::now());
      error = StatusError(request.method, *response);
    }
    if (!IsTransient(*error)) return std::move(*error).WithContext(what);
    TRY(const bool again, backoff.Wait(cancellation, after));
    if (!again) return std::move(*error).WithContext(what);
  }
}

}  // namespace podium::image
