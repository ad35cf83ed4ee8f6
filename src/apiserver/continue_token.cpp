#include "apiserver/continue_token.h"

#include <algorithm>
#include <utility>

#include "api/go_json.h"
#include "base/text.h"
#include "reflect/base64.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/number_text.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kTokenVersion = "meta.k8s.io/v1";

Error Invalid(const std::string& why) {
  return Error(Code::kInvalidArgument, "continue key is not valid" + why);
}

// base64url without padding.
Result<std::string> DecodeText(std::string_view text) {
  std::string standard(text);
  for (size_t i = 0; i < standard.size(); ++i) {
    char& c = standard[i];
    if (c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r') {
      return Invalid(": illegal base64 data at input byte " + std::to_string(i));
    }
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  standard.append((4 - standard.size() % 4) % 4, '=');
  std::string bytes;
  if (const auto bad = reflect::DecodeBase64(standard, &bytes)) {
    return Invalid(": illegal base64 data at input byte " +
                   std::to_string(std::min(*bad, text.size())));
  }
  return bytes;
}

// As path.Clean would leave it: no empty segments, nor "." nor "..".
bool IsClean(std::string_view key) {
  if (key.starts_with('/')) key.remove_prefix(1);
  return std::ranges::none_of(Split(key, '/'), [](std::string_view segment) {
    return segment.empty() || segment == "." || segment == "..";
  });
}

std::string TextMember(const reflect::JsonValue& object, std::string_view name) {
  const reflect::JsonValue* member = object.Find(name);
  return member != nullptr && member->is_string() ? member->string() : "";
}

}  // namespace

std::string EncodeContinue(const ContinueToken& token) {
  std::string json = R"({"v":"meta.k8s.io/v1","rv":)" + std::to_string(token.version);
  json += R"(,"start":)";
  reflect::AppendJsonString(token.start, &json);
  json += '}';
  std::string out;
  reflect::AppendBase64(json, &out);
  std::erase(out, '=');
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

Result<ContinueToken> DecodeContinue(std::string_view text) {
  TRY(const std::string json, DecodeText(text));
  if (const auto problem = api::GoJsonObjectProblem(json)) return Invalid(": " + *problem);
  TRY(const reflect::JsonValue token, reflect::ParseJson(json));
  const std::string version = TextMember(token, "v");
  if (version != kTokenVersion) {
    return Invalid(": server does not recognize this encoded version " + version);
  }
  const reflect::JsonValue* number = token.Find("rv");
  const reflect::Number revision = number != nullptr && number->is_number()
                                       ? reflect::ReadJsonNumber(number->number())
                                       : reflect::Number{};
  if (!revision.is_integer || revision.integer == 0) {
    return Invalid(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  ContinueToken out{.start = TextMember(token, "start"), .version = revision.integer};
  if (out.start.empty()) return Invalid(": encoded start key empty (version meta.k8s.io/v1)");
  if (!IsClean(out.start)) return Invalid(": " + out.start);
  if (out.start.starts_with('/')) out.start.erase(0, 1);
  return out;
}

}  // namespace podium::apiserver
