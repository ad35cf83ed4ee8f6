// Kinds of the core group but pods and services (upstream's pkg/registry/core).

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "api/key_pair.h"
#include "api/types/core_v1.h"
#include "apiserver/strategies/address_warnings.h"
#include "apiserver/strategies/pod_spec_rules.h"
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
// into the other where only one is given (upstream's pkg/api/persistentvolumeclaim, KEP 1495). What
// an old claim has it keeps.
void NormalizeDataSources(const PersistentVolumeClaimSpec* old, PersistentVolumeClaimSpec* spec) {
  // CrossNamespaceVolumeDataSource is alpha.
  const bool had_reference = old != nullptr && old->dataSourceRef;
  const auto is_elsewhere = [](const TypedObjectReference& reference) {
    return !reference.namespace_.value_or("").empty();
  };
  if (!had_reference && spec->dataSourceRef && is_elsewhere(*spec->dataSourceRef)) {
    spec->dataSourceRef.reset();
  }
  const bool had_source = had_reference || (old != nullptr && old->dataSource);
  if (!had_source && !spec->dataSourceRef && spec->dataSource &&
      !IsOldDataSource(*spec->dataSource)) {
    spec->dataSource.reset();
  }
  if (spec->dataSource && !spec->dataSourceRef) {
    TypedObjectReference& reference = spec->dataSourceRef.emplace();
    reference.apiGroup = spec->dataSource->apiGroup;
    reference.kind = spec->dataSource->kind;
    reference.name = spec->dataSource->name;
  } else if (spec->dataSourceRef && !spec->dataSource && !is_elsewhere(*spec->dataSourceRef)) {
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
  WarnOfClaimSpec(claim.spec, Path("spec"), &warnings);
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
  if (volume.spec.nodeAffinity && volume.spec.nodeAffinity->required) {
    const auto& terms = volume.spec.nodeAffinity->required->nodeSelectorTerms;
    const Path affinity = spec.Child("nodeAffinity");
    const Path required = affinity.Child("required");
    const Path at = required.Child("nodeSelectorTerms");
    for (size_t i = 0; i < terms.size(); ++i) {
      WarnOfNodeTerm(terms[i], at.Index(i), false, &warnings);
    }
  }
  return warnings;
}

// The controller that writes most of them has made its addresses good.
std::vector<std::string> WarnOfEndpoints(const Endpoints& endpoints, const Endpoints*) {
  const auto& labels = endpoints.metadata.labels;
  const auto manager = labels.find("endpoints.kubernetes.io/managed-by");
  if (manager != labels.end() && manager->second == "endpoint-controller") return {};
  std::vector<std::string> warnings;
  const Path subsets("subsets");
  for (size_t i = 0; i < endpoints.subsets.size(); ++i) {
    const Path subset = subsets.Index(i);
    const auto warn = [&](const auto& addresses, std::string_view field) {
      const Path at = subset.Child(field);
      for (size_t j = 0; j < addresses.size(); ++j) {
        const Path address = at.Index(j);
        WarnOfIP(address.Child("ip"), addresses[j].ip, &warnings);
      }
    };
    warn(endpoints.subsets[i].addresses, "addresses");
    warn(endpoints.subsets[i].notReadyAddresses, "notReadyAddresses");
  }
  return warnings;
}

std::vector<std::string> WarnOfAccount(const ServiceAccount& account, const ServiceAccount*) {
  constexpr std::string_view kMountable = "kubernetes.io/enforce-mountable-secrets";
  if (!account.metadata.annotations.contains(kMountable)) return {};
  return {
      "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer "
      "separate namespaces to isolate access to mounted secrets"};
}

std::vector<std::string> WarnOfSecret(const Secret& secret, const Secret*) {
  if (secret.type != "kubernetes.io/tls") return {};
  const auto part = [&](std::string_view key) -> std::string_view {
    const auto found = secret.data.find(key);
    return found != secret.data.end() ? std::string_view(found->second.data) : std::string_view();
  };
  const auto checked = api::CheckKeyPair(part("tls.crt"), part("tls.key"));
  if (checked.ok()) return {};
  return {checked.error().message()};
}

// What kubelets of old took settings from; an object that has it keeps it.
void PrepareNewNode(const StrategyContext&, Node& node) {
  node.spec.configSource.reset();
  node.status.config.reset();
}
void PrepareNode(const StrategyContext&, Node& node, const Node& old) {
  if (!old.spec.configSource) node.spec.configSource.reset();
}
void PrepareNodeStatus(const StrategyContext&, Node& node, const Node& old) {
  if (!old.status.config) node.status.config.reset();
}

std::vector<std::string> WarnOfNode(const Node& node, const Node*) {
  std::vector<std::string> warnings;
  if (node.spec.configSource) {
    warnings.emplace_back("spec.configSource: the feature is removed");
  }
  if (!node.spec.externalID.empty()) {
    warnings.emplace_back("spec.externalID: this field is deprecated, and is unused by Kubernetes");
  }
  const Path spec("spec");
  const Path ranges = spec.Child("podCIDRs");
  for (size_t i = 0; i < node.spec.podCIDRs.size(); ++i) {
    WarnOfCIDR(ranges.Index(i), node.spec.podCIDRs[i], &warnings);
  }
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
      {.type = &reflect::TypeOf<Endpoints>(),
       .warnings = Warn<Endpoints, WarnOfEndpoints>,
       .create_on_update = true},
      Plain<Event>(true),
      {.type = &reflect::TypeOf<LimitRange>(), .names_itself = true, .create_on_update = true},
      {.type = &reflect::TypeOf<Namespace>(),
       .has_status = true,
       .prepare_create = Create<Namespace, PrepareNewNamespace>,
       .prepare_update = Update<Namespace, PrepareNamespace>,
       .returns_deleted = true,
       .held = IsNamespaceHeld,
       .mark_deleting = MarkNamespaceDeleting},
      StatusOf<Namespace>(),
      {.type = &reflect::TypeOf<Namespace>(), .subresource = "finalize", .own_field = "spec"},
      {.type = &reflect::TypeOf<Node>(),
       .has_status = true,
       .created_with_status = true,
       .prepare_create = Create<Node, PrepareNewNode>,
       .prepare_update = Update<Node, PrepareNode>,
       .warnings = Warn<Node, WarnOfNode>},
      {.type = &reflect::TypeOf<Node>(),
       .subresource = "status",
       .own_field = "status",
       .prepare_update = Update<Node, PrepareNodeStatus>},
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
      {.type = &reflect::TypeOf<Secret>(),
       .prepare_update = Update<Secret, PrepareSecret>,
       .warnings = Warn<Secret, WarnOfSecret>},
      {.type = &reflect::TypeOf<ServiceAccount>(),
       .prepare_create = Create<ServiceAccount, CleanSecrets>,
       .prepare_update = Update<ServiceAccount, PrepareAccount>,
       .warnings = Warn<ServiceAccount, WarnOfAccount>,
       .returns_deleted = true},
  };
  return kRows;
}

}  // namespace podium::apiserver
