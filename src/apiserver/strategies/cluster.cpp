// Kinds of networking, discovery, coordination, policy, rbac, scheduling, node and storage
// (upstream's pkg/registry/...).

#include <fmt/format.h>

#include <set>
#include <string>

#include "api/names.h"
#include "api/types/apps_v1.h"
#include "api/types/coordination_v1.h"
#include "api/types/discovery_v1.h"
#include "api/types/networking_v1.h"
#include "api/types/node_v1.h"
#include "api/types/policy_v1.h"
#include "api/types/rbac_v1.h"
#include "api/types/scheduling_v1.h"
#include "api/types/storage_v1.h"
#include "apiserver/strategies/address_warnings.h"
#include "apiserver/strategies/node_labels.h"
#include "apiserver/strategies/rows.h"
#include "reflect/copy.h"

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
  if (old != nullptr || ingress.spec.ingressClassName ||
      !ingress.metadata.annotations.contains(kClass)) {
    return {};
  }
  return {
      "annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
      "'spec.ingressClassName' instead"};
}

std::vector<std::string> WarnOfIngressStatus(const Ingress& ingress, const Ingress*) {
  std::vector<std::string> warnings;
  const Path status("status");
  const Path balancer = status.Child("loadBalancer");
  const Path path = balancer.Child("ingress");
  const auto& points = ingress.status.loadBalancer.ingress;
  for (size_t i = 0; i < points.size(); ++i) WarnOfIP(path.Index(i), points[i].ip, &warnings);
  return warnings;
}

void WarnOfBlock(const IPBlock& block, const Path& path, std::vector<std::string>* warnings) {
  WarnOfCIDR(path.Child("cidr"), block.cidr, warnings);
  const Path except = path.Child("except");
  for (size_t i = 0; i < block.except.size(); ++i) {
    WarnOfCIDR(except.Index(i), block.except[i], warnings);
  }
}

void WarnOfPeers(const reflect::List<NetworkPolicyPeer>& peers, const Path& path,
                 std::vector<std::string>* warnings) {
  for (size_t i = 0; i < peers.size(); ++i) {
    if (!peers[i].ipBlock) continue;
    const Path peer = path.Index(i);
    WarnOfBlock(*peers[i].ipBlock, peer.Child("ipBlock"), warnings);
  }
}

std::vector<std::string> WarnOfPolicy(const NetworkPolicy& policy, const NetworkPolicy*) {
  std::vector<std::string> warnings;
  const Path spec("spec");
  const Path ingress = spec.Child("ingress");
  for (size_t i = 0; i < policy.spec.ingress.size(); ++i) {
    const Path rule = ingress.Index(i);
    WarnOfPeers(policy.spec.ingress[i].from, rule.Child("from"), &warnings);
  }
  const Path egress = spec.Child("egress");
  for (size_t i = 0; i < policy.spec.egress.size(); ++i) {
    const Path rule = egress.Index(i);
    WarnOfPeers(policy.spec.egress[i].to, rule.Child("to"), &warnings);
  }
  return warnings;
}

bool IsSame(std::string_view name, const EndpointSlice& a, const EndpointSlice& b) {
  const reflect::Field& field = *reflect::TypeOf<EndpointSlice>().Find(name);
  return reflect::EqualField(field, field.at(&a), field.at(&b));
}

constexpr std::string_view kHostname = "kubernetes.io/hostname";

// Through v1 nobody writes topology. Where the old slice had a node's name in it, the field for it
// takes its place, so that a writer who knows neither keeps it.
void DropTopology(const StrategyContext& context, const EndpointSlice* old, EndpointSlice& slice) {
  if (context.version == "v1beta1") return;
  if (old != nullptr && IsSame("endpoints", *old, slice)) return;
  std::set<std::string_view> known;
  if (old != nullptr) {
    for (const auto& endpoint : old->endpoints) {
      const auto found = endpoint.deprecatedTopology.find(kHostname);
      if (found != endpoint.deprecatedTopology.end()) known.insert(found->second);
    }
  }
  for (auto& endpoint : slice.endpoints) {
    const auto found = endpoint.deprecatedTopology.find(kHostname);
    if (!endpoint.nodeName && found != endpoint.deprecatedTopology.end() &&
        known.contains(found->second) && api::IsDNS1123Subdomain(found->second).empty()) {
      endpoint.nodeName = found->second;
    }
    endpoint.deprecatedTopology.clear();
  }
}

