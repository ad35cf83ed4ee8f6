#include "api/pod_references.h"

namespace podium::api {
namespace {

using core::v1::PodSpec;
using core::v1::Volume;
using Visit = std::function<void(std::string_view)>;

// Calls visit for the lists of environment of every container, of whatever kind.
template <class VisitContainer>
void EachContainer(const PodSpec& spec, VisitContainer visit) {
  for (const auto& container : spec.initContainers) visit(container);
  for (const auto& container : spec.containers) visit(container);
  for (const auto& container : spec.ephemeralContainers) visit(container);
}

template <class Source>
void VisitReference(const Source& source, const Visit& visit) {
  if (source && source->secretRef) visit(source->secretRef->name);
}

void VisitVolumeSecrets(const Volume& volume, const Visit& visit) {
  if (volume.azureFile && !volume.azureFile->secretName.empty())
    visit(volume.azureFile->secretName);
  VisitReference(volume.cephfs, visit);
  VisitReference(volume.cinder, visit);
  VisitReference(volume.flexVolume, visit);
  if (volume.projected) {
    for (const auto& source : volume.projected->sources) {
      if (source.secret) visit(source.secret->name);
    }
  }
  VisitReference(volume.rbd, visit);
  if (volume.secret) visit(volume.secret->secretName);
  VisitReference(volume.scaleIO, visit);
  VisitReference(volume.iscsi, visit);
  VisitReference(volume.storageos, visit);
  if (volume.csi && volume.csi->nodePublishSecretRef) {
    visit(volume.csi->nodePublishSecretRef->name);
  }
}

}  // namespace

void VisitPodSecrets(const PodSpec& spec, const Visit& visit) {
  for (const auto& secret : spec.imagePullSecrets) visit(secret.name);
  EachContainer(spec, [&](const auto& container) {
    for (const auto& source : container.envFrom) {
      if (source.secretRef) visit(source.secretRef->name);
    }
    for (const auto& variable : container.env) {
      if (variable.valueFrom && variable.valueFrom->secretKeyRef) {
        visit(variable.valueFrom->secretKeyRef->name);
      }
    }
  });
  for (const Volume& volume : spec.volumes) VisitVolumeSecrets(volume, visit);
}

void VisitPodConfigMaps(const PodSpec& spec, const Visit& visit) {
  EachContainer(spec, [&](const auto& container) {
    for (const auto& source : container.envFrom) {
      if (source.configMapRef) visit(source.configMapRef->name);
    }
    for (const auto& variable : container.env) {
      if (variable.valueFrom && variable.valueFrom->configMapKeyRef) {
        visit(variable.valueFrom->configMapKeyRef->name);
      }
    }
  });
  for (const Volume& volume : spec.volumes) {
    if (volume.configMap) visit(volume.configMap->name);
    if (!volume.projected) continue;
    for (const auto& source : volume.projected->sources) {
      if (source.configMap) visit(source.configMap->name);
    }
  }
}

bool ReferencesSecrets(const PodSpec& spec) {
  bool any = false;
  VisitPodSecrets(spec, [&](std::string_view) { any = true; });
  return any;
}

bool ReferencesConfigMaps(const PodSpec& spec) {
  bool any = false;
  VisitPodConfigMaps(spec, [&](std::string_view) { any = true; });
  return any;
}

}  // namespace podium::api
