#include "api/validation/service.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/labels.h"
#include "api/names.h"
#include "api/validation/common.h"
#include "api/validation/ip_fields.h"
#include "api/validation/object_meta.h"
#include "api/validation/unversioned_json.h"
#include "base/text.h"
#include "reflect/go_trim.h"

namespace podium::api {

using core::v1::Service;
using core::v1::ServicePort;
using core::v1::ServiceSpec;
using field::ErrorList;
using field::Path;

namespace {

constexpr std::string_view kOnlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'";
constexpr int32_t kMaxAffinitySeconds = 86400;
constexpr std::string_view kSourceRanges = "service.beta.kubernetes.io/load-balancer-source-ranges";

bool IsLoadBalancer(const ServiceSpec& spec) { return spec.type == "LoadBalancer"; }

void CheckTopologyAnnotations(const meta::v1::ObjectMeta& metadata, const Path& path,
                              ErrorList* errors) {
  constexpr std::string_view kMode = "service.kubernetes.io/topology-mode";
  constexpr std::string_view kHints = "service.kubernetes.io/topology-aware-hints";
  const auto mode = metadata.annotations.find(kMode);
  const auto hints = metadata.annotations.find(kHints);
  const auto end = metadata.annotations.end();
  if (mode == end || hints == end || mode->second == hints->second) return;
  errors->Add(field::Invalid(
      path.Child("annotations").Key(kMode), mode->second,
      "must match annotations[" + std::string(kHints) + "] when both are specified"));
}

void CheckExternalName(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  const auto forbid = [&](bool is_set, std::string_view name) {
    if (is_set) {
      errors->Add(field::Forbidden(path.Child(name), "may not be set for ExternalName services"));
    }
  };
  forbid(!spec.clusterIPs.empty(), "clusterIPs");
  forbid(!spec.ipFamilies.empty(), "ipFamilies");
  forbid(spec.ipFamilyPolicy.has_value(), "ipFamilyPolicy");
  // A dot at the end says that the name is a whole one.
  std::string_view name = spec.externalName;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) {
    errors->Add(field::Required(path.Child("externalName"), ""));
  } else {
    errors->Append(ValidateDNS1123Subdomain(name, path.Child("externalName")));
  }
}

void CheckPort(const ServicePort& port, bool name_required, std::set<std::string_view>* names,
               const Path& path, ErrorList* errors) {
  if (!port.name.empty()) {
    errors->Append(ValidateDNS1123Label(port.name, path.Child("name")));
    if (!names->insert(port.name).second) {
      errors->Add(field::Duplicate(path.Child("name"), port.name));
    }
  } else if (name_required) {
    errors->Add(field::Required(path.Child("name"), ""));
  }
  errors->AddInvalid(path.Child("port"), port.port, IsValidPortNum(port.port));
  errors->Append(ValidatePortProtocol(port.protocol, path.Child("protocol")));
  errors->Append(ValidatePortNumOrName(port.targetPort, path.Child("targetPort")));
  if (port.appProtocol) {
    errors->Append(ValidateQualifiedName(*port.appProtocol, path.Child("appProtocol")));
  }
}

void CheckAffinity(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  const Path affinity = path.Child("sessionAffinity");
  if (spec.sessionAffinity.empty()) {
    errors->Add(field::Required(affinity, ""));
  } else if (!IsOneOf(spec.sessionAffinity, {"ClientIP", "None"})) {
    errors->Add(
        field::NotSupported(affinity, NamedString(spec.sessionAffinity), {"ClientIP", "None"}));
  }
  const Path config = path.Child("sessionAffinityConfig");
  if (spec.sessionAffinity == "None" && spec.sessionAffinityConfig) {
    errors->Add(field::Forbidden(config, "must not be set when session affinity is None"));
  }
  if (spec.sessionAffinity != "ClientIP") return;
  constexpr std::string_view kWhen = "when session affinity type is ClientIP";
  const Path client = config.Child("clientIP");
  if (!spec.sessionAffinityConfig) {
    errors->Add(field::Required(config, kWhen));
  } else if (!spec.sessionAffinityConfig->clientIP) {
    errors->Add(field::Required(client, kWhen));
  } else if (const auto& seconds = spec.sessionAffinityConfig->clientIP->timeoutSeconds; !seconds) {
    errors->Add(field::Required(client.Child("timeoutSeconds"), kWhen));
  } else if (*seconds <= 0 || *seconds > kMaxAffinitySeconds) {
    errors->Add(field::Invalid(client.Child("timeoutSeconds"), *seconds,
                               "must be greater than 0 and less than 86400"));
  }
}

void CheckFamilies(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  std::set<std::string_view> seen;
  const Path families = path.Child("ipFamilies");
  for (size_t i = 0; i < spec.ipFamilies.size(); ++i) {
    const std::string& family = spec.ipFamilies[i];
    if (!IsOneOf(family, {"IPv4", "IPv6"})) {
      errors->Add(field::NotSupported(families.Index(i), NamedString(family), {"IPv4", "IPv6"}));
    }
    if (!seen.insert(family).second) {
      errors->Add(field::Duplicate(families.Index(i), NamedString(family)));
    }
  }
  if (spec.ipFamilyPolicy &&
      !IsOneOf(*spec.ipFamilyPolicy, {"PreferDualStack", "RequireDualStack", "SingleStack"})) {
    errors->Add(field::NotSupported(path.Child("ipFamilyPolicy"), NamedString(spec.ipFamilyPolicy),
                                    {"PreferDualStack", "RequireDualStack", "SingleStack"}));
  }
}

KeptValues KeptOf(const reflect::List<std::string>& values) {
  return {values.begin(), values.end()};
}

// Each by itself. False when there is one whose family cannot be told.
bool CheckClusterIPValues(const ServiceSpec& spec, const KeptValues& kept, const Path& path,
                          ErrorList* errors) {
  bool valid = true;
  for (size_t i = 0; i < spec.clusterIPs.size(); ++i) {
    const std::string& ip = spec.clusterIPs[i];
    if (i == 0 && ip == "None") {
      if (spec.clusterIPs.size() == 1) continue;
      valid = false;
      errors->Add(field::Invalid(path, spec.clusterIPs, "'None' must be the first and only value"));
      continue;
    }
    const size_t before = errors->size();
    CheckLegacyIP(ip, kept, path.Index(i), errors);
    if (errors->size() != before) valid = false;
  }
  if (spec.clusterIPs.size() > 2) {
    errors->Add(field::Invalid(path, spec.clusterIPs, "may only hold up to 2 values"));
  }
  return valid;
}

// clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy.
void CheckClusterIPs(const ServiceSpec& spec, const ServiceSpec* old_spec, const Path& path,
                     ErrorList* errors) {
  if (spec.type == "ExternalName") return;
  const Path ips = path.Child("clusterIPs");
  if (spec.clusterIP.empty()) {
    if (!spec.clusterIPs.empty()) {
      errors->Add(
          field::Invalid(ips, spec.clusterIPs, "must be empty when `clusterIP` is not specified"));
    }
  } else if (spec.clusterIPs.empty()) {
    errors->Add(field::Required(ips, ""));
  } else if (spec.clusterIPs[0] != spec.clusterIP) {
    errors->Add(field::Invalid(ips, spec.clusterIPs, "first value must match `clusterIP`"));
  }
  CheckFamilies(spec, path, errors);
  const KeptValues kept = old_spec ? KeptOf(old_spec->clusterIPs) : KeptValues();
  if (!CheckClusterIPValues(spec, kept, ips, errors)) return;
  if (spec.clusterIPs.size() > 1 && !IsDualStackIPs(spec.clusterIPs)) {
    errors->Add(
        field::Invalid(ips, spec.clusterIPs, "may specify no more than one IP for each IP family"));
  }
  if (IsHeadless(spec)) return;
  for (size_t i = 0; i < spec.clusterIPs.size() && i < spec.ipFamilies.size(); ++i) {
    const std::string& ip = spec.clusterIPs[i];
    const std::string& family = spec.ipFamilies[i];
    const bool is_ipv6 = IsIPv6(ip);
    if ((family == "IPv4" && is_ipv6) || (family == "IPv6" && !is_ipv6)) {
      errors->Add(field::Invalid(ips.Index(i), ip,
                                 "expected an " + family + " value as indicated by `ipFamilies[" +
                                     std::to_string(i) + "]`"));
    }
  }
}

// No port of a node, and no port of the service, serves one protocol twice.
void CheckPortsDiffer(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  std::set<std::pair<std::string_view, int32_t>> node_ports;
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    const ServicePort& port = spec.ports[i];
    if (port.nodePort != 0 && !node_ports.emplace(port.protocol, port.nodePort).second) {
      errors->Add(field::Duplicate(path.Index(i).Child("nodePort"), port.nodePort));
    }
  }
  std::set<std::pair<std::string_view, int32_t>> ports;
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    const ServicePort& port = spec.ports[i];
    if (ports.emplace(port.protocol, port.port).second) continue;
    ServicePort key;
    key.protocol = port.protocol;
    key.port = port.port;
    errors->Add(field::Duplicate(path.Index(i), UnversionedValue(key)));
  }
}

