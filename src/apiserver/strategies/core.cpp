// Kinds of the core group but pods and services (upstream's pkg/registry/core).

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "api/types/core_v1.h"
#include "apiserver/strategies/rows.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using namespace api::core::v1;  // NOLINT: a dozen kinds, named once
using api::field::Path;

constexpr std::string_view kKubernetes = "kubernetes";

void PrepareNewNamespace(const StrategyContext&, Namespace& name_space) {
  name_space.status.phase = "Active";
  auto& finalizers = name_space.spec.finalizers;
  if (std::ranges::find(finalizers, kKubernetes) == finalizers.end()) {
    finalizers.emplace_back(kKubernetes);
  }
  // Defaults did this as far as the name was known; now it is.
  name_space.metadata.labels["kubernetes.io/metadata.name"] = name_space.metadata.name;
}

// Its content is deleted first, which the namespace controller does and then says.
bool IsNamespaceHeld(const void* object) {
  return !static_cast<const Namespace*>(object)->spec.finalizers.empty();
}

void MarkNamespaceDeleting(void* object) {
  auto& name_space = *static_cast<Namespace*>(object);
  name_space.status.phase = "Terminating";
  // Upstream deletes namespaces by a way of their own, which says no grace.
  name_space.metadata.deletionGracePeriodSeconds.reset();
}

void PrepareNamespace(const StrategyContext&, Namespace& name_space, const Namespace& old) {
  name_space.spec.finalizers = old.spec.finalizers;
}

// Of secrets nothing but the name counts.
void CleanSecrets(const StrategyContext&, ServiceAccount& account) {
  for (ObjectReference& secret : account.secrets) {
    ObjectReference clean;
    clean.name = std::move(secret.name);
    secret = std::move(clean);
  }
}
void PrepareAccount(const StrategyContext& context, ServiceAccount& account,
                    const ServiceAccount&) {
  CleanSecrets(context, account);
}

void PrepareSecret(const StrategyContext&, Secret& secret, const Secret& old) {
  if (secret.type.empty()) secret.type = old.type;
}

void PrepareNewVolume(const StrategyContext& context, PersistentVolume& volume) {
  volume.status.phase = "Pending";
  volume.status.lastPhaseTransitionTime = context.now;
}

void PrepareVolumeStatus(const StrategyContext& context, PersistentVolume& volume,
                         const PersistentVolume& old) {
  const auto& before = old.status.lastPhaseTransitionTime;
  auto& when = volume.status.lastPhaseTransitionTime;
  if (volume.status.phase == old.status.phase) {
    if (!when) when = before;
  } else if (!when || when == before) {
    when = context.now;
  }
}

bool IsOldDataSource(const TypedLocalObjectReference& source) {
  const std::string group = source.apiGroup.value_or("");
  return (group.empty() && source.kind == "PersistentVolumeClaim") ||
         (group == "snapshot.storage.k8s.io" && source.kind == "VolumeSnapshot");
}

// dataSource takes two kinds and drops others silently, dataSourceRef takes all; each is written
// into the other (upstream's pkg/api/persistentvolumeclaim, KEP 1495).
void NormalizeDataSources(const PersistentVolumeClaimSpec* old, PersistentVolumeClaimSpec* spec) {
  // CrossNamespaceVolumeDataSource is alpha.
  const bool had_reference = old != nullptr && old->dataSourceRef;
  if (!had_reference && spec->dataSourceRef && spec->dataSourceRef->namespace_) {
    spec->dataSourceRef.reset();
  }
  const bool had_source = old != nullptr && old->dataSource;
  if (spec->dataSource && !had_source && !IsOldDataSource(*spec->dataSource)) {
    spec->dataSource.reset();
  }
  if (spec->dataSource && !spec->dataSourceRef) {
    TypedObjectReference& reference = spec->dataSourceRef.emplace();
    reference.apiGroup = spec->dataSource->apiGroup;
    reference.kind = spec->dataSource->kind;
    reference.name = spec->dataSource->name;
  } else if (spec->dataSourceRef && !spec->dataSource &&
             spec->dataSourceRef->namespace_.value_or("").empty()) {
    TypedLocalObjectReference& reference = spec->dataSource.emplace();
    reference.apiGroup = spec->dataSourceRef->apiGroup;
    reference.kind = spec->dataSourceRef->kind;
    reference.name = spec->dataSourceRef->name;
  }
}

void PrepareNewClaim(const StrategyContext&, PersistentVolumeClaim& claim) {
  claim.status.phase = "Pending";
  NormalizeDataSources(nullptr, &claim.spec);
}

void PrepareClaim(const StrategyContext&, PersistentVolumeClaim& claim,
                  const PersistentVolumeClaim& old) {
  NormalizeDataSources(&old.spec, &claim.spec);
}

