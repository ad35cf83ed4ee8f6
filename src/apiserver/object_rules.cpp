#include "apiserver/object_rules.h"

#include <initializer_list>
#include <string_view>

#include "api/defaults.h"
#include "api/status.h"
#include "api/types/apps_v1.h"
#include "api/types/autoscaling_v2.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"
#include "api/types/core_v1.h"
#include "api/types/policy_v1.h"
#include "api/validation/validation.h"
#include "apiserver/body.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "apiserver/custom_resources/custom_rules.h"

namespace podium::apiserver {
namespace {

namespace v1 = api::core::v1;

using api::meta::v1::ObjectMeta;

Result<void> AnswerInvalid(const ServedResource& resource, const reflect::AnyObject& object,
                           const api::field::ErrorList& errors) {
  if (errors.empty()) return {};
  const ObjectMeta* metadata = api::FindObjectMeta(object.type(), object.get());
  return api::InvalidError(resource.group, resource.kind,
                           metadata != nullptr ? metadata->name : std::string(), errors);
}

// Two fields for one fact, the older for a single value: that is what old clients write, so it
// counts where both are given and differ.
template <class Many, class MakeOne, class TextOf>
void KeepTogether(std::string* one, Many* many, MakeOne make_one, TextOf text_of) {
  if (!one->empty() && (many->empty() || text_of(many->front()) != *one)) {
    many->clear();
    many->push_back(make_one(*one));
  }
  if (!many->empty()) *one = text_of(many->front());
}

// Where containers that run first stood before they were a field; old clients still send them.
void DropAnnotations(ObjectMeta* metadata, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const auto found = metadata->annotations.find(key);
    if (found != metadata->annotations.end()) metadata->annotations.erase(found);
  }
}
void DropInitAnnotations(ObjectMeta* metadata) {
  DropAnnotations(metadata, {"pod.beta.kubernetes.io/init-containers",
                             "pod.alpha.kubernetes.io/init-containers",
                             "pod.beta.kubernetes.io/init-container-statuses",
                             "pod.alpha.kubernetes.io/init-container-statuses"});
}

// The template of pods, of kinds that have one.
v1::PodTemplateSpec* TemplateOf(reflect::AnyObject* object) {
  if (auto* each = object->As<api::apps::v1::Deployment>()) return &each->spec.template_;
  if (auto* each = object->As<api::apps::v1::ReplicaSet>()) return &each->spec.template_;
  if (auto* each = object->As<api::apps::v1::StatefulSet>()) return &each->spec.template_;
  if (auto* each = object->As<api::apps::v1::DaemonSet>()) return &each->spec.template_;
  if (auto* each = object->As<api::batch::v1::Job>()) return &each->spec.template_;
  if (auto* each = object->As<api::batch::v1::CronJob>()) {
    return &each->spec.jobTemplate.spec.template_;
  }
  if (auto* each = object->As<api::batch::v1beta1::CronJob>()) {
    return &each->spec.jobTemplate.spec.template_;
  }
  if (auto* each = object->As<v1::ReplicationController>()) return each->spec.template_.get();
  if (auto* each = object->As<v1::PodTemplate>()) return &each->template_;
  return nullptr;
}

// The requirement that says in policy/v1 what an empty selector says in v1beta1: alone it stays,
// next to others it means nothing (pkg/apis/policy/v1, conversion.go).
void DropEmptySelectorLabel(api::meta::v1::LabelSelector* selector) {
  constexpr std::string_view kLabel = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
  auto& expressions = selector->matchExpressions;
  if (selector->matchLabels.empty() && expressions.size() == 1 && expressions[0].key == kLabel &&
      expressions[0].operator_ == "Exists" && expressions[0].values.empty()) {
    return;
  }
  std::erase_if(expressions, [&](const auto& each) { return each.key == kLabel; });
}

// What upstream does where it converts what it has read (k8s.io/kubernetes/pkg/apis/*/*,
// conversion.go; release 1.36).
void Complete(reflect::AnyObject* object) {
  if (v1::PodTemplateSpec* pods = TemplateOf(object)) DropInitAnnotations(&pods->metadata);
  if (auto* secret = object->As<v1::Secret>()) {
    for (auto& [key, text] : secret->stringData) secret->data[key].data = std::move(text);
    secret->stringData.clear();
  } else if (auto* pod = object->As<v1::Pod>()) {
    DropInitAnnotations(&pod->metadata);
    KeepTogether(
        &pod->status.podIP, &pod->status.podIPs,
        [](const std::string& ip) { return v1::PodIP{.ip = ip}; },
        [](const v1::PodIP& ip) { return ip.ip; });
  } else if (auto* node = object->As<v1::Node>()) {
    const auto same = [](const std::string& range) { return range; };
    KeepTogether(&node->spec.podCIDR, &node->spec.podCIDRs, same, same);
  } else if (auto* set = object->As<api::apps::v1::StatefulSet>()) {
    for (v1::PersistentVolumeClaim& claim : set->spec.volumeClaimTemplates) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
    }
  } else if (auto* budget = object->As<api::policy::v1::PodDisruptionBudget>()) {
    if (budget->spec.selector) DropEmptySelectorLabel(&*budget->spec.selector);
  } else if (auto* autoscaler = object->As<api::autoscaling::v2::HorizontalPodAutoscaler>()) {
    // What v1 says with them, v2 has fields for.
    DropAnnotations(&autoscaler->metadata, {"autoscaling.alpha.kubernetes.io/metrics",
                                            "autoscaling.alpha.kubernetes.io/current-metrics",
                                            "autoscaling.alpha.kubernetes.io/behavior",
                                            "autoscaling.alpha.kubernetes.io/conditions",
                                            "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
                                            "autoscaling.alpha.kubernetes.io/scale-up-tolerance"});
  }
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
  Complete(object);
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
