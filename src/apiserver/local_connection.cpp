#include "apiserver/local_connection.h"

#include <future>
#include <utility>
#include <vector>

#include "api/conversion/conversion.h"
#include "api/object_meta.h"
#include "api/status.h"
#include "api/types/autoscaling_v1.h"
#include "api/types/meta_v1.h"
#include "apiserver/audit/audit.h"
#include "apiserver/authorization/server_authorizer.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/read.h"
#include "apiserver/stored_object.h"
#include "apiserver/subresources/scale.h"
#include "apiserver/watch.h"
#include "apiserver/write_answer.h"
#include "base/random_name.h"
#include "client/paths.h"
#include "http/url.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::DeleteOptions;
using client::SharedObject;
using client::Target;

template <class T>
Result<http::QueryParameters> ParametersOf(const T& options) {
  TRY(const std::string query, client::QueryOf(reflect::TypeOf<T>(), &options));
  return http::ParseQuery(query);
}

SharedObject Share(reflect::AnyObject object) { return SharedObject(std::move(object)); }

SharedObject SuccessObject() {
  reflect::AnyObject status(reflect::TypeOf<api::meta::v1::Status>());
  *status.As<api::meta::v1::Status>() = api::SuccessStatus();
  return Share(std::move(status));
}

// With its type, which lives as long as the definition is as it is now.
SharedObject ShareCustom(const ServedResource& resource, reflect::AnyObject object) {
  struct Held {
    CustomSchemaPtr schema;
    reflect::AnyObject object;
  };
  auto held = std::make_shared<Held>(resource.custom->shown, std::move(object));
  const reflect::Type& type = held->object.type();
  const void* at = held->object.get();
  return SharedObject(type, std::shared_ptr<const void>(std::move(held), at));
}

// As the resource shows it; its decoded form is shared with all who have it. `version` is what it
// is shown with: that of the change that took it away, for an object that left.
Result<SharedObject> Show(const ServedResource& resource, const store::Entry& entry,
                          store::Revision version) {
  if (resource.custom != nullptr) {
    TRY(reflect::AnyObject custom, DecodeCustom(*resource.custom, entry));
    api::EnsureObjectMeta(custom.type(), custom.get())->resourceVersion = std::to_string(version);
    return ShareCustom(resource, std::move(custom));
  }
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  TRY(const DecodedPtr decoded, stored->Decode(*resource.stored_type, false));
  if (version == entry.mod_revision() && resource.stored_as_is()) {
    return SharedObject(decoded->type(), std::shared_ptr<const void>(decoded, decoded->get()));
  }
  reflect::AnyObject shown(*resource.type);
  if (resource.stored_as_is()) {
    reflect::CopyObject(*resource.type, decoded->get(), shown.get());
  } else {
    TRY(shown, api::ConvertObject(decoded->type(), decoded->get(), *resource.type));
  }
  api::EnsureObjectMeta(shown.type(), shown.get())->resourceVersion = std::to_string(version);
  return Share(std::move(shown));
}

// Only the metadata, where that is what was asked for: who keeps it keeps no whole objects.
Result<SharedObject> ShowMetadata(const store::Entry& entry, store::Revision version) {
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  TRY(DecodedPtr decoded, stored->DecodeMetadata());
  if (version == entry.mod_revision()) {
    return SharedObject(decoded->type(), std::shared_ptr<const void>(decoded, decoded->get()));
  }
  reflect::AnyObject shown(decoded->type());
  reflect::CopyObject(shown.type(), decoded->get(), shown.get());
  api::EnsureObjectMeta(shown.type(), shown.get())->resourceVersion = std::to_string(version);
  return Share(std::move(shown));
}

SharedObject ShowScale(api::autoscaling::v1::Scale scale) {
  reflect::AnyObject shown(reflect::TypeOf<api::autoscaling::v1::Scale>());
  *shown.As<api::autoscaling::v1::Scale>() = std::move(scale);
  return Share(std::move(shown));
}

// As the resource or, when it is asked for, its scale shows it.
Result<SharedObject> ShowAsked(const Target& target, const ServedResource& resource,
                               const store::Entry& entry) {
  if (target.metadata_only) return ShowMetadata(entry, entry.mod_revision());
  if (target.subresource != "scale") return Show(resource, entry, entry.mod_revision());
  TRY(api::autoscaling::v1::Scale scale, ScaleOf(resource, entry));
  return ShowScale(std::move(scale));
}

class LocalWatch final : public client::ObjectWatch {
 public:
  LocalWatch(std::unique_ptr<EntryWatch> entries, const ServedResource& resource,
             CatalogPtr catalog, bool metadata_only, std::shared_ptr<AuditRecord> audit)
      : audit_(std::move(audit)),
        catalog_(std::move(catalog)),
        resource_(resource),
        metadata_only_(metadata_only),
        entries_(std::move(entries)) {}

