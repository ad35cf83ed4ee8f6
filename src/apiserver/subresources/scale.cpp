#include "apiserver/subresources/scale.h"

#include <fmt/format.h>

#include <string>
#include <type_traits>

#include "api/labels.h"
#include "api/scheme.h"
#include "api/status.h"
#include "api/types/apps_v1.h"
#include "api/types/core_v1.h"
#include "api/validation/validation.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/custom_resources/custom_rules.h"
#include "apiserver/stored_object.h"

namespace podium::apiserver {
namespace {

using api::autoscaling::v1::Scale;
using api::core::v1::ReplicationController;
using reflect::Type;

template <class T>
Result<std::string> SelectorOf(const T& object) {
  if constexpr (std::is_same_v<T, ReplicationController>) {
    return api::labels::Selector::FromSet(object.spec.selector).String();
  } else {
    const auto selector = api::labels::LabelSelectorAsSelector(object.spec.selector);
    if (!selector.ok()) return api::BadRequestError(std::string(selector.error().message()));
    return selector->String();
  }
}

template <class T>
Result<Scale> MakeScale(const T& object) {
  Scale scale;
  scale.kind = "Scale";
  scale.apiVersion = "autoscaling/v1";
  scale.metadata.name = object.metadata.name;
  scale.metadata.namespace_ = object.metadata.namespace_;
  scale.metadata.uid = object.metadata.uid;
  scale.metadata.resourceVersion = object.metadata.resourceVersion;
  scale.metadata.creationTimestamp = object.metadata.creationTimestamp;
  scale.spec.replicas = object.spec.replicas.value_or(0);
  scale.status.replicas = object.status.replicas;
  TRY(scale.status.selector, SelectorOf(object));
  return scale;
}

// Calls `use` with the object as what it is.
template <class Object, class Use>
auto WithKind(const Type& type, Object* object, Use use) -> decltype(use(
    static_cast<std::conditional_t<std::is_const_v<Object>, const ReplicationController,
                                   ReplicationController>*>(nullptr))) {
  const auto as = [&]<class T>(std::type_identity<T>) {
    return static_cast<std::conditional_t<std::is_const_v<Object>, const T, T>*>(object);
  };
  using api::apps::v1::Deployment;
  using api::apps::v1::ReplicaSet;
  using api::apps::v1::StatefulSet;
  if (&type == &reflect::TypeOf<Deployment>()) return use(as(std::type_identity<Deployment>()));
  if (&type == &reflect::TypeOf<ReplicaSet>()) return use(as(std::type_identity<ReplicaSet>()));
  if (&type == &reflect::TypeOf<StatefulSet>()) return use(as(std::type_identity<StatefulSet>()));
  if (&type == &reflect::TypeOf<ReplicationController>()) {
    return use(as(std::type_identity<ReplicationController>()));
  }
  return Error(Code::kUnsupported, std::string(type.name) + " has no scale");
}

}  // namespace

Result<Scale> ScaleOf(const Type& type, const void* object) {
  return WithKind(type, object, [](const auto* each) { return MakeScale(*each); });
}

Result<void> ApplyScale(const Scale& scale, const Type& type, void* object) {
  const auto errors = api::ValidateCreate(scale);
  if (!errors.empty()) {
    return api::InvalidError("autoscaling", "Scale", scale.metadata.name, errors);
  }
  return WithKind(type, object, [&](auto* each) -> Result<void> {
    const std::string& uid = each->metadata.uid;
    if (!scale.metadata.uid.empty() && scale.metadata.uid != uid) {
      const api::Resource* resource =
          api::FindResourceByKind(type.package->group, type.package->version, type.name);
      return api::PreconditionError(
          {type.package->group, resource != nullptr ? resource->plural : ""}, each->metadata.name,
          "UID", scale.metadata.uid, uid);
    }
    each->spec.replicas = scale.spec.replicas;
    return {};
  });
}

Result<Scale> ScaleOf(const ServedResource& resource, const reflect::AnyObject& object,
                      MissingReplicas missing) {
  if (resource.custom == nullptr) return ScaleOf(object.type(), object.get());
  return CustomScaleOf(resource, object, missing == MissingReplicas::kLeast);
}

Result<Scale> ScaleOf(const ServedResource& resource, const store::Entry& entry) {
  if (resource.custom != nullptr) {
    TRY(const reflect::AnyObject object, DecodeCustom(*resource.custom, entry));
    return CustomScaleOf(resource, object, false);
  }
  TRY(const StoredObject* stored, StoredObject::Of(entry));
  TRY(const DecodedPtr decoded, stored->Decode(*resource.stored_type, false));
  return ScaleOf(*resource.stored_type, decoded->get());
}

Result<void> ApplyScale(const Scale& scale, const ServedResource& resource,
                        reflect::AnyObject* object) {
  if (resource.custom != nullptr) return ApplyCustomScale(resource, scale, object);
  return ApplyScale(scale, object->type(), object->get());
}

}  // namespace podium::apiserver
