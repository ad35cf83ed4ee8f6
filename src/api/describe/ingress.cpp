// Ways into the cluster, and the addresses of services.
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "api/describe/parts.h"
#include "api/printed_text.h"
#include "api/types/networking_v1.h"
#include "base/text.h"

namespace podium::api {
namespace {

using namespace networking::v1;  // NOLINT: the kinds of this file, named once

// "web:http (10.0.0.1:80)": the service and what is behind its port.
std::string ServiceText(std::string_view name_space, const IngressServiceBackend& backend,
                        const Scene& scene) {
  const ServiceBackendPort& port = backend.port;
  const std::string text =
      backend.name + ':' + (port.number != 0 ? std::to_string(port.number) : port.name);
  const auto* service = scene.Find<core::v1::Service>(name_space, backend.name);
  if (!service) return text + " (<error: services \"" + backend.name + "\" not found>)";
  std::string_view name;
  for (const auto& each : service->spec.ports) {
    const bool by_number = port.number != 0 && port.number == each.port;
    if (by_number || (!port.name.empty() && port.name == each.name)) name = each.name;
  }
  return text + " (" + EndpointsOf(*service, name, scene) + ')';
}

std::string BackendText(std::string_view name_space, const IngressBackend& backend,
                        const Scene& scene) {
  if (backend.service) return ServiceText(name_space, *backend.service, scene);
  if (!backend.resource) return {};
  return "APIGroup: " + backend.resource->apiGroup.value_or(std::string(kNone)) +
         ", Kind: " + backend.resource->kind + ", Name: " + backend.resource->name;
}

std::string AddressesText(const IngressLoadBalancerStatus& balancer) {
  std::set<std::string> addresses;
  for (const IngressLoadBalancerIngress& each : balancer.ingress) {
    const std::string& address = each.ip.empty() ? each.hostname : each.ip;
    if (!address.empty()) addresses.insert(address);
  }
  return Join(addresses, ",");
}

void WriteTls(const reflect::List<IngressTLS>& certificates, DescribeWriter* out) {
  if (!certificates.empty()) out->Line(0, "TLS:");
  for (const IngressTLS& each : certificates) {
    if (each.secretName.empty()) {
      out->Line(1, "SNI routes ", Join(each.hosts, ","));
    } else {
      out->Line(1, each.secretName, " terminates ", Join(each.hosts, ","));
    }
  }
}

void WriteRules(const Ingress& ingress, const std::string& otherwise, const Scene& scene,
                DescribeWriter* out) {
  out->Line(0, "Rules:\n  Host\tPath\tBackends");
  out->Line(1, "----\t----\t--------");
  bool any = false;
  for (const IngressRule& rule : ingress.spec.rules) {
    if (!rule.http) continue;
    any = true;
    out->Line(1, rule.host.empty() ? "*" : rule.host, "\t");
    for (const HTTPIngressPath& path : rule.http->paths) {
      out->Line(2, "\t", path.path, " \t",
                BackendText(ingress.metadata.namespace_, path.backend, scene));
    }
  }
  if (!any) out->Line(1, "*\t*\t", otherwise);
}

Result<void> DescribeIngress(const Ingress& ingress, const Scene& scene, DescribeWriter* out) {
  const IngressSpec& spec = ingress.spec;
  out->Line(0, "Name:\t", ingress.metadata.name);
  WriteLabels("Labels", ingress.metadata.labels, out);
  out->Line(0, "Namespace:\t", ingress.metadata.namespace_);
  out->Line(0, "Address:\t", AddressesText(ingress.status.loadBalancer));
  out->Line(0, "Ingress Class:\t", spec.ingressClassName.value_or(std::string(kNone)));
  const std::string otherwise =
      spec.defaultBackend ? BackendText(ingress.metadata.namespace_, *spec.defaultBackend, scene)
                          : "<default>";
  out->Line(0, "Default backend:\t", otherwise);
  WriteTls(spec.tls, out);
  WriteRules(ingress, otherwise, scene, out);
  WriteAnnotations("Annotations", ingress.metadata.annotations, out);
  WriteEventsOf("Ingress", ingress.metadata, scene, out);
  return {};
}

// Name, labels and annotations of what no namespace holds.
void WriteHead(const meta::v1::ObjectMeta& metadata, DescribeWriter* out) {
  out->Line(0, "Name:\t", metadata.name);
  WriteLabels("Labels", metadata.labels, out);
  WriteAnnotations("Annotations", metadata.annotations, out);
}

Result<void> DescribeIngressClass(const IngressClass& ingress, const Scene& scene,
                                  DescribeWriter* out) {
  WriteHead(ingress.metadata, out);
  out->Line(0, "Controller:\t", ingress.spec.controller);
  if (const auto& parameters = ingress.spec.parameters) {
    out->Line(0, "Parameters:");
    if (parameters->apiGroup) out->Line(1, "APIGroup:\t", *parameters->apiGroup);
    out->Line(1, "Kind:\t", parameters->kind);
    out->Line(1, "Name:\t", parameters->name);
  }
  WriteEventsOf("IngressClass", ingress.metadata, scene, out);
  return {};
}

Result<void> DescribeServiceCidr(const ServiceCIDR& range, const Scene& scene,
                                 DescribeWriter* out) {
  WriteHead(range.metadata, out);
  out->Line(0, "CIDRs:\t", Join(range.spec.cidrs, ", "));
  if (!range.status.conditions.empty()) {
    out->Line(0, "Status:");
    out->Line(0, "Conditions:");
    out->Line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
    out->Line(1, "----\t------\t------------------\t------\t-------");
  }
  for (const auto& each : range.status.conditions) {
    out->Line(1, each.type, "\t", each.status, "\t", scene.Date(each.lastTransitionTime), "\t",
              each.reason, "\t", each.message);
  }
  WriteEventsOf("ServiceCIDR", range.metadata, scene, out);
  return {};
}

Result<void> DescribeIpAddress(const IPAddress& address, const Scene& scene, DescribeWriter* out) {
  WriteHead(address.metadata, out);
  if (const auto& parent = address.spec.parentRef) {
    out->Line(0, "Parent Reference:");
    out->Line(1, "Group:\t", parent->group);
    out->Line(1, "Resource:\t", parent->resource);
    out->Line(1, "Namespace:\t", parent->namespace_);
    out->Line(1, "Name:\t", parent->name);
  }
  WriteEventsOf("IPAddress", address.metadata, scene, out);
  return {};
}

}  // namespace

std::span<const Describer> IngressDescribers() {
  static const Describer kDescribers[] = {
      DescriberOf<Ingress, DescribeIngress>(),
      DescriberOf<IngressClass, DescribeIngressClass>(),
      DescriberOf<IPAddress, DescribeIpAddress>(),
      DescriberOf<ServiceCIDR, DescribeServiceCidr>(),
  };
  return kDescribers;
}

}  // namespace podium::api
