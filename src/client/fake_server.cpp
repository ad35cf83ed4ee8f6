#include "client/fake_server.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "api/labels.h"
#include "api/scheme.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "client/fake_watch.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/patch/json_merge_patch.h"
#include "reflect/patch/json_patch.h"
#include "reflect/patch/strategic_patch.h"

namespace podium::client {
namespace {

namespace meta = api::meta::v1;
using reflect::AnyObject;
using reflect::JsonValue;

Result<JsonValue> TreeOf(const reflect::Type& type, const void* object) {
  std::string json;
  TRY_VOID(reflect::EncodeJson(type, object, &json));
  return reflect::ParseJson(json);
}

Result<AnyObject> FromTree(const reflect::Type& type, const JsonValue& tree) {
  AnyObject object(type);
  auto decoded = reflect::DecodeJsonInto(reflect::ToText(tree), type, object.get());
  if (!decoded.ok()) return api::BadRequestError(decoded.error().message());
  return object;
}

AnyObject CopyOf(const ObjectView& object) {
  AnyObject copy(*object.type);
  reflect::CopyObject(*object.type, object.object, copy.get());
  SetKind(*object.type, copy.get());
  return copy;
}

meta::ObjectMeta& MetaOfAny(AnyObject& object) { return *MetaOf(object.type(), object.get()); }

api::GroupResource Named(const Target& target) { return {target.group, target.resource}; }

bool IsDryRun(const reflect::List<std::string>& dry_run) { return !dry_run.empty(); }

// Whether two states differ in what is neither metadata nor status.
bool SpecDiffers(const JsonValue& a, const JsonValue& b) {
  const auto stripped = [](JsonValue tree) {
    tree.Erase("metadata");
    tree.Erase("status");
    return tree;
  };
  return !reflect::Equivalent(stripped(a), stripped(b));
}

// `object`, with everything but `part` as it is in `live`; or just that part.
Result<AnyObject> WithPartOf(const SharedObject& live, const AnyObject& object,
                             std::string_view part, bool take_part_from_live) {
  TRY(JsonValue of_live, TreeOf(live.type(), live.get()));
  TRY(JsonValue of_object, TreeOf(object.type(), object.get()));
  JsonValue& to = take_part_from_live ? of_object : of_live;
  const JsonValue& from = take_part_from_live ? of_live : of_object;
  const JsonValue* value = from.Find(part);
  if (value) {
    to.Set(part, *value);
  } else {
    to.Erase(part);
  }
  return FromTree(live.type(), to);
}

// Of which a write changes the status alone.
bool IsOfStatus(const Target& target) {
  return target.subresource == "status" || target.subresource == "approval";
}

Result<int64_t> ParseVersion(std::string_view text) {
  if (text.empty()) return 0;
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size()) {
    return api::BadRequestError("invalid resource version \"" + std::string(text) + "\"");
  }
  return version;
}

// "5:ns/name": the version that is read, and where the next page begins.
std::string ContinueToken(int64_t version, const std::pair<std::string, std::string>& key) {
  return std::to_string(version) + ":" + key.first + "/" + key.second;
}

}  // namespace

FakeServer::~FakeServer() = default;

std::string FakeServer::ResourceOf(const Target& target) {
  return target.group + "/" + target.version + "/" + target.resource;
}

void FakeServer::SetFault(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

int FakeServer::calls(std::string_view verb) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(verb);
  return found == calls_.end() ? 0 : found->second;
}

int64_t FakeServer::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

Result<void> FakeServer::Begin(std::string_view verb, const Target& target) {
  Fault fault;
  {
    const std::lock_guard lock(mutex_);
    ++calls_[std::string(verb)];
    fault = fault_;
  }
  if (fault) {
    if (auto error = fault(verb, target)) return *std::move(error);
  }
  if (!api::FindResource(target.group, target.version, target.resource)) {
    return api::NoSuchPathError();
  }
  return {};
}

Result<const SharedObject*> FakeServer::FindLocked(const Target& target) const {
  const auto resource = objects_.find(ResourceOf(target));
  if (resource != objects_.end()) {
    const auto found = resource->second.find({target.namespace_, target.name});
    if (found != resource->second.end()) return &found->second;
  }
  return api::NotFoundError(Named(target), target.name);
}

