// storage.k8s.io and resource.k8s.io.
#include <array>

#include "api/defaults/rules.h"
#include "api/types/core_v1.h"
#include "api/types/resource_v1.h"
#include "api/types/storage_v1.h"

namespace podium::api::defaults {
namespace {

void DefaultStorageClass(storage::v1::StorageClass& storage_class) {
  SetIfUnset(storage_class.reclaimPolicy, "Delete");
  SetIfUnset(storage_class.volumeBindingMode, "Immediate");
}

void DefaultCsiDriver(storage::v1::CSIDriver& driver) {
  storage::v1::CSIDriverSpec& spec = driver.spec;
  SetIfUnset(spec.attachRequired, true);
  SetIfUnset(spec.podInfoOnMount, false);
  SetIfUnset(spec.storageCapacity, false);
  SetIfUnset(spec.fsGroupPolicy, "ReadWriteOnceWithFSType");
  if (spec.volumeLifecycleModes.empty()) spec.volumeLifecycleModes = {"Persistent"};
  SetIfUnset(spec.requiresRepublish, false);
  SetIfUnset(spec.seLinuxMount, false);
}

void DefaultVolumeAttachment(storage::v1::VolumeAttachment& attachment) {
  auto& volume = attachment.spec.source.inlineVolumeSpec;
  if (volume) DefaultPersistentVolumeSource(*volume);
}

void DefaultTolerations(reflect::List<resource::v1::DeviceToleration>& tolerations) {
  for (auto& toleration : tolerations) SetIfEmpty(toleration.operator_, "Equal");
}

// ExactDeviceRequest and DeviceSubRequest.
template <class Request>
void DefaultDeviceRequest(Request& request) {
  SetIfEmpty(request.allocationMode, "ExactCount");
  if (request.allocationMode == "ExactCount") SetIfZero(request.count, int64_t{1});
  DefaultTolerations(request.tolerations);
}

void DefaultDeviceClaim(resource::v1::DeviceClaim& claim) {
  for (resource::v1::DeviceRequest& request : claim.requests) {
    if (request.exactly) DefaultDeviceRequest(*request.exactly);
    for (auto& alternative : request.firstAvailable) DefaultDeviceRequest(alternative);
  }
}

void DefaultResourceClaim(resource::v1::ResourceClaim& claim) {
  DefaultDeviceClaim(claim.spec.devices);
  if (!claim.status.allocation) return;
  for (auto& result : claim.status.allocation->devices.results) {
    DefaultTolerations(result.tolerations);
  }
}

void DefaultResourceClaimTemplate(resource::v1::ResourceClaimTemplate& object) {
  DefaultDeviceClaim(object.spec.spec.devices);
}

void DefaultResourceSlice(resource::v1::ResourceSlice& slice, const DefaultOptions& options) {
  for (resource::v1::Device& device : slice.spec.devices) {
    for (resource::v1::DeviceTaint& taint : device.taints) SetIfUnset(taint.timeAdded, options.now);
  }
}

}  // namespace

std::span<const Kind> StorageKinds() {
  static const std::array kKinds = {
      KindOf<storage::v1::StorageClass, DefaultStorageClass>(),
      KindOf<storage::v1::CSIDriver, DefaultCsiDriver>(),
      KindOf<storage::v1::VolumeAttachment, DefaultVolumeAttachment>(),
      KindOf<resource::v1::ResourceClaim, DefaultResourceClaim>(),
      KindOf<resource::v1::ResourceClaimTemplate, DefaultResourceClaimTemplate>(),
      KindOf<resource::v1::ResourceSlice, DefaultResourceSlice>(),
  };
  return kKinds;
}

}  // namespace podium::api::defaults
