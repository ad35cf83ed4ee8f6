#include "api/validation/autoscaling.h"
#include "api/validation/cluster_kinds.h"
#include "api/validation/devices.h"
#include "api/validation/endpoint_slice.h"
#include "api/validation/kind_rules.h"
#include "api/validation/networking.h"
#include "api/validation/policy.h"
#include "api/validation/rbac.h"
#include "api/validation/storage.h"

namespace podium::api {

std::span<const KindRules> ClusterRules() {
  using namespace networking::v1;  // NOLINT: two dozen kinds, named once
  using namespace rbac::v1;        // NOLINT: likewise
  using namespace resource::v1;    // NOLINT: likewise
  using namespace storage::v1;     // NOLINT: likewise
  using Autoscaler = autoscaling::v2::HorizontalPodAutoscaler;
  using OldAutoscaler = autoscaling::v1::HorizontalPodAutoscaler;
  using Budget = policy::v1::PodDisruptionBudget;
  using OldBudget = policy::v1beta1::PodDisruptionBudget;
  static const KindRules kRules[] = {
      Rules<apps::v1::ControllerRevision, ValidateControllerRevision,
            ValidateControllerRevisionUpdate>(),
      Rules<Autoscaler, ValidateHorizontalPodAutoscaler, ValidateHorizontalPodAutoscalerUpdate>(),
      Subresource<Autoscaler, ValidateHorizontalPodAutoscalerStatusUpdate>("status"),
      Rules<OldAutoscaler, ValidateHorizontalPodAutoscaler,
            ValidateHorizontalPodAutoscalerUpdate>(),
      Subresource<OldAutoscaler, ValidateHorizontalPodAutoscalerStatusUpdate>("status"),
      Rules<autoscaling::v1::Scale, ValidateScale, ValidateScaleUpdate>(),
      Rules<coordination::v1::Lease, ValidateLease, ValidateLeaseUpdate>(),
      Rules<discovery::v1::EndpointSlice, ValidateEndpointSlice, ValidateEndpointSliceUpdate>(),
      Rules<discovery::v1beta1::EndpointSlice, ValidateEndpointSlice,
            ValidateEndpointSliceUpdate>(),
      Rules<Ingress, ValidateIngress, ValidateIngressUpdate>(),
      Subresource<Ingress, ValidateIngressStatusUpdate>("status"),
      Rules<IngressClass, ValidateIngressClass, ValidateIngressClassUpdate>(),
      Rules<networking::v1::IPAddress, ValidateIPAddress, ValidateIPAddressUpdate>(),
      Rules<NetworkPolicy, ValidateNetworkPolicy, ValidateNetworkPolicyUpdate>(),
      Rules<ServiceCIDR, ValidateServiceCIDR, ValidateServiceCIDRUpdate>(),
      Rules<node::v1::RuntimeClass, ValidateRuntimeClass, ValidateRuntimeClassUpdate>(),
      Rules<Budget, ValidatePodDisruptionBudget, ValidatePodDisruptionBudgetUpdate>(),
      Subresource<Budget, ValidatePodDisruptionBudgetStatusUpdate>("status"),
      Rules<OldBudget, ValidatePodDisruptionBudget, ValidatePodDisruptionBudgetUpdate>(),
      Subresource<OldBudget, ValidatePodDisruptionBudgetStatusUpdate>("status"),
      Rules<ClusterRole, ValidateClusterRole, ValidateClusterRoleUpdate>(),
      Rules<ClusterRoleBinding, ValidateClusterRoleBinding, ValidateClusterRoleBindingUpdate>(),
      Rules<Role, ValidateRole, ValidateRoleUpdate>(),
      Rules<RoleBinding, ValidateRoleBinding, ValidateRoleBindingUpdate>(),
      Rules<DeviceClass, ValidateDeviceClass, ValidateDeviceClassUpdate>(),
      Rules<ResourceClaim, ValidateResourceClaim, ValidateResourceClaimUpdate>(),
      Subresource<ResourceClaim, ValidateResourceClaimStatusUpdate>("status"),
      Rules<ResourceClaimTemplate, ValidateResourceClaimTemplate,
            ValidateResourceClaimTemplateUpdate>(),
      Rules<ResourceSlice, ValidateResourceSlice, ValidateResourceSliceUpdate>(),
      Rules<scheduling::v1::PriorityClass, ValidatePriorityClass, ValidatePriorityClassUpdate>(),
      Rules<CSIDriver, ValidateCSIDriver, ValidateCSIDriverUpdate>(),
      Rules<CSINode, ValidateCSINode, ValidateCSINodeUpdate>(),
      Rules<CSIStorageCapacity, ValidateCSIStorageCapacity, ValidateCSIStorageCapacityUpdate>(),
      Rules<StorageClass, ValidateStorageClass, ValidateStorageClassUpdate>(),
      Rules<VolumeAttachment, ValidateVolumeAttachment, ValidateVolumeAttachmentUpdate>(),
      Subresource<VolumeAttachment, ValidateVolumeAttachmentUpdate>("status"),
      Rules<VolumeAttributesClass, ValidateVolumeAttributesClass,
            ValidateVolumeAttributesClassUpdate>(),
  };
  return kRules;
}

}  // namespace podium::api
