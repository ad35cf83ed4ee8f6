#include "apiserver/change.h"

#include <algorithm>

#include "api/conversion/conversion.h"
#include "api/status.h"
#include "api/types/rbac_v1.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/custom_resources/custom_rules.h"
#include "apiserver/object_rules.h"
#include "base/random_name.h"
#include "base/text.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::ObjectMeta;
using reflect::AnyObject;

// Upstream gives up as well, after the request's time. Each lost race was somebody else's success.
constexpr int kMostAttempts = 200;

api::Time CutToSeconds(int64_t nanoseconds) {
  return api::Time::FromUnix(nanoseconds / kNanosPerSecond);
}

// What of the object a subresource changes: a scale is the object's own.
std::string_view PartOf(std::string_view subresource) {
  return subresource == "scale" ? std::string_view() : subresource;
}

}  // namespace

Change::Change(const Writer& writer, CallPtr call, const ServedResource& resource, WriteDone done)
    : pass_(writer.Enter()),
      parts_(writer.parts()),
      call_(std::move(call)),
      resource_(resource),
      strategy_(StrategyOf(resource, PartOf(call_->info.subresource))),
      done_(std::move(done)),
      now_(CutToSeconds(parts_.clock->Now())) {}

const Strategy& Change::StrategyOf(const ServedResource& resource, std::string_view part) {
  if (resource.custom != nullptr) {
    return CustomStrategyOf(resource.custom->shown->has_status, part);
  }
  return apiserver::StrategyOf(*resource.stored_type, part);
}

bool Change::MayWait() const { return resource_.custom != nullptr && resource_.custom->may_wait(); }

// Stored objects carry no resourceVersion (store/entry.h).
Result<std::string> Change::TextOf(AnyObject& object) const {
  ObjectMeta& metadata = MetaOf(object);
  metadata.resourceVersion.clear();
  metadata.selfLink.clear();
  if (resource_.custom != nullptr) return TextToStore(*resource_.custom, object);
  std::string json;
  TRY_VOID(reflect::EncodeJson(object.type(), object.get(), &json));
  return json;
}

Result<void> Change::Admit(AdmissionRequest& request, AnyObject* object) {
  TRY_VOID(parts_.admission->Admit(request));
  if (resource_.custom == nullptr || !parts_.admission->MayBlock(request)) return {};
  return TakeCustomAgain(*resource_.custom, object);
}

StrategyContext Change::Context(std::string_view name) {
  return {.objects = parts_.objects,
          .user = call_->user.get(),
          .now = now_,
          .namespace_ = call_->info.namespace_,
          .name = name,
          .version = resource_.version,
          .dry_run = dry_run_,
          .services = parts_.services,
          .warnings = &call_->warnings};
}

AdmissionRequest Change::Admission(Operation operation, std::string_view name) const {
  AdmissionRequest request;
  request.operation = operation;
  request.group = resource_.group;
  request.version = resource_.version;
  request.resource = resource_.plural;
  request.subresource = call_->info.subresource;
  request.kind_group = resource_.group;
  request.kind_version = resource_.version;
  request.kind = resource_.kind;
  if (resource_.namespaced || resource_.plural == "namespaces") {
    request.namespace_ = call_->info.namespace_;
  }
  request.name = name;
  request.builtin = resource_.builtin;
  request.custom = resource_.custom.get();
  request.dry_run = dry_run_;
  request.deadline = call_->deadline;
  request.user = call_->user.get();
  request.warn = [call = call_](std::string warning) { call->Warn(std::move(warning)); };
  request.annotate = [call = call_](std::string key, std::string value) {
    call->annotations.emplace_back(std::move(key), std::move(value));
  };
  return request;
}

Result<NextState> Change::NewState(std::string_view name, AnyObject object,
                                   const AdmissionRequest& request) {
  ObjectMeta& metadata = MetaOf(object);
  metadata.uid = NewUid();
  metadata.creationTimestamp = now();
  TRY_VOID(CheckEscalation(call().info.name, object, nullptr));
  NextState next;
  next.kind = NextState::Kind::kStore;
  next.status = 201;
  next.is_new = true;
  const StrategyContext context = Context(name);
  if (strategy_.begin_create != nullptr) {
    TRY(next.allocation, strategy_.begin_create(context, object.get()));
  }
  PrepareForCreate(strategy_, object.type(), context, object.get());
  TRY_VOID(CheckNewObject(resource_, strategy_, context, object));
  WarnOf(object, nullptr);
  TRY_VOID(parts_.admission->Validate(request));
  next.object = std::move(object);
  return next;
}

