// Services (upstream's pkg/registry/core/service/strategy.go). What they get from the cluster,
// addresses and ports, is the allocator's (services/service_allocator.h).

#include "api/validation/service.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "api/types/core_v1.h"
#include "apiserver/services/service_allocator.h"
#include "apiserver/strategies/address_warnings.h"
#include "apiserver/strategies/rows.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Service;
using api::core::v1::ServicePort;
using api::core::v1::ServiceSpec;
using api::field::Path;

bool NeedsClusterIP(const ServiceSpec& spec) { return spec.type != "ExternalName"; }

bool NeedsNodePorts(const ServiceSpec& spec) {
  return spec.type == "NodePort" ||
         (spec.type == "LoadBalancer" && spec.allocateLoadBalancerNodePorts.value_or(true));
}

bool NeedsTrafficPolicy(const ServiceSpec& spec) {
  return spec.type == "NodePort" || spec.type == "LoadBalancer" ||
         (spec.type == "ClusterIP" && !spec.externalIPs.empty());
}

std::set<int32_t> NodePortsOf(const ServiceSpec& spec) {
  std::set<int32_t> ports;
  for (const ServicePort& port : spec.ports) ports.insert(port.nodePort);
  return ports;
}

// A PUT that leaves out what was given keeps it.
void KeepNodePorts(const ServiceSpec& old, ServiceSpec* spec) {
  const std::set<int32_t> before = NodePortsOf(old);
  std::set<int32_t> used;
  for (const int32_t port : NodePortsOf(*spec)) {
    if (before.contains(port)) used.insert(port);
  }
  std::map<std::string_view, int32_t> by_name;
  for (const ServicePort& port : old.ports) by_name[port.name] = port.nodePort;
  for (ServicePort& port : spec->ports) {
    if (port.nodePort != 0) continue;
    const auto found = by_name.find(port.name);
    if (found == by_name.end() || !used.insert(found->second).second) continue;
    port.nodePort = found->second;
  }
}

void KeepAllocated(const ServiceSpec& old, ServiceSpec* spec) {
  if (NeedsClusterIP(old) && NeedsClusterIP(*spec)) {
    if (spec->clusterIP.empty()) spec->clusterIP = old.clusterIP;
    if (spec->clusterIPs.empty() && spec->clusterIP == old.clusterIP) {
      spec->clusterIPs = old.clusterIPs;
    }
  }
  if (NeedsNodePorts(old) && NeedsNodePorts(*spec)) KeepNodePorts(old, spec);
  if (api::NeedsHealthCheck(old) && api::NeedsHealthCheck(*spec) &&
      spec->healthCheckNodePort == 0) {
    spec->healthCheckNodePort = old.healthCheckNodePort;
  }
}

bool SameNodePorts(const ServiceSpec& a, const ServiceSpec& b) {
  return NodePortsOf(a) == NodePortsOf(b);
}

// What the new type has no use for goes, if the client has not touched it: who changes a type alone
// means that. What was written anew is left for validation.
void DropForType(const ServiceSpec& old, ServiceSpec* spec) {
  if (NeedsClusterIP(old) && !NeedsClusterIP(*spec)) {
    if (spec->clusterIP == old.clusterIP && spec->clusterIPs == old.clusterIPs) {
      spec->clusterIP.clear();
      spec->clusterIPs.clear();
    }
    if (spec->ipFamilies == old.ipFamilies) spec->ipFamilies.clear();
    if (spec->ipFamilyPolicy == old.ipFamilyPolicy) spec->ipFamilyPolicy.reset();
    if (spec->internalTrafficPolicy == old.internalTrafficPolicy) {
      spec->internalTrafficPolicy.reset();
    }
  }
  if (NeedsNodePorts(old) && !NeedsNodePorts(*spec) && SameNodePorts(old, *spec)) {
    for (ServicePort& port : spec->ports) port.nodePort = 0;
  }
  if (api::NeedsHealthCheck(old) && !api::NeedsHealthCheck(*spec) &&
      spec->healthCheckNodePort == old.healthCheckNodePort) {
    spec->healthCheckNodePort = 0;
  }
  if (old.type == "LoadBalancer" && spec->type != "LoadBalancer") {
    if (spec->allocateLoadBalancerNodePorts == old.allocateLoadBalancerNodePorts) {
      spec->allocateLoadBalancerNodePorts.reset();
    }
    if (spec->loadBalancerClass == old.loadBalancerClass) spec->loadBalancerClass.reset();
  }
  if (NeedsTrafficPolicy(old) && !NeedsTrafficPolicy(*spec) &&
      spec->externalTrafficPolicy == old.externalTrafficPolicy) {
    spec->externalTrafficPolicy.clear();
  }
}

void PrepareService(const StrategyContext&, Service& service, const Service& old) {
  DropForType(old.spec, &service.spec);
}