// The field, or the annotation that older clients write. White space around a value is part of
// both.
void CheckSourceRanges(const Service& service, const Service* old_service, const Path& root,
                       ErrorList* errors) {
  const ServiceSpec& spec = service.spec;
  if (!spec.loadBalancerSourceRanges.empty()) {
    // The name has a capital in upstream's errors.
    const Path spec_path = root.Child("spec");
    const Path path = spec_path.Child("LoadBalancerSourceRanges");
    if (!IsLoadBalancer(spec)) errors->Add(field::Forbidden(path, kOnlyLoadBalancer));
    KeptValues kept;
    if (old_service) {
      for (const std::string& range : old_service->spec.loadBalancerSourceRanges) {
        kept.emplace(reflect::TrimGoSpace(range));
      }
    }
    for (size_t i = 0; i < spec.loadBalancerSourceRanges.size(); ++i) {
      CheckLegacyCIDR(std::string(reflect::TrimGoSpace(spec.loadBalancerSourceRanges[i])), kept,
                      path.Index(i), errors);
    }
    return;
  }
  const auto& annotations = service.metadata.annotations;
  const auto found = annotations.find(kSourceRanges);
  if (found == annotations.end()) return;
  const Path metadata = root.Child("metadata");
  const Path list = metadata.Child("annotations");
  const Path path = list.Key(kSourceRanges);
  if (!IsLoadBalancer(spec)) errors->Add(field::Forbidden(path, kOnlyLoadBalancer));
  if (old_service) {
    const auto old_value = old_service->metadata.annotations.find(kSourceRanges);
    if (old_value != old_service->metadata.annotations.end() &&
        old_value->second == found->second) {
      return;
    }
  }
  const std::string_view ranges = reflect::TrimGoSpace(found->second);
  if (ranges.empty()) return;
  for (const std::string_view range : Split(ranges, ',')) {
    CheckLegacyCIDR(std::string(reflect::TrimGoSpace(range)), {}, path, errors);
  }
}

