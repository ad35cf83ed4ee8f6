#include "image/docker_config.h"

#include "reflect/base64.h"
#include "reflect/json_value.h"

namespace podium::image {
namespace {

using reflect::JsonValue;

constexpr size_t kMaxSize = size_t{4} << 20;
constexpr size_t kMaxDepth = 32;

Error Invalid(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<JsonValue> Parse(std::string_view json, const char* what) {
  if (json.size() > kMaxSize) {
    return Error(Code::kResourceExhausted, std::string(what) + ": larger than 4 MiB");
  }
  auto value = reflect::ParseJson(json, {.max_depth = kMaxDepth});
  if (!value.ok()) return std::move(value).error().WithContext(what);
  if (!value->is_object()) return Invalid(std::string(what) + ": not a JSON object");
  return value;
}

// A member that is a string; "" where it is missing or null, as Go reads it.
Result<std::string> StringMember(const JsonValue& object, std::string_view name,
                                 const std::string& where) {
  const JsonValue* member = object.Find(name);
  if (!member || member->is_null()) return std::string();
  if (!member->is_string()) return Invalid(where + "." + std::string(name) + ": not a string");
  return member->string();
}

// Padding may be missing, as upstream allows.
bool DecodeAuth(std::string text, std::string* out) {
  while (text.size() % 4 != 0) text.push_back('=');
  return !reflect::DecodeBase64(text, out);
}

Result<Credentials> ReadEntry(const JsonValue& value, const std::string& where) {
  Credentials credentials;
  if (value.is_null()) return credentials;
  if (!value.is_object()) return Invalid(where + ": not a JSON object");
  TRY(credentials.username, StringMember(value, "username", where));
  TRY(credentials.password, StringMember(value, "password", where));
  TRY(credentials.identity_token, StringMember(value, "identitytoken", where));
  TRY(credentials.registry_token, StringMember(value, "registrytoken", where));
  TRY(const std::string auth, StringMember(value, "auth", where));
  if (auth.empty()) return credentials;
  std::string decoded;
  if (!DecodeAuth(auth, &decoded)) return Invalid(where + ".auth: not base64");
  const size_t colon = decoded.find(':');
  if (colon == decoded.npos) {
    return Invalid(where +
                   ".auth: unable to parse auth field, must be formatted as "
                   "base64(username:password)");
  }
  credentials.username = decoded.substr(0, colon);
  credentials.password = decoded.substr(colon + 1);
  // docker login pads with NUL bytes in some versions, and itself strips them.
  while (credentials.password.ends_with('\0')) credentials.password.pop_back();
  return credentials;
}

Result<void> ReadAuths(const JsonValue& auths, const std::string& where, DockerConfig* config) {
  if (auths.is_null()) return {};
  if (!auths.is_object()) return Invalid(where + ": not a JSON object");
  for (const auto& [location, value] : auths.object()) {
    std::string entry = where;
    entry.append("[\"").append(location).append("\"]");
    TRY(Credentials credentials, ReadEntry(value, entry));
    config->auths.push_back({location, std::move(credentials)});
  }
  return {};
}

}  // namespace

Result<DockerConfig> ReadDockerConfigJson(std::string_view json) {
  TRY(const JsonValue root, Parse(json, "Docker's config.json"));
  DockerConfig config;
  if (const JsonValue* auths = root.Find("auths")) TRY_VOID(ReadAuths(*auths, "auths", &config));
  TRY(config.store, StringMember(root, "credsStore", "config.json"));
  const JsonValue* helpers = root.Find("credHelpers");
  if (!helpers || helpers->is_null()) return config;
  if (!helpers->is_object()) return Invalid("credHelpers: not a JSON object");
  for (const auto& [location, name] : helpers->object()) {
    if (!name.is_string()) return Invalid("credHelpers[\"" + location + "\"]: not a string");
    config.helpers.emplace_back(location, name.string());
  }
  return config;
}

Result<DockerConfig> ReadDockercfg(std::string_view json) {
  TRY(const JsonValue root, Parse(json, ".dockercfg"));
  DockerConfig config;
  TRY_VOID(ReadAuths(root, ".dockercfg", &config));
  return config;
}

}  // namespace podium::image
