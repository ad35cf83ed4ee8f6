// Kinds of networking, discovery, coordination, policy, rbac, scheduling, node and storage
// (upstream's pkg/registry/...).

#include <string>

#include "api/types/apps_v1.h"
#include "api/types/coordination_v1.h"
#include "api/types/discovery_v1.h"
#include "api/types/networking_v1.h"
#include "api/types/node_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/rbac_v1.h"
#include "api/types/scheduling_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/strategies/node_labels.h"
#include "apiserver/strategies/rows.h"

namespace podium::apiserver {
namespace {

using api::coordination::v1::Lease;
using api::discovery::v1::EndpointSlice;
using api::field::Path;
using api::node::v1::RuntimeClass;
using api::policy::v1::PodDisruptionBudget;
using api::scheduling::v1::PriorityClass;
using namespace api::networking::v1;  // NOLINT: named once
using namespace api::rbac::v1;        // NOLINT: likewise
using namespace api::storage::v1;     // NOLINT: likewise

// CoordinatedLeaderElection is off in release 1.36.
void PrepareNewLease(const StrategyContext&, Lease& lease) {
  lease.spec.strategy.reset();
  lease.spec.preferredHolder.reset();
}

void PrepareLease(const StrategyContext&, Lease& lease, const Lease& old) {
  if (!old.spec.strategy) lease.spec.strategy.reset();
  if (!old.spec.preferredHolder) lease.spec.preferredHolder.reset();
}

// VolumeLimitScaling is alpha.
void PrepareNewDriver(const StrategyContext&, CSIDriver& driver) {
  driver.spec.preventPodSchedulingIfMissing.reset();
}

void PrepareDriver(const StrategyContext&, CSIDriver& driver, const CSIDriver& old) {
  if (!old.spec.preventPodSchedulingIfMissing) driver.spec.preventPodSchedulingIfMissing.reset();
}

std::vector<std::string> WarnOfIngress(const Ingress& ingress, const Ingress* old) {
  constexpr std::string_view kClass = "kubernetes.io/ingress.class";
  if (old != nullptr || !ingress.metadata.annotations.contains(kClass)) return {};
  return {
      "annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
      "'spec.ingressClassName' instead"};
}

std::vector<std::string> WarnOfRuntimeClass(const RuntimeClass& runtime, const RuntimeClass*) {
  std::vector<std::string> warnings;
  if (!runtime.scheduling) return warnings;
  for (const auto& [key, value] : runtime.scheduling->nodeSelector) {
    const std::string_view why = DeprecatedNodeLabel(key);
    if (!why.empty()) warnings.push_back("scheduling.nodeSelector: " + std::string(why));
  }
  return warnings;
}

std::vector<std::string> WarnOfStorageClass(const StorageClass& storage, const StorageClass*) {
  std::vector<std::string> warnings;
  const Path topologies("allowedTopologies");
  for (size_t i = 0; i < storage.allowedTopologies.size(); ++i) {
    const auto& expressions = storage.allowedTopologies[i].matchLabelExpressions;
    const Path topology = topologies.Index(i);
    const Path path = topology.Child("matchLabelExpressions");
    for (size_t j = 0; j < expressions.size(); ++j) {
      const std::string_view why = DeprecatedNodeLabel(expressions[j].key);
      if (why.empty()) continue;
      const Path expression = path.Index(j);
      warnings.push_back(expression.Child("key").String() + ": " + std::string(why));
    }
  }
  return warnings;
}

struct Puts {
  bool create = false;        // of what is not there
  bool unconditional = true;  // without a resourceVersion
};

template <class T>
Strategy Plain(Puts puts = {}) {
  return {.type = &reflect::TypeOf<T>(),
          .create_on_update = puts.create,
          .unconditional_update = puts.unconditional};
}

template <class T>
Strategy WithSpec(bool has_status = true) {
  return {.type = &reflect::TypeOf<T>(), .has_status = has_status, .generation = Generation::kSpec};
}

Strategy IngressRow() {
  Strategy row = WithSpec<Ingress>();
  row.warnings = Warn<Ingress, WarnOfIngress>;
  return row;
}

Strategy BudgetRow() {
  Strategy row = WithSpec<PodDisruptionBudget>();
  row.unconditional_update = false;
  return row;
}

Strategy LeaseRow() {
  Strategy row = Plain<Lease>({.create = true, .unconditional = false});
  row.prepare_create = Create<Lease, PrepareNewLease>;
  row.prepare_update = Update<Lease, PrepareLease>;
  return row;
}

Strategy DriverRow() {
  Strategy row = WithSpec<CSIDriver>(false);
  row.unconditional_update = false;
  row.prepare_create = Create<CSIDriver, PrepareNewDriver>;
  row.prepare_update = Update<CSIDriver, PrepareDriver>;
  return row;
}

Strategy RuntimeClassRow() {
  Strategy row = Plain<RuntimeClass>({.unconditional = false});
  row.warnings = Warn<RuntimeClass, WarnOfRuntimeClass>;
  return row;
}

Strategy StorageClassRow() {
  Strategy row = Plain<StorageClass>();
  row.warnings = Warn<StorageClass, WarnOfStorageClass>;
  return row;
}

}  // namespace

std::span<const Strategy> ClusterStrategies() {
  static const Strategy kRows[] = {
      Plain<api::apps::v1::ControllerRevision>(),
      IngressRow(),
      StatusOf<Ingress>(),
      WithSpec<IngressClass>(false),
      WithSpec<NetworkPolicy>(false),
      Plain<IPAddress>(),
      {.type = &reflect::TypeOf<ServiceCIDR>(), .has_status = true},
      StatusOf<ServiceCIDR>(),
      {.type = &reflect::TypeOf<EndpointSlice>(), .generation = Generation::kContent},
      LeaseRow(),
      BudgetRow(),
      // A PUT of a status without a resourceVersion is refused as one of the budget is.
      {.type = &reflect::TypeOf<PodDisruptionBudget>(),
       .subresource = "status",
       .own_field = "status",
       .unconditional_update = false},
      Plain<ClusterRole>({.create = true}),
      Plain<ClusterRoleBinding>({.create = true}),
      Plain<Role>({.create = true}),
      Plain<RoleBinding>({.create = true}),
      // Begins at 1 and stays: what could make it grow may not change.
      {.type = &reflect::TypeOf<PriorityClass>(), .generation = Generation::kOwn},
      RuntimeClassRow(),
      DriverRow(),
      Plain<CSINode>({.unconditional = false}),
      Plain<CSIStorageCapacity>({.unconditional = false}),
      StorageClassRow(),
      {.type = &reflect::TypeOf<VolumeAttachment>(),
       .has_status = true,
       .unconditional_update = false},
      {.type = &reflect::TypeOf<VolumeAttachment>(),
       .subresource = "status",
       .own_field = "status",
       .kept_metadata = KeptMetadata::kNames,
       .unconditional_update = false},
      Plain<VolumeAttributesClass>(),
  };
  return kRows;
}

}  // namespace podium::apiserver
