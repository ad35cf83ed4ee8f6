#include "apiserver/authentication/service_account_claims.h"

#include <charconv>
#include <cmath>
#include <utility>

namespace podium::apiserver {
namespace {

using reflect::JsonValue;
using Reference = ServiceAccountClaims::Reference;

constexpr std::string_view kLegacyPrefix = "kubernetes.io/serviceaccount/";

Error Wrong(std::string_view claim) {
  return Error(Code::kUnauthenticated, "token: claim '" + std::string(claim) + "' is malformed");
}

Result<std::string> Text(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.Find(name);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return Wrong(name);
  return value->string();
}

// Seconds, with a fraction maybe, which is cut off.
Result<std::optional<int64_t>> Time(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.Find(name);
  if (value == nullptr) return std::optional<int64_t>();
  constexpr double kMost = 253'402'300'800;  // the year 10000
  if (!value->is_number()) return Wrong(name);
  const std::string& text = value->number();
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !(seconds >= 0) ||
      seconds >= kMost) {
    return Wrong(name);
  }
  return std::optional(static_cast<int64_t>(seconds));
}

// A text, or a list of them.
Result<std::vector<std::string>> Texts(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.Find(name);
  if (value == nullptr) return std::vector<std::string>();
  if (value->is_string()) return std::vector<std::string>{value->string()};
  if (!value->is_array()) return Wrong(name);
  std::vector<std::string> texts;
  for (const JsonValue& element : value->array()) {
    if (!element.is_string()) return Wrong(name);
    texts.push_back(element.string());
  }
  return texts;
}

Result<std::optional<Reference>> ReferenceOf(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.Find(name);
  if (value == nullptr) return std::optional<Reference>();
  if (!value->is_object()) return Wrong(name);
  Reference reference;
  TRY(reference.name, Text(*value, "name"));
  TRY(reference.uid, Text(*value, "uid"));
  return std::optional(std::move(reference));
}

Result<void> ReadPrivate(const JsonValue& claims, ServiceAccountClaims* out) {
  const JsonValue* const kubernetes = claims.Find("kubernetes.io");
  if (kubernetes == nullptr || !kubernetes->is_object()) return Wrong("kubernetes.io");
  TRY(out->name_space, Text(*kubernetes, "namespace"));
  TRY(auto account, ReferenceOf(*kubernetes, "serviceaccount"));
  out->account = std::move(account).value_or(Reference{});
  TRY(out->pod, ReferenceOf(*kubernetes, "pod"));
  TRY(out->node, ReferenceOf(*kubernetes, "node"));
  TRY(out->secret, ReferenceOf(*kubernetes, "secret"));
  TRY(out->warn_after, Time(*kubernetes, "warnafter"));
  return {};
}

std::string Legacy(std::string_view name) { return std::string(kLegacyPrefix) + std::string(name); }

Result<void> ReadLegacy(const JsonValue& claims, ServiceAccountClaims* out) {
  TRY(out->name_space, Text(claims, Legacy("namespace")));
  TRY(out->account.name, Text(claims, Legacy("service-account.name")));
  TRY(out->account.uid, Text(claims, Legacy("service-account.uid")));
  Reference secret;
  TRY(secret.name, Text(claims, Legacy("secret.name")));
  out->secret = std::move(secret);
  return {};
}

void SetText(std::string_view name, const std::string& text, JsonValue* object) {
  if (!text.empty()) object->Set(name, JsonValue::String(text));
}

void SetTime(std::string_view name, const std::optional<int64_t>& time, JsonValue* object) {
  if (time) object->Set(name, JsonValue::Number(std::to_string(*time)));
}

void SetReference(std::string_view name, const std::optional<Reference>& reference,
                  JsonValue* object) {
  if (!reference) return;
  JsonValue value = JsonValue::Of(JsonValue::Object{});
  SetText("name", reference->name, &value);
  SetText("uid", reference->uid, &value);
  object->Set(name, std::move(value));
}

}  // namespace

std::string_view IssuerOf(const JsonValue& claims) {
  const JsonValue* const issuer = claims.Find("iss");
  return issuer != nullptr && issuer->is_string() ? std::string_view(issuer->string()) : "";
}

Result<ServiceAccountClaims> ReadClaims(const JsonValue& claims) {
  ServiceAccountClaims out;
  TRY(out.issuer, Text(claims, "iss"));
  TRY(out.subject, Text(claims, "sub"));
  TRY(out.audiences, Texts(claims, "aud"));
  TRY(out.id, Text(claims, "jti"));
  TRY(out.expires, Time(claims, "exp"));
  TRY(out.not_before, Time(claims, "nbf"));
  TRY(out.issued_at, Time(claims, "iat"));
  TRY_VOID(out.is_legacy() ? ReadLegacy(claims, &out) : ReadPrivate(claims, &out));
  return out;
}

JsonValue WriteClaims(const ServiceAccountClaims& claims) {
  JsonValue out = JsonValue::Of(JsonValue::Object{});
  SetText("iss", claims.issuer, &out);
  SetText("sub", claims.subject, &out);
  SetText("jti", claims.id, &out);
  SetTime("exp", claims.expires, &out);
  SetTime("nbf", claims.not_before, &out);
  SetTime("iat", claims.issued_at, &out);
  if (!claims.audiences.empty()) {
    JsonValue::Array audiences;
    for (const std::string& audience : claims.audiences) {
      audiences.push_back(JsonValue::String(audience));
    }
    out.Set("aud", JsonValue::Of(std::move(audiences)));
  }
  if (claims.is_legacy()) {
    SetText(Legacy("namespace"), claims.name_space, &out);
    SetText(Legacy("service-account.name"), claims.account.name, &out);
    SetText(Legacy("service-account.uid"), claims.account.uid, &out);
    if (claims.secret) SetText(Legacy("secret.name"), claims.secret->name, &out);
    return out;
  }
  JsonValue kubernetes = JsonValue::Of(JsonValue::Object{});
  SetText("namespace", claims.name_space, &kubernetes);
  SetReference("serviceaccount", claims.account, &kubernetes);
  SetReference("pod", claims.pod, &kubernetes);
  SetReference("node", claims.node, &kubernetes);
  SetReference("secret", claims.secret, &kubernetes);
  SetTime("warnafter", claims.warn_after, &kubernetes);
  out.Set("kubernetes.io", std::move(kubernetes));
  return out;
}

}  // namespace podium::apiserver
