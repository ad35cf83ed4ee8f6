#include <algorithm>

#include "api/defaults/rules.h"
#include "api/types/core_v1.h"

namespace podium::api::defaults {
namespace {

constexpr int32_t kFileMode = 0644;
constexpr int64_t kTokenSeconds = 3600;

// Every box of a Volume is a source: Kubernetes adds sources over time, and none must be missed.
bool HasSource(const core::v1::Volume& volume) {
  const reflect::Type& type = reflect::TypeOf<core::v1::Volume>();
  return std::any_of(type.fields.begin(), type.fields.end(), [&](const reflect::Field& field) {
    return field.shape == reflect::Shape::kBox &&
           static_cast<const reflect::BoxStorage*>(field.at(&volume))->object != nullptr;
  });
}

void DefaultDownwardItems(reflect::List<core::v1::DownwardAPIVolumeFile>& items) {
  for (core::v1::DownwardAPIVolumeFile& item : items) {
    if (item.fieldRef) SetIfEmpty(item.fieldRef->apiVersion, "v1");
  }
}

void DefaultProjected(core::v1::ProjectedVolumeSource& projected) {
  SetIfUnset(projected.defaultMode, kFileMode);
  for (core::v1::VolumeProjection& source : projected.sources) {
    if (source.downwardAPI) DefaultDownwardItems(source.downwardAPI->items);
    if (source.serviceAccountToken) {
      SetIfUnset(source.serviceAccountToken->expirationSeconds, kTokenSeconds);
    }
  }
}

// A Volume and a PersistentVolume's spec have these sources alike, but for the types of iscsi, rbd
// and scaleIO, whose fields are named the same.
template <class Sources>
void DefaultSharedSources(Sources& sources) {
  if (sources.hostPath) SetIfUnset(sources.hostPath->type, "");
  if (sources.iscsi) SetIfEmpty(sources.iscsi->iscsiInterface, "default");
  if (sources.rbd) {
    SetIfEmpty(sources.rbd->pool, "rbd");
    SetIfEmpty(sources.rbd->user, "admin");
    SetIfEmpty(sources.rbd->keyring, "/etc/ceph/keyring");
  }
  if (sources.azureDisk) {
    SetIfUnset(sources.azureDisk->cachingMode, "ReadWrite");
    SetIfUnset(sources.azureDisk->fsType, "ext4");
    SetIfUnset(sources.azureDisk->readOnly, false);
    SetIfUnset(sources.azureDisk->kind, "Shared");
  }
  if (sources.scaleIO) {
    SetIfEmpty(sources.scaleIO->storageMode, "ThinProvisioned");
    SetIfEmpty(sources.scaleIO->fsType, "xfs");
  }
}

}  // namespace

void DefaultVolume(core::v1::Volume& volume) {
  if (!HasSource(volume)) volume.emptyDir.emplace();
  if (volume.image) DefaultPullPolicy(volume.image->pullPolicy, volume.image->reference);
  if (volume.secret) SetIfUnset(volume.secret->defaultMode, kFileMode);
  if (volume.configMap) SetIfUnset(volume.configMap->defaultMode, kFileMode);
  if (volume.downwardAPI) {
    SetIfUnset(volume.downwardAPI->defaultMode, kFileMode);
    DefaultDownwardItems(volume.downwardAPI->items);
  }
  if (volume.projected) DefaultProjected(*volume.projected);
  if (volume.ephemeral && volume.ephemeral->volumeClaimTemplate) {
    DefaultPersistentVolumeClaimSpec(volume.ephemeral->volumeClaimTemplate->spec);
  }
  DefaultSharedSources(volume);
}

void DefaultPersistentVolumeSource(core::v1::PersistentVolumeSpec& spec) {
  DefaultResourceList(spec.capacity);
  DefaultSharedSources(spec);
}

void DefaultPersistentVolumeClaimSpec(core::v1::PersistentVolumeClaimSpec& spec) {
  SetIfUnset(spec.volumeMode, "Filesystem");
  DefaultResourceList(spec.resources.limits);
  DefaultResourceList(spec.resources.requests);
}

void DefaultPersistentVolumeClaim(core::v1::PersistentVolumeClaim& claim) {
  SetIfEmpty(claim.status.phase, "Pending");
  DefaultPersistentVolumeClaimSpec(claim.spec);
  DefaultResourceList(claim.status.capacity);
  DefaultResourceList(claim.status.allocatedResources);
}

}  // namespace podium::api::defaults