void CheckTrafficPolicies(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  const Path external = path.Child("externalTrafficPolicy");
  const bool reachable = IsOneOf(spec.type, {"LoadBalancer", "NodePort"}) ||
                         (spec.type == "ClusterIP" && !spec.externalIPs.empty());
  if (!reachable) {
    if (!spec.externalTrafficPolicy.empty()) {
      errors->Add(field::Invalid(external, NamedString(spec.externalTrafficPolicy),
                                 "may only be set for externally-accessible services"));
    }
  } else if (spec.externalTrafficPolicy.empty()) {
    errors->Add(field::Required(external, ""));
  } else if (!IsOneOf(spec.externalTrafficPolicy, {"Cluster", "Local"})) {
    errors->Add(field::NotSupported(external, NamedString(spec.externalTrafficPolicy),
                                    {"Cluster", "Local"}));
  }
  const Path health = path.Child("healthCheckNodePort");
  if (!NeedsHealthCheck(spec)) {
    if (spec.healthCheckNodePort != 0) {
      errors->Add(field::Invalid(health, spec.healthCheckNodePort,
                                 "may only be set when `type` is 'LoadBalancer' and "
                                 "`externalTrafficPolicy` is 'Local'"));
    }
  } else if (spec.healthCheckNodePort == 0) {
    errors->Add(field::Required(health, ""));
  } else {
    errors->AddInvalid(health, spec.healthCheckNodePort, IsValidPortNum(spec.healthCheckNodePort));
  }
  const Path internal = path.Child("internalTrafficPolicy");
  if (!spec.internalTrafficPolicy) {
    if (IsOneOf(spec.type, {"NodePort", "LoadBalancer", "ClusterIP"})) {
      errors->Add(field::Required(internal, ""));
    }
  } else if (!IsOneOf(*spec.internalTrafficPolicy, {"Cluster", "Local"})) {
    errors->Add(field::NotSupported(internal, NamedString(spec.internalTrafficPolicy),
                                    {"Cluster", "Local"}));
  }
  if (spec.trafficDistribution &&
      !IsOneOf(*spec.trafficDistribution, {"PreferClose", "PreferSameZone", "PreferSameNode"})) {
    errors->Add(field::NotSupported(path.Child("trafficDistribution"), *spec.trafficDistribution,
                                    {"PreferClose", "PreferSameZone", "PreferSameNode"}));
  }
}