// Addresses of a load balancer go with its type.
void PrepareServiceStatus(const StrategyContext&, Service& service, const Service&) {
  if (service.spec.type != "LoadBalancer") service.status.loadBalancer = {};
}

void WarnOfHeadless(const ServiceSpec& spec, std::vector<std::string>* warnings) {
  if (!spec.loadBalancerIP.empty()) {
    warnings->emplace_back("spec.loadBalancerIP is ignored for headless services");
  }
  if (!spec.externalIPs.empty()) {
    warnings->emplace_back("spec.externalIPs is ignored for headless services");
  }
  if (spec.sessionAffinity != "None") {
    warnings->emplace_back("spec.SessionAffinity is ignored for headless services");
  }
}

template <class Values>
void WarnOfEach(const Values& values, const Path& path,
                void (*warn)(const Path&, std::string_view, std::vector<std::string>*),
                std::vector<std::string>* warnings) {
  for (size_t i = 0; i < values.size(); ++i) warn(path.Index(i), values[i], warnings);
}

// Fields that say nothing of services of this type.
void WarnOfType(const ServiceSpec& spec, std::vector<std::string>* warnings) {
  const bool is_external = spec.type == "ExternalName";
  if (is_external && !spec.externalIPs.empty()) {
    warnings->emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
  }
  if (!is_external && !spec.externalName.empty()) {
    warnings->emplace_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
  }
  if (spec.trafficDistribution == "PreferClose") {
    warnings->emplace_back(
        "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
  }
}

std::vector<std::string> WarnOfService(const Service& service, const Service*) {
  std::vector<std::string> warnings;
  const ServiceSpec& spec = service.spec;
  if (service.metadata.annotations.contains("service.kubernetes.io/topology-aware-hints")) {
    warnings.emplace_back(
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
        "service.kubernetes.io/topology-mode instead");
  }
  const Path path("spec");
  const bool is_headless = api::IsHeadless(spec);
  if (is_headless) {
    WarnOfHeadless(spec, &warnings);
  } else {
    WarnOfEach(spec.clusterIPs, path.Child("clusterIPs"), WarnOfIP, &warnings);
  }
  WarnOfEach(spec.externalIPs, path.Child("externalIPs"), WarnOfIP, &warnings);
  if (!spec.externalIPs.empty() && !is_headless && spec.type != "ExternalName") {
    warnings.emplace_back(
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  WarnOfIP(path.Child("loadBalancerIP"), spec.loadBalancerIP, &warnings);
  WarnOfEach(spec.loadBalancerSourceRanges, path.Child("loadBalancerSourceRanges"), WarnOfCIDR,
             &warnings);
  WarnOfType(spec, &warnings);
  return warnings;
}

std::vector<std::string> WarnOfServiceStatus(const Service& service, const Service*) {
  std::vector<std::string> warnings;
  const Path status("status");
  const Path balancer = status.Child("loadBalancer");
  const Path path = balancer.Child("ingress");
  const auto& points = service.status.loadBalancer.ingress;
  for (size_t i = 0; i < points.size(); ++i) WarnOfIP(path.Index(i), points[i].ip, &warnings);
  return warnings;
}

// Before anything is given: what the client left out, or said in one of two places only.
Result<std::unique_ptr<Allocation>> BeginCreate(const StrategyContext& context, void* object) {
  auto* const service = static_cast<Service*>(object);
  api::NormalizeClusterIPs(nullptr, service);
  if (context.services == nullptr) return std::unique_ptr<Allocation>();
  return context.services->BeginCreate(context, service);
}

Result<std::unique_ptr<Allocation>> BeginUpdate(const StrategyContext& context, void* object,
                                                const void* old_object) {
  auto* const service = static_cast<Service*>(object);
  const auto& old = *static_cast<const Service*>(old_object);
  KeepAllocated(old.spec, &service->spec);
  api::NormalizeClusterIPs(&old, service);
  if (context.services == nullptr) return std::unique_ptr<Allocation>();
  return context.services->BeginUpdate(context, old, service);
}

void AfterDelete(const StrategyContext& context, const void* old) {
  if (context.services == nullptr || context.dry_run) return;
  context.services->Release(*static_cast<const Service*>(old));
}

}  // namespace

std::span<const Strategy> ServiceStrategies() {
  static const Strategy kRows[] = {
      {.type = &reflect::TypeOf<Service>(),
       .has_status = true,
       .prepare_update = Update<Service, PrepareService>,
       .warnings = Warn<Service, WarnOfService>,
       .begin_create = BeginCreate,
       .begin_update = BeginUpdate,
       .after_delete = AfterDelete,
       .create_on_update = true,
       .returns_deleted = true},
      {.type = &reflect::TypeOf<Service>(),
       .subresource = "status",
       .own_field = "status",
       .prepare_update = Update<Service, PrepareServiceStatus>,
       .warnings = Warn<Service, WarnOfServiceStatus>},
  };
  return kRows;
}

}  // namespace podium::apiserver
