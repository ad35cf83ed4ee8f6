#include "apiserver/object_rules.h"

#include "api/defaults.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "api/validation/validation.h"
#include "apiserver/body.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/custom_resources/custom_rules.h"

namespace podium::apiserver {
namespace {

using api::meta::v1::ObjectMeta;

Result<void> AnswerInvalid(const ServedResource& resource, const reflect::AnyObject& object,
                           const api::field::ErrorList& errors) {
  if (errors.empty()) return {};
  const ObjectMeta* metadata = api::FindObjectMeta(object.type(), object.get());
  return api::InvalidError(resource.group, resource.kind,
                           metadata != nullptr ? metadata->name : std::string(), errors);
}

}  // namespace

Result<reflect::AnyObject> DecodeObject(Call& call, const ServedResource& resource,
                                        FieldValidation validation) {
  if (resource.custom != nullptr) return DecodeCustomBody(call, resource, validation);
  return DecodeBody(call,
                    {.type = resource.type,
                     .group = resource.group,
                     .version = resource.version,
                     .kind = resource.kind},
                    validation);
}

void SetObjectDefaults(reflect::AnyObject* object, api::Time now) {
  // Upstream does this where it converts what it has read.
  if (auto* secret = object->As<api::core::v1::Secret>()) {
    for (auto& [key, text] : secret->stringData) secret->data[key].data = std::move(text);
    secret->stringData.clear();
  }
  api::SetDefaults(object->type(), object->get(), {.now = now});
}

void WipeSystemFields(ObjectMeta* metadata) {
  metadata->creationTimestamp = {};
  metadata->uid.clear();
  metadata->selfLink.clear();
  metadata->deletionTimestamp.reset();
  metadata->deletionGracePeriodSeconds.reset();
}

Result<void> CheckNewObject(const ServedResource& resource, const Strategy& strategy,
                            const StrategyContext& context, const reflect::AnyObject& object) {
  if (resource.custom != nullptr) return CheckNewCustom(resource, object);
  api::field::ErrorList errors = api::ValidateCreate(object.type(), object.get());
  if (strategy.validate_create != nullptr) {
    errors.Append(strategy.validate_create(context, object.get()));
  }
  return AnswerInvalid(resource, object, errors);
}

Result<void> CheckChangedObject(const ServedResource& resource, std::string_view subresource,
                                const Strategy& strategy, const StrategyContext& context,
                                const reflect::AnyObject& object, const reflect::AnyObject& old) {
  if (resource.custom != nullptr) return CheckChangedCustom(resource, subresource, object, old);
  api::field::ErrorList errors =
      subresource.empty()
          ? api::ValidateUpdate(object.type(), object.get(), old.get())
          : api::ValidateSubresourceUpdate(object.type(), subresource, object.get(), old.get());
  if (strategy.validate_update != nullptr) {
    errors.Append(strategy.validate_update(context, object.get(), old.get()));
  }
  return AnswerInvalid(resource, object, errors);
}

void KeepSystemFields(const ObjectMeta& old, ObjectMeta* metadata) {
  if (metadata->uid.empty()) metadata->uid = old.uid;
  metadata->creationTimestamp = old.creationTimestamp;
  if (old.deletionTimestamp) metadata->deletionTimestamp = old.deletionTimestamp;
  if (old.deletionGracePeriodSeconds && !metadata->deletionGracePeriodSeconds) {
    metadata->deletionGracePeriodSeconds = old.deletionGracePeriodSeconds;
  }
}

bool IsReadyToGo(const Strategy& strategy, const reflect::AnyObject& object) {
  const ObjectMeta* metadata = api::FindObjectMeta(object.type(), object.get());
  if (metadata == nullptr || !metadata->deletionTimestamp || !metadata->finalizers.empty()) {
    return false;
  }
  if (metadata->deletionGracePeriodSeconds.value_or(0) > 0) return false;
  return strategy.held == nullptr || !strategy.held(object.get());
}

}  // namespace podium::apiserver
