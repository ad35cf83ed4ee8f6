// Services (upstream's pkg/registry/core/service/strategy.go). What they get from the cluster,
// addresses and ports, is the allocator's (services/service_allocator.h).

#include "api/validation/service.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "api/ip.h"
#include "api/types/core_v1.h"
#include "apiserver/services/service_allocator.h"
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

// IPv6 has many forms, of which one is canonical.
void WarnOfAddress(const Path& path, const std::string& address,
                   std::vector<std::string>* warnings) {
  const auto parsed = api::ParseIP(address);
  if (!parsed || parsed->IsIPv4() || parsed->String() == address) return;
  warnings->push_back(fmt::format(
      "{}: IPv6 address {} is not in RFC 5952 canonical format ({}), which may cause controller "
      "apply-loops",
      path.String(), reflect::GoQuoted(address), reflect::GoQuoted(parsed->String())));
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

std::vector<std::string> WarnOfService(const Service& service, const Service*) {
  std::vector<std::string> warnings;
  const ServiceSpec& spec = service.spec;
  if (service.metadata.annotations.contains("service.kubernetes.io/topology-aware-hints")) {
    warnings.emplace_back(
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
        "service.kubernetes.io/topology-mode instead");
  }
  const Path path("spec");
  const auto warn = [&](std::string_view field, const reflect::List<std::string>& addresses) {
    const Path at = path.Child(field);
    for (size_t i = 0; i < addresses.size(); ++i)
      WarnOfAddress(at.Index(i), addresses[i], &warnings);
  };
  if (api::IsHeadless(spec)) {
    WarnOfHeadless(spec, &warnings);
  } else {
    warn("clusterIPs", spec.clusterIPs);
  }
  warn("externalIPs", spec.externalIPs);
  WarnOfAddress(path.Child("loadBalancerIP"), spec.loadBalancerIP, &warnings);
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
       .prepare_update = Update<Service, PrepareServiceStatus>},
  };
  return kRows;
}

}  // namespace podium::apiserver
