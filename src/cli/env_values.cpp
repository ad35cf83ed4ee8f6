#include "cli/env_values.h"

#include <set>
#include <utility>

#include "api/names.h"
#include "api/quantity.h"
#include "api/types/core_v1.h"
#include "base/text.h"
#include "cli/json_members.h"
#include "cli/object_maker.h"
#include "reflect/base64.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Lines of KEY="VALUE", in the order of the keys.
std::string MapText(const JsonValue* map) {
  if (!map || !map->is_object()) return {};
  std::set<std::string> lines;
  for (const auto& [key, value] : map->object()) {
    lines.insert(key + "=" + reflect::GoQuoted(TextOf(*map, key)));
  }
  return Join(std::vector<std::string>(lines.begin(), lines.end()), "\n");
}

Result<std::string> FieldOf(const JsonValue& object, const std::string& path) {
  if (path.ends_with("']")) {
    const size_t open = path.find("['");
    const std::string map = path.substr(0, open);
    if (open != path.npos && map != "metadata.annotations" && map != "metadata.labels") {
      return Usage("fieldPath " + reflect::GoQuoted(path) + " does not support subscript");
    }
    if (open != path.npos) {
      const std::string key = path.substr(open + 2, path.size() - open - 4);
      if (const auto problems = api::IsQualifiedName(LowerCase(key)); !problems.empty()) {
        return Usage("invalid key subscript in " + path + ": " + Join(problems, ";"));
      }
      return std::string(TextAt(object, {"metadata", map.substr(9), key}));
    }
  }
  for (const char* map : {"annotations", "labels"}) {
    if (path == std::string("metadata.") + map) {
      return MapText(ValueAt(object, {"metadata", map}));
    }
  }
  for (const char* key : {"name", "namespace", "uid"}) {
    if (path == std::string("metadata.") + key) {
      return std::string(TextAt(object, {"metadata", key}));
    }
  }
  return Usage("unsupported fieldPath: " + path);
}

// An amount in units of its divisor, rounded up.
Result<std::string> AmountOf(const JsonValue& container, const JsonValue& reference) {
  const std::string name(TextOf(reference, "resource"));
  const size_t dot = name.find('.');
  const std::string list = name.substr(0, dot);
  const std::string key = dot == name.npos ? "" : name.substr(dot + 1);
  const bool known = (list == "limits" || list == "requests") &&
                     (key == "cpu" || key == "memory" || key == "ephemeral-storage" ||
                      key.starts_with("hugepages-"));
  if (!known) return Usage("Unsupported container resource : " + name);
  const std::string_view amount = TextAt(container, {"resources", list, key});
  TRY(const api::Quantity value, api::Quantity::Parse(amount.empty() ? "0" : amount));
  const std::string_view text = TextOf(reference, "divisor");
  TRY(api::Quantity divisor, api::Quantity::Parse(text.empty() ? "1" : text));
  if (divisor.IsZero()) divisor = api::Quantity::FromInt(1);
  const bool milli = key == "cpu";
  const int64_t whole = milli ? value.MilliValue() : value.Value();
  const int64_t part = std::max<int64_t>(1, milli ? divisor.MilliValue() : divisor.Value());
  return std::to_string(whole / part + (whole % part > 0 ? 1 : 0));
}

}  // namespace

std::string ReferenceText(const JsonValue& from) {
  const auto text = [](const JsonValue* reference, const char* key) {
    return std::string(TextOf(*reference, key));
  };
  if (const JsonValue* map = from.Find("configMapKeyRef")) {
    return "configmap " + text(map, "name") + ", key " + text(map, "key");
  }
  if (const JsonValue* secret = from.Find("secretKeyRef")) {
    return "secret " + text(secret, "name") + ", key " + text(secret, "key");
  }
  if (const JsonValue* field = from.Find("fieldRef")) {
    return "field path " + text(field, "fieldPath");
  }
  if (const JsonValue* amount = from.Find("resourceFieldRef")) {
    const std::string container = text(amount, "containerName");
    return "resource field " + (container.empty() ? "" : container + "/") +
           text(amount, "resource");
  }
  return "invalid valueFrom";
}

Result<std::string> EnvResolver::ValueOf(Server* server, const JsonValue& from,
                                         const JsonValue& object, const JsonValue& container) {
  if (const JsonValue* secret = from.Find("secretKeyRef")) return KeyOf(server, "Secret", *secret);
  if (const JsonValue* map = from.Find("configMapKeyRef")) return KeyOf(server, "ConfigMap", *map);
  if (const JsonValue* field = from.Find("fieldRef")) {
    return FieldOf(object, std::string(TextOf(*field, "fieldPath")));
  }
  if (const JsonValue* amount = from.Find("resourceFieldRef")) {
    return AmountOf(container, *amount);
  }
  return Usage("invalid valueFrom");
}

Result<std::string> EnvResolver::KeyOf(Server* server, const char* kind,
                                       const JsonValue& reference) {
  if (!server) return Usage("no server is asked with --local");
  const bool is_secret = kind == std::string_view("Secret");
  const ServerResource resource =
      ResourceOf(is_secret ? reflect::TypeOf<api::core::v1::Secret>()
                           : reflect::TypeOf<api::core::v1::ConfigMap>());
  const std::string name(TextOf(reference, "name"));
  const std::string key(TextOf(reference, "key"));
  TRY(const std::string path, resource.Path(server->namespace_(), name));
  auto known = read_.find(path);
  if (known == read_.end()) {
    TRY(JsonValue object, server->AskJson({.path = path}));
    known = read_.emplace(path, std::move(object)).first;
  }
  const JsonValue* value = ValueAt(known->second, {"data", key});
  if (!value || !value->is_string()) {
    return Usage("key " + key + " not found in " + (is_secret ? "secret " : "config map ") + name);
  }
  if (!is_secret) return value->string();
  std::string bytes;
  if (reflect::DecodeBase64(value->string(), &bytes)) {
    return Usage("the server's secret " + name + " is no base64");
  }
  return bytes;
}

}  // namespace podium::cli