void Change::WarnOf(const AnyObject& object, const AnyObject* old) {
  if (resource_.custom != nullptr && PartOf(call_->info.subresource).empty()) {
    for (std::string& warning : WarnOfCustom(object, old)) call_->Warn(std::move(warning));
  }
  if (strategy_.warnings == nullptr) return;
  for (std::string& warning :
       strategy_.warnings(object.get(), old != nullptr ? old->get() : nullptr)) {
    call_->Warn(std::move(warning));
  }
}

Result<AnyObject> Change::Decoded(const store::Entry& entry) const {
  if (resource_.custom != nullptr) return DecodeCustom(*resource_.custom, entry);
  AnyObject object(*resource_.stored_type);
  const auto decoded = reflect::DecodeJsonInto(entry.value(), *resource_.stored_type, object.get(),
                                               {.strict = false});
  if (!decoded.ok()) {
    return Error(Code::kDataLoss, "the stored object " + std::string(entry.key()) +
                                      " cannot be read: " + decoded.error().message());
  }
  MetaOf(object).resourceVersion = std::to_string(entry.mod_revision());
  return object;
}

Result<AnyObject> Change::ToStored(AnyObject object) const {
  if (resource_.stored_as_is()) return object;
  return api::ConvertObject(object.type(), object.get(), *resource_.stored_type);
}

Result<AnyObject> Change::FromStored(const AnyObject& object) const {
  if (!resource_.stored_as_is()) {
    return api::ConvertObject(object.type(), object.get(), *resource_.type);
  }
  AnyObject copy(object.type());
  reflect::CopyObject(object.type(), object.get(), copy.get());
  return copy;
}

Result<void> Change::CheckEscalation(std::string_view name, const AnyObject& object,
                                     const AnyObject* old) {
  if (parts_.escalation == nullptr) return {};
  const EscalationCheck& check = *parts_.escalation;
  const User& user = *call_->user;
  using namespace api::rbac::v1;
  if (const auto* role = object.As<Role>()) {
    return check.CheckRole(user, name, *role, old != nullptr ? old->As<Role>() : nullptr);
  }
  if (const auto* role = object.As<ClusterRole>()) {
    return check.CheckClusterRole(user, name, *role,
                                  old != nullptr ? old->As<ClusterRole>() : nullptr);
  }
  if (const auto* binding = object.As<RoleBinding>()) {
    return check.CheckRoleBinding(user, *binding,
                                  old != nullptr ? old->As<RoleBinding>() : nullptr);
  }
  if (const auto* binding = object.As<ClusterRoleBinding>()) {
    return check.CheckClusterRoleBinding(user, *binding,
                                         old != nullptr ? old->As<ClusterRoleBinding>() : nullptr);
  }
  return {};
}

void Change::Run() { Attempt(); }

void Change::Attempt() {
  if (++attempts_ > kMostAttempts) {
    return Finish(api::ModifiedError(group_resource(), call_->info.name));
  }
  auto current = parts_.store->Get(Key());
  if (!current.ok()) return Finish(std::move(current).error());
  auto next = Compute(*current);
  if (!next.ok()) return Finish(std::move(next).error());
  if (dry_run_) return FinishDry(*current, *std::move(next));
  if (next->kind == NextState::Kind::kStay) {
    WriteOutcome outcome;
    outcome.status = next->status;
    outcome.entry = *current;
    outcome.deleted = !*current;
    return Finish(std::move(outcome));
  }
  Store(*current, *std::move(next));
}

void Change::Store(const store::EntryPtr& current, NextState next) {
  store::Write write{.key = Key()};
  write.expected = current && !next.is_new ? current->mod_revision() : 0;
  if (next.kind == NextState::Kind::kStore) {
    auto json = TextOf(next.object);
    if (!json.ok()) return Finish(std::move(json).error());
    if (current && !next.is_new && current->value() == *json) {
      if (next.allocation != nullptr) next.allocation->Keep();
      WriteOutcome outcome;
      outcome.status = next.status;
      outcome.entry = current;
      return Finish(std::move(outcome));
    }
    write.value = *std::move(json);
  }
  // Of what is not stored as it is shown, the answer is what is here.
  if (!MayWait()) next.object = AnyObject();
  parts_.store->Apply(std::move(write), [self = shared_from_this(),
                                         shared = std::make_shared<NextState>(std::move(next))](
                                            Result<store::Written> written) {
    if (shared->allocation == nullptr) {
      return self->OnStored(std::move(written), shared);
    }
    // Keeping an allocation waits, and so does undoing it.
    auto kept = std::make_shared<Result<store::Written>>(std::move(written));
    self->parts_.executor->Post([self, shared, kept] { self->OnStored(std::move(*kept), shared); });
  });
}

