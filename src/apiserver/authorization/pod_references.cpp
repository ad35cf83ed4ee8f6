#include "apiserver/authorization/pod_references.h"

#include <algorithm>
#include <string_view>

namespace podium::apiserver {
namespace {

using api::core::v1::PersistentVolume;
using api::core::v1::Pod;
using api::core::v1::PodResourceClaim;
using api::core::v1::Volume;

template <class Container>
void AddContainer(const Container& container, PodReferences* out) {
  for (const auto& from : container.envFrom) {
    if (from.secretRef) out->secrets.push_back(from.secretRef->name);
    if (from.configMapRef) out->config_maps.push_back(from.configMapRef->name);
  }
  for (const auto& variable : container.env) {
    if (!variable.valueFrom) continue;
    const auto& from = *variable.valueFrom;
    if (from.secretKeyRef) out->secrets.push_back(from.secretKeyRef->name);
    if (from.configMapKeyRef) out->config_maps.push_back(from.configMapKeyRef->name);
  }
}

template <class Reference>
void AddSecret(const Reference& reference, PodReferences* out) {
  if (reference) out->secrets.push_back(reference->name);
}

void AddVolumeSecrets(const Volume& volume, PodReferences* out) {
  if (volume.secret) out->secrets.push_back(volume.secret->secretName);
  if (volume.azureFile) out->secrets.push_back(volume.azureFile->secretName);
  if (volume.cephfs) AddSecret(volume.cephfs->secretRef, out);
  if (volume.cinder) AddSecret(volume.cinder->secretRef, out);
  if (volume.flexVolume) AddSecret(volume.flexVolume->secretRef, out);
  if (volume.rbd) AddSecret(volume.rbd->secretRef, out);
  if (volume.iscsi) AddSecret(volume.iscsi->secretRef, out);
  if (volume.scaleIO) AddSecret(volume.scaleIO->secretRef, out);
  if (volume.storageos) AddSecret(volume.storageos->secretRef, out);
  if (volume.csi) AddSecret(volume.csi->nodePublishSecretRef, out);
}

void AddVolume(const Pod& pod, const Volume& volume, PodReferences* out) {
  AddVolumeSecrets(volume, out);
  if (volume.configMap) out->config_maps.push_back(volume.configMap->name);
  if (volume.projected) {
    for (const auto& source : volume.projected->sources) {
      if (source.secret) out->secrets.push_back(source.secret->name);
      if (source.configMap) out->config_maps.push_back(source.configMap->name);
    }
  }
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

void DropEmpty(std::vector<std::string>* names) { std::erase(*names, ""); }

}  // namespace

PodReferences ReferencesOf(const Pod& pod) {
  PodReferences out;
  out.service_account = pod.spec.serviceAccountName;
  for (const auto& secret : pod.spec.imagePullSecrets) out.secrets.push_back(secret.name);
  for (const auto& container : pod.spec.initContainers) AddContainer(container, &out);
  for (const auto& container : pod.spec.containers) AddContainer(container, &out);
  for (const auto& container : pod.spec.ephemeralContainers) AddContainer(container, &out);
  for (const Volume& volume : pod.spec.volumes) AddVolume(pod, volume, &out);
  for (const PodResourceClaim& claim : pod.spec.resourceClaims) AddResourceClaim(pod, claim, &out);
  if (pod.status.extendedResourceClaimStatus) {
    out.resource_claims.push_back(pod.status.extendedResourceClaimStatus->resourceClaimName);
  }
  for (auto* names : {&out.secrets, &out.config_maps, &out.claims, &out.resource_claims}) {
    DropEmpty(names);
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
