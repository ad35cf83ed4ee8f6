#include "client/decode.h"

#include "api/scheme.h"
#include "client/status_error.h"
#include "reflect/json.h"
#include "reflect/json_value.h"
#include "reflect/object.h"

namespace podium::client {
namespace {

namespace meta = api::meta::v1;

constexpr reflect::DecodeOptions kLoose{.strict = false};
// Kinds that nobody here knows are made for: more would be a server that makes them up.
constexpr size_t kMaxUntyped = 10'000;
constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

Result<EventType> ParseEventType(std::string_view type) {
  if (type == "ADDED") return EventType::kAdded;
  if (type == "MODIFIED") return EventType::kModified;
  if (type == "DELETED") return EventType::kDeleted;
  if (type == "BOOKMARK") return EventType::kBookmark;
  return Error(Code::kInvalidArgument, "unknown watch event type \"" + std::string(type) + "\"");
}

}  // namespace

Result<Decoder::Types> Decoder::UntypedOf(const std::string& api_version, const std::string& kind) {
  const std::lock_guard lock(mutex_);
  const auto found = untyped_.find({api_version, kind});
  if (found != untyped_.end()) return found->second;
  const auto parts = api::ParseApiVersion(api_version);
  if (!parts || kind.empty()) {
    return Error(Code::kInvalidArgument, "an object without apiVersion and kind");
  }
  if (untyped_.size() >= kMaxUntyped) return Error(Code::kResourceExhausted, "too many kinds");
  TRY(const reflect::JsonValue schema,
      reflect::ParseJson(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true})"));
  TRY(Types types, reflect::RuntimeTypes::FromSchema(
                       schema, {std::string(parts->group), std::string(parts->version), kind},
                       {.object_meta = &reflect::TypeOf<meta::ObjectMeta>()}));
  untyped_.emplace(std::pair(api_version, kind), types);
  return types;
}

Result<SharedObject> Decoder::Object(std::string_view json, std::string_view default_version,
                                     std::string_view default_kind) {
  TRY(reflect::ObjectHeader header, reflect::ReadHeader(json));
  if (header.api_version.empty()) header.api_version = default_version;
  if (header.kind.empty()) header.kind = default_kind;
  if (const reflect::Type* type = api::FindType(header.api_version, header.kind)) {
    reflect::AnyObject object(*type);
    TRY_VOID(reflect::DecodeJsonInto(json, *type, object.get(), kLoose));
    SetKind(*type, object.get());
    return SharedObject(std::move(object));
  }
  TRY(const Types types, UntypedOf(header.api_version, header.kind));
  const reflect::Type& type = types->root();
  auto object = std::make_shared<reflect::AnyObject>(type);
  TRY_VOID(reflect::DecodeJsonInto(json, type, object->get(), kLoose));
  SetKind(type, object->get());
  // The types go after the object.
  struct Owner {
    Types types;
    std::shared_ptr<reflect::AnyObject> object;
  };
  const void* address = object->get();
  const auto owner = std::make_shared<const Owner>(types, std::move(object));
  return SharedObject(type, std::shared_ptr<const void>(owner, address));
}

Result<ObjectList> Decoder::List(std::string_view json) {
  TRY(meta::List list, reflect::FromJson<meta::List>(json, kLoose));
  if (!list.kind.ends_with("List")) {
    return Error(Code::kInvalidArgument, "the server's answer is a " + list.kind + " and no list");
  }
  const std::string_view kind = std::string_view(list.kind).substr(0, list.kind.size() - 4);
  ObjectList out{.metadata = std::move(list.metadata), .items = {}};
  out.items.reserve(list.items.size());
  for (reflect::RawJson& item : list.items) {
    TRY(SharedObject object, Object(item.text, list.apiVersion, kind));
    if (!object.meta()) return Error(Code::kInvalidArgument, "a list of what has no metadata");
    out.items.push_back(std::move(object));
    item.text = {};  // both forms of a long list need not be there at once
  }
  return out;
}

Result<ObjectEvent> Decoder::Event(std::string_view json) {
  TRY(const auto event, reflect::FromJson<meta::WatchEvent>(json, kLoose));
  if (event.type == "ERROR") return ErrorOfAnswer(500, event.object.text, "watch");
  ObjectEvent out;
  TRY(out.type, ParseEventType(event.type));
  TRY(SharedObject object, Object(event.object.text));
  const meta::ObjectMeta* metadata = object.meta();
  if (!metadata) return Error(Code::kInvalidArgument, "an event about what has no metadata");
  if (out.type != EventType::kBookmark) {
    out.object = std::move(object);
    return out;
  }
  out.resource_version = metadata->resourceVersion;
  const auto mark = metadata->annotations.find(kInitialEventsEnd);
  out.initial_events_end = mark != metadata->annotations.end() && mark->second == "true";
  return out;
}

}  // namespace podium::client