std::map<FakeServer::Key, SharedObject> FakeServer::StateLocked(const std::string& resource,
                                                                int64_t version) const {
  const auto found = objects_.find(resource);
  std::map<Key, SharedObject> state;
  if (found != objects_.end()) state = found->second;
  for (auto change = history_.rbegin(); change != history_.rend(); ++change) {
    if (change->version <= version) break;
    if (change->resource != resource) continue;
    const meta::ObjectMeta& about = *(change->object ? change->object : change->previous).meta();
    const Key key(about.namespace_, about.name);
    if (change->previous) {
      state[key] = change->previous;
    } else {
      state.erase(key);
    }
  }
  return state;
}

SharedObject FakeServer::StoreLocked(const Target& target, AnyObject object,
                                     SharedObject previous) {
  meta::ObjectMeta& metadata = MetaOfAny(object);
  metadata.resourceVersion = std::to_string(++version_);
  const Key key(metadata.namespace_, metadata.name);
  SharedObject stored(std::move(object));
  const std::string resource = ResourceOf(target);
  objects_[resource][key] = stored;
  history_.push_back({version_, resource, stored, std::move(previous), {}});
  return stored;
}

SharedObject FakeServer::RemoveLocked(const Target& target, const SharedObject& object) {
  AnyObject last = CopyOf(object.view());
  meta::ObjectMeta& metadata = MetaOfAny(last);
  metadata.resourceVersion = std::to_string(++version_);
  const Key key(metadata.namespace_, metadata.name);
  SharedObject shared(std::move(last));
  const std::string resource = ResourceOf(target);
  history_.push_back({version_, resource, {}, object, shared});
  objects_[resource].erase(key);
  return shared;
}

Result<SharedObject> FakeServer::Get(const Target& target, const meta::GetOptions& /*options*/) {
  TRY_VOID(Begin("get", target));
  const std::lock_guard lock(mutex_);
  TRY(const SharedObject* const found, FindLocked(target));
  return *found;
}

Result<ObjectList> FakeServer::List(const Target& target, const meta::ListOptions& options) {
  TRY_VOID(Begin("list", target));
  TRY(const Selection selection, Selection::Parse(target, options));
  TRY(const int64_t asked, ParseVersion(options.resourceVersion));
  const std::lock_guard lock(mutex_);
  int64_t at = version_;
  std::string from;
  if (!options.continue_.empty()) {
    const size_t colon = options.continue_.find(':');
    if (colon == std::string::npos) return api::BadRequestError("invalid continue token");
    TRY(at, ParseVersion(std::string_view(options.continue_).substr(0, colon)));
    from = options.continue_.substr(colon + 1);
  } else if (asked > version_) {
    return api::TimeoutError("Too large resource version: " + options.resourceVersion, 1);
  } else if (options.resourceVersionMatch == "Exact") {
    at = asked;
  }
  if (at < compacted_) {
    return api::ExpiredError("The provided continue parameter or resource version is too old");
  }
  ObjectList list;
  list.metadata.resourceVersion = std::to_string(at);
  int64_t left = 0;
  for (const auto& [key, object] : StateLocked(ResourceOf(target), at)) {
    if (!selection.Matches(object) || key.first + "/" + key.second < from) continue;
    if (options.limit > 0 && std::cmp_greater_equal(list.items.size(), options.limit)) {
      if (left++ == 0) list.metadata.continue_ = ContinueToken(at, key);
      continue;
    }
    list.items.push_back(object);
  }
  if (left > 0 && selection.Everything()) list.metadata.remainingItemCount = left;
  return list;
}

Result<SharedObject> FakeServer::BindLocked(const Target& target, const ObjectView& binding) {
  namespace core = api::core::v1;
  if (binding.type != &reflect::TypeOf<core::Binding>()) {
    return api::BadRequestError("the object is no Binding");
  }
  TRY(const SharedObject* const found, FindLocked(target));
  AnyObject copy = CopyOf(found->view());
  auto* pod = copy.As<core::Pod>();
  const auto& node = static_cast<const core::Binding*>(binding.object)->target.name;
  if (!pod->spec.nodeName.empty()) {
    return api::ConflictError(
        Named(target), target.name,
        "pod " + target.name + " is already assigned to node \"" + pod->spec.nodeName + "\"");
  }
  pod->spec.nodeName = node;
  const SharedObject previous = *found;
  StoreLocked(target, std::move(copy), previous);
  return SharedObject(std::make_shared<const meta::Status>(api::SuccessStatus()));
}

