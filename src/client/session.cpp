#include "client/session.h"

#include <cerrno>
#include <charconv>

#include "base/text.h"
#include "client/status_error.h"
#include "http/url.h"

namespace podium::client {
namespace {

// As client-go: k8s.io/client-go/rest, withRetry.
constexpr int kMaxRetries = 10;
// A server that says more is asked again after this.
constexpr int kMaxRetrySeconds = 60;

// "get pods web", for messages about answers that say nothing themselves.
std::string Described(const http::Request& request) {
  const auto url = http::Url::Parse(request.url);
  return LowerCase(request.method) + " " + (url.ok() ? url->path : request.url);
}

// Seconds of a Retry-After header; -1 where there is none, or a date.
int RetryAfter(const http::Response& response) {
  if (response.status() != 429 && response.status() < 500) return -1;
  const std::string_view text = http::TrimBlanks(response.headers().Get("Retry-After"));
  int seconds = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return -1;
  return std::min(seconds, kMaxRetrySeconds);
}

// The text of `299 - "text"`, whose quotes and backslashes are escaped (RFC 7234, section 5.5).
std::string WarningText(std::string_view header) {
  const size_t begin = header.find('"');
  if (begin == std::string_view::npos) return "";
  std::string text;
  for (size_t i = begin + 1; i < header.size() && header[i] != '"'; ++i) {
    if (header[i] == '\\' && i + 1 < header.size()) ++i;
    text += header[i];
  }
  return text;
}

}  // namespace

ServerAddress AgentAt(std::string_view run_dir) {
  return {.unix_socket = std::string(run_dir) + "/agent.sock"};
}

Result<std::shared_ptr<Session>> Session::Create(ServerAddress address, OnWarning on_warning,
                                                 OnAnswer on_answer) {
  TRY(const http::Url url, http::Url::Parse(address.url));
  while (address.url.ends_with('/')) address.url.pop_back();
  TRY(auto cancellation, http::Cancellation::Create());
  return std::shared_ptr<Session>(new Session(std::move(address), std::move(cancellation),
                                              std::move(on_warning), std::move(on_answer),
                                              url.Authority()));
}

http::Request Session::RequestFor(std::string_view method, const std::string& path,
                                  std::string_view query) const {
  http::Request request{.method = std::string(method), .url = address_.url + path};
  if (!query.empty()) request.url.append("?").append(query);
  request.unix_socket = address_.unix_socket;
  request.headers.Add("Accept", "application/json");
  for (const auto& [name, value] : address_.headers.fields()) request.headers.Add(name, value);
  return request;
}

Result<http::Client> Session::Prepare(http::Request* request, Login* login) {
  if (address_.credentials) {
    TRY(*login, address_.credentials->Current());
  } else {
    *login = {.certificate = address_.tls.certificate, .key = address_.tls.key};
    if (!address_.bearer_token.empty()) login->authorization = "Bearer " + address_.bearer_token;
  }
  if (!login->authorization.empty()) request->headers.Set("Authorization", login->authorization);
  const std::lock_guard lock(mutex_);
  if (!http_ || login->certificate != shown_.certificate || login->key != shown_.key) {
    http::TlsOptions tls = address_.tls;
    tls.certificate = login->certificate;
    tls.key = login->key;
    TRY(http_, http::Client::Create({.tls = std::move(tls),
                                     .proxy = address_.proxy,
                                     .timeouts = {.connect = std::chrono::seconds(10),
                                                  .idle = std::chrono::seconds(60)}}));
    shown_ = *login;
  }
  return *http_;
}

Error Session::Explain(Error error) const {
  const std::string& path = address_.unix_socket;
  if (path.empty()) return error;
  if (error.os_errno() == ENOENT || error.os_errno() == ECONNREFUSED) {
    return Error(Code::kUnavailable,
                 "no agent is listening at " + path + "; start one with \"podium agent\"",
                 error.os_errno());
  }
  if (error.os_errno() == EACCES) {
    return Error(Code::kPermissionDenied, "the agent at " + path + " serves root alone",
                 error.os_errno());
  }
  return error;
}

void Session::TellWarnings(const http::Headers& headers) const {
  if (!on_warning_) return;
  for (const std::string_view header : headers.All("Warning")) {
    if (const std::string text = WarningText(header); !text.empty()) on_warning_(text);
  }
}

Result<http::Response> Session::SendOnce(http::Request request, Login* login) {
  if (stopped()) return Error(Code::kCancelled, "the connection was stopped");
  TRY(const http::Client http, Prepare(&request, login));
  auto response = http.Send(request);
  if (on_answer_) {
    on_answer_(request.method, host_,
               response.ok() ? std::to_string(response->status()) : "<error>");
  }
  if (!response.ok()) return Explain(std::move(response).error());
  TellWarnings(response->headers());
  return response;
}

Result<http::Response> Session::Send(const http::Request& request) {
  bool renewed = false;
  for (int retries = 0;; ++retries) {
    Login login;
    TRY(auto response, SendOnce(request, &login));
    if (request.body_source) return response;
    if (response.status() == 401 && !renewed && address_.credentials &&
        address_.credentials->Renew(login)) {
      renewed = true;
      continue;
    }
    const int seconds = RetryAfter(response);
    if (seconds < 0 || retries == kMaxRetries) return response;
    // Read to its end, the answer leaves its connection to the next request.
    (void)response.ReadAll(kMaxErrorBody);
    const auto waited =
        http::WaitFor(-1, 0,
                      {.deadline = http::Clock::now() + std::chrono::seconds(seconds),
                       .cancellation = cancellation_.get()});
    if (waited.error().code() == Code::kCancelled) return waited.error();
  }
}

Error Session::Refusal(http::Response& response, const http::Request& request) {
  auto body = response.ReadAll(kMaxErrorBody);
  if (!body.ok()) return std::move(body).error();
  return ErrorOfAnswer(response.status(), *body, Described(request));
}

Result<http::Response> Session::SendChecked(const http::Request& request) {
  TRY(auto response, Send(request));
  if (response.status() >= 200 && response.status() < 300) return response;
  return Refusal(response, request);
}

Result<std::string> Session::SendForBody(const http::Request& request) {
  TRY(auto response, SendChecked(request));
  return response.ReadAll(kMaxAnswer);
}

}  // namespace podium::client