void Change::OnStored(Result<store::Written> written, const std::shared_ptr<NextState>& next) {
  if (!written.ok()) return Finish(std::move(written).error());
  if (!written->changed) return TryAgain();
  if (next->allocation != nullptr) next->allocation->Keep();
  const bool deleted = next->kind == NextState::Kind::kDelete;
  const Strategy& whole = object_strategy();
  if (deleted && whole.after_delete != nullptr) {
    // It may wait, which nothing may on this thread.
    auto object = Decoded(*written->previous);
    if (object.ok()) {
      auto shared = std::make_shared<AnyObject>(*std::move(object));
      parts_.executor->Post([self = shared_from_this(), shared] {
        self->object_strategy().after_delete(self->Context(self->call_->info.name), shared->get());
      });
    }
  }
  if (next->object) KeepForm(*resource_.custom, *written->entry, next->object);
  if (next->then_delete) {
    FirstStored();
    return TryAgain();
  }
  WriteOutcome outcome;
  outcome.status = next->status;
  outcome.entry = deleted ? written->previous : written->entry;
  outcome.deleted = deleted;
  Finish(std::move(outcome));
}

void Change::TryAgain() {
  // Not on the store's thread: computing may take its time.
  parts_.executor->Post([self = shared_from_this()] { self->Attempt(); });
}

void Change::FinishDry(const store::EntryPtr& current, NextState next) {
  // Drops the allocation, which undoes it.
  next.allocation.reset();
  WriteOutcome outcome;
  outcome.status = next.status;
  if (next.kind == NextState::Kind::kStore) {
    MetaOf(next.object).resourceVersion =
        current && !next.is_new ? std::to_string(current->mod_revision()) : std::string();
    outcome.value = std::move(next.object);
  } else {
    outcome.entry = current;
    outcome.deleted = next.kind == NextState::Kind::kDelete;
  }
  Finish(std::move(outcome));
}

void Change::Finish(Result<WriteOutcome> outcome) {
  const WriteDone done = std::exchange(done_, nullptr);
  if (done) done(std::move(outcome));
}

void Writer::Start(std::shared_ptr<Change> change) {
  auto may_wait = change->Prepare();
  if (!may_wait.ok()) return change->Fail(std::move(may_wait).error());
  if (!*may_wait) return change->Run();
  parts_.executor->Post([change = std::move(change)] { change->Run(); });
}

void DropDoubledOwners(Call& call, ObjectMeta* metadata) {
  auto& owners = metadata->ownerReferences;
  if (owners.size() < 2) return;
  std::vector<std::string> doubled;
  for (size_t i = 0; i < owners.size(); ++i) {
    const auto same = [&](const auto& other) { return reflect::Equal(other, owners[i]); };
    const auto later =
        std::remove_if(owners.begin() + static_cast<ptrdiff_t>(i) + 1, owners.end(), same);
    if (later == owners.end()) continue;
    owners.erase(later, owners.end());
    doubled.push_back(owners[i].uid);
  }
  if (doubled.empty()) return;
  call.Warn(
      ".metadata.ownerReferences contains duplicate entries; API server dedups owner references "
      "in 1.20+, and may reject such requests as early as 1.24; please fix your requests; "
      "duplicate UID(s) observed: " +
      Join(doubled, ", "));
}

Result<void> MatchNamespace(std::string_view name_space, ObjectMeta* metadata) {
  if (metadata->namespace_ == name_space) return {};
  if (metadata->namespace_.empty() || name_space.empty()) {
    metadata->namespace_ = name_space;
    return {};
  }
  return api::BadRequestError(
      "the namespace of the provided object does not match the namespace sent on the request");
}

Error UnknownError(std::string message) {
  api::meta::v1::Status status;
  status.kind = "Status";
  status.apiVersion = "v1";
  status.status = "Failure";
  status.code = 500;
  status.message = std::move(message);
  return api::StatusError(std::move(status));
}

}  // namespace podium::apiserver