Result<SharedObject> FakeServer::Create(const Target& target, const ObjectView& object,
                                        const meta::CreateOptions& options) {
  TRY_VOID(Begin("create", target));
  Result<SharedObject> result = api::MethodNotSupportedError(Named(target), "create");
  {
    const std::lock_guard lock(mutex_);
    if (target.subresource == "binding" && target.resource == "pods") {
      result = BindLocked(target, object);
    } else if (target.subresource == "eviction" && target.resource == "pods") {
      Target pod = target;
      pod.subresource.clear();
      result = DeleteLocked(pod, {});
      if (result.ok()) {
        result = SharedObject(std::make_shared<const meta::Status>(api::SuccessStatus()));
      }
    } else if (target.subresource.empty()) {
      result = CreateLocked(target, object, IsDryRun(options.dryRun));
    }
  }
  WakeAll();
  return result;
}

Result<SharedObject> FakeServer::CreateLocked(const Target& target, const ObjectView& object,
                                              bool dry_run) {
  const api::Resource& resource = *api::FindResource(target.group, target.version, target.resource);
  if (object.type != resource.type) {
    return api::BadRequestError("the object is a " + std::string(object.type->name) + " and no " +
                                std::string(resource.kind));
  }
  AnyObject copy = CopyOf(object);
  meta::ObjectMeta& metadata = MetaOfAny(copy);
  if (!metadata.resourceVersion.empty()) {
    return api::BadRequestError("resourceVersion should not be set on objects to be created");
  }
  if (metadata.namespace_.empty()) metadata.namespace_ = target.namespace_;
  if (metadata.namespace_ != target.namespace_) {
    return api::BadRequestError(
        "the namespace of the provided object does not match the namespace sent on the request");
  }
  if (metadata.name.empty() && !metadata.generateName.empty()) {
    std::string suffix = std::to_string(++named_);
    metadata.name =
        metadata.generateName + std::string(5 - std::min<size_t>(5, suffix.size()), 'x');
    metadata.name += suffix;
  }
  if (metadata.name.empty()) {
    return api::BadRequestError("name or generateName is required");
  }
  Target named = target;
  named.name = metadata.name;
  if (FindLocked(named).ok()) return api::AlreadyExistsError(Named(target), metadata.name);
  char uid[48];
  (void)std::snprintf(uid, sizeof uid, "00000000-0000-4000-8000-%012llx",
                      static_cast<unsigned long long>(version_) + 1);
  metadata.uid = uid;
  metadata.creationTimestamp = api::Time::FromUnix(clock_.Now() / kNanosPerSecond);
  metadata.generation = 1;
  metadata.deletionTimestamp.reset();
  if (dry_run) return SharedObject(std::move(copy));
  return StoreLocked(named, std::move(copy), {});
}

Result<SharedObject> FakeServer::ReplaceLocked(const Target& target, AnyObject object,
                                               const SharedObject& previous, bool dry_run) {
  const meta::ObjectMeta& old = *previous.meta();
  const meta::ObjectMeta given = MetaOfAny(object);
  if (!given.uid.empty() && given.uid != old.uid) {
    return api::PreconditionError(Named(target), target.name, "UID", given.uid, old.uid);
  }
  if (!given.resourceVersion.empty() && given.resourceVersion != old.resourceVersion) {
    return api::ModifiedError(Named(target), target.name);
  }
  if (IsOfStatus(target)) {
    TRY(object, WithPartOf(previous, object, "status", false));
  } else if (api::FindResource(target.group, target.version, target.resource)
                 ->FindSubresource("status")) {
    TRY(object, WithPartOf(previous, object, "status", true));
  }
  meta::ObjectMeta& metadata = MetaOfAny(object);
  metadata.uid = old.uid;
  metadata.resourceVersion = old.resourceVersion;
  metadata.creationTimestamp = old.creationTimestamp;
  metadata.deletionTimestamp = old.deletionTimestamp;
  metadata.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds;
  metadata.generation = old.generation;
  TRY(const JsonValue before, TreeOf(previous.type(), previous.get()));
  TRY(const JsonValue after, TreeOf(object.type(), object.get()));
  if (reflect::Equivalent(before, after)) return previous;
  if (SpecDiffers(before, after)) ++metadata.generation;
  if (dry_run) return SharedObject(std::move(object));
  if (metadata.deletionTimestamp && metadata.finalizers.empty()) {
    StoreLocked(target, std::move(object), previous);
    TRY(const SharedObject* const stored, FindLocked(target));
    return RemoveLocked(target, SharedObject(*stored));
  }
  return StoreLocked(target, std::move(object), previous);
}