  Result<client::EventBatch> Take(size_t max_events) override {
    if (next_ == batch_.events.size()) {
      TRY(batch_, entries_->Take());
      next_ = 0;
    }
    client::EventBatch told;
    for (; next_ < batch_.events.size() && told.events.size() < max_events; ++next_) {
      const EntryEvent& event = batch_.events[next_];
      client::ObjectEvent& next = told.events.emplace_back();
      next.type = static_cast<client::EventType>(event.type);
      if (event.type == WatchEventType::kBookmark) {
        next.resource_version = std::to_string(event.revision);
        next.initial_events_end = event.initial_events_end;
        continue;
      }
      TRY(next.object, metadata_only_ ? ShowMetadata(*event.entry, event.revision)
                                      : Show(resource_, *event.entry, event.revision));
    }
    told.more = batch_.more || next_ < batch_.events.size();
    return told;
  }

 private:
  const std::shared_ptr<AuditRecord> audit_;  // until the watch ends
  const CatalogPtr catalog_;                  // has the resource
  const ServedResource& resource_;
  const bool metadata_only_;
  const std::unique_ptr<EntryWatch> entries_;
  // What was taken and is yet to be told, from next_ on.
  EntryWatch::Batch batch_;
  size_t next_ = 0;
};

static_assert(
    static_cast<int>(client::EventType::kAdded) == static_cast<int>(WatchEventType::kAdded) &&
    static_cast<int>(client::EventType::kModified) == static_cast<int>(WatchEventType::kModified) &&
    static_cast<int>(client::EventType::kDeleted) == static_cast<int>(WatchEventType::kDeleted) &&
    static_cast<int>(client::EventType::kBookmark) == static_cast<int>(WatchEventType::kBookmark));

std::string_view MethodOf(std::string_view verb) {
  if (verb == "create") return "POST";
  if (verb == "update") return "PUT";
  if (verb == "patch") return "PATCH";
  return verb == "delete" || verb == "deletecollection" ? "DELETE" : "GET";
}

std::string_view ContentTypeOf(client::PatchType type) {
  switch (type) {
    case client::PatchType::kJson:
      return "application/json-patch+json";
    case client::PatchType::kMerge:
      return "application/merge-patch+json";
    case client::PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case client::PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  return "";
}

// What the audit log has of an answer: objects as they are, of lists what they hold.
void Tell(const Call& call, const SharedObject& object) {
  // As over HTTP, where what is made is answered with Created.
  const int status = call.info.verb == "create" ? 201 : 200;
  call.audit->Answer(call, status, &object.type(), object.get());
}

void Tell(const Call& call, const client::ObjectList& list) {
  if (!call.audit->tells_response()) return call.audit->AnswerList(call, {}, false);
  std::string json = R"({"kind":"List","apiVersion":"v1","metadata":)";
  bool whole =
      reflect::EncodeJson(reflect::TypeOf<api::meta::v1::ListMeta>(), &list.metadata, &json).ok();
  json += ",\"items\":[";
  for (const SharedObject& object : list.items) {
    if (json.back() != '[') json += ',';
    whole = whole && reflect::EncodeJson(object.type(), object.get(), &json).ok();
  }
  json += "]}";
  call.audit->AnswerList(call, json, !whole);
}

void Tell(const Call& call, const std::unique_ptr<client::ObjectWatch>& /*watch*/) {
  call.audit->Start(call, 200);
}

template <class T>
Result<T> Told(const Call& call, Result<T> answer) {
  if (call.audit == nullptr) return answer;
  if (answer.ok()) {
    Tell(call, *answer);
  } else {
    const api::meta::v1::Status status = api::StatusOf(answer.error());
    call.audit->Answer(call, status.code, &reflect::TypeOf<api::meta::v1::Status>(), &status);
  }
  return answer;
}

}  // namespace

// Everything that the call's views point to.
struct LocalConnection::Request {
  Target target;
  std::string path;
  http::Headers headers;
  std::string body;
  DeleteOptions delete_options;
  CatalogPtr catalog;
  std::shared_ptr<Call> call;
};

LocalConnection::LocalConnection(const Dispatcher& dispatcher, User user, std::string agent)
    : dispatcher_(dispatcher),
      user_(std::make_shared<const User>(std::move(user))),
      agent_(std::move(agent)) {}

