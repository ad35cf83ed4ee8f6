// networking.k8s.io and discovery.k8s.io.
#include <array>

#include "api/defaults/rules.h"
#include "api/types/discovery_v1.h"
#include "api/types/discovery_v1beta1.h"
#include "api/types/networking_v1.h"

namespace podium::api::defaults {
namespace {

using namespace networking::v1;

void DefaultPolicyPorts(reflect::List<NetworkPolicyPort>& ports) {
  for (NetworkPolicyPort& port : ports) SetIfUnset(port.protocol, "TCP");
}

void DefaultNetworkPolicy(NetworkPolicy& policy) {
  NetworkPolicySpec& spec = policy.spec;
  if (spec.policyTypes.empty()) {
    spec.policyTypes = {"Ingress"};
    if (!spec.egress.empty()) spec.policyTypes.emplace_back("Egress");
  }
  for (NetworkPolicyIngressRule& rule : spec.ingress) DefaultPolicyPorts(rule.ports);
  for (NetworkPolicyEgressRule& rule : spec.egress) DefaultPolicyPorts(rule.ports);
}

void DefaultIngressClass(IngressClass& ingress_class) {
  auto& parameters = ingress_class.spec.parameters;
  if (parameters) SetIfUnset(parameters->scope, "Cluster");
}

// discovery.k8s.io/v1 and v1beta1.
template <class EndpointSlice>
void DefaultEndpointSlice(EndpointSlice& slice) {
  for (auto& port : slice.ports) {
    SetIfUnset(port.name, "");
    SetIfUnset(port.protocol, "TCP");
  }
}

}  // namespace

std::span<const Kind> NetworkKinds() {
  static const std::array kKinds = {
      KindOf<NetworkPolicy, DefaultNetworkPolicy>(),
      KindOf<IngressClass, DefaultIngressClass>(),
      KindOf<discovery::v1::EndpointSlice, DefaultEndpointSlice<discovery::v1::EndpointSlice>>(),
      KindOf<discovery::v1beta1::EndpointSlice,
             DefaultEndpointSlice<discovery::v1beta1::EndpointSlice>>(),
  };
  return kKinds;
}

}  // namespace podium::api::defaults