Result<SharedObject> FakeServer::Update(const Target& target, const ObjectView& object,
                                        const meta::UpdateOptions& options) {
  TRY_VOID(Begin("update", target));
  Result<SharedObject> result = api::MethodNotSupportedError(Named(target), "update");
  if (!target.subresource.empty() && !IsOfStatus(target)) return result;
  {
    const std::lock_guard lock(mutex_);
    TRY(const SharedObject* const found, FindLocked(target));
    const SharedObject previous = *found;
    AnyObject copy = CopyOf(object);
    if (copy.type().name != previous.type().name || !MetaOf(copy.type(), copy.get()) ||
        MetaOfAny(copy).name != target.name) {
      return api::BadRequestError("the name of the object does not match the name on the URL");
    }
    if (MetaOfAny(copy).namespace_.empty()) MetaOfAny(copy).namespace_ = target.namespace_;
    result = ReplaceLocked(target, std::move(copy), previous, IsDryRun(options.dryRun));
  }
  WakeAll();
  return result;
}

Result<AnyObject> FakeServer::PatchedLocked(PatchType type, std::string_view patch,
                                            const SharedObject& live) const {
  TRY(JsonValue tree, TreeOf(live.type(), live.get()));
  if (type == PatchType::kJson) {
    TRY(const reflect::JsonPatch operations, reflect::JsonPatch::Parse(patch));
    auto applied = operations.Apply(&tree);
    if (!applied.ok()) return api::BadRequestError(applied.error().message());
    return FromTree(live.type(), tree);
  }
  auto changes = reflect::ParseJson(patch);
  if (!changes.ok()) return api::BadRequestError(changes.error().message());
  if (type == PatchType::kStrategicMerge) {
    TRY_VOID(reflect::ApplyStrategicPatch(live.type(), *std::move(changes), &tree));
  } else {
    reflect::ApplyMergePatch(*changes, &tree);
  }
  return FromTree(live.type(), tree);
}

Result<SharedObject> FakeServer::Patch(const Target& target, PatchType type, std::string_view patch,
                                       const meta::PatchOptions& options) {
  TRY_VOID(Begin("patch", target));
  if (!target.subresource.empty() && target.subresource != "status") {
    return api::MethodNotSupportedError(Named(target), "patch");
  }
  Result<SharedObject> result = api::InternalError("nothing was patched");
  {
    const std::lock_guard lock(mutex_);
    if (type == PatchType::kApply) {
      result = ApplyLocked(target, patch, options);
    } else {
      TRY(const SharedObject* const found, FindLocked(target));
      const SharedObject previous = *found;
      TRY(AnyObject object, PatchedLocked(type, patch, previous));
      result = ReplaceLocked(target, std::move(object), previous, IsDryRun(options.dryRun));
    }
  }
  WakeAll();
  return result;
}