void CheckAllocation(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  constexpr std::string_view kName = "allocateLoadBalancerNodePorts";
  if (spec.allocateLoadBalancerNodePorts && !IsLoadBalancer(spec)) {
    errors->Add(field::Forbidden(path.Child(kName), kOnlyLoadBalancer));
  }
  if (!spec.allocateLoadBalancerNodePorts && IsLoadBalancer(spec)) {
    errors->Add(field::Required(Path(kName), ""));
  }
}

// What each type needs of addresses and ports.
void CheckByType(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  const Path ports = path.Child("ports");
  if (spec.ports.empty() && !IsHeadless(spec) && spec.type != "ExternalName") {
    errors->Add(field::Required(ports, ""));
  }
  if (IsOneOf(spec.type, {"LoadBalancer", "NodePort"}) && IsHeadless(spec)) {
    errors->Add(field::Invalid(path.Child("clusterIPs").Index(0), "None",
                               "may not be set to 'None' for " + spec.type + " services"));
  }
  if (spec.type == "ExternalName") CheckExternalName(spec, path, errors);
  std::set<std::string_view> names;
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    CheckPort(spec.ports[i], spec.ports.size() > 1, &names, ports.Index(i), errors);
  }
}

void CheckType(const ServiceSpec& spec, const Path& path, ErrorList* errors) {
  if (spec.type.empty()) {
    errors->Add(field::Required(path.Child("type"), ""));
  } else if (!IsOneOf(spec.type, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"})) {
    errors->Add(field::NotSupported(path.Child("type"), NamedString(spec.type),
                                    {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"}));
  }
  if (spec.type != "ClusterIP") return;
  const Path ports = path.Child("ports");
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    if (spec.ports[i].nodePort == 0) continue;
    errors->Add(field::Forbidden(ports.Index(i).Child("nodePort"),
                                 "may not be used when `type` is 'ClusterIP'"));
  }
}

// All but the metadata that every kind has.
ErrorList Validate(const Service& service, const Service* old_service) {
  const Path root;
  const Path path = root.Child("spec");
  const ServiceSpec& spec = service.spec;
  ErrorList errors;
  CheckTopologyAnnotations(service.metadata, root.Child("metadata"), &errors);
  CheckByType(spec, path, &errors);
  errors.Append(ValidateLabels(spec.selector, path.Child("selector")));
  CheckAffinity(spec, path, &errors);
  CheckClusterIPs(spec, old_service ? &old_service->spec : nullptr, path, &errors);
  const Path external = path.Child("externalIPs");
  const KeptValues kept = old_service ? KeptOf(old_service->spec.externalIPs) : KeptValues();
  for (size_t i = 0; i < spec.externalIPs.size(); ++i) {
    const size_t before = errors.size();
    CheckLegacyIP(spec.externalIPs[i], kept, external.Index(i), &errors);
    if (errors.size() == before) CheckEndpointIP(spec.externalIPs[i], external.Index(i), &errors);
  }
  CheckType(spec, path, &errors);
  CheckPortsDiffer(spec, path.Child("ports"), &errors);
  CheckSourceRanges(service, old_service, root, &errors);
  CheckAllocation(spec, path, &errors);
  CheckLoadBalancerClass(spec, &errors);
  CheckTrafficPolicies(spec, path, &errors);
  return errors;
}

}  // namespace

bool IsHeadless(const ServiceSpec& spec) {
  return spec.clusterIPs.size() == 1 && spec.clusterIPs[0] == "None";
}

bool NeedsHealthCheck(const ServiceSpec& spec) {
  return IsLoadBalancer(spec) && spec.externalTrafficPolicy == "Local";
}

void CheckLoadBalancerClass(const ServiceSpec& spec, ErrorList* errors) {
  if (!spec.loadBalancerClass) return;
  const Path root;
  const Path spec_path = root.Child("spec");
  const Path path = spec_path.Child("loadBalancerClass");
  if (IsLoadBalancer(spec)) {
    errors->Append(ValidateQualifiedName(*spec.loadBalancerClass, path));
  } else {
    errors->Add(field::Forbidden(path, kOnlyLoadBalancer));
  }
}

ErrorList ValidatePortNumOrName(const IntOrString& port, const Path& path) {
  ErrorList errors;
  if (port.is_string()) {
    errors.AddInvalid(path, port.str_val, IsValidPortName(port.str_val));
  } else {
    errors.AddInvalid(path, port.int_val, IsValidPortNum(port.int_val));
  }
  return errors;
}

ErrorList ValidateService(const Service& service) {
  const Path root;
  ErrorList errors = ValidateObjectMeta(service.metadata, Scope::kNamespaced, NameIsDNSLabel,
                                        root.Child("metadata"));
  errors.Append(Validate(service, nullptr));
  return errors;
}

ErrorList ValidateServiceUpdate(const Service& service, const Service& old_service) {
  const Path root;
  ErrorList errors =
      ValidateObjectMetaUpdate(service.metadata, old_service.metadata, root.Child("metadata"));
  CheckServiceTransition(service, old_service, &errors);
  errors.Append(Validate(service, &old_service));
  return errors;
}

ErrorList ValidateServiceStatusUpdate(const Service& service, const Service& old_service) {
  const Path root;
  ErrorList errors =
      ValidateObjectMetaUpdate(service.metadata, old_service.metadata, root.Child("metadata"));
  const Path status = root.Child("status");
  const Path balancer = status.Child("loadBalancer");
  const Path path = balancer.Child("ingress");
  const auto& ingresses = service.status.loadBalancer.ingress;
  if (!IsLoadBalancer(service.spec)) {
    if (!ingresses.empty()) {
      errors.Add(field::Forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"));
    }
    return errors;
  }
  KeptValues kept;
  for (const auto& ingress : old_service.status.loadBalancer.ingress) {
    if (!ingress.ip.empty()) kept.insert(ingress.ip);
  }
  for (size_t i = 0; i < ingresses.size(); ++i) {
    const auto& ingress = ingresses[i];
    const Path at = path.Index(i);
    if (!ingress.ip.empty()) CheckLegacyIP(ingress.ip, kept, at.Child("ip"), &errors);
    const Path mode = at.Child("ipMode");
    if (!ingress.ipMode) {
      if (!ingress.ip.empty()) {
        errors.Add(field::Required(mode, "must be specified when `ip` is set"));
      }
    } else if (ingress.ip.empty()) {
      errors.Add(field::Forbidden(mode, "may not be specified when `ip` is not set"));
    } else if (!IsOneOf(*ingress.ipMode, {"Proxy", "VIP"})) {
      errors.Add(field::NotSupported(mode, NamedString(ingress.ipMode), {"Proxy", "VIP"}));
    }
    CheckBalancerHostname(ingress.hostname, at.Child("hostname"), &errors);
  }
  return errors;
}

void NormalizeClusterIPs(const Service* old_service, Service* service) {
  ServiceSpec& spec = service->spec;
  if (!old_service) {
    if (!spec.clusterIP.empty() && spec.clusterIPs.empty()) spec.clusterIPs = {spec.clusterIP};
    return;
  }
  const ServiceSpec& old_spec = old_service->spec;
  const bool same = spec.clusterIP == old_spec.clusterIP;
  if (spec.clusterIPs.empty() && same) spec.clusterIPs = old_spec.clusterIPs;
  if (same || spec.clusterIPs != old_spec.clusterIPs) return;
  spec.clusterIPs.clear();
  if (!spec.clusterIP.empty()) spec.clusterIPs.push_back(spec.clusterIP);
}

}  // namespace podium::api