std::shared_ptr<LocalConnection::Request> LocalConnection::NewRequest(std::string_view verb,
                                                                      const Target& target) const {
  auto request = std::make_shared<Request>();
  request->target = target;
  request->headers.Add("User-Agent", agent_);
  request->catalog = dispatcher_.parts().catalog->Now();
  auto call = std::make_shared<Call>();
  call->method = MethodOf(verb);
  call->headers = &request->headers;
  call->audit_id = NewUid();
  call->user = user_;
  call->received = dispatcher_.parts().clock->Now();
  RequestInfo& info = call->info;
  info.is_resource = true;
  info.verb = verb;
  info.prefix = target.group.empty() ? "api" : "apis";
  info.group = request->target.group;
  info.version = request->target.version;
  info.resource = request->target.resource;
  info.namespace_ = request->target.namespace_;
  info.name = request->target.name;
  info.subresource = request->target.subresource;
  // A namespace's own name is its namespace, too, as it is in paths.
  if (info.resource == "namespaces" && info.group.empty()) info.namespace_ = info.name;
  request->call = std::move(call);
  return request;
}

Result<const ServedResource*> LocalConnection::Begin(const Request& request) const {
  Call& call = *request.call;
  if (const Audit* audit = dispatcher_.parts().audit; audit != nullptr) {
    TRY(std::string uri, client::PathOf(request.target));
    if (!call.query.empty()) uri += "?" + http::EncodeQuery(call.query);
    call.uri = uri;
    call.audit = audit->Begin(call, QuestionOf(*call.user, call.info, call.query));
    call.uri = {};
  }
  return Find(request);
}

template <class Options>
Result<const ServedResource*> LocalConnection::Begin(const Request& request,
                                                     const Options& options) const {
  if (dispatcher_.parts().audit != nullptr) {
    TRY(request.call->query, ParametersOf(options));
  }
  return Begin(request);
}

Result<const ServedResource*> LocalConnection::Find(const Request& request) const {
  TRY_VOID(dispatcher_.Authorize(*request.call));
  return dispatcher_.Find(*request.call, *request.catalog);
}

Result<WriteOutcome> LocalConnection::WriteAndWait(const std::shared_ptr<Request>& request) const {
  TRY(const ServedResource* resource, Begin(*request));
  // The call lives in the request, which lives as long as the write.
  auto call = std::make_shared<Call>(*request->call);
  call->keeps_alive = request;
  auto promise = std::make_shared<std::promise<Result<WriteOutcome>>>();
  auto future = promise->get_future();
  dispatcher_.Write(call, *resource, [promise](Result<WriteOutcome> outcome) {
    promise->set_value(std::move(outcome));
  });
  auto outcome = future.get();
  // For the audit log.
  request->call->annotations = call->annotations;
  return outcome;
}

Result<SharedObject> LocalConnection::Changed(const std::shared_ptr<Request>& request) const {
  auto outcome = WriteAndWait(request);
  return Told(*request->call, outcome.ok() ? ShowOutcome(*request, *std::move(outcome))
                                           : Result<SharedObject>(outcome.error()));
}

Result<SharedObject> LocalConnection::ShowOutcome(const Request& request,
                                                  WriteOutcome outcome) const {
  const Target& target = request.target;
  const ServedResource* resource =
      request.catalog->Find(target.group, target.version, target.resource);
  if (resource != nullptr) {
    if (auto status = DeletedStatus(*request.call, *resource, outcome)) {
      return Share(std::move(status));
    }
  }
  if (outcome.entry && resource != nullptr) return ShowAsked(target, *resource, *outcome.entry);
  if (outcome.value && target.subresource == "scale" && resource != nullptr) {
    TRY(api::autoscaling::v1::Scale scale, ScaleOf(*resource, outcome.value));
    return ShowScale(std::move(scale));
  }
  if (outcome.value && resource != nullptr && resource->custom != nullptr) {
    return ShareCustom(*resource, std::move(outcome.value));
  }
  if (outcome.value) return Share(std::move(outcome.value));
  return SuccessObject();
}

Result<SharedObject> LocalConnection::Get(const Target& target,
                                          const api::meta::v1::GetOptions& options) {
  const auto request = NewRequest("get", target);
  return Told(*request->call, [&]() -> Result<SharedObject> {
    TRY(const ServedResource* resource, Begin(*request, options));
    TRY(const store::EntryPtr entry,
        ReadEntry(*dispatcher_.parts().store, *resource, target.namespace_, target.name,
                  options.resourceVersion));
    return ShowAsked(target, *resource, *entry);
  }());
}