std::vector<std::string> WarnOfClaim(const PersistentVolumeClaim& claim,
                                     const PersistentVolumeClaim*) {
  std::vector<std::string> warnings;
  if (claim.metadata.annotations.contains("volume.beta.kubernetes.io/storage-class")) {
    warnings.emplace_back(
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "
        "\"storageClassName\" attribute instead");
  }
  const auto warn = [&](std::string_view field, const reflect::Map<api::Quantity>& amounts) {
    const auto found = amounts.find("storage");
    if (found == amounts.end() || found->second.MilliValue() % 1000 == 0) return;
    warnings.push_back(fmt::format(
        "spec.resources.{}[storage]: fractional byte value {} is invalid, must be an integer",
        field, reflect::GoQuoted(found->second.String())));
  };
  warn("requests", claim.spec.resources.requests);
  warn("limits", claim.spec.resources.limits);
  return warnings;
}

std::vector<std::string> WarnOfVolume(const PersistentVolume& volume, const PersistentVolume*) {
  std::vector<std::string> warnings;
  const Path spec("spec");
  const auto warn = [&](bool used, std::string_view field, std::string_view why) {
    if (used) warnings.push_back(spec.Child(field).String() + ": " + std::string(why));
  };
  for (const char* name :
       {"volume.beta.kubernetes.io/storage-class", "volume.beta.kubernetes.io/mount-options"}) {
    if (!volume.metadata.annotations.contains(name)) continue;
    const bool is_class = std::string_view(name).ends_with("storage-class");
    const Path metadata("metadata");
    const Path annotations = metadata.Child("annotations");
    warnings.push_back(annotations.Key(name).String() +
                       (is_class
                            ? ": deprecated since v1.8; use \"storageClassName\" attribute instead"
                            : ": deprecated since v1.31; use \"mountOptions\" attribute instead"));
  }
  warn(volume.spec.photonPersistentDisk.has_value(), "photonPersistentDisk",
       "deprecated in v1.11, non-functional in v1.16+");
  warn(volume.spec.scaleIO.has_value(), "scaleIO", "deprecated in v1.16, non-functional in v1.22+");
  warn(volume.spec.flocker.has_value(), "flocker", "deprecated in v1.22, non-functional in v1.25+");
  warn(volume.spec.storageos.has_value(), "storageOS",
       "deprecated in v1.22, non-functional in v1.25+");
  warn(volume.spec.quobyte.has_value(), "quobyte", "deprecated in v1.22, non-functional in v1.25+");
  warn(volume.spec.glusterfs.has_value(), "glusterfs",
       "deprecated in v1.25, non-functional in v1.26+");
  warn(volume.spec.cephfs.has_value(), "cephfs", "deprecated in v1.28, non-functional in v1.31+");
  warn(volume.spec.rbd.has_value(), "rbd", "deprecated in v1.28, non-functional in v1.31+");
  warn(volume.spec.persistentVolumeReclaimPolicy == "Recycle", "persistentVolumeReclaimPolicy",
       "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use "
       "dynamic provisioning.");
  return warnings;
}

template <class T>
Strategy Plain(bool create_on_update = false) {
  return {.type = &reflect::TypeOf<T>(), .create_on_update = create_on_update};
}

}  // namespace

std::span<const Strategy> CoreStrategies() {
  static const Strategy kRows[] = {
      Plain<ConfigMap>(),
      Plain<Endpoints>(true),
      Plain<Event>(true),
      Plain<LimitRange>(true),
      {.type = &reflect::TypeOf<Namespace>(),
       .has_status = true,
       .prepare_create = Create<Namespace, PrepareNewNamespace>,
       .prepare_update = Update<Namespace, PrepareNamespace>,
       .returns_deleted = true,
       .held = IsNamespaceHeld,
       .mark_deleting = MarkNamespaceDeleting},
      StatusOf<Namespace>(),
      {.type = &reflect::TypeOf<Namespace>(), .subresource = "finalize", .own_field = "spec"},
      {.type = &reflect::TypeOf<Node>(), .has_status = true, .created_with_status = true},
      StatusOf<Node>(),
      {.type = &reflect::TypeOf<PersistentVolume>(),
       .has_status = true,
       .prepare_create = Create<PersistentVolume, PrepareNewVolume>,
       .warnings = Warn<PersistentVolume, WarnOfVolume>,
       .returns_deleted = true},
      {.type = &reflect::TypeOf<PersistentVolume>(),
       .subresource = "status",
       .own_field = "status",
       .prepare_update = Update<PersistentVolume, PrepareVolumeStatus>},
      {.type = &reflect::TypeOf<PersistentVolumeClaim>(),
       .has_status = true,
       .prepare_create = Create<PersistentVolumeClaim, PrepareNewClaim>,
       .prepare_update = Update<PersistentVolumeClaim, PrepareClaim>,
       .warnings = Warn<PersistentVolumeClaim, WarnOfClaim>,
       .returns_deleted = true},
      StatusOf<PersistentVolumeClaim>(),
      {.type = &reflect::TypeOf<ResourceQuota>(), .has_status = true, .returns_deleted = true},
      StatusOf<ResourceQuota>(),
      {.type = &reflect::TypeOf<Secret>(), .prepare_update = Update<Secret, PrepareSecret>},
      {.type = &reflect::TypeOf<ServiceAccount>(),
       .prepare_create = Create<ServiceAccount, CleanSecrets>,
       .prepare_update = Update<ServiceAccount, PrepareAccount>,
       .returns_deleted = true},
  };
  return kRows;
}

}  // namespace podium::apiserver
