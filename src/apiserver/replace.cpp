#include "apiserver/replace.h"

#include <utility>

#include "api/status.h"
#include "apiserver/managed_fields.h"
#include "apiserver/object_rules.h"
#include "apiserver/storage_keys.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::ObjectMeta;
using reflect::AnyObject;

}  // namespace

bool Replacement::Begin(Operation operation) {
  subresource_ = call().info.subresource;
  key_ = KeyOf(resource().prefix, resource().namespaced ? call().info.namespace_ : "",
               call().info.name);
  return MayWait() || strategy().begin_update != nullptr || strategy().begin_create != nullptr ||
         parts().admission->MayBlock(Admission(operation, call().info.name));
}

Result<void> Replacement::CheckPlace(ObjectMeta* metadata) {
  TRY_VOID(MatchNamespace(resource().namespaced ? call().info.namespace_ : "", metadata));
  const std::string name(call().info.name);
  if (metadata->name == name) return {};
  if (metadata->name.empty()) {
    return api::BadRequestError("the name of the object (" + name +
                                " based on URL) was undeterminable: name must be provided");
  }
  return api::BadRequestError("the name of the object (" + metadata->name +
                              ") does not match the name on the URL (" + name + ")");
}

AdmissionRequest Replacement::RequestFor(Operation operation, AnyObject* object,
                                         const AnyObject* old) {
  AdmissionRequest request = Admission(operation, call().info.name);
  request.type = &object->type();
  request.object = object->get();
  if (old != nullptr) {
    request.old_type = &old->type();
    request.old_object = old->get();
  }
  SetOptions(&request);
  return request;
}

Result<NextState> Replacement::Compute(const store::EntryPtr& current) {
  if (!current) {
    if (!MayCreate()) return api::NotFoundError(group_resource(), call().info.name);
    return ComputeCreate();
  }
  TRY(AnyObject old, Decoded(*current));
  TRY(const AnyObject live, FromStored(old));
  TRY(AnyObject wanted, Wanted(&live));
  ObjectMeta& metadata = MetaOf(wanted);
  TRY_VOID(CheckPlace(&metadata));
  DropDoubledOwners(call(), &metadata);
  if (!TracksItself()) {
    TRY_VOID(TrackFields(resource(), subresource_, manager_, now(), live.get(), &wanted));
  }
  TRY(AnyObject object, ToStored(std::move(wanted)));
  AdmissionRequest request = RequestFor(Operation::kUpdate, &object, &old);
  TRY_VOID(Admit(request, &object));
  TRY_VOID(CheckVersion(*current, &MetaOf(object)));
  return Finished(current, std::move(old), std::move(object));
}

Result<void> Replacement::CheckVersion(const store::Entry& current, ObjectMeta* metadata) {
  const std::string newest = std::to_string(current.mod_revision());
  if (metadata->resourceVersion.empty() || metadata->resourceVersion == "0") {
    if (!Unconditional()) {
      const api::field::ErrorList errors = {
          api::field::Invalid(api::field::Path("metadata").Child("resourceVersion"), 0,
                              "must be specified for an update")};
      return api::InvalidError(resource().group, resource().kind, metadata->name, errors);
    }
    metadata->resourceVersion = newest;
  }
  if (metadata->resourceVersion != newest) {
    return api::ModifiedError(group_resource(), metadata->name);
  }
  return {};
}

Result<NextState> Replacement::Finished(const store::EntryPtr& current, AnyObject old,
                                        AnyObject object) {
  const ObjectMeta& old_metadata = MetaOf(old);
  ObjectMeta& metadata = MetaOf(object);
  if (!metadata.uid.empty() && metadata.uid != old_metadata.uid) {
    return api::PreconditionError(group_resource(), metadata.name, "UID", metadata.uid,
                                  old_metadata.uid);
  }
  TRY_VOID(CheckEscalation(call().info.name, object, &old));
  const StrategyContext context = Context(call().info.name);
  NextState next;
  next.kind = NextState::Kind::kStore;
  if (strategy().begin_update != nullptr) {
    TRY(next.allocation, strategy().begin_update(context, object.get(), old.get()));
  }
  PrepareForUpdate(strategy(), object.type(), context, object.get(), old.get());
  KeepSystemFields(old_metadata, &metadata);
  // A scale changes the object itself.
  const std::string_view part = subresource_ == "scale" ? std::string_view() : subresource_;
  TRY_VOID(CheckChangedObject(resource(), part, strategy(), context, object, old));
  WarnOf(object, &old);
  AdmissionRequest request = RequestFor(Operation::kUpdate, &object, &old);
  TRY_VOID(parts().admission->Validate(request));
  if (IsReadyToGo(object_strategy(), object)) {
    next.kind = NextState::Kind::kDelete;
    return next;
  }
  const bool same = SameButForTimes(object.type(), object.get(), old.get());
  // A write that changes nothing of a custom resource still brings what is stored to the storage
  // version of now; the store sees where that changes nothing either.
  if (same && resource().custom != nullptr) {
    next.object = std::move(old);
    return next;
  }
  if (same) {
    next.kind = NextState::Kind::kStay;
    if (next.allocation != nullptr) next.allocation->Keep();
    return next;
  }
  (void)current;
  next.object = std::move(object);
  return next;
}

Result<NextState> Replacement::ComputeCreate() {
  TRY(AnyObject wanted, Wanted(nullptr));
  ObjectMeta& metadata = MetaOf(wanted);
  TRY_VOID(CheckPlace(&metadata));
  if (!metadata.resourceVersion.empty() && metadata.resourceVersion != "0") {
    return api::NotFoundError(group_resource(), call().info.name);
  }
  metadata.resourceVersion.clear();
  WipeSystemFields(&metadata);
  DropDoubledOwners(call(), &metadata);
  if (!TracksItself()) {
    TRY_VOID(TrackFields(resource(), subresource_, manager_, now(), nullptr, &wanted));
  }
  TRY(AnyObject object, ToStored(std::move(wanted)));
  AdmissionRequest request = RequestFor(Operation::kCreate, &object, nullptr);
  TRY_VOID(Admit(request, &object));
  request = RequestFor(Operation::kCreate, &object, nullptr);
  return NewState(call().info.name, std::move(object), request);
}

}  // namespace podium::apiserver
