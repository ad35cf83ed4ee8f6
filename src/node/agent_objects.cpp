// ConfigMaps, Secrets and events: what of the agent's API is not about pods.
#include <algorithm>
#include <type_traits>

#include "api/defaults.h"
#include "api/fields.h"
#include "api/labels.h"
#include "api/status.h"
#include "api/validation/validation.h"
#include "base/random_name.h"
#include "node/agent_api.h"
#include "node/keep_metadata.h"
#include "reflect/copy.h"

namespace podium::node {
namespace {

// What is written as text is kept as bytes, as the API server does; then the defaults.
template <class T>
void Complete(const char* kind, T* object) {
  object->kind = kind;
  object->apiVersion = "v1";
  if constexpr (std::is_same_v<T, v1::Secret>) {
    for (auto& [name, value] : object->stringData) object->data[name].data = value;
    object->stringData.clear();
  }
  api::SetDefaults(*object, {});
}

struct EventFilter {
  api::labels::Selector labels;
  api::fields::Selector fields;

  // The fields that upstream knows of events.
  bool Matches(const v1::Event& event) const {
    const v1::ObjectReference& object = event.involvedObject;
    return labels.Matches(event.metadata.labels) &&
           fields.Matches([&](std::string_view field) -> std::string {
             if (field == "metadata.name") return event.metadata.name;
             if (field == "metadata.namespace") return event.metadata.namespace_;
             if (field == "involvedObject.kind") return object.kind;
             if (field == "involvedObject.namespace") return object.namespace_;
             if (field == "involvedObject.name") return object.name;
             if (field == "involvedObject.uid") return object.uid;
             if (field == "involvedObject.apiVersion") return object.apiVersion;
             if (field == "involvedObject.resourceVersion") return object.resourceVersion;
             if (field == "involvedObject.fieldPath") return object.fieldPath;
             if (field == "reason") return event.reason;
             if (field == "reportingComponent") return event.reportingComponent;
             if (field == "source") return event.source.component;
             if (field == "type") return event.type;
             return {};
           });
  }
};

Result<EventFilter> FilterOf(std::string_view labels, std::string_view fields) {
  EventFilter out;
  TRY(out.labels, api::labels::Selector::Parse(labels));
  TRY(out.fields, api::fields::Selector::Parse(fields));
  return out;
}

}  // namespace

template <class T>
Result<T> AgentApi::CreateStored(const Call& call, const char* kind, const char* plural) {
  auto object = ReadBody<T>(call);
  if (!object) return object.error();
  auto& metadata = object->metadata;
  if (metadata.name.empty() && !metadata.generateName.empty()) {
    metadata.name = GeneratedName(metadata.generateName);
  }
  metadata.uid = NewUid();
  metadata.resourceVersion.clear();
  metadata.generation = 0;
  metadata.creationTimestamp = api::Time::FromUnix(agent_.clock().Now() / kNanosPerSecond);
  metadata.deletionTimestamp.reset();
  metadata.deletionGracePeriodSeconds.reset();
  Complete(kind, &*object);
  const auto errors = api::ValidateCreate(*object);
  if (!errors.empty()) {
    return api::InvalidError("", kind, metadata.name, errors);
  }
  const std::string name = metadata.name;
  auto created = agent_.objects().Create(*std::move(object));
  if (created.ok()) return **created;
  if (created.error().code() != Code::kAlreadyExists) {
    return created.error();
  }
  return api::AlreadyExistsError({"", plural}, name);
}

template <class T>
Result<T> AgentApi::UpdateStored(const Call& call, const char* kind, const char* plural) {
  const auto wanted = ReadBody<T>(call);
  if (!wanted) return wanted.error();
  while (true) {
    T object = *wanted;
    const auto before = agent_.objects().Get<T>(call.name_space, call.name);
    if (!before.ok()) return api::NotFoundError({"", plural}, call.name);
    TRY_VOID(KeepMetadata(plural, (*before)->metadata, &object.metadata));
    Complete(kind, &object);
    const auto errors = api::ValidateUpdate(object, **before);
    if (!errors.empty()) {
      return api::InvalidError("", kind, call.name, errors);
    }
    if (reflect::Equal(object, **before)) return object;
    auto updated = agent_.objects().Update(**before, std::move(object));
    if (updated.ok()) return **updated;
    // Somebody else was quicker: whether that matters is seen in the next round.
    if (updated.error().code() != Code::kConflict) {
      return updated.error();
    }
  }
}

template <class T>
void AgentApi::HandleStored(const Call& call, const char* kind, const char* plural) {
  ObjectStore& objects = agent_.objects();
  http::Exchange& exchange = *call.exchange;
  const bool one = !call.name.empty();
  if (call.method == "GET" && !one) {
    if (call.Flag("watch")) return RespondError(exchange, api::MethodNotAllowedError());
    auto labels = api::labels::Selector::Parse(call.Parameter("labelSelector"));
    if (!labels.ok()) return RespondError(exchange, labels.error());
    uint64_t version = 0;
    auto found = objects.List<T>(call.name_space, &version);
    std::erase_if(found, [&](const auto& each) { return !labels->Matches(each->metadata.labels); });
    return RespondJson(exchange, 200, ListJson(std::string(kind) + "List", found, version));
  }
  if (call.name_space.empty()) return RespondError(exchange, api::MethodNotAllowedError());
  if (call.method == "GET") {
    auto object = objects.Get<T>(call.name_space, call.name);
    if (!object.ok()) return RespondError(exchange, api::NotFoundError({"", plural}, call.name));
    return RespondObject(exchange, 200, **object);
  }
  const bool create = call.method == "POST" && !one;
  if (create || (call.method == "PUT" && one)) {
    const auto stored =
        create ? CreateStored<T>(call, kind, plural) : UpdateStored<T>(call, kind, plural);
    if (!stored) return RespondError(exchange, stored.error());
    agent_.ObjectsChanged(call.name_space);
    return RespondObject(exchange, create ? 201 : 200, *stored);
  }
  if (call.method != "DELETE" || !one) return RespondError(exchange, api::MethodNotAllowedError());
  if (!objects.Remove<T>(call.name_space, call.name).ok()) {
    return RespondError(exchange, api::NotFoundError({"", plural}, call.name));
  }
  agent_.ObjectsChanged(call.name_space);
  RespondObject(exchange, 200, api::SuccessStatus());
}

void AgentApi::HandleConfigMaps(const Call& call) {
  HandleStored<v1::ConfigMap>(call, "ConfigMap", "configmaps");
}

void AgentApi::HandleSecrets(const Call& call) {
  HandleStored<v1::Secret>(call, "Secret", "secrets");
}

void AgentApi::HandleEvents(const Call& call) {
  if (call.method != "GET") return RespondError(*call.exchange, api::MethodNotAllowedError());
  if (call.name.empty() && call.Flag("watch")) return WatchEvents(call);
  auto filter = FilterOf(call.Parameter("labelSelector"), call.Parameter("fieldSelector"));
  if (!filter.ok()) return RespondError(*call.exchange, filter.error());
  uint64_t version = 0;
  const auto events = agent_.events().List(call.name_space, &version);
  if (!call.name.empty()) {
    const auto found = std::ranges::find(
        events, call.name, [](const v1::Event& event) { return event.metadata.name; });
    if (found == events.end()) {
      return RespondError(*call.exchange, api::NotFoundError({"", "events"}, call.name));
    }
    return RespondObject(*call.exchange, 200, *found);
  }
  std::vector<const v1::Event*> shown;
  for (const v1::Event& event : events) {
    if (filter->Matches(event)) shown.push_back(&event);
  }
  RespondJson(*call.exchange, 200, ListJson("EventList", shown, version));
}

void AgentApi::WatchEvents(const Call& call) {
  auto filter = FilterOf(call.Parameter("labelSelector"), call.Parameter("fieldSelector"));
  if (!filter.ok()) return RespondError(*call.exchange, filter.error());
  if (!call.exchange->Begin(200, {{"Content-Type", "application/json"}}).ok()) return;
  auto watcher = std::make_shared<Watcher>(call.exchange);
  const auto send = [watcher, filter = *std::move(filter), name_space = call.name_space](
                        ChangeType type, const v1::Event& event) {
    if (!name_space.empty() && event.metadata.namespace_ != name_space) return;
    if (filter.Matches(event)) watcher->Send(type, event);
  };
  EventRecorder& events = agent_.events();
  uint64_t version = call.Version();
  if (version == 0) {
    for (const v1::Event& event : events.List(call.name_space, &version)) {
      send(ChangeType::kAdded, event);
    }
  }
  auto watch = events.Watch(version, send);
  if (!watch.ok()) return watcher->Fail(api::ExpiredError(watch.error().message()));
  KeepWatch(call, watcher, [&events, id = *watch] { events.Unwatch(id); });
}

}  // namespace podium::node
