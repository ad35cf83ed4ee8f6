#include "api/types/core_v1.h"
#include "api/types/events_v1.h"
#include "api/validation/claims.h"
#include "api/validation/config_map.h"
#include "api/validation/endpoints.h"
#include "api/validation/event.h"
#include "api/validation/kind_rules.h"
#include "api/validation/namespace.h"
#include "api/validation/node.h"
#include "api/validation/persistent_volume.h"
#include "api/validation/resource_quota.h"
#include "api/validation/secret.h"
#include "api/validation/service.h"
#include "reflect/copy.h"

namespace podium::api {
namespace {

// Old clients know one cluster IP only; the server sees to the list before it looks for mistakes.
field::ErrorList CreateService(const core::v1::Service& service) {
  core::v1::Service prepared = reflect::Copy(service);
  NormalizeClusterIPs(nullptr, &prepared);
  return ValidateService(prepared);
}

field::ErrorList UpdateService(const core::v1::Service& service, const core::v1::Service& old) {
  core::v1::Service prepared = reflect::Copy(service);
  NormalizeClusterIPs(&old, &prepared);
  return ValidateServiceUpdate(prepared, old);
}

}  // namespace

std::span<const KindRules> CoreRules() {
  using namespace core::v1;  // NOLINT: a dozen kinds, named once
  static const KindRules kRules[] = {
      Rules<ConfigMap, ValidateConfigMap, ValidateConfigMapUpdate>(),
      Rules<Endpoints, ValidateEndpoints, ValidateEndpointsUpdate>(),
      Rules<Event, ValidateEvent, ValidateEventUpdate>(),
      Rules<events::v1::Event, ValidateStrictEvent, ValidateStrictEventUpdate>(),
      Rules<LimitRange, ValidateLimitRange, ValidateLimitRangeUpdate>(),
      Rules<Namespace, ValidateNamespace, ValidateNamespaceUpdate>(),
      Subresource<Namespace, ValidateNamespaceStatusUpdate>("status"),
      Subresource<Namespace, ValidateNamespaceFinalizeUpdate>("finalize"),
      Rules<Node, ValidateNode, ValidateNodeUpdate>(),
      Subresource<Node, ValidateNodeStatusUpdate>("status"),
      Rules<PersistentVolume, ValidatePersistentVolume, ValidatePersistentVolumeUpdate>(),
      Subresource<PersistentVolume, ValidatePersistentVolumeStatusUpdate>("status"),
      Rules<PersistentVolumeClaim, ValidatePersistentVolumeClaim,
            ValidatePersistentVolumeClaimUpdate>(),
      Subresource<PersistentVolumeClaim, ValidatePersistentVolumeClaimStatusUpdate>("status"),
      Rules<ResourceQuota, ValidateResourceQuota, ValidateResourceQuotaUpdate>(),
      Subresource<ResourceQuota, ValidateResourceQuotaStatusUpdate>("status"),
      Rules<Secret, ValidateSecret, ValidateSecretUpdate>(),
      Rules<Service, CreateService, UpdateService>(),
      Subresource<Service, ValidateServiceStatusUpdate>("status"),
      Rules<ServiceAccount, ValidateServiceAccount, ValidateServiceAccountUpdate>(),
  };
  return kRules;
}

}  // namespace podium::api