Result<client::ObjectList> LocalConnection::List(const Target& target,
                                                 const api::meta::v1::ListOptions& options) {
  const auto request = NewRequest("list", target);
  return Told(*request->call, [&]() -> Result<client::ObjectList> {
    TRY(const ServedResource* resource, Begin(*request, options));
    TRY(const EntryList entries,
        ReadList(*dispatcher_.parts().store,
                 {.resource = resource, .namespace_ = target.namespace_, .options = options}));
    client::ObjectList list;
    list.metadata.resourceVersion = std::to_string(entries.revision);
    list.metadata.continue_ = entries.next;
    list.metadata.remainingItemCount = entries.remaining;
    list.items.reserve(entries.entries.size());
    for (const store::EntryPtr& entry : entries.entries) {
      TRY(SharedObject object, ShowAsked(target, *resource, *entry));
      list.items.push_back(std::move(object));
    }
    return list;
  }());
}

Result<SharedObject> LocalConnection::Create(const Target& target, const client::ObjectView& object,
                                             const api::meta::v1::CreateOptions& options) {
  const auto request = NewRequest("create", target);
  TRY(request->call->query, ParametersOf(options));
  request->call->decoded_body = {.type = object.type, .object = object.object};
  return Changed(request);
}

Result<SharedObject> LocalConnection::Update(const Target& target, const client::ObjectView& object,
                                             const api::meta::v1::UpdateOptions& options) {
  const auto request = NewRequest("update", target);
  TRY(request->call->query, ParametersOf(options));
  request->call->decoded_body = {.type = object.type, .object = object.object};
  return Changed(request);
}

Result<SharedObject> LocalConnection::Patch(const Target& target, client::PatchType type,
                                            std::string_view patch,
                                            const api::meta::v1::PatchOptions& options) {
  const auto request = NewRequest("patch", target);
  TRY(request->call->query, ParametersOf(options));
  request->headers.Add("Content-Type", ContentTypeOf(type));
  request->body = patch;
  request->call->body = request->body;
  return Changed(request);
}

Result<SharedObject> LocalConnection::Delete(const Target& target, const DeleteOptions& options) {
  const auto request = NewRequest("delete", target);
  request->delete_options = options;
  request->call->decoded_body = {.type = &reflect::TypeOf<DeleteOptions>(),
                                 .object = &request->delete_options};
  return Changed(request);
}

Result<void> LocalConnection::DeleteCollection(const Target& target, const DeleteOptions& options,
                                               const api::meta::v1::ListOptions& which) {
  const auto request = NewRequest("deletecollection", target);
  request->delete_options = options;
  request->call->decoded_body = {.type = &reflect::TypeOf<DeleteOptions>(),
                                 .object = &request->delete_options};
  TRY(request->call->query, ParametersOf(which));
  auto outcome = WriteAndWait(request);
  const auto told = Told(*request->call, outcome.ok() ? Result<SharedObject>(SuccessObject())
                                                      : Result<SharedObject>(outcome.error()));
  return told.ok() ? Result<void>() : Result<void>(told.error());
}

Result<std::unique_ptr<client::ObjectWatch>> LocalConnection::Watch(
    const Target& target, const api::meta::v1::ListOptions& options, Ready ready) {
  const auto request = NewRequest("watch", target);
  using WatchPtr = std::unique_ptr<client::ObjectWatch>;
  return Told(*request->call, [&]() -> Result<WatchPtr> {
    TRY(const ServedResource* resource, Begin(*request, options));
    TRY(auto entries, EntryWatch::Create(*dispatcher_.parts().store,
                                         {.resource = resource,
                                          .namespace_ = target.namespace_,
                                          .name = target.name,
                                          .options = options},
                                         std::move(ready)));
    return WatchPtr(std::make_unique<LocalWatch>(std::move(entries), *resource, request->catalog,
                                                 target.metadata_only, request->call->audit));
  }());
}

Result<std::string> LocalConnection::GetRaw(const std::string& path_and_query) {
  const size_t question = path_and_query.find('?');
  const auto request = NewRequest("get", {});
  request->path = path_and_query.substr(0, question);
  Call& call = *request->call;
  call.path = request->path;
  if (question != path_and_query.npos) {
    TRY(call.query, http::ParseQuery(std::string_view(path_and_query).substr(question + 1)));
  }
  TRY(call.info, ReadRequestInfo("GET", request->path, call.query));
  if (const Audit* audit = dispatcher_.parts().audit; audit != nullptr) {
    call.uri = path_and_query;
    call.audit = audit->Begin(call, QuestionOf(*call.user, call.info, call.query));
    call.uri = {};
  }
  TRY_VOID(dispatcher_.Authorize(call));
  auto shared = std::make_shared<Call>(call);
  shared->keeps_alive = request;
  TRY(Answer answer, dispatcher_.parts().paths(shared, request->catalog));
  if (call.audit != nullptr) call.audit->Answer(call, &answer);
  if (answer.status >= 400) {
    return Error(Code::kNotFound, request->path + " answers " + std::to_string(answer.status));
  }
  return std::move(answer.body);
}

}  // namespace podium::apiserver