Result<SharedObject> FakeServer::ApplyLocked(const Target& target, std::string_view config,
                                             const meta::PatchOptions& options) {
  const api::Resource& resource = *api::FindResource(target.group, target.version, target.resource);
  if (options.fieldManager.empty()) {
    return api::BadRequestError("fieldManager is required for apply patch");
  }
  TRY(const JsonValue wanted, reflect::ParseJson(config));
  const reflect::FieldManager fields({.type = resource.type,
                                      .api_version = resource.type->ApiVersion(),
                                      .kind = std::string(resource.kind),
                                      .subresource = target.subresource});
  const auto found = FindLocked(target);
  JsonValue live;
  if (found.ok()) {
    TRY(live, TreeOf((*found)->type(), (*found)->get()));
  } else {
    TRY(live, fields.NewObject());
  }
  TRY(reflect::ApplyOutcome outcome,
      fields.Apply(std::move(live), wanted,
                   {.manager = options.fieldManager,
                    .time = api::Time::FromUnix(clock_.Now() / kNanosPerSecond).String(),
                    .force = options.force.value_or(false)}));
  if (!outcome.conflicts.empty()) {
    return api::StatusError(api::ApplyConflictStatus(outcome.conflicts));
  }
  TRY(AnyObject object, FromTree(*resource.type, outcome.object));
  const bool dry_run = IsDryRun(options.dryRun);
  if (found.ok()) {
    const SharedObject previous = **found;
    return ReplaceLocked(target, std::move(object), previous, dry_run);
  }
  MetaOfAny(object).name = target.name;
  Target collection = target;
  collection.name.clear();
  return CreateLocked(collection, {object.type(), object.get()}, dry_run);
}

Result<SharedObject> FakeServer::DeleteLocked(const Target& target,
                                              const meta::DeleteOptions& options) {
  TRY(const SharedObject* const found, FindLocked(target));
  const SharedObject previous = *found;
  const meta::ObjectMeta& old = *previous.meta();
  if (const auto* wanted = options.preconditions.get()) {
    if (wanted->uid && *wanted->uid != old.uid) {
      return api::DeletePreconditionError(Named(target), target.name, "UID", *wanted->uid, old.uid);
    }
    if (wanted->resourceVersion && *wanted->resourceVersion != old.resourceVersion) {
      return api::DeletePreconditionError(Named(target), target.name, "ResourceVersion",
                                          *wanted->resourceVersion, old.resourceVersion);
    }
  }
  const bool dry_run = IsDryRun(options.dryRun);
  std::string finalizer;
  if (options.propagationPolicy == "Foreground") finalizer = "foregroundDeletion";
  if (options.propagationPolicy == "Orphan") finalizer = "orphan";
  if (old.finalizers.empty() && finalizer.empty()) {
    if (!dry_run) RemoveLocked(target, previous);
    meta::Status status = api::SuccessStatus();
    status.details.ensure().name = old.name;
    status.details->uid = old.uid;
    status.details->group = target.group;
    status.details->kind = target.resource;
    return SharedObject(std::make_shared<const meta::Status>(std::move(status)));
  }
  if (old.deletionTimestamp) return previous;
  AnyObject copy = CopyOf(previous.view());
  meta::ObjectMeta& metadata = MetaOfAny(copy);
  metadata.deletionTimestamp = api::Time::FromUnix(clock_.Now() / kNanosPerSecond);
  metadata.deletionGracePeriodSeconds = 0;
  if (!finalizer.empty()) metadata.finalizers.push_back(finalizer);
  if (dry_run) return SharedObject(std::move(copy));
  return StoreLocked(target, std::move(copy), previous);
}

Result<SharedObject> FakeServer::Delete(const Target& target, const meta::DeleteOptions& options) {
  TRY_VOID(Begin("delete", target));
  Result<SharedObject> result = api::InternalError("nothing was deleted");
  {
    const std::lock_guard lock(mutex_);
    result = DeleteLocked(target, options);
  }
  WakeAll();
  return result;
}

Result<void> FakeServer::DeleteCollection(const Target& target, const meta::DeleteOptions& options,
                                          const meta::ListOptions& which) {
  TRY_VOID(Begin("deletecollection", target));
  TRY(const Selection selection, Selection::Parse(target, which));
  Result<void> result;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, object] : StateLocked(ResourceOf(target), version_)) {
      if (!selection.Matches(object)) continue;
      Target one = target;
      one.namespace_ = key.first;
      one.name = key.second;
      auto deleted = DeleteLocked(one, options);
      if (!deleted.ok() && result.ok()) result = std::move(deleted).error();
    }
  }
  WakeAll();
  return result;
}

Result<std::string> FakeServer::GetRaw(const std::string& path_and_query) {
  if (path_and_query != "/version") return api::NoSuchPathError();
  return std::string(R"({"major":"1","minor":"36"})");
}

}  // namespace podium::client
