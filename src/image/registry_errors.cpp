#include "image/registry_errors.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/text.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

constexpr size_t kMaxBody = size_t{64} << 10;
constexpr size_t kMaxMessage = 500;
constexpr size_t kMaxErrors = 5;

void AppendShown(std::string_view text, std::string* out) {
  for (const char c : text) {
    if (out->size() >= kMaxMessage) return;
    out->push_back(static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c);
  }
}

std::string_view TextOf(const reflect::JsonValue& object, std::string_view name) {
  const reflect::JsonValue* member = object.Find(name);
  return member && member->is_string() ? std::string_view(member->string()) : std::string_view();
}

// "NAME_UNKNOWN" as Docker and containerd print it.
std::string CodeWords(std::string_view code) {
  std::string words = LowerCase(code);
  std::ranges::replace(words, '_', ' ');
  return words;
}

Code CodeOf(int status) {
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 408:
    case 429:
      return Code::kUnavailable;
    default:
      return status >= 500 ? Code::kUnavailable : Code::kUnsupported;
  }
}

}  // namespace

std::string RegistryMessage(std::string_view body) {
  const auto answer = reflect::ParseJson(body, {.max_depth = 32});
  std::string text;
  if (!answer.ok()) return text;
  const reflect::JsonValue* errors = answer->Find("errors");
  if (!errors || !errors->is_array()) {
    // Token servers: Docker's {"details": …}, OAuth 2's {"error": …, "error_description": …}.
    for (const char* name : {"details", "error_description", "error", "message"}) {
      AppendShown(TextOf(*answer, name), &text);
      if (!text.empty()) break;
    }
    return text;
  }
  size_t count = 0;
  for (const reflect::JsonValue& error : errors->array()) {
    if (!error.is_object() || ++count > kMaxErrors) continue;
    if (!text.empty()) text += ", ";
    AppendShown(CodeWords(TextOf(error, "code")), &text);
    const std::string_view message = TextOf(error, "message");
    if (message.empty()) continue;
    text += ": ";
    AppendShown(message, &text);
  }
  return text;
}

Error StatusError(std::string_view method, http::Response& response) {
  std::string message = "unexpected status from ";
  message.append(method).append(" request to ").append(response.url().ToString()).append(": ");
  message += std::to_string(response.status());
  const std::string_view phrase = http::ReasonPhrase(response.status());
  if (!phrase.empty()) message.append(" ").append(phrase);
  const auto body = response.ReadAll(kMaxBody);
  if (body.ok()) {
    const std::string detail = RegistryMessage(*body);
    if (!detail.empty()) message.append(": ").append(detail);
  }
  return {CodeOf(response.status()), std::move(message)};
}

std::optional<std::chrono::seconds> RetryAfter(std::string_view value,
                                               std::chrono::system_clock::time_point now) {
  uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc() && end == value.data() + value.size()) {
    return std::chrono::seconds(seconds);
  }
  std::tm date{};
  const std::string text(value);
  // RFC 9110's preferred form; nobody sends the others.
  const char* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (!rest || *rest != '\0') return std::nullopt;
  const auto then = std::chrono::system_clock::from_time_t(timegm(&date));
  return std::max(std::chrono::ceil<std::chrono::seconds>(then - now), std::chrono::seconds(0));
}

Error WithAdvice(Error error, std::string_view registry) {
  const std::string name(registry);
  const std::string& text = error.message();
  std::string advice;
  if (text.contains("server gave HTTP response to HTTPS client")) {
    advice = name + " speaks plain HTTP: allow that for it, or give it a certificate";
  } else if (text.contains("failed to verify certificate")) {
    advice = "trust the certificate's authority for " + name +
             ", or see whether the name and the date are right";
  } else if (text.contains("no such host")) {
    advice = "see whether the registry's name is right and this machine can resolve it";
  } else if (text.contains("Connection refused")) {
    advice = "nothing listens there: see whether the registry runs, and on that port";
  } else if (error.code() == Code::kUnauthenticated) {
    advice = "log in, or give the pod an imagePullSecret for " + name;
  }
  if (advice.empty()) return error;
  return {error.code(), text + " (" + advice + ")", error.os_errno()};
}

}  // namespace podium::image
