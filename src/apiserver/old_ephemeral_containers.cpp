#include "apiserver/old_ephemeral_containers.h"

#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "reflect/json_value.h"

namespace podium::apiserver {
namespace {

using reflect::JsonValue;

constexpr std::string_view kKind = "EphemeralContainers";
constexpr std::string_view kList = "ephemeralContainers";
constexpr int kFirst = 16;  // 1.16 had the subresource first,
constexpr int kLast = 21;   // and 1.21 in this form last

// "kubectl/v1.20.2 (linux/amd64) kubernetes/faecb19": client-go's, whatever the program is.
bool IsOldClient(std::string_view agent) {
  const size_t slash = agent.find("/v1.");
  if (slash == std::string_view::npos || agent.find(" kubernetes/") == std::string_view::npos) {
    return false;
  }
  const std::string_view rest = agent.substr(slash + 4);
  int minor = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), minor);
  return error == std::errc() && end != rest.data() + rest.size() && *end == '.' &&
         minor >= kFirst && minor <= kLast;
}

bool IsKind(const JsonValue& object, std::string_view kind) {
  const JsonValue* found = object.Find("kind");
  return found && found->is_string() && found->string() == kind;
}

JsonValue Object() { return JsonValue::Of(JsonValue::Object()); }

// Keeps a body of the call's own alive beside what it was made of.
struct Body {
  std::string text;
  std::shared_ptr<const void> before;
};

}  // namespace

bool TakeOldEphemeralContainers(Call& call) {
  const RequestInfo& info = call.info;
  if (!info.group.empty() || info.resource != "pods" || info.subresource != "ephemeralcontainers") {
    return false;
  }
  if (call.method == "GET") return IsOldClient(call.Header("User-Agent"));
  if (call.method != "PUT" || call.body.find(kKind) == std::string_view::npos) return false;
  auto object = reflect::ParseJson(call.body);
  if (!object.ok() || !IsKind(*object, kKind)) return false;
  JsonValue spec = Object();
  if (JsonValue* list = object->Find(kList)) spec.Set(kList, std::move(*list));
  object->Erase(kList);
  object->Set("kind", JsonValue::String("Pod"));
  object->Set("spec", std::move(spec));
  auto body = std::make_shared<const Body>(
      Body{.text = reflect::ToText(*object), .before = std::move(call.keeps_alive)});
  call.body = body->text;
  call.keeps_alive = std::move(body);
  return true;
}

void GiveOldEphemeralContainers(Answer* answer) {
  if (answer->status != 200 || answer->pulled != nullptr) return;
  auto pod = reflect::ParseJson(answer->body);
  if (!pod.ok() || !IsKind(*pod, "Pod")) return;
  JsonValue metadata = Object();
  if (const JsonValue* all = pod->Find("metadata")) {
    for (const std::string_view key :
         {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
      if (const JsonValue* value = all->Find(key)) metadata.Set(key, *value);
    }
  }
  JsonValue list = JsonValue::Of(JsonValue::Array());
  if (JsonValue* spec = pod->Find("spec")) {
    if (JsonValue* found = spec->Find(kList)) list = std::move(*found);
  }
  JsonValue object = Object();
  object.Set("kind", JsonValue::String(std::string(kKind)));
  object.Set("apiVersion", JsonValue::String("v1"));
  object.Set("metadata", std::move(metadata));
  object.Set(kList, std::move(list));
  answer->body = reflect::ToText(object) + '\n';
}

}  // namespace podium::apiserver
