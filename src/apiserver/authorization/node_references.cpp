#include "apiserver/authorization/node_references.h"

#include <string_view>

#include "api/pod_references.h"

namespace podium::apiserver {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::Pod;
using api::core::v1::PodResourceClaim;
using api::core::v1::Volume;

// Of one that stands in the pod, or that is made for it.
void AddClaim(const Pod& pod, const Volume& volume, PodReferences* out) {
  if (volume.persistentVolumeClaim) {
    out->claims.push_back(volume.persistentVolumeClaim->claimName);
  } else if (volume.ephemeral) {
    out->claims.push_back(pod.metadata.name + "-" + volume.name);
  }
}

// Of a claim that is made of a template: the one that the status names.
void AddResourceClaim(const Pod& pod, const PodResourceClaim& claim, PodReferences* out) {
  if (claim.resourceClaimName) {
    out->resource_claims.push_back(*claim.resourceClaimName);
  } else if (claim.resourceClaimTemplateName) {
    for (const auto& made : pod.status.resourceClaimStatuses) {
      if (made.name == claim.name && made.resourceClaimName) {
        out->resource_claims.push_back(*made.resourceClaimName);
      }
    }
  }
}

}  // namespace

PodReferences ReferencesOf(const Pod& pod) {
  PodReferences out;
  out.service_account = pod.spec.serviceAccountName;
  api::VisitPodSecrets(pod.spec, [&](std::string_view name) { out.secrets.emplace_back(name); });
  api::VisitPodConfigMaps(pod.spec,
                          [&](std::string_view name) { out.config_maps.emplace_back(name); });
  for (const Volume& volume : pod.spec.volumes) AddClaim(pod, volume, &out);
  for (const PodResourceClaim& claim : pod.spec.resourceClaims) AddResourceClaim(pod, claim, &out);
  if (pod.status.extendedResourceClaimStatus) {
    out.resource_claims.push_back(pod.status.extendedResourceClaimStatus->resourceClaimName);
  }
  for (auto* names : {&out.secrets, &out.config_maps, &out.claims, &out.resource_claims}) {
    std::erase(*names, "");
  }
  return out;
}

std::vector<SecretName> NodeSecretsOf(const PersistentVolume& volume) {
  std::vector<SecretName> out;
  const auto& spec = volume.spec;
  if (!spec.claimRef) return out;
  const auto add = [&](std::string_view name_space, const std::string& name) {
    if (name.empty()) return;
    out.push_back({name_space.empty() ? spec.claimRef->namespace_ : std::string(name_space), name});
  };
  const auto add_reference = [&](const auto& reference) {
    if (reference) add(reference->namespace_, reference->name);
  };
  if (spec.azureFile) {
    add(spec.azureFile->secretNamespace.value_or(""), spec.azureFile->secretName);
  }
  if (spec.cephfs) add_reference(spec.cephfs->secretRef);
  if (spec.cinder) add_reference(spec.cinder->secretRef);
  if (spec.flexVolume) add_reference(spec.flexVolume->secretRef);
  if (spec.rbd) add_reference(spec.rbd->secretRef);
  if (spec.scaleIO) add_reference(spec.scaleIO->secretRef);
  if (spec.iscsi) add_reference(spec.iscsi->secretRef);
  if (spec.storageos) add_reference(spec.storageos->secretRef);
  if (spec.csi) {
    // What publishes and expands it on the controller's side is no node's business.
    add_reference(spec.csi->nodePublishSecretRef);
    add_reference(spec.csi->nodeStageSecretRef);
    add_reference(spec.csi->nodeExpandSecretRef);
  }
  return out;
}

}  // namespace podium::apiserver
