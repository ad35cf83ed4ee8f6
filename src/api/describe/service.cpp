// Services, and the endpoints behind them.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/describe/parts.h"
#include "api/printed_text.h"
#include "api/types/discovery_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace core::v1;  // NOLINT: the parts of services, named once
using discovery::v1::Endpoint;
using discovery::v1::EndpointSlice;

std::vector<const EndpointSlice*> SlicesOf(const Service& service, const Scene& scene) {
  std::vector<const EndpointSlice*> slices = scene.List<EndpointSlice>(service.metadata.namespace_);
  std::erase_if(slices, [&](const EndpointSlice* slice) {
    const auto label = slice->metadata.labels.find("kubernetes.io/service-name");
    return label == slice->metadata.labels.end() || label->second != service.metadata.name;
  });
  return slices;
}

// The first three addresses that take traffic, and how many more there are.
class EndpointsText {
 public:
  // Those of a slice without ports, or at its ports of this name.
  void Add(const EndpointSlice& slice, std::string_view port_name) {
    if (slice.ports.empty()) {
      for (const Endpoint& each : slice.endpoints) AddOne(each, nullptr);
    }
    for (const auto& port : slice.ports) {
      if (port.name.value_or("") != port_name) continue;
      for (const Endpoint& each : slice.endpoints) AddOne(each, &port);
    }
  }

  std::string String() const {
    std::string text = Join(shown_, ",");
    if (more_) text += " + " + std::to_string(ready_ - shown_.size()) + " more...";
    return text;
  }

 private:
  void AddOne(const Endpoint& endpoint, const discovery::v1::EndpointPort* port) {
    constexpr size_t kMost = 3;
    // Upstream says so as well when all that follows are not ready: "+ 0 more...".
    if (shown_.size() == kMost) more_ = true;
    if (!endpoint.conditions.ready.value_or(true)) return;
    ++ready_;
    if (more_) return;
    const std::string address = endpoint.addresses.empty() ? "" : endpoint.addresses.front();
    shown_.push_back(port ? HostPort(address, std::to_string(port->port.value_or(0))) : address);
  }

  std::vector<std::string> shown_;
  size_t ready_ = 0;
  bool more_ = false;
};

std::string TextOf(std::span<const EndpointSlice* const> slices, std::string_view port_name) {
  if (slices.empty()) return std::string(kNone);
  EndpointsText text;
  for (const EndpointSlice* slice : slices) text.Add(*slice, port_name);
  return text.String();
}

std::string BalancersText(const reflect::List<LoadBalancerIngress>& balancers) {
  std::vector<std::string> out;
  for (const LoadBalancerIngress& each : balancers) {
    if (each.ip.empty()) {
      out.push_back(each.hostname);
    } else {
      out.push_back(each.ipMode ? each.ip + " (" + *each.ipMode + ')' : each.ip);
    }
  }
  return Join(out, ", ");
}

std::string JoinOrNone(const reflect::List<std::string>& parts) {
  return parts.empty() ? std::string(kNone) : Join(parts, ",");
}

void WriteIfAny(std::string_view title, std::string_view text, DescribeWriter* out) {
  if (!text.empty()) out->Line(0, title, ":\t", text);
}

void WriteAddresses(const Service& service, DescribeWriter* out) {
  const ServiceSpec& spec = service.spec;
  if (spec.ipFamilyPolicy) out->Line(0, "IP Family Policy:\t", *spec.ipFamilyPolicy);
  out->Line(0, "IP Families:\t", JoinOrNone(spec.ipFamilies));
  out->Line(0, "IP:\t", spec.clusterIP);
  out->Line(0, "IPs:\t", JoinOrNone(spec.clusterIPs));
  if (!spec.externalIPs.empty()) out->Line(0, "External IPs:\t", Join(spec.externalIPs, ","));
  WriteIfAny("Desired LoadBalancer IP", spec.loadBalancerIP, out);
  WriteIfAny("External Name", spec.externalName, out);
  const auto& balancers = service.status.loadBalancer.ingress;
  if (!balancers.empty()) out->Line(0, "LoadBalancer Ingress:\t", BalancersText(balancers));
}

void WritePort(const ServicePort& port, std::span<const EndpointSlice* const> slices,
               DescribeWriter* out) {
  const std::string_view name = port.name.empty() ? kUnset : std::string_view(port.name);
  out->Line(0, "Port:\t", name, "\t", port.port, "/", port.protocol);
  out->Line(0, "TargetPort:\t", port.targetPort.String(), "/", port.protocol);
  if (port.appProtocol) out->Line(0, "AppProtocol:\t", *port.appProtocol);
  if (port.nodePort != 0) {
    out->Line(0, "NodePort:\t", name, "\t", port.nodePort, "/", port.protocol);
  }
  out->Line(0, "Endpoints:\t", TextOf(slices, port.name));
}