void PrepareNewSlice(const StrategyContext& context, EndpointSlice& slice) {
  DropTopology(context, nullptr, slice);
}

// Labels count: they say which service the slice is of. What is then dropped counts as well.
void PrepareSlice(const StrategyContext& context, EndpointSlice& slice, const EndpointSlice& old) {
  if (slice.addressType != old.addressType || !IsSame("endpoints", slice, old) ||
      !IsSame("ports", slice, old) || slice.metadata.labels != old.metadata.labels) {
    ++slice.metadata.generation;
  }
  DropTopology(context, &old, slice);
}

// The controllers that write most of them have made their addresses good.
bool IsOfController(const EndpointSlice& slice) {
  const auto found = slice.metadata.labels.find("endpointslice.kubernetes.io/managed-by");
  return found != slice.metadata.labels.end() &&
         (found->second == "endpointslice-controller.k8s.io" ||
          found->second == "endpointslicemirroring-controller.k8s.io");
}

std::vector<std::string> WarnOfSlice(const EndpointSlice& slice, const EndpointSlice* old) {
  std::vector<std::string> warnings;
  if (old == nullptr && slice.addressType == "FQDN") {
    warnings.emplace_back("spec.addressType: FQDN endpoints are deprecated");
  }
  if (IsOfController(slice)) return warnings;
  const Path endpoints("endpoints");
  for (size_t i = 0; i < slice.endpoints.size(); ++i) {
    const Path endpoint = endpoints.Index(i);
    const Path path = endpoint.Child("addresses");
    const auto& addresses = slice.endpoints[i].addresses;
    for (size_t j = 0; j < addresses.size(); ++j) WarnOfIP(path.Index(j), addresses[j], &warnings);
  }
  return warnings;
}

std::vector<std::string> WarnOfCapacity(const CSIStorageCapacity& capacity,
                                        const CSIStorageCapacity*) {
  std::vector<std::string> warnings;
  if (!capacity.nodeTopology) return warnings;
  const Path topology("nodeTopology");
  const Path expressions = topology.Child("matchExpressions");
  const auto& selector = *capacity.nodeTopology;
  for (size_t i = 0; i < selector.matchExpressions.size(); ++i) {
    const std::string& key = selector.matchExpressions[i].key;
    const std::string_view why = DeprecatedNodeLabel(key);
    if (why.empty()) continue;
    const Path at = expressions.Index(i);
    warnings.push_back(fmt::format("{}: {} is {}", at.Child("key").String(), key, why));
  }
  const Path labels = topology.Child("matchLabels");
  for (const auto& [key, value] : selector.matchLabels) {
    const std::string_view why = DeprecatedNodeLabel(key);
    if (!why.empty()) {
      warnings.push_back(fmt::format("{}: {}", labels.Child(key).String(), why));
    }
  }
  return warnings;
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

Strategy PolicyRow() {
  Strategy row = WithSpec<NetworkPolicy>(false);
  row.warnings = Warn<NetworkPolicy, WarnOfPolicy>;
  return row;
}

Strategy CapacityRow() {
  Strategy row = Plain<CSIStorageCapacity>({.unconditional = false});
  row.warnings = Warn<CSIStorageCapacity, WarnOfCapacity>;
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
      {.type = &reflect::TypeOf<Ingress>(),
       .subresource = "status",
       .own_field = "status",
       .warnings = Warn<Ingress, WarnOfIngressStatus>},
      WithSpec<IngressClass>(false),
      PolicyRow(),
      Plain<IPAddress>(),
      {.type = &reflect::TypeOf<ServiceCIDR>(), .has_status = true},
      StatusOf<ServiceCIDR>(),
      {.type = &reflect::TypeOf<EndpointSlice>(),
       .generation = Generation::kOwn,
       .prepare_create = Create<EndpointSlice, PrepareNewSlice>,
       .prepare_update = Update<EndpointSlice, PrepareSlice>,
       .warnings = Warn<EndpointSlice, WarnOfSlice>},
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
      CapacityRow(),
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
