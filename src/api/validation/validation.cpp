#include "api/validation/validation.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "api/names.h"
#include "api/scheme.h"
#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/batch_v1beta1.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "api/validation/common.h"
#include "api/validation/config_map.h"
#include "api/validation/cron_job.h"
#include "api/validation/daemon_set.h"
#include "api/validation/deployment.h"
#include "api/validation/job.h"
#include "api/validation/object_meta.h"
#include "api/validation/pod.h"
#include "api/validation/pod_template_object.h"
#include "api/validation/replica_set.h"
#include "api/validation/replication_controller.h"
#include "api/validation/secret.h"
#include "api/validation/stateful_set.h"
#include "reflect/copy.h"

namespace podium::api {

using core::v1::Pod;
using field::ErrorList;
using field::Path;
using meta::v1::ObjectMeta;
using reflect::Type;

namespace {

ErrorList CreatePod(const Pod& pod) {
  Pod prepared = reflect::Copy(pod);
  MergeMatchLabelKeys(&prepared);
  PodValidationOptions options = PodValidationOptionsFor(nullptr, nullptr);
  options.resource_is_pod = true;
  return ValidatePodCreate(prepared, options);
}

ErrorList UpdatePod(const Pod& pod, const Pod& old_pod) {
  PodValidationOptions options = PodValidationOptionsFor(&old_pod.spec, &old_pod.metadata);
  options.resource_is_pod = true;
  return ValidatePodUpdate(pod, old_pod, options);
}

// The rules of one kind, with the types of its objects taken off.
struct KindRules {
  const Type* type;
  ErrorList (*create)(const void* object);
  ErrorList (*update)(const void* new_object, const void* old_object);
};

template <class T, ErrorList (*create)(const T&), ErrorList (*update)(const T&, const T&)>
KindRules Rules() {
  return {.type = &reflect::TypeOf<T>(),
          .create = [](const void* object) { return create(*static_cast<const T*>(object)); },
          .update =
              [](const void* new_object, const void* old_object) {
                return update(*static_cast<const T*>(new_object),
                              *static_cast<const T*>(old_object));
              }};
}

// Null when the kind has none.
const KindRules* FindRules(const Type& type) {
  using namespace apps::v1;   // NOLINT: nine kinds, named once
  using namespace batch::v1;  // NOLINT: likewise
  static const KindRules kRules[] = {
      Rules<Pod, CreatePod, UpdatePod>(),
      Rules<core::v1::PodTemplate, ValidatePodTemplate, ValidatePodTemplateUpdate>(),
      Rules<core::v1::ReplicationController, ValidateReplicationController,
            ValidateReplicationControllerUpdate>(),
      Rules<core::v1::ConfigMap, ValidateConfigMap, ValidateConfigMapUpdate>(),
      Rules<core::v1::Secret, ValidateSecret, ValidateSecretUpdate>(),
      Rules<ReplicaSet, ValidateReplicaSet, ValidateReplicaSetUpdate>(),
      Rules<Deployment, ValidateDeployment, ValidateDeploymentUpdate>(),
      Rules<DaemonSet, ValidateDaemonSet, ValidateDaemonSetUpdate>(),
      Rules<StatefulSet, ValidateStatefulSet, ValidateStatefulSetUpdate>(),
      Rules<Job, ValidateJob, ValidateJobUpdate>(),
      Rules<CronJob, ValidateCronJob, ValidateCronJobUpdate>(),
      Rules<batch::v1beta1::CronJob, ValidateCronJob, ValidateCronJobUpdate>(),
  };
  auto found = std::ranges::find(kRules, &type, &KindRules::type);
  return found == std::end(kRules) ? nullptr : &*found;
}

Scope ScopeOf(const Type& type) {
  const reflect::Package& package = *type.package;
  const Resource* resource = FindResourceByKind(package.group, package.version, type.name);
  return resource && !resource->namespaced ? Scope::kCluster : Scope::kNamespaced;
}

// Most names are DNS subdomains.
NameRule NameRuleOf(const Type& type) {
  std::string_view group = type.package->group;
  if (group.empty() && IsOneOf(type.name, {"Namespace", "Service"})) return NameIsDNSLabel;
  if (group == "rbac.authorization.k8s.io") return NameIsPathSegment;
  return NameIsDNSSubdomain;
}

// Kinds that are questions to the server: they have metadata, but nothing of it is required.
constexpr std::string_view kRequests[] = {"Binding",
                                          "Eviction",
                                          "LocalSubjectAccessReview",
                                          "Scale",
                                          "SelfSubjectAccessReview",
                                          "SelfSubjectReview",
                                          "SelfSubjectRulesReview",
                                          "SubjectAccessReview",
                                          "TokenRequest",
                                          "TokenReview"};

// Null where there is no metadata to check.
const ObjectMeta* MetaOf(const Type& type, const void* object) {
  if (std::ranges::find(kRequests, type.name) != std::end(kRequests)) return nullptr;
  const reflect::Field* field = type.Find("metadata");
  if (!field || field->type != &reflect::TypeOf<ObjectMeta>()) return nullptr;
  return static_cast<const ObjectMeta*>(field->at(object));
}

}  // namespace

ErrorList ValidateCreate(const Type& type, const void* object) {
  if (const KindRules* rules = FindRules(type)) return rules->create(object);
  const ObjectMeta* meta = MetaOf(type, object);
  if (!meta) return {};
  return ValidateObjectMeta(*meta, ScopeOf(type), NameRuleOf(type), Path("metadata"));
}

ErrorList ValidateUpdate(const Type& type, const void* new_object, const void* old_object) {
  if (const KindRules* rules = FindRules(type)) return rules->update(new_object, old_object);
  const ObjectMeta* meta = MetaOf(type, new_object);
  if (!meta) return {};
  return ValidateObjectMetaUpdate(*meta, *MetaOf(type, old_object), Path("metadata"));
}

}  // namespace podium::api