Result<void> DescribeService(const Service& service, const Scene& scene, DescribeWriter* out) {
  const ServiceSpec& spec = service.spec;
  WriteMetadata(service.metadata, out);
  out->Line(0, "Selector:\t", LabelsText(spec.selector));
  out->Line(0, "Type:\t", spec.type);
  WriteAddresses(service, out);
  const std::vector<const EndpointSlice*> slices = SlicesOf(service, scene);
  for (const ServicePort& port : spec.ports) WritePort(port, slices, out);
  out->Line(0, "Session Affinity:\t", spec.sessionAffinity);
  WriteIfAny("External Traffic Policy", spec.externalTrafficPolicy, out);
  if (spec.internalTrafficPolicy) {
    out->Line(0, "Internal Traffic Policy:\t", *spec.internalTrafficPolicy);
  }
  if (spec.healthCheckNodePort != 0) {
    out->Line(0, "HealthCheck NodePort:\t", spec.healthCheckNodePort);
  }
  if (!spec.loadBalancerSourceRanges.empty()) {
    out->Line(0, "LoadBalancer Source Ranges:\t", Join(spec.loadBalancerSourceRanges, ","));
  }
  if (spec.trafficDistribution) out->Line(0, "Traffic Distribution:\t", *spec.trafficDistribution);
  WriteEventsOf("Service", service.metadata, scene, out);
  return {};
}

std::string AddressesText(const reflect::List<EndpointAddress>& addresses) {
  std::vector<std::string> out;
  for (const EndpointAddress& each : addresses) out.push_back(each.ip);
  const std::string text = Join(out, ",");
  return text.empty() ? std::string(kNone) : text;
}

Result<void> DescribeEndpoints(const Endpoints& endpoints, const Scene& scene,
                               DescribeWriter* out) {
  WriteMetadata(endpoints.metadata, out);
  out->Line(0, "Subsets:");
  for (const EndpointSubset& subset : endpoints.subsets) {
    out->Line(1, "Addresses:\t", AddressesText(subset.addresses));
    out->Line(1, "NotReadyAddresses:\t", AddressesText(subset.notReadyAddresses));
    if (!subset.ports.empty()) {
      out->Line(1, "Ports:");
      out->Line(2, "Name\tPort\tProtocol");
      out->Line(2, "----\t----\t--------");
    }
    for (const auto& port : subset.ports) {
      out->Line(2, port.name.empty() ? kUnset : std::string_view(port.name), "\t", port.port, "\t",
                port.protocol);
    }
    out->Line(0);
  }
  WriteEventsOf("Endpoints", endpoints.metadata, scene, out);
  return {};
}

std::string OrUnset(const std::optional<std::string>& text) {
  return text.value_or(std::string(kUnset));
}

void WriteEndpoint(const Endpoint& endpoint, DescribeWriter* out) {
  const std::string addresses = Join(endpoint.addresses, ", ");
  out->Line(1, "- Addresses:\t", addresses.empty() ? kNone : std::string_view(addresses));
  out->Line(2, "Conditions:");
  const std::optional<bool>& ready = endpoint.conditions.ready;
  out->Line(3, "Ready:\t", !ready ? kUnset : *ready ? "true" : "false");
  out->Line(2, "Hostname:\t", OrUnset(endpoint.hostname));
  if (endpoint.targetRef) {
    out->Line(2, "TargetRef:\t", endpoint.targetRef->kind, "/", endpoint.targetRef->name);
  }
  out->Line(2, "NodeName:\t", OrUnset(endpoint.nodeName));
  out->Line(2, "Zone:\t", OrUnset(endpoint.zone));
}

Result<void> DescribeEndpointSlice(const EndpointSlice& slice, const Scene& scene,
                                   DescribeWriter* out) {
  WriteMetadata(slice.metadata, out);
  out->Line(0, "AddressType:\t", slice.addressType);
  if (slice.ports.empty()) {
    out->Line(0, "Ports: ", kUnset);
  } else {
    out->Line(0, "Ports:");
    out->Line(1, "Name\tPort\tProtocol");
    out->Line(1, "----\t----\t--------");
  }
  for (const auto& port : slice.ports) {
    const std::string name = port.name.value_or("");
    out->Line(1, name.empty() ? kUnset : std::string_view(name), "\t",
              port.port ? Piece(*port.port) : Piece(kUnset), "\t", port.protocol.value_or(""));
  }
  out->Line(0, "Endpoints:", slice.endpoints.empty() ? " <none>" : "");
  for (const Endpoint& endpoint : slice.endpoints) WriteEndpoint(endpoint, out);
  WriteEventsOf("EndpointSlice", slice.metadata, scene, out);
  return {};
}

}  // namespace

std::string EndpointsOf(const Service& service, std::string_view port_name, const Scene& scene) {
  return TextOf(SlicesOf(service, scene), port_name);
}

std::span<const Describer> ServiceDescribers() {
  static const Describer kDescribers[] = {
      DescriberOf<Endpoints, DescribeEndpoints>(),
      DescriberOf<EndpointSlice, DescribeEndpointSlice>(),
      DescriberOf<Service, DescribeService>(),
  };
  return kDescribers;
}

}  // namespace podium::api
